#include "replication/continuity_talk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

v1::OwnChange ToProto(const Replica::OwnChange& change) {
  v1::OwnChange proto;
  proto.set_record(std::string(change.record.id.bytes()));
  proto.set_kind(change.record.kind);
  proto.set_incarnation(change.dot.actor.incarnation);
  proto.set_epoch(change.dot.actor.epoch);
  proto.set_n(change.dot.n);
  proto.set_hash(change.hash);
  proto.set_time(change.time.value);
  return proto;
}

}  // namespace

void ContinuityTalk::FillAcquaintance(const SiteId& peer, v1::Acquaintance* acquaintance) const {
  acquaintance->set_site(std::string(peer.bytes()));
  for (const auto& [incarnation, known] : replica_->KnownOf(peer)) {
    v1::KnownIncarnation* added = acquaintance->add_incarnation();
    added->set_incarnation(incarnation);
    added->set_site_sequence(known.site_sequence);
    added->set_hash(known.hash);
  }
}

absl::Status ContinuityTalk::OnHello(const v1::Hello& hello, bool peer_was_told, bool twin) {
  peer_ = *SiteId::FromBytes(hello.site());
  twin_ = twin;
  if (twin) return OnTwinsHello(hello);
  acquaintance_due_ = !peer_was_told;
  if (!hello.has_known_of_you()) return absl::OkStatus();
  return OnAcquaintance(hello.known_of_you());
}

absl::Status ContinuityTalk::OnTwinsHello(const v1::Hello& hello) {
  told_ = true;
  const uint64_t incarnation = replica_->identity().incarnation;
  if (hello.incarnation() == incarnation) return Suspect(ContinuityDoubt::kTwinMet, /*must_renew=*/true);
  absl::StatusOr<std::vector<Replica::OwnChange>> unwitnessed = replica_->UnwitnessedChanges();
  if (!unwitnessed.ok()) return unwitnessed.status();
  // The two may still share an incarnation that one of them has left since.
  const bool clashing = std::any_of(unwitnessed->begin(), unwitnessed->end(), [&](const auto& change) {
    return change.dot.actor.incarnation != incarnation;
  });
  if (clashing) return Suspect(ContinuityDoubt::kTwinMet, /*must_renew=*/false);
  asking_ = true;
  Ask({});
  return absl::OkStatus();
}

absl::Status ContinuityTalk::OnAcquaintance(const v1::Acquaintance& acquaintance) {
  const LocalIdentity& identity = replica_->identity();
  if (twin_ || acquaintance.site() != identity.site.bytes()) return absl::OkStatus();
  told_ = true;
  for (const v1::KnownIncarnation& known : acquaintance.incarnation()) {
    absl::StatusOr<ContinuityDoubt> doubt =
        replica_->Judge(known.incarnation(), {known.site_sequence(), known.hash()});
    if (!doubt.ok()) return doubt.status();
    if (*doubt == ContinuityDoubt::kNone) continue;
    const bool current = known.incarnation() == identity.incarnation;
    absl::Status status = Suspect(*doubt, current);
    // A doubt about an earlier incarnation may be followed by one about this one.
    if (!status.ok() || current) return status;
  }
  return absl::OkStatus();
}

absl::Status ContinuityTalk::OnTwinsChange() {
  return Suspect(ContinuityDoubt::kPeerKnowsOther, /*must_renew=*/true);
}

absl::Status ContinuityTalk::OnClashingRecords(const absl::flat_hash_set<RecordKey>& records) {
  if (asking_ || std::exchange(clashes_asked_, true)) return absl::OkStatus();
  absl::StatusOr<std::vector<Replica::OwnChange>> unwitnessed = replica_->UnwitnessedChanges();
  if (!unwitnessed.ok()) return unwitnessed.status();
  const bool doubtful = std::any_of(unwitnessed->begin(), unwitnessed->end(),
                                    [&](const auto& change) { return records.contains(change.record); });
  if (!doubtful) return absl::OkStatus();
  absl::Status status = Suspect(ContinuityDoubt::kPeerKnowsOther, /*must_renew=*/false);
  clashing_ = records;
  return status;
}

absl::Status ContinuityTalk::Suspect(ContinuityDoubt doubt, bool must_renew) {
  doubt_ = doubt;
  must_renew_ = must_renew_ || must_renew;
  clashing_.reset();
  if (asking_) return absl::OkStatus();
  asking_ = true;
  incarnation_ = replica_->identity().incarnation;
  absl::StatusOr<std::vector<Replica::OwnChange>> unwitnessed = replica_->UnwitnessedChanges();
  if (!unwitnessed.ok()) return unwitnessed.status();
  if (unwitnessed->empty() && !twin_) return Settle();
  Ask(*unwitnessed);
  return absl::OkStatus();
}

void ContinuityTalk::Ask(const std::vector<Replica::OwnChange>& changes) {
  questions_.emplace_back();
  unanswered_.emplace_back();
  for (const Replica::OwnChange& change : changes) {
    if (unanswered_.back().size() == kOwnChangesPerFrame) {
      questions_.emplace_back();
      unanswered_.emplace_back();
    }
    *questions_.back().add_change() = ToProto(change);
    unanswered_.back().push_back(change.position);
  }
  questions_.back().set_ends(true);
}

