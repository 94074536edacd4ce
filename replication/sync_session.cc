#include "replication/sync_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/utf8.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

absl::StatusOr<RecordKey> ParseRecord(const std::string& id, uint32_t kind) {
  const std::optional<RecordId> parsed = RecordId::FromBytes(id);
  if (!parsed.has_value() || kind == 0 || kind > kMaxKind) {
    return absl::InvalidArgumentError("a record without a valid kind and id");
  }
  return RecordKey{static_cast<uint16_t>(kind), *parsed};
}

}  // namespace

SyncSession::SyncSession(Replica* replica, Options options)
    : replica_(replica), options_(std::move(options)), outbox_(replica), continuity_(replica), stubs_(replica),
      reports_(replica) {
  followed_revocations_ = replica->revocation_version();
}

uint64_t SyncSession::Now() const { return replica_->wall_clock().NowMillis(); }

void SyncSession::Close(v1::Goodbye::Reason reason, std::string message) {
  if (goodbye_.has_value() || closed()) return;
  goodbye_.emplace();
  goodbye_->set_reason(reason);
  goodbye_->set_message(std::move(message));
}

void SyncSession::RequestCheck() { check_requested_ = true; }

void SyncSession::ForgetUnreadable() {
  outbox_.unreadable() = {};
  progress_.unreadable = passed_over_seen_ = 0;
  RequestCheck();
}

absl::Status SyncSession::LeaveOut(const RecordKey& record, const absl::Status& why) {
  absl::Status left_out = outbox_.unreadable().LeaveOut(record, why);
  progress_.unreadable = outbox_.unreadable().records().size();
  return left_out;
}

void SyncSession::AcceptChanges(bool accept) {
  accepting_ = accept;
  if (!accept) return;
  const bool records = std::exchange(left_aside_, false);
  const bool stubs = stubs_.TakeLeftAside();
  if (records || stubs) RequestCheck();
}

void SyncSession::LeaveAside() { left_aside_ = has_gap_ = true; }

bool SyncSession::up_to_date() const {
  return progress_.state == SyncState::kLive && !moved_since_agreement_ &&
         progress_.applied_position >= replica_->progress().feed_head;
}

// ---- Frames in ----

absl::Status SyncSession::Receive(const v1::SyncFrame& frame) {
  if (closed() || goodbye_.has_value()) return absl::OkStatus();
  ++progress_.frames_received;
  progress_.bytes_received += frame.ByteSizeLong();
  if (!hello_received_ && !frame.has_hello() && !frame.has_goodbye()) {
    Close(v1::Goodbye::MALFORMED, "the first frame is no greeting");
    return absl::OkStatus();
  }
  absl::Status status = Dispatch(frame);
  if (IsPeersMistake(status)) {
    Close(v1::Goodbye::MALFORMED, std::string(ToStd(status.message())));
    return absl::OkStatus();
  }
  if (continuity_.TakeRenounced()) CompareAnew();
  if (greeting_agreement_.has_value() && continuity_.open()) {
    const auto [head, withdrawals] = *std::exchange(greeting_agreement_, std::nullopt);
    Agree(head_at_hello_, head, withdrawals);
    if (options_.caller) stubs_.Compare(stubs_at_hello_.first, stubs_at_hello_.second);
  }
  return status;
}

