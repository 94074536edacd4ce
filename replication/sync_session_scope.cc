// What the two ends of a session share, and how a record that left a scope changes hands. README.md, "A site's territory".
#include <utility>

#include "replication/record_reader.h"
#include "replication/sync_session.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

std::string WireText(const Scope& scope) { return scope.everything() ? "" : scope.ToText(); }

}  // namespace

uint64_t SyncSession::shared_records() const {
  uint64_t records = 0;
  for (const auto& [partition, sum] : replica_->tree().Partitions(shared_)) records += sum.count;
  return records;
}

v1::Terms SyncSession::MyTerms(const SiteId& peer) const {
  v1::Terms terms;
  terms.set_holds(WireText(replica_->scope()));
  if (!peer.empty()) terms.set_grants(WireText(replica_->ScopeOf(peer)));
  terms.set_records(shared_records());
  return terms;
}

absl::Status SyncSession::OnTerms(const v1::Terms& terms) {
  absl::StatusOr<Scope> holds = Scope::Parse(terms.holds());
  if (!holds.ok()) return holds.status();
  absl::StatusOr<Scope> grants = Scope::Parse(terms.grants());
  if (!grants.ok()) return grants.status();
  peer_holds_ = *std::move(holds);
  peer_grants_ = *std::move(grants);
  progress_.peer_records = terms.records();
  AdoptTerms();
  return absl::OkStatus();
}

void SyncSession::AdoptTerms() {
  followed_scopes_ = replica_->scope_version();
  Scope shared = replica_->scope().Intersect(PeerScope()).Intersect(peer_grants_);
  outbox_.SetShared(shared);
  stubs_.SetShared(shared);
  if (shared == shared_) return;
  shared_ = std::move(shared);
  if (digest_at_hello_.empty()) return;
  moved_since_check_ = has_gap_ = true;
  CompareAnew();
}

void SyncSession::FollowScopes() {
  if (hello_received_ && followed_scopes_ != replica_->scope_version()) AdoptTerms();
}

bool SyncSession::FillTerms(v1::SyncFrame* frame) {
  v1::Terms terms = MyTerms(progress_.peer);
  if (terms.holds() == told_terms_.holds() && terms.grants() == told_terms_.grants()) return false;
  *frame->mutable_terms() = told_terms_ = std::move(terms);
  return true;
}

void SyncSession::DescribeRecord(const RecordKey& record, const RecordState& state, v1::RecordVector* entry) const {
  ToProto(state.vector(), entry->mutable_vector());
  if (IsShared(record.kind, state)) return;
  entry->set_outside(true);
  entry->set_kept(replica_->scope().HoldsAny(record.kind, state.Territories()));
}

absl::Status SyncSession::TellIfOutside(const RecordKey& record) {
  if (shared_.everything()) return absl::OkStatus();
  absl::StatusOr<std::optional<RecordState>> state = replica_->State(record);
  if (!state.ok()) return LeaveOut(record, state.status());
  // The peer holds it, or it would not have come.
  if (state->has_value() && !IsShared(record.kind, **state)) QueueVector(record, {/*reply=*/false, /*asks=*/false});
  return absl::OkStatus();
}

absl::Status SyncSession::OnOutside(const v1::RecordVector& entry, const RecordKey& record, VersionVector theirs,
                                    const std::optional<RecordState>& state) {
  const VersionVector mine = state.has_value() ? state->vector() : VersionVector();
  const bool leaving = state.has_value() && !replica_->scope().HoldsAny(record.kind, state->Territories());
  if (leaving) {
    if (!accepting_) return absl::OkStatus();
    // Neither keeps it: both look for somebody who does.
    if (!entry.kept()) return absl::OkStatus();
    absl::StatusOr<bool> evicted = replica_->Evict(record, theirs, progress_.peer);
    if (!evicted.ok()) return LeaveOut(record, evicted.status());
    if (!*evicted) outbox_.AddRecord(record, std::move(theirs));
    return absl::OkStatus();
  }
  // Equal vectors over different contents.
  if (mine == theirs && state.has_value() && IsShared(record.kind, *state)) clashing_.insert(record);
  const bool has_it_all = mine.Covers(theirs);
  if (!has_it_all) AskFor(record, /*only_answer=*/true);
  // Who keeps it, or asked, gets what they lack; who offers it gets the word that it is here.
  if ((entry.kept() || entry.reply()) && !theirs.Covers(mine)) {
    outbox_.AddRecord(record, std::move(theirs));
  } else if (has_it_all && !entry.reply() && state.has_value()) {
    QueueVector(record, {/*reply=*/true, /*asks=*/false});
  }
  return absl::OkStatus();
}

void SyncSession::RequestOffers() {
  offers_due_ = replica_->leaving() > 0;
  offered_up_to_.reset();
}

void SyncSession::RenewOffers() {
  const uint64_t head = replica_->progress().feed_head;
  if (progress_.state != SyncState::kLive || replica_->leaving() == 0 || offers_head_ == head) return;
  if (Now() - last_offers_millis_ < kCheckIntervalMillis) return;
  offers_due_ = true;
  offers_head_ = head;
  last_offers_millis_ = Now();
  offered_up_to_.reset();
}

absl::StatusOr<bool> SyncSession::FillOffers(v1::SyncFrame* frame) {
  RenewOffers();
  const Scope peer = PeerScope();
  while (offers_due_ && !frame->has_vectors()) {
    absl::StatusOr<std::vector<RecordKey>> page = replica_->Leaving(offered_up_to_, kOffersPerFrame);
    if (!page.ok()) return page.status();
    for (const RecordKey& record : *page) {
      offered_up_to_ = record;
      absl::StatusOr<std::optional<RecordState>> state = ReadState(replica_->store(), record);
      if (!state.ok()) {
        if (absl::Status left_out = LeaveOut(record, state.status()); !left_out.ok()) return left_out;
        continue;
      }
      if (!state->has_value() || !peer.HoldsAny(record.kind, (*state)->Territories())) continue;
      v1::RecordVector* entry = frame->mutable_vectors()->add_record();
      entry->set_record(std::string(record.id.bytes()));
      entry->set_kind(record.kind);
      DescribeRecord(record, **state, entry);
    }
    offers_due_ = page->size() == kOffersPerFrame;
  }
  return frame->has_vectors();
}

}  // namespace maillage::replication