void ContinuityTalk::OnClash(const Replica::ApplyResult& clash) {
  // Another comparison tells of it again.
  if (clashes_.size() >= kMaxWaitingFrames) return;
  v1::Acquaintance& told = clashes_.emplace_back();
  told.set_site(std::string(peer_.bytes()));
  v1::KnownIncarnation* known = told.add_incarnation();
  known->set_incarnation(clash.held->dot.actor.incarnation);
  known->set_site_sequence(clash.held->site_sequence);
  known->set_hash(clash.held_hash);
}

absl::Status ContinuityTalk::OnOwnChanges(const v1::OwnChanges& question) {
  if (answers_.size() >= kMaxWaitingFrames) return absl::InvalidArgumentError("more questions than answers are read");
  v1::HeldChanges& answer = answers_.emplace_back();
  const SiteId author = twin_ ? replica_->identity().site : peer_;
  for (const v1::OwnChange& change : question.change()) {
    const auto id = RecordId::FromBytes(change.record());
    if (!id.has_value() || change.kind() > UINT16_MAX) {
      return absl::InvalidArgumentError("a question about a record without a valid kind and id");
    }
    const RecordKey record{static_cast<uint16_t>(change.kind()), *id};
    const Dot dot{{author, change.incarnation(), change.epoch()}, change.n()};
    absl::StatusOr<bool> holds = replica_->Holds({0, record, dot, change.hash(), {change.time()}});
    if (!holds.ok()) return holds.status();
    answer.mutable_held()->push_back(*holds ? '\1' : '\0');
  }
  twin_asked_all_ = question.ends();
  return absl::OkStatus();
}

absl::Status ContinuityTalk::OnHeldChanges(const v1::HeldChanges& answer) {
  if (unanswered_.empty() || answer.held().size() != unanswered_.front().size()) {
    return absl::InvalidArgumentError("an answer to no question about own changes");
  }
  const std::vector<uint64_t> asked = std::move(unanswered_.front());
  unanswered_.pop_front();
  for (size_t i = 0; i < asked.size(); ++i) {
    if (answer.held()[i] == '\1') held_.insert(asked[i]);
  }
  return unanswered_.empty() ? Settle() : absl::OkStatus();
}

absl::Status ContinuityTalk::Settle() {
  asking_ = false;
  const ContinuityDoubt doubt = std::exchange(doubt_, ContinuityDoubt::kNone);
  const std::set<uint64_t> held = std::exchange(held_, {});
  const bool must_renew = std::exchange(must_renew_, false);
  const auto only = std::exchange(clashing_, std::nullopt);
  if (doubt == ContinuityDoubt::kNone) return absl::OkStatus();
  absl::Status status;
  // Otherwise another session has settled it meanwhile.
  if (replica_->identity().incarnation == incarnation_) {
    status = replica_->Renounce(doubt, held, must_renew, only.has_value() ? &*only : nullptr);
  }
  // A clash of others leaves all as it was.
  renounced_ = renounced_ || !only.has_value() || replica_->identity().incarnation != incarnation_;
  return status;
}

absl::StatusOr<std::string> WhyNotConverging(const storage::ReadView& view,
                                             const std::optional<RecordKey>& differing) {
  std::string why = "les deux sites ont tout comparé et diffèrent encore";
  if (!differing.has_value()) return why;
  absl::StatusOr<std::optional<RecordState>> state = ReadState(view, *differing);
  if (!state.ok()) return state.status();
  absl::StrAppend(&why, " sur la fiche ", FormatUuid(differing->id));
  if (!state->has_value()) return why;
  absl::StrAppend(&why, " ; si rien n'est en quarantaine, un de ses auteurs a existé en double :");
  SiteId told;
  for (const VersionVector::Entry& entry : (*state)->vector().entries()) {
    if (told != entry.actor.site) absl::StrAppend(&why, " ", FormatSiteId(entry.actor.site));
    told = entry.actor.site;
  }
  return why;
}

bool ContinuityTalk::twins_are_done() const {
  return twin_ && !asking_ && twin_asked_all_ && answers_.empty();
}

bool ContinuityTalk::Fill(v1::SyncFrame* frame) {
  if (std::exchange(acquaintance_due_, false)) {
    FillAcquaintance(peer_, frame->mutable_acquaintance());
    return true;
  }
  if (!clashes_.empty()) {
    *frame->mutable_acquaintance() = std::move(clashes_.front());
    clashes_.pop_front();
    return true;
  }
  if (!answers_.empty()) {
    *frame->mutable_held_changes() = std::move(answers_.front());
    answers_.pop_front();
    return true;
  }
  if (questions_.empty()) return false;
  *frame->mutable_own_changes() = std::move(questions_.front());
  questions_.pop_front();
  return true;
}

}  // namespace maillage::replication