absl::Status SyncSession::Dispatch(const v1::SyncFrame& frame) {
  absl::Status status;
  switch (frame.body_case()) {
    case v1::SyncFrame::kHello:
      return OnHello(frame.hello());
    case v1::SyncFrame::kAcquaintance:
      return continuity_.OnAcquaintance(frame.acquaintance());
    case v1::SyncFrame::kOwnChanges:
      return continuity_.OnOwnChanges(frame.own_changes());
    case v1::SyncFrame::kHeldChanges:
      return continuity_.OnHeldChanges(frame.held_changes());
    case v1::SyncFrame::kTerms:
      return OnTerms(frame.terms());
    case v1::SyncFrame::kMembership:
      return OnMembership(frame.membership());
    case v1::SyncFrame::kReports:
      return OnReports(frame.reports());
    case v1::SyncFrame::kSlowed:
      progress_.slowed_by_peer_until_millis = replica_->wall_clock().NowMillis() + frame.slowed().millis();
      return absl::OkStatus();
    case v1::SyncFrame::kGoodbye:
      OnGoodbye(frame.goodbye());
      return absl::OkStatus();
    default:
      break;
  }
  // Two copies of one site exchange nothing: each meets the others under its own name from now on.
  if (replica_->identity().site == progress_.peer) return absl::OkStatus();
  continuity_.OnOtherFrame();
  switch (frame.body_case()) {
    case v1::SyncFrame::kChanges:
      status = OnChanges(frame.changes());
      break;
    case v1::SyncFrame::kCheck:
      status = OnCheck(frame.check());
      break;
    case v1::SyncFrame::kRanges:
      status = OnRanges(frame.ranges());
      break;
    case v1::SyncFrame::kVectors:
      status = OnVectors(frame.vectors());
      break;
    case v1::SyncFrame::kReceipt:
      OnReceipt(frame.receipt());
      break;
    case v1::SyncFrame::kStates:
      status = OnStates(frame.states());
      break;
    case v1::SyncFrame::kStubs:
      status = stubs_.OnStubs(frame.stubs(), accepting_ && continuity_.open());
      break;
    default:
      // A frame of a later version: what it says is for those who know it.
      break;
  }
  return status;
}

absl::Status SyncSession::OnHello(const v1::Hello& hello) {
  const std::optional<SiteId> site = SiteId::FromBytes(hello.site());
  if (hello_received_ || !site.has_value() || site->empty()) {
    return absl::InvalidArgumentError("a greeting that is none");
  }
  if (hello.protocol() != kProtocolVersion) {
    Close(v1::Goodbye::UNSUPPORTED_PROTOCOL,
          absl::StrCat("protocol ", hello.protocol(), ", here ", kProtocolVersion));
    return absl::OkStatus();
  }
  const bool twin = *site == replica_->identity().site;
  if (twin && hello.instance() == replica_->instance()) {
    Close(v1::Goodbye::SELF, "both ends are the same site");
    return absl::OkStatus();
  }
  hello_received_ = true;
  progress_.peer = *site;
  CheckMember();
  if (goodbye_.has_value()) return absl::OkStatus();
  // Our own greeting tells, unless it went to somebody else or is already on its way without.
  const bool told = !hello_sent_ || told_peer_ == *site;
  if (twin) return continuity_.OnHello(hello, told, twin);
  progress_.state = SyncState::kReconciling;
  progress_.peer_incarnation = hello.incarnation();
  peer_instance_ = hello.instance();
  progress_.peer_name = FirstUtf8Bytes(hello.name(), kMaxPeerTextBytes);
  progress_.clock_difference_millis = static_cast<int64_t>(hello.clock() - Now());
  outbox_.SetPeer(*site);
  if (absl::Status status = OnTerms(hello.terms()); !status.ok()) return status;
  RememberMoment();
  outbox_.StartFeedAt(head_at_hello_);
  if (hello.membership() != membership_at_hello_) told_entries_ = 0;
  reports_.Compare(hello.reports());
  if (hello.digest() == digest_at_hello_) {
    greeting_agreement_.emplace(hello.feed_head(), hello.withdrawals());
    stubs_at_hello_.second = hello.stubs();
  } else {
    UseCursor(hello);
    // With a hint on either side, what came since is streamed first and compared afterwards.
    const bool hinted = outbox_.feed_open() || sent_cursor_;
    if (options_.caller && !hinted) StartRound();
  }
  return continuity_.OnHello(hello, told, twin);
}

