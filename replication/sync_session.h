// One conversation between two sites: a state machine, frames in and frames out, that knows no transport, no thread
// and no time but the replica's ports. Both ends run the same code; proto/README.md tells the protocol in prose.
#ifndef MAILLAGE_REPLICATION_SYNC_SESSION_H_
#define MAILLAGE_REPLICATION_SYNC_SESSION_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync.pb.h"
#include "replication/continuity_talk.h"
#include "replication/range_reconciliation.h"
#include "replication/record_outbox.h"
#include "replication/replica.h"
#include "replication/report_talk.h"
#include "replication/stub_talk.h"

namespace maillage::replication {

enum class SyncState : uint8_t {
  // The other end has not introduced itself.
  kGreeting,
  // Comparing, or exchanging what differed.
  kReconciling,
  // Roots were equal at last_agreement_millis; changes flow as they are committed.
  kLive,
  kClosed,
};

// What a session knows of itself and of its peer. Positions count in this site's feed.
struct SyncProgress {
  SyncState state = SyncState::kGreeting;
  SiteId peer;
  uint64_t peer_incarnation = 0;
  std::string peer_name;
  // Of what the two share, when the peer last told; 0: it didn't.
  uint64_t peer_records = 0;
  // The peer's clock minus ours, when its greeting came.
  int64_t clock_difference_millis = 0;
  uint64_t sent_position = 0;
  uint64_t stored_position = 0;
  uint64_t applied_position = 0;
  // 0: never in this session.
  uint64_t last_agreement_millis = 0;
  uint64_t agreements = 0;
  // How often a comparison ended with nothing but what one end can't read for a difference.
  uint64_t separations = 0;
  uint64_t reconciliation_rounds = 0;
  uint64_t changes_sent = 0;
  uint64_t changes_received = 0;
  uint64_t states_sent = 0;
  uint64_t states_received = 0;
  // Of records that one end refers to and doesn't hold.
  uint64_t stubs_sent = 0;
  uint64_t stubs_received = 0;
  uint64_t frames_sent = 0;
  uint64_t frames_received = 0;
  // Serialised frames, without what the transport adds.
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  // Records that are left out of this session because they can't be read here, and there.
  uint64_t unreadable = 0;
  uint64_t peer_unreadable = 0;
  // By this site's clock: until when the peer, as it says, reads nothing from this end, which sent too much; 0: it never said so.
  uint64_t slowed_by_peer_until_millis = 0;
  // Why the session ended, and which end said so; set in kClosed.
  v1::Goodbye::Reason goodbye = v1::Goodbye::REASON_UNSPECIFIED;
  bool closed_by_peer = false;
  std::string goodbye_message;
};

// Not thread-safe. The owner's loop:
//
//   for each frame that came: session.Receive(frame)
//   replica.Commit()                                  at least once between Receive and Next
//   while (session.Next(&frame)) send(frame)
//
// and Next again after every commit of the replica, and about once a second, since sessions compare roots again once
// a burst of changes has passed. An error of either call is the store's; the peer's mistakes close the session.
class SyncSession {
 public:
  struct Options {
    // The caller compares first; the other end may at any time, too.
    bool caller = false;
    // This site's name, for people.
    std::string name;
    // Who answered at this address last time: the caller's hint is about their feed.
    SiteId expected_peer;
    // The other end is nobody in particular: a snapshot.
    bool anyone = false;
  };

  // `replica` must outlive the session.
  SyncSession(Replica* replica, Options options);

  absl::Status Receive(const v1::SyncFrame& frame);

  // The next frame to send; false where there is none now. A Goodbye is the last.
  absl::StatusOr<bool> Next(v1::SyncFrame* frame);

  // Whose key the transport has seen proven, before the first frame: a greeting of anybody else ends the session. Empty: it
  // proves nothing, as a file does.
  void SetProvenPeer(const SiteId& site) { proven_peer_ = site; }
  // Tells the peer that nothing is read from it for so long, because it sent too much.
  void TellSlowed(uint64_t millis) { slowed_millis_ = static_cast<uint32_t>(std::min<uint64_t>(millis, UINT32_MAX)); }
  // Ends the session with the next frame.
  void Close(v1::Goodbye::Reason reason, std::string message);
  // While false, what the peer sends is left aside, unacknowledged; what is here goes out all the same. Once all of that
  // has gone and roots still differ, the session ends with READ_ONLY. True again: roots are compared if anything was
  // left aside.
  void AcceptChanges(bool accept);
  // Offers what leaves this site's scope, agreed or not.
  void RequestOffers();
  // Compares roots as soon as nothing else is to be sent.
  void RequestCheck();
  // Records that couldn't be read here may have been repaired: they are no longer left out, and
  // roots are compared.
  void ForgetUnreadable();
  const UnreadableRecords& unreadable() const { return outbox_.unreadable(); }
  // All that can be exchanged was; roots differ by what one end can't read, and will until that is
  // repaired.
  bool apart() const { return apart_; }

