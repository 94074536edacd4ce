// The part of a conversation in which each end learns whether it is still the only continuation of itself: what the other
// holds of its changes, and, where that is news, which of the unconfirmed ones. Frames in, frames out, like the session.
#ifndef MAILLAGE_REPLICATION_CONTINUITY_TALK_H_
#define MAILLAGE_REPLICATION_CONTINUITY_TALK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync.pb.h"
#include "replication/replica.h"

namespace maillage::replication {

// Not thread-safe. Until open() nothing of the database may be sent, and nothing that comes may be taken: it could clash
// with what this site is about to give up.
class ContinuityTalk {
 public:
  // `replica` must outlive the talk.
  explicit ContinuityTalk(Replica* replica) : replica_(replica) {}

  // What is held of the peer's changes.
  void FillAcquaintance(const SiteId& peer, v1::Acquaintance* acquaintance) const;
  // The peer's Hello has come. `peer_was_told`: ours said what we hold of it. `twin`: it is another copy of this site.
  absl::Status OnHello(const v1::Hello& hello, bool peer_was_told, bool twin);
  absl::Status OnAcquaintance(const v1::Acquaintance& acquaintance);
  // The peer sent other frames first: it holds nothing of this site.
  void OnOtherFrame() { told_ = true; }
  // A change under this site's name came that it didn't write.
  absl::Status OnTwinsChange();
  // The peer sent a change of its own, and this site holds another one under that dot.
  void OnClash(const Replica::ApplyResult& clash);
  // All was compared: of these records both ends hold the same vectors and different contents, so one dot means two
  // changes there, and no acquaintance told. Asks, once in a conversation, and gives up what is unconfirmed in these
  // records and isn't held by the peer; nothing where there is none.
  absl::Status OnClashingRecords(const absl::flat_hash_set<RecordKey>& records);
  absl::Status OnOwnChanges(const v1::OwnChanges& question);
  // InvalidArgument where it answers no question.
  absl::Status OnHeldChanges(const v1::HeldChanges& answer);

  bool open() const { return told_ && !asking_ && !twin_; }
  // Two copies have settled what each keeps.
  bool twins_are_done() const;
  // Since the last call, dots were given up: what was compared before is out of date.
  bool TakeRenounced() { return std::exchange(renounced_, false); }

  // The next frame of this talk; false where there is none now.
  bool Fill(v1::SyncFrame* frame);

 private:
  // Asks for what the peer holds of the unconfirmed changes, or settles at once where there are none.
  absl::Status Suspect(ContinuityDoubt doubt, bool must_renew);
  absl::Status OnTwinsHello(const v1::Hello& hello);
  void Ask(const std::vector<Replica::OwnChange>& changes);
  absl::Status Settle();

  Replica* const replica_;
  SiteId peer_;
  bool acquaintance_due_ = false;
  std::deque<v1::Acquaintance> clashes_;
  bool told_ = false;
  bool renounced_ = false;

  ContinuityDoubt doubt_ = ContinuityDoubt::kNone;
  bool must_renew_ = false;
  bool asking_ = false;
  // What the doubt is about, where it isn't about everything.
  std::optional<absl::flat_hash_set<RecordKey>> clashing_;
  bool clashes_asked_ = false;
  // Of this site when it began to ask.
  uint64_t incarnation_ = 0;
  std::deque<v1::OwnChanges> questions_;
  // Feed positions of the changes in each question that has no answer yet.
  std::deque<std::vector<uint64_t>> unanswered_;
  std::set<uint64_t> held_;
  std::deque<v1::HeldChanges> answers_;

  bool twin_ = false;
  bool twin_asked_all_ = false;
};

// In French, for people: the two compared everything and differ, on this record for one. Names its authors, of whom one
// may have existed twice.
absl::StatusOr<std::string> WhyNotConverging(const storage::ReadView& view,
                                             const std::optional<RecordKey>& differing);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_CONTINUITY_TALK_H_