void SyncSession::CompareAnew() {
  greeting_agreement_.reset();
  check_requested_ = true;
  NoteNews();
}

void SyncSession::RememberMoment() {
  if (!digest_at_hello_.empty()) return;
  membership_at_hello_ = replica_->membership()->digest();
  told_entries_ = replica_->membership()->journal_size();
  reports_.Remember();
  digest_at_hello_ = replica_->tree().Digest(shared_);
  stubs_.SetShared(shared_);
  stubs_at_hello_.first = stubs_.Tell();
  head_at_hello_ = replica_->progress().feed_head;
  withdrawals_at_hello_ = replica_->withdrawals();
}

void SyncSession::UseCursor(const v1::Hello& hello) {
  // Of a feed that is mostly about other territories little would be left.
  const bool from_the_start = hello.cursor().incarnation() == 0 && hello.cursor().position() == 0 &&
                              (shared_.everything() || head_at_hello_ <= kMaxHintedFeedEntries);
  const bool usable =
      hello.has_cursor() && hello.cursor().position() <= head_at_hello_ &&
      (from_the_start ||
       (hello.cursor().incarnation() == replica_->identity().incarnation &&
        head_at_hello_ - hello.cursor().position() <= kMaxHintedFeedEntries));
  if (usable) {
    outbox_.StartFeedAt(hello.cursor().position());
    outbox_.OpenFeed();
  }
}

