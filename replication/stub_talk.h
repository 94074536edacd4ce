// The part of a conversation in which two ends show each other what they don't hold and refer to: stubs (stub.h). It runs
// beside the comparison of records, over the same tries, and nothing waits for it: ends that tell stubs in different ways,
// as two versions of this software may, agree on the records all the same.
#ifndef MAILLAGE_REPLICATION_STUB_TALK_H_
#define MAILLAGE_REPLICATION_STUB_TALK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync.pb.h"
#include "replication/range_reconciliation.h"
#include "replication/replica.h"
#include "replication/scope.h"

namespace maillage::replication {

// Not thread-safe. Frames in, frames out, like the session; the replica is to be committed between the two.
class StubTalk {
 public:
  // `replica` must outlive the talk.
  explicit StubTalk(Replica* replica) : replica_(replica) {}

  // What both ends hold: no more than the stubs that it refers to is told.
  void SetShared(const Scope& shared);

  // What a greeting or a check says of the stubs here; 0 where there is none.
  uint64_t Tell();
  // Nothing of this talk is under way, and what Tell last said is out of date.
  bool WantsToTell();
  // The records are equal: begins a comparison of the stubs, unless they are equal too, one is under way, or the last one
  // left the two ends as they are. `mine` is what Tell said.
  void Compare(uint64_t mine, uint64_t theirs);
  // Something came that was not accepted; it is compared again.
  bool TakeLeftAside() {
    if (left_aside_) compared_.reset();
    return std::exchange(left_aside_, false);
  }

  // InvalidArgument where the frame is malformed. Unless `accepting`, nothing of it is kept.
  absl::Status OnStubs(const v1::Stubs& frame, bool accepting);
  // The next frame of this talk; false where there is none now.
  absl::StatusOr<bool> Fill(v1::SyncFrame* frame);

  uint64_t sent() const { return sent_; }
  // That brought something.
  uint64_t received() const { return received_; }

 private:
  struct Shown {
    RecordId id;
    // The receiver doesn't answer with what it has itself.
    bool reply = false;
  };
  struct WholeStubRange {
    WholeRange range;
    std::optional<LeafEntry> after;
  };

  uint64_t Digest() const;
  bool Quiet() const { return awaited_ == 0 && !peer_sends_more_ && !sending(); }
  bool sending() const { return ending_ || !asked_.empty() || !frames_.empty() || !ids_.empty() || !ranges_.empty(); }
  absl::Status OnShown(const v1::StubBytes& shown, bool accepting);
  absl::Status Answer(const v1::Stubs& question);
  absl::Status AnswerRanges(const v1::Ranges& ranges);
  absl::Status FillShown(v1::Stubs* stubs);
  absl::Status ExpandRange();
  absl::StatusOr<bool> MayShow(const RecordId& id) const;
  void Queue(const RecordId& id, bool reply);

  Replica* const replica_;
  Scope shared_;

  uint64_t told_ = 0;
  uint64_t told_version_ = 0;
  // What the ends told when they last compared.
  std::optional<std::pair<uint64_t, uint64_t>> compared_;

  // Frames of this site that the peer has to answer, and hasn't yet.
  uint64_t awaited_ = 0;
  bool left_aside_ = false;
  bool peer_sends_more_ = false;
  bool told_more_ = false;
  // Of the peer, to be answered one after the other.
  std::deque<v1::Stubs> asked_;
  size_t asked_memory_ = 0;
  // The answer to the last of them is under way.
  bool ending_ = false;
  std::deque<v1::Stubs> frames_;
  std::deque<Shown> ids_;
  absl::flat_hash_set<RecordId> queued_;
  std::deque<WholeStubRange> ranges_;

  uint64_t sent_ = 0;
  uint64_t received_ = 0;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_STUB_TALK_H_