  const SyncProgress& progress() const { return progress_; }
  // What the two compare and exchange: what both hold, and each may have.
  const Scope& shared() const { return shared_; }
  // How many records this site holds of that; one in two territories counts twice, as in progress().peer_records.
  uint64_t shared_records() const;
  // What was unreadable in what the peer sent; empty otherwise.
  std::string fault() const {
    return goodbye_.has_value() && goodbye_->reason() == v1::Goodbye::MALFORMED ? goodbye_->message() : "";
  }
  // Something that came builds on what did not, and roots were not equal since.
  bool has_gap() const { return has_gap_; }
  // What this site writes goes out as it is written.
  bool feed_open() const { return outbox_.feed_open(); }
  // Whether a site exists twice is being found out; until then nothing is taken.
  bool settles_continuity() const { return hello_received_ && !continuity_.open(); }
  // Ended, or about to say goodbye.
  bool closing() const { return closed() || goodbye_.has_value(); }
  bool closed() const { return progress_.state == SyncState::kClosed; }
  // All that was committed here has been applied there, and roots were equal since the last record moved.
  bool up_to_date() const;

 private:
  struct VectorToSend {
    bool reply;
    // Something may come in return.
    bool asks;
  };

  // Anything else is the store's.
  static bool IsPeersMistake(const absl::Status& status) { return absl::IsInvalidArgument(status); }

  absl::Status Dispatch(const v1::SyncFrame& frame);
  absl::Status OnHello(const v1::Hello& hello);
  // Both ends compare what they held at one moment: their greeting's.
  void RememberMoment();
  void UseCursor(const v1::Hello& hello);
  absl::Status OnChanges(const v1::Changes& changes);
  // `compared`: it comes of a comparison, and not from the peer's feed.
  absl::Status OnChange(const std::string& bytes, bool compared);
  absl::Status OnStates(const v1::States& states);
  absl::Status OnCheck(const v1::Check& check);
  absl::Status OnRanges(const v1::Ranges& ranges);
  absl::Status OnVectors(const v1::Vectors& vectors);
  absl::Status OnVector(const v1::RecordVector& entry);

  // ---- Scopes (sync_session_scope.cc) ----
  absl::Status OnTerms(const v1::Terms& terms);
  v1::Terms MyTerms(const SiteId& peer) const;
  // From what both ends have told.
  void AdoptTerms();

  // ---- Members (sync_session_members.cc) ----
  // Closes the session to whom it isn't for.
  void CheckMember();
  void FollowMembership();
  absl::Status OnMembership(const v1::MembershipLog& log);
  bool FillMembership(v1::SyncFrame* frame);
  absl::Status OnReports(const v1::SiteReports& reports);
  bool FillReports(v1::SyncFrame* frame);
  // All of the peer's feed up to there has come, or isn't for this site; false where something before it is missing.
  bool NoteReceived(uint64_t feed_position, uint64_t withdrawals);
  // A state is the word of who sends it: no author has signed it.
  bool MayTellStates() const;
  absl::Status RefuseState(const RecordKey& record);

  // Once the list of sites has changed.
  void FollowScopes();
  bool FillTerms(v1::SyncFrame* frame);
  // What the peer holds and may have, as far as is known here.
  Scope PeerScope() const { return replica_->ScopeOf(progress_.peer).Intersect(peer_holds_); }
  bool IsShared(uint16_t kind, const RecordState& state) const {
    return shared_.everything() || shared_.HoldsAny(kind, state.Territories());
  }
  // Whoever holds what this site holds has it all.
  bool PeerHoldsAllOfMine() const { return replica_->leaving() == 0 && shared_.Contains(replica_->scope()); }
  // A record came that lies outside of what the two share: one of them has to hear where it went.
  absl::Status TellIfOutside(const RecordKey& record);
  absl::Status OnOutside(const v1::RecordVector& entry, const RecordKey& record, VersionVector theirs,
                         const std::optional<RecordState>& state);
  void DescribeRecord(const RecordKey& record, const RecordState& state, v1::RecordVector* entry) const;
  void RenewOffers();
  absl::StatusOr<bool> FillOffers(v1::SyncFrame* frame);
  // What was compared before is out of date where dots were given up since.
  void CompareAnew();
  void OnReceipt(const v1::Receipt& receipt);
  // The positions pass over entries of the feed that the peer itself had sent.
  void SkipWhatThePeerHad();
  void OnGoodbye(const v1::Goodbye& goodbye);

