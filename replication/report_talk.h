// The part of a conversation in which two ends pass on what sites told of themselves (site_reports.h). It runs beside all else,
// and nothing waits for it.
#ifndef MAILLAGE_REPLICATION_REPORT_TALK_H_
#define MAILLAGE_REPLICATION_REPORT_TALK_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "proto/sync.pb.h"
#include "replication/replica.h"

namespace maillage::replication {

// Not thread-safe. Frames in, frames out, like the session.
class ReportTalk {
 public:
  // `replica` must outlive the talk.
  explicit ReportTalk(Replica* replica) : replica_(replica) {}

  // For this end's greeting, or when the peer's comes, whichever is first: the sum that the greeting tells.
  uint64_t Remember();
  // What the peer's greeting told: where the two differ, both list what they have.
  void Compare(uint64_t theirs);

  // InvalidArgument where the frame is malformed. A report that isn't taken says nothing against the peer: it may be of a member
  // of whom this site has not heard yet.
  absl::Status OnReports(const v1::SiteReports& frame);
  // The next frame of this talk; false where there is none now.
  bool Fill(v1::SyncFrame* frame);

 private:
  void List(v1::SiteReports& frame) const;

  Replica* const replica_;
  bool remembered_ = false;
  uint64_t digest_ = 0;
  bool list_due_ = false;
  // What the peer has is known: its greeting or its list told.
  bool informed_ = false;
  absl::flat_hash_map<SiteId, uint64_t> known_;
  // All that came here up to this version has been sent, or was the peer's already.
  uint64_t told_version_ = 0;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_REPORT_TALK_H_
