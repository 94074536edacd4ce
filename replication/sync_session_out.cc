// What a session sends next.
#include <algorithm>
#include <utility>

#include "proto/absl_view.h"
#include "replication/record_reader.h"
#include "replication/sync_session.h"
#include "replication/tuning.h"

namespace maillage::replication {

absl::StatusOr<bool> SyncSession::Next(v1::SyncFrame* frame) {
  frame->Clear();
  if (closed()) return false;
  FollowMembership();
  FollowScopes();
  absl::StatusOr<bool> filled = Fill(frame);
  SkipWhatThePeerHad();
  if (!filled.ok() || !*filled) return filled;
  ++progress_.frames_sent;
  progress_.bytes_sent += frame->ByteSizeLong();
  progress_.sent_position = outbox_.feed_sent();
  progress_.stubs_sent = stubs_.sent();
  progress_.stubs_received = stubs_.received();
  return true;
}

absl::StatusOr<bool> SyncSession::Fill(v1::SyncFrame* frame) {
  if (goodbye_.has_value()) return FillGoodbye(frame);
  if (!hello_sent_) {
    // The one who was called waits for the caller's name: its cursor depends on it.
    if (!options_.caller && !hello_received_) return false;
    return FillHello(frame->mutable_hello());
  }
  if (!hello_received_) return false;
  if (slowed_millis_ > 0) {
    frame->mutable_slowed()->set_millis(std::exchange(slowed_millis_, 0));
    return true;
  }
  if (FillMembership(frame) || continuity_.Fill(frame)) return true;
  if (continuity_.twins_are_done()) {
    Close(v1::Goodbye::TWIN, "deux copies de ce site tournent");
    return Fill(frame);
  }
  if (!continuity_.open()) return false;
  if (FillTerms(frame) || FillReceipt(frame) || FillReports(frame)) return true;
  for (auto fill : {&SyncSession::FillRanges, &SyncSession::FillVectors}) {
    absl::StatusOr<bool> filled = (this->*fill)(frame);
    if (!filled.ok() || *filled) return filled;
  }
  absl::StatusOr<bool> records = outbox_.Fill(frame);
  if (!records.ok()) return records;
  progress_.unreadable = outbox_.unreadable().records().size();
  // What the feed can't tell is for a comparison to find.
  if (std::exchange(passed_over_seen_, outbox_.unreadable().passed_over()) !=
      outbox_.unreadable().passed_over()) {
    replica_->NoteWithdrawal();
    NoteMove();
  }
  if (*records) {
    if (frame->has_changes()) frame->mutable_changes()->set_withdrawals(replica_->withdrawals());
    progress_.changes_sent += static_cast<uint64_t>(frame->changes().change_size());
    progress_.states_sent += static_cast<uint64_t>(frame->states().state_size());
    moved_since_check_ = true;
    NoteMove();
    return true;
  }
  absl::StatusOr<bool> offers = FillOffers(frame);
  if (!offers.ok() || *offers) return offers;
  absl::StatusOr<bool> stubs = stubs_.Fill(frame);
  if (IsPeersMistake(stubs.status())) {
    Close(v1::Goodbye::MALFORMED, std::string(ToStd(stubs.status().message())));
    frame->Clear();
    return Fill(frame);
  }
  if (!stubs.ok() || *stubs) return stubs;
  return FillCheck(frame);
}

bool SyncSession::FillGoodbye(v1::SyncFrame* frame) {
  *frame->mutable_goodbye() = *goodbye_;
  progress_.state = SyncState::kClosed;
  progress_.goodbye = goodbye_->reason();
  progress_.goodbye_message = goodbye_->message();
  return true;
}

absl::StatusOr<bool> SyncSession::FillHello(v1::Hello* hello) {
  const LocalIdentity& identity = replica_->identity();
  absl::StatusOr<std::optional<PeerCursor>> cursor =
      replica_->Cursor(hello_received_ ? progress_.peer : options_.expected_peer);
  if (!cursor.ok()) return cursor.status();
  const SiteId& peer = hello_received_ ? progress_.peer : options_.expected_peer;
  if (!hello_received_) shared_ = replica_->scope().Intersect(replica_->ScopeOf(peer));
  RememberMoment();
  // All that is here was written here: whatever the peer's feed holds, it is new.
  if (replica_->progress().feed_head == replica_->progress().site_sequence) cursor->emplace();
  if (cursor->has_value()) {
    hello->mutable_cursor()->set_incarnation((*cursor)->incarnation);
    hello->mutable_cursor()->set_position((*cursor)->position);
    sent_cursor_ = true;
  }
  hello->set_protocol(kProtocolVersion);
  hello->set_site(std::string(identity.site.bytes()));
  hello->set_incarnation(identity.incarnation);
  hello->set_name(options_.name);
  hello->set_clock(Now());
  hello->set_digest(digest_at_hello_);
  hello->set_feed_head(head_at_hello_);
  hello->set_schema(kSchemaVersion);
  hello->set_instance(replica_->instance());
  hello->set_stubs(stubs_at_hello_.first);
  hello->set_membership(membership_at_hello_);
  hello->set_reports(reports_.Remember());
  hello->set_withdrawals(withdrawals_at_hello_);
  told_terms_ = MyTerms(peer);
  if (told_terms_.ByteSizeLong() > 0) *hello->mutable_terms() = told_terms_;
  if (!peer.empty()) continuity_.FillAcquaintance(peer, hello->mutable_known_of_you());
  told_peer_ = peer;
  hello_sent_ = true;
  return true;
}

bool SyncSession::FillReceipt(v1::SyncFrame* frame) {
  if (!receipt_due_) return false;
  receipt_due_ = false;
  frame->mutable_receipt()->set_stored(received_position_);
  frame->mutable_receipt()->set_applied(received_position_);
  return true;
}

absl::Status SyncSession::AnswerRanges(const v1::Ranges& question) {
  RangeOutcome outcome;
  absl::Status status = Reconcile(replica_->tree(), replica_->store(), shared_, question, outcome);
  if (!status.ok()) return status;
  for (const RecordKey& record : outcome.different) AskFor(record, /*only_answer=*/false);
  if (!outcome.different.empty()) differing_ = outcome.different.back();
  for (const RecordKey& record : outcome.missing_here) AskFor(record, /*only_answer=*/true);
  for (const RecordKey& record : outcome.missing_there) outbox_.AddRecord(record, {});
  for (const WholeRange& range : outcome.whole_ranges_missing_there) outbox_.AddRange(range);

  const bool must_answer = std::any_of(question.range().begin(), question.range().end(), IsQuestion) ||
                           question.roots();
  if (!must_answer && outcome.answers.empty()) return absl::OkStatus();
  v1::Ranges answer;
  answer.set_salt(question.salt());
  for (v1::Range& range : outcome.answers) {
    if (static_cast<size_t>(answer.range_size()) == kRangesPerFrame) {
      ranges_to_send_.push_back(answer);
      answer.clear_range();
    }
    *answer.add_range() = std::move(range);
  }
  answer.set_answer_ends(must_answer);
  ranges_to_send_.push_back(std::move(answer));
  return absl::OkStatus();
}

absl::StatusOr<bool> SyncSession::FillRanges(v1::SyncFrame* frame) {
  // One after the other, so that answers wait for nothing but their question.
  while (ranges_to_send_.empty() && !questions_.empty()) {
    question_memory_ -= questions_.front().SpaceUsedLong();
    const v1::Ranges question = std::move(questions_.front());
    questions_.pop_front();
    absl::Status status = AnswerRanges(question);
    if (IsPeersMistake(status)) {
      Close(v1::Goodbye::MALFORMED, std::string(ToStd(status.message())));
      return Fill(frame);
    }
    if (!status.ok()) return status;
  }
  if (ranges_to_send_.empty()) return false;
  *frame->mutable_ranges() = std::move(ranges_to_send_.front());
  ranges_to_send_.pop_front();
  const auto& ranges = frame->ranges();
  if (ranges.roots() || std::any_of(ranges.range().begin(), ranges.range().end(), IsQuestion)) {
    ++open_questions_;
  }
  return true;
}

absl::StatusOr<bool> SyncSession::FillVectors(v1::SyncFrame* frame) {
  size_t bytes = 0;
  bool asks = false;
  while (!vectors_to_send_.empty() && bytes < kFrameBytes) {
    const RecordKey record = vectors_to_send_.front();
    vectors_to_send_.pop_front();
    const VectorToSend kind = vector_kinds_.extract(record).mapped();
    absl::StatusOr<std::optional<RecordState>> state = ReadState(replica_->store(), record);
    if (!state.ok()) {
      if (absl::Status left_out = LeaveOut(record, state.status()); !left_out.ok())
        return left_out;
      continue;
    }
    v1::RecordVector* entry = frame->mutable_vectors()->add_record();
    entry->set_record(std::string(record.id.bytes()));
    entry->set_kind(record.kind);
    if (state->has_value()) DescribeRecord(record, **state, entry);
    entry->set_reply(kind.reply);
    bytes += entry->ByteSizeLong();
    asks = asks || kind.asks;
  }
  if (!frame->has_vectors()) return false;
  moved_since_check_ = moved_since_check_ || asks;
  return true;
}

absl::StatusOr<bool> SyncSession::FillCheck(v1::SyncFrame* frame) {
  const bool answers = check_to_answer_.has_value();
  if (!answers && !WantsCheck()) return false;
  const std::string digest = replica_->tree().Digest(shared_);
  const uint64_t head = replica_->progress().feed_head;
  v1::Check* check = frame->mutable_check();
  check->set_digest(digest);
  check->set_feed_head(head);
  check->set_withdrawals(replica_->withdrawals());
  check->set_unreadable(progress_.unreadable);
  const uint64_t stubs = stubs_.Tell();
  check->set_stubs(stubs);
  check->set_membership(replica_->membership()->digest());
  if (answers) {
    check->set_reply(true);
    const v1::Check asked = *std::exchange(check_to_answer_, std::nullopt);
    if (asked.digest() == digest) {
      Agree(head, asked.feed_head(), asked.withdrawals());
    } else if (EndsLeftAside()) {
      Close(v1::Goodbye::READ_ONLY, "");
      frame->Clear();
      return FillGoodbye(frame);
    } else if (saw_ranges_) {
      outbox_.OpenFeed();
      std::pair<std::string, std::string> differing(asked.digest(), digest);
      fruitless_answers_ = differing == differing_answer_ ? fruitless_answers_ + 1 : 1;
      differing_answer_ = std::move(differing);
      if (DamageKnown()) {
        if (!initiated_round_) StayApart();
      } else if (fruitless_answers_ >= kMaxFruitlessRounds) {
        if (absl::Status status = LookIntoClashes(); !status.ok()) return status;
      }
    }
    return true;
  }
  check_requested_ = false;
  check_outstanding_ = true;
  check_digest_ = digest;
  check_head_ = head;
  check_stubs_ = stubs;
  last_check_millis_ = Now();
  moved_since_check_ = false;
  return true;
}

}  // namespace maillage::replication