  absl::StatusOr<bool> Fill(v1::SyncFrame* frame);
  bool FillGoodbye(v1::SyncFrame* frame);
  absl::StatusOr<bool> FillHello(v1::Hello* hello);
  bool FillReceipt(v1::SyncFrame* frame);
  absl::StatusOr<bool> FillRanges(v1::SyncFrame* frame);
  absl::Status AnswerRanges(const v1::Ranges& question);
  absl::StatusOr<bool> FillVectors(v1::SyncFrame* frame);
  absl::StatusOr<bool> FillCheck(v1::SyncFrame* frame);
  bool WantsCheck();
  // A record travelled that may be new to the other end.
  void NoteMove();
  // One came that was new here.
  void NoteNews();
  void StartRound();
  // Nothing more can be agreed on: the peer holds what isn't accepted here.
  bool EndsLeftAside() const {
    return left_aside_ && (saw_ranges_ || progress_.reconciliation_rounds > 0);
  }
  void LeaveAside();
  // The peer's head, and how many records had left its scope then.
  void Agree(uint64_t my_feed_head, uint64_t peer_feed_head, uint64_t peer_withdrawals);
  absl::Status OnDisagreement();
  absl::Status LeaveOut(const RecordKey& record, const absl::Status& why);
  bool DamageKnown() const { return progress_.unreadable > 0 || progress_.peer_unreadable > 0; }
  // Goes on living without an agreement.
  void StayApart();
  // Rounds have brought nothing: dots that mean two changes at the two ends are found out, once in a session.
  absl::Status LookIntoClashes();
  void AskFor(const RecordKey& record, bool only_answer);
  void QueueVector(const RecordKey& record, VectorToSend kind);
  uint64_t Now() const;

  Replica* const replica_;
  const Options options_;
  SyncProgress progress_;
  RecordOutbox outbox_;
  ContinuityTalk continuity_;
  StubTalk stubs_;
  ReportTalk reports_;

  // Everything, until the peer's greeting.
  Scope shared_;
  Scope peer_holds_;
  Scope peer_grants_;
  v1::Terms told_terms_;
  uint64_t followed_scopes_ = 0;
  SiteId proven_peer_;
  uint64_t followed_membership_ = 0;
  uint64_t followed_revocations_ = 0;
  // How much of the membership's journal the peer has been told or had.
  size_t told_entries_ = 0;
  uint64_t membership_at_hello_ = 0;
  uint64_t withdrawals_at_hello_ = 0;
  uint64_t peer_instance_ = 0;
  // Records outside of this site's scope are offered once after each agreement, and where something was written since.
  bool offers_due_ = false;
  uint64_t offers_head_ = 0;
  uint64_t last_offers_millis_ = 0;
  std::optional<RecordKey> offered_up_to_;

  bool hello_sent_ = false;
  bool hello_received_ = false;
  // Whom our Hello told what is held of theirs.
  SiteId told_peer_;
  std::string digest_at_hello_;
  uint64_t head_at_hello_ = 0;
  bool sent_cursor_ = false;
  // The greetings had equal digests; the peer's feed head, and its withdrawals. An agreement once it is known what the peer holds of this site:
  // equal states don't prove that it holds the same changes.
  std::optional<std::pair<uint64_t, uint64_t>> greeting_agreement_;
  // What both greetings said of stubs.
  std::pair<uint64_t, uint64_t> stubs_at_hello_;
  std::optional<v1::Goodbye> goodbye_;
  // To be told; 0: nothing is.
  uint32_t slowed_millis_ = 0;

  // Reconciliation.
  std::deque<v1::Ranges> questions_;
  size_t question_memory_ = 0;
  std::deque<v1::Ranges> ranges_to_send_;
  // Frames with questions that the peer has not finished answering.
  uint64_t open_questions_ = 0;
  // Each record once, however often it is asked about while the peer reads nothing: the vector that goes is the newest.
  std::deque<RecordKey> vectors_to_send_;
  absl::flat_hash_map<RecordKey, VectorToSend> vector_kinds_;
  // Asked for, and not come yet.
  absl::flat_hash_set<RecordKey> waiting_for_;

  // Checks.
  bool check_requested_ = false;
  bool check_outstanding_ = false;
  std::string check_digest_;
  uint64_t check_stubs_ = 0;
  uint64_t check_head_ = 0;
  uint64_t last_check_millis_ = 0;
  std::optional<v1::Check> check_to_answer_;
  // Records travelled, either way, since the last check was sent; since the last agreement.
  bool moved_since_check_ = false;
  bool moved_since_agreement_ = true;
  uint64_t last_move_millis_ = 0;
  bool saw_ranges_ = false;
  bool initiated_round_ = false;
  uint32_t fruitless_rounds_ = 0;
  // The same seen from the other end: what was asked and answered last, where that differed, and how often it came again.
  std::pair<std::string, std::string> differing_answer_;
  uint32_t fruitless_answers_ = 0;
  // Found in this round to differ under equal vectors. Both ends learn of each.
  absl::flat_hash_set<RecordKey> clashing_;
  bool looked_into_clashes_ = false;
  // A record that was found to differ, and did since the last agreement.
  std::optional<RecordKey> differing_;

  bool receipt_due_ = false;
  // The peer's feed up to here is stored here.
  uint64_t received_position_ = 0;
  // A change came before its causes, and roots were not equal since.
  bool has_gap_ = false;
  bool accepting_ = true;
  bool left_aside_ = false;
  bool apart_ = false;
  uint64_t passed_over_seen_ = 0;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SYNC_SESSION_H_