absl::Status SyncSession::OnChange(const std::string& bytes, bool compared) {
  absl::StatusOr<Replica::ApplyResult> result = replica_->Apply(bytes, progress_.peer, /*returns=*/compared);
  if (absl::IsDataLoss(result.status())) {
    // It has nothing to be applied to; a comparison brings it again once the record is repaired.
    has_gap_ = true;
    return LeaveOut(DecodeChange(bytes)->record, result.status());
  }
  if (!result.ok()) {
    // Its author's mistake, or a lie: the rest goes on.
    const bool is_authors = IsPeersMistake(result.status()) || absl::IsPermissionDenied(result.status());
    if (!is_authors) return result.status();
    return replica_->Quarantine({progress_.peer, std::string(ToStd(result.status().message())), bytes});
  }
  ++progress_.changes_received;
  // Nothing else changes a digest; a clash that made something come would make it come again in each round.
  moved_since_check_ = moved_since_check_ || result->outcome == Replica::Applied::kApplied ||
                       result->outcome == Replica::Applied::kMissingCauses;
  switch (result->outcome) {
    case Replica::Applied::kTwin:
      // Comes again, once this site knows which of its own changes to give up.
      has_gap_ = true;
      return continuity_.OnTwinsChange();
    case Replica::Applied::kClash:
      // Not stored, so not acknowledged; the author looks into it.
      has_gap_ = true;
      differing_ = result->record;
      continuity_.OnClash(*result);
      return absl::OkStatus();
    case Replica::Applied::kMissingCauses:
      has_gap_ = true;
      AskFor(result->record, /*only_answer=*/true);
      return absl::OkStatus();
    case Replica::Applied::kApplied:
      outbox_.CameFromPeer(result->position);
      NoteNews();
      [[fallthrough]];
    case Replica::Applied::kDuplicate:
      waiting_for_.erase(result->record);
      return TellIfOutside(result->record);
    case Replica::Applied::kHandedOver:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status SyncSession::OnChanges(const v1::Changes& changes) {
  if (!accepting_) {
    if (changes.change_size() > 0) LeaveAside();
    return absl::OkStatus();
  }
  // What comes may be of the scope of before, and acknowledges nothing of what has come with the new one.
  FollowScopes();
  for (const std::string& bytes : changes.change()) {
    if (!continuity_.open()) {
      // Not to be taken now: found again when the two compare.
      has_gap_ = true;
      moved_since_check_ = true;
      break;
    }
    if (absl::Status status = OnChange(bytes, /*compared=*/!changes.has_feed_position()); !status.ok()) return status;
  }
  if (changes.has_feed_position() && NoteReceived(changes.feed_position(), changes.withdrawals())) receipt_due_ = true;
  return absl::OkStatus();
}

absl::Status SyncSession::OnStates(const v1::States& states) {
  if (!accepting_) {
    LeaveAside();
    return absl::OkStatus();
  }
  for (const v1::RecordStateBytes& state : states.state()) {
    absl::StatusOr<RecordKey> record = ParseRecord(state.record(), state.kind());
    if (!record.ok()) return record.status();
    if (!MayTellStates()) {
      has_gap_ = moved_since_check_ = true;
      absl::Status kept = RefuseState(*record);
      if (!kept.ok()) return kept;
      continue;
    }
    if (!continuity_.open()) {
      has_gap_ = moved_since_check_ = true;
      break;
    }
    absl::StatusOr<bool> merged = replica_->Merge(*record, state.state(), progress_.peer);
    if (absl::IsAborted(merged.status())) {
      has_gap_ = true;
      return continuity_.OnTwinsChange();
    }
    if (absl::IsDataLoss(merged.status())) {
      has_gap_ = true;
      if (absl::Status left_out = LeaveOut(*record, merged.status()); !left_out.ok()) return left_out;
      continue;
    }
    if (!merged.ok()) return merged.status();
    ++progress_.states_received;
    moved_since_check_ = moved_since_check_ || *merged;
    if (*merged) NoteNews();
    waiting_for_.erase(*record);
    if (absl::Status status = TellIfOutside(*record); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SyncSession::OnCheck(const v1::Check& check) {
  progress_.peer_unreadable = check.unreadable();
  // An entry that came before its authority was known wasn't kept.
  if (check.membership() != replica_->membership()->digest()) told_entries_ = 0;
  if (!check.reply()) check_to_answer_ = check;
  if (!check.reply() || !check_outstanding_) return absl::OkStatus();
  check_outstanding_ = false;
  // The peer has answered all that was asked before; what still misses is asked for again.
  waiting_for_.clear();
  if (check.digest() != check_digest_) return OnDisagreement();
  Agree(check_head_, check.feed_head(), check.withdrawals());
  stubs_.Compare(check_stubs_, check.stubs());
  return absl::OkStatus();
}

absl::Status SyncSession::OnRanges(const v1::Ranges& ranges) {
  if (ranges.answer_ends()) {
    if (open_questions_ == 0) return absl::InvalidArgumentError("an answer to no question");
    --open_questions_;
  }
  saw_ranges_ = true;
  if (ranges.roots()) {
    outbox_.StartRound();
    clashing_.clear();
    // What still misses may have been forgotten there, and is asked for again.
    waiting_for_.clear();
  }
  questions_.push_back(ranges);
  question_memory_ += questions_.back().SpaceUsedLong();
  return question_memory_ <= kMaxQuestionMemory
             ? absl::OkStatus()
             : absl::InvalidArgumentError("more questions than answers are read");
}

absl::Status SyncSession::OnVectors(const v1::Vectors& vectors) {
  if (!continuity_.open()) {
    // Nothing is let go, either, while it isn't known which changes of this site its dots name.
    has_gap_ = moved_since_check_ = true;
    return absl::OkStatus();
  }
  for (const v1::RecordVector& entry : vectors.record()) {
    if (absl::Status status = OnVector(entry); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SyncSession::OnVector(const v1::RecordVector& entry) {
  absl::StatusOr<RecordKey> record = ParseRecord(entry.record(), entry.kind());
  if (!record.ok()) return record.status();
  absl::StatusOr<VersionVector> theirs = FromProto(entry.vector());
  if (!theirs.ok()) return theirs.status();
  absl::StatusOr<std::optional<RecordState>> state = replica_->State(*record);
  if (!state.ok()) return LeaveOut(*record, state.status());
  if (entry.outside()) return OnOutside(entry, *record, *std::move(theirs), *state);
  const VersionVector mine = state->has_value() ? (*state)->vector() : VersionVector();
  if (!entry.reply() && !mine.Covers(*theirs)) AskFor(*record, /*only_answer=*/true);
  if (mine == *theirs) differing_ = *record;
  if (mine == *theirs && state->has_value() && clashing_.insert(*record).second && !entry.reply()) {
    QueueVector(*record, {/*reply=*/true, /*asks=*/false});
  }
  // Whoever holds a record has to hear where it went; anybody else is told what lies in their scope alone.
  const bool due = state->has_value() &&
                   (!theirs->empty() || PeerScope().HoldsAny(record->kind, (*state)->Territories()));
  if (due && !theirs->Covers(mine)) outbox_.AddRecord(*record, *std::move(theirs));
  return absl::OkStatus();
}

void SyncSession::OnReceipt(const v1::Receipt& receipt) {
  progress_.stored_position = std::max(progress_.stored_position,
                                       std::min(receipt.stored(), outbox_.feed_sent()));
  progress_.applied_position = std::max(progress_.applied_position,
                                        std::min(receipt.applied(), outbox_.feed_sent()));
  SkipWhatThePeerHad();
}

void SyncSession::SkipWhatThePeerHad() {
  // What the feed held since the last frame came from the peer itself.
  for (uint64_t* position : {&progress_.stored_position, &progress_.applied_position}) {
    if (*position >= outbox_.feed_marked()) *position = outbox_.feed_sent();
  }
  // Before the first agreement older changes may still be under way by the comparison.
  if (progress_.agreements > 0 && PeerHoldsAllOfMine()) replica_->Witness(progress_.stored_position);
}

void SyncSession::OnGoodbye(const v1::Goodbye& goodbye) {
  progress_.state = SyncState::kClosed;
  progress_.goodbye = goodbye.reason();
  progress_.goodbye_message = FirstUtf8Bytes(goodbye.message(), kMaxPeerTextBytes);
  progress_.closed_by_peer = true;
}

void SyncSession::AskFor(const RecordKey& record, bool only_answer) {
  if (only_answer && waiting_for_.size() >= kMaxAwaitedRecords) return;
  if (only_answer && !waiting_for_.insert(record).second) return;
  QueueVector(record, {/*reply=*/only_answer, /*asks=*/true});
}

void SyncSession::QueueVector(const RecordKey& record, VectorToSend kind) {
  const auto [queued, news] = vector_kinds_.try_emplace(record, kind);
  if (news) vectors_to_send_.push_back(record);
  // One that the peer may answer says all that one which it may not would say.
  queued->second.reply = queued->second.reply && kind.reply;
  queued->second.asks = queued->second.asks || kind.asks;
}

// ---- Agreement ----

void SyncSession::Agree(uint64_t my_feed_head, uint64_t peer_feed_head, uint64_t peer_withdrawals) {
  progress_.state = SyncState::kLive;
  progress_.last_agreement_millis = Now();
  ++progress_.agreements;
  progress_.stored_position = std::max(progress_.stored_position, my_feed_head);
  progress_.applied_position = std::max(progress_.applied_position, my_feed_head);
  received_position_ = std::max(received_position_, peer_feed_head);
  replica_->SetCursor(progress_.peer, {progress_.peer_incarnation, received_position_});
  replica_->NoteFed(progress_.peer, {peer_instance_, peer_feed_head, peer_withdrawals});
  if (PeerHoldsAllOfMine()) replica_->Witness(my_feed_head);
  if (shared_.Contains(replica_->scope())) replica_->NoteComplete();
  offers_head_ = last_offers_millis_ = 0;
  moved_since_agreement_ = false;
  differing_.reset();
  has_gap_ = false;
  left_aside_ = false;
  apart_ = false;
  waiting_for_.clear();
  fruitless_rounds_ = fruitless_answers_ = 0;
  clashing_.clear();
  initiated_round_ = false;
  outbox_.OpenFeed();
}

absl::Status SyncSession::OnDisagreement() {
  // Known, in a live session: what is written here still goes out.
  if (left_aside_ && progress_.state == SyncState::kLive) return absl::OkStatus();
  if (EndsLeftAside()) {
    Close(v1::Goodbye::READ_ONLY, "");
    return absl::OkStatus();
  }
  if (progress_.reconciliation_rounds > 0) outbox_.OpenFeed();
  if (moved_since_check_) {
    // Changes were under way while the two looked: look again once they have passed.
    fruitless_rounds_ = 0;
    return absl::OkStatus();
  }
  // Known to differ: each later comparison is worth one round, for what came since.
  if (std::exchange(apart_, false)) {
    fruitless_rounds_ = 0;
  } else if (DamageKnown() && progress_.reconciliation_rounds > 0) {
    StayApart();
    return absl::OkStatus();
  }
  progress_.state = SyncState::kReconciling;
  if (progress_.reconciliation_rounds > 0 && ++fruitless_rounds_ > kMaxFruitlessRounds) {
    if (!clashing_.empty() && !looked_into_clashes_) {
      fruitless_rounds_ = 0;
      return LookIntoClashes();
    }
    absl::StatusOr<std::string> why = WhyNotConverging(replica_->store(), differing_);
    if (!why.ok()) return why.status();
    Close(v1::Goodbye::NOT_CONVERGING, *std::move(why));
    return absl::OkStatus();
  }
  StartRound();
  return absl::OkStatus();
}

absl::Status SyncSession::LookIntoClashes() {
  if (clashing_.empty() || std::exchange(looked_into_clashes_, true)) return absl::OkStatus();
  return continuity_.OnClashingRecords(clashing_);
}

void SyncSession::StayApart() {
  apart_ = true;
  ++progress_.separations;
  progress_.state = SyncState::kLive;
  outbox_.OpenFeed();
}

void SyncSession::StartRound() {
  ++progress_.reconciliation_rounds;
  initiated_round_ = true;
  clashing_.clear();
  outbox_.StartRound();
  ranges_to_send_.push_back(DescribeRoots(replica_->tree(), shared_, replica_->random().Next64()));
}

bool SyncSession::WantsCheck() {
  if (check_outstanding_ || open_questions_ > 0) return false;
  if (check_requested_) return true;
  if (apart_ && !moved_since_check_) {
    return (options_.caller || initiated_round_) && Now() - last_check_millis_ >= kIdleCheckMillis;
  }
  const bool asks_first = options_.caller || initiated_round_;
  if (progress_.state == SyncState::kReconciling) return asks_first;
  // They differ, and will until this site stores again; the live session stays for what is written here.
  if (left_aside_) return false;
  // Behind a gap an end acknowledges nothing before the two agree; were both to wait for the other's word, none would come.
  const bool quiet = outbox_.feed_sent() >= replica_->progress().feed_head &&
                     (has_gap_ || progress_.applied_position >= outbox_.feed_marked());
  if (!quiet) return false;
  // What was passed over left no trace but the gap.
  if (!moved_since_agreement_ && !has_gap_) {
    if (Now() - last_check_millis_ >= kCheckIntervalMillis && stubs_.WantsToTell()) return true;
    return asks_first && Now() - progress_.last_agreement_millis >= kIdleCheckMillis;
  }
  if (Now() - last_check_millis_ < kCheckIntervalMillis) return false;
  // What the one sent may be nothing new to the other, who then has no reason to ask.
  return asks_first || Now() - last_move_millis_ >= 2 * kCheckIntervalMillis;
}

void SyncSession::NoteMove() {
  moved_since_agreement_ = true;
  last_move_millis_ = Now();
}

void SyncSession::NoteNews() {
  fruitless_rounds_ = 0;
  NoteMove();
}

}  // namespace maillage::replication
