// Who may talk, and what the two tell each other of who belongs to the network. README.md, "Who belongs to the network".
#include <algorithm>
#include <utility>

#include "replication/sync_session.h"
#include "replication/tuning.h"

namespace maillage::replication {

void SyncSession::CheckMember() {
  followed_membership_ = replica_->membership_version();
  const Membership& membership = *replica_->membership();
  if (!membership.founded() || options_.anyone) return;
  if (!proven_peer_.empty() && proven_peer_ != progress_.peer) {
    Close(v1::Goodbye::NO_MEMBER, "le certificat est celui d'un autre site");
    return;
  }
  const Member* const member = membership.Find(progress_.peer);
  if (member == nullptr) {
    Close(v1::Goodbye::NO_MEMBER, "ce site n'est pas membre du réseau, pour ce qu'on en sait ici");
  } else if (member->revoked) {
    Close(v1::Goodbye::NO_MEMBER, "ce site a été révoqué");
  }
}

void SyncSession::FollowMembership() {
  if (!hello_received_ || followed_membership_ == replica_->membership_version()) return;
  CheckMember();
  const uint64_t revocations = replica_->revocation_version();
  if (std::exchange(followed_revocations_, revocations) == revocations) return;
  // It takes back what the feed had told: that the two are equal has to be found anew. The entry goes out before the
  // Check does, so the peer has followed it by then.
  NoteMove();
  RequestCheck();
}

absl::Status SyncSession::OnMembership(const v1::MembershipLog& log) {
  const absl::StatusOr<size_t> added = replica_->AddMembership(log);
  // An entry of a later version, or one that nobody known here signed, says nothing against the peer.
  return IsPeersMistake(added.status()) ? absl::OkStatus() : added.status();
}

bool SyncSession::FillMembership(v1::SyncFrame* frame) {
  const Membership& membership = *replica_->membership();
  if (!membership.founded() || told_entries_ >= membership.journal_size()) return false;
  *frame->mutable_membership() = membership.Journal(told_entries_, kMembershipEntriesPerFrame);
  told_entries_ += static_cast<size_t>(frame->membership().entry_size());
  return true;
}

absl::Status SyncSession::OnReports(const v1::SiteReports& reports) {
  if (reports.feed_position() > 0 && accepting_) {
    // What comes may be of the scope of before.
    FollowScopes();
    NoteReceived(reports.feed_position(), reports.withdrawals());
  }
  return reports_.OnReports(reports);
}

bool SyncSession::FillReports(v1::SyncFrame* frame) {
  if (!reports_.Fill(frame)) return false;
  if (!outbox_.feed_open()) return true;
  frame->mutable_reports()->set_feed_position(outbox_.feed_sent());
  frame->mutable_reports()->set_withdrawals(replica_->withdrawals());
  return true;
}

bool SyncSession::NoteReceived(uint64_t feed_position, uint64_t withdrawals) {
  // What waits for its causes is stored nowhere: nothing from there on is acknowledged until roots are equal.
  if (has_gap_) return false;
  received_position_ = std::max(received_position_, feed_position);
  replica_->SetCursor(progress_.peer, {progress_.peer_incarnation, received_position_});
  // Before the two have agreed it is a hint where their feed was.
  if (progress_.agreements > 0) replica_->NoteFed(progress_.peer, {peer_instance_, received_position_, withdrawals});
  return true;
}

bool SyncSession::MayTellStates() const {
  const Membership& membership = *replica_->membership();
  if (!membership.founded()) return true;
  const Member* const peer = membership.Find(progress_.peer);
  return peer != nullptr && peer->role == v1::ROLE_ANTENNA && !peer->revoked;
}

absl::Status SyncSession::RefuseState(const RecordKey& record) {
  return replica_->Quarantine({progress_.peer,
                               "un état entier, sans les modifications signées de ses auteurs, n'est pris que d'une antenne",
                               std::string(record.id.bytes())});
}

}  // namespace maillage::replication
