// What an administrator sees of the peers.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/util/time_util.h"
#include "replication/change.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "server/peer_hub.h"
#include "server/peer_text.h"

namespace maillage::server {

std::vector<v1::PeerStatus> PeerHub::Status() const {
  std::vector<v1::PeerStatus> statuses;
  for (const Peer& peer : peers_) Describe(peer, statuses.emplace_back());
  return statuses;
}

absl::StatusOr<v1::PeerStatus> PeerHub::Status(const std::string& name) const {
  const Peer* peer = FindPeer(name);
  if (peer == nullptr) return NoSuchPeer(name);
  v1::PeerStatus status;
  Describe(*peer, status);
  return status;
}

uint64_t PeerHub::SavedAfter(uint64_t position) const {
  if (position >= replica_->progress().feed_head) return 0;
  if (const std::optional<uint64_t> noted = feed_times_.SavedAfter(position)) return *noted;
  // From before the start: no earlier than it was written.
  const auto entry = replication::ReadFeedEntry(replica_->store(), position + 1);
  const auto change = entry.ok() ? replication::DecodeChange(entry->change) : absl::StatusOr<replication::Change>(entry.status());
  return change.ok() ? change->time.millis() : Now();
}

void PeerHub::DescribeAges(v1::PeerStatus& status) const {
  const uint64_t unsent = SavedAfter(status.sent_position());
  if (unsent > 0) SetMillis(unsent, status.mutable_oldest_unsent_time());
  const uint64_t unstored = SavedAfter(status.stored_position());
  if (unstored > 0) SetMillis(unstored, status.mutable_oldest_unstored_time());
  const uint64_t unapplied = SavedAfter(status.applied_position());
  if (unapplied > 0) SetMillis(unapplied, status.mutable_oldest_unapplied_time());
}

void PeerHub::DescribeMember(const Peer& peer, v1::PeerStatus& status) const {
  const replication::Member* const member = replica_->membership()->Find(peer.site);
  if (member != nullptr) status.set_role(member->role);
  status.set_stalls(peer.stalls);
  if (peer.disagreement_millis > 0) SetMillis(peer.disagreement_millis, status.mutable_disagreement_time());
  if (peer.round_trip.count() > 0) {
    *status.mutable_round_trip() = google::protobuf::util::TimeUtil::MicrosecondsToDuration(peer.round_trip.count());
  }
}

v1::PeerStatus::State PeerHub::StateOfPeer(const Peer& peer) {
  if (peer.paused) return v1::PeerStatus::PAUSED;
  if (IsConnected(peer)) return StateOf(*peer.link->session);
  if (peer.last.goodbye != v1::Goodbye::REASON_UNSPECIFIED && IsFault(peer.last.goodbye)) return v1::PeerStatus::ERROR;
  if (peer.last_contact_millis > 0) return v1::PeerStatus::OFFLINE;
  return peer.link != nullptr ? v1::PeerStatus::CONNECTING : v1::PeerStatus::UNKNOWN;
}

std::vector<v1::ReportedLink> PeerHub::ReportedLinks() const {
  std::vector<v1::ReportedLink> links;
  for (const Peer& peer : peers_) {
    if (peer.site.empty() || links.size() == replication::kMaxReportedLinks) continue;
    const bool has_compared = IsConnected(peer) && peer.link->session->progress().agreements > 0;
    const replication::SyncProgress& progress = has_compared ? peer.link->session->progress() : peer.last;
    v1::ReportedLink& link = links.emplace_back();
    link.set_site(std::string(peer.site.bytes()));
    link.set_state(static_cast<uint32_t>(StateOfPeer(peer)));
    link.set_last_contact_time(peer.last_contact_millis);
    link.set_last_agreement_time(progress.last_agreement_millis);
    link.set_pending(replica_->progress().feed_head - std::min(progress.stored_position, replica_->progress().feed_head));
  }
  return links;
}

void PeerHub::Describe(const Peer& peer, v1::PeerStatus& status) const {
  const bool connected = IsConnected(peer);
  DescribeProgress(peer.last, status);
  if (connected) {
    DescribeProgress(peer.link->session->progress(), status);
    status.set_shared_records(peer.link->session->shared_records());
    const uint64_t now = Now();
    const uint64_t told = peer.link->session->progress().slowed_by_peer_until_millis;
    if (now < peer.link->slowed_until_millis) SetMillis(peer.link->slowed_until_millis, status.mutable_slowed_until_time());
    if (now < told) SetMillis(told, status.mutable_slowed_by_peer_until_time());
  }
  if (connected && peer.link->session->progress().agreements == 0) {
    // What the last session knew holds until this one has compared.
    status.set_sent_position(peer.last.sent_position);
    status.set_stored_position(peer.last.stored_position);
    status.set_applied_position(peer.last.applied_position);
  }
  if (connected) {
    status.set_unreadable_records(peer.link->session->progress().unreadable);
    status.set_peer_unreadable_records(peer.link->session->progress().peer_unreadable);
  }
  status.set_site(peer.name);
  status.set_address(peer.address);
  if (!peer.site.empty()) status.set_site_id(FormatSiteId(peer.site));
  status.set_saved_position(replica_->progress().feed_head);
  DescribeAges(status);
  DescribeMember(peer, status);
  status.set_last_error(peer.last_error);
  SetMillis(peer.last_contact_millis, status.mutable_last_contact_time());
  if (peer.last_contact_millis == 0) status.clear_last_contact_time();
  status.set_state(StateOfPeer(peer));
  if (!connected && !peer.paused && peer.schedule.has_value()) {
    SetMillis(peer.schedule->next_dial_millis(), status.mutable_retry_time());
  }
}

}  // namespace maillage::server
