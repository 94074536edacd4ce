#include "server/console/metrics.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "prometheus/text_serializer.h"

namespace maillage::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

double SecondsOf(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + static_cast<double>(time.nanos()) / 1e9;
}

// Families in the order of their first sample.
class Families {
 public:
  // One metric, with its samples.
  class Family {
   public:
    explicit Family(MetricFamily* family) : family_(family) {}
    template <typename Number>
    Family& Add(Number value, std::vector<ClientMetric::Label> labels = {}) {
      ClientMetric& metric = family_->metric.emplace_back();
      metric.label = std::move(labels);
      metric.gauge.value = metric.counter.value = static_cast<double>(value);
      return *this;
    }

   private:
    MetricFamily* const family_;
  };

  Family Gauge(const char* name, const char* help) { return Open(name, help, MetricType::Gauge); }
  Family Counter(const char* name, const char* help) { return Open(name, help, MetricType::Counter); }
  std::vector<MetricFamily> Take() {
    std::vector<MetricFamily> told;
    for (MetricFamily& family : families_) {
      if (!family.metric.empty()) told.push_back(std::move(family));
    }
    return told;
  }

 private:
  Family Open(const char* name, const char* help, MetricType type) {
    const auto [known, is_new] = places_.emplace(name, families_.size());
    if (is_new) families_.push_back({name, help, type, {}});
    return Family(&families_[known->second]);
  }

  std::vector<MetricFamily> families_;
  std::map<std::string, size_t> places_;
};

void TellNode(const v1::NodeStatus& status, Families& told) {
  told.Gauge("maillage_build_info", "Version of the node.").Add(1, {{"version", status.version()}});
  told.Gauge("maillage_start_timestamp_seconds", "When the node started.").Add(SecondsOf(status.start_time()));
  for (const v1::KindCount& kind : status.kinds()) {
    told.Gauge("maillage_records", "Records that are not deleted.").Add(kind.records(), {{"kind", kind.kind()}});
    told.Gauge("maillage_deleted_records", "Records that are deleted.").Add(kind.deleted(), {{"kind", kind.kind()}});
  }
  told.Counter("maillage_changes_stored_total", "Changes and states that were stored here.").Add(status.feed_head());
  told.Gauge("maillage_records_to_compare", "Records with versions that wait for a person.").Add(status.conflicts());
  told.Gauge("maillage_quarantined_changes", "Changes that could not be applied, or have no effect.").Add(status.quarantined());
  told.Counter("maillage_changes_from_the_future_total", "Changes whose time was more than 10 minutes ahead.")
      .Add(status.changes_from_the_future());
  told.Counter("maillage_incarnations_total", "How often the site couldn't prove that it continues itself.").Add(status.renewals());
  told.Gauge("maillage_unreadable_records", "Records found damaged on this disk since the start.").Add(status.unreadable_records());
  told.Gauge("maillage_waiting_records", "Records that a repair gave up, and that wait for a peer.").Add(status.waiting_records());
  told.Gauge("maillage_leaving_records", "Records outside of the site's territory that nobody has taken over yet.")
      .Add(status.leaving_records());
  told.Gauge("maillage_sessions_comparing", "Sites that called in and compare now.").Add(status.reconciling_sessions());
  told.Gauge("maillage_sessions_waiting", "Sites that called in and wait for their turn.").Add(status.waiting_sessions());
}

void TellMachine(const v1::NodeStatus& status, Families& told) {
  told.Gauge("maillage_store_writable", "1 while the node writes.").Add(status.write_state() == v1::NodeStatus::WRITING ? 1 : 0);
  told.Counter("maillage_commits_failed_total", "Commits of unknown outcome since the start.").Add(status.failed_commits());
  told.Counter("maillage_store_reopenings_total", "Stores opened again after a failed commit.").Add(status.store_reopenings());
  told.Gauge("maillage_disk_free_bytes", "Free for the node, on the file system of its data.").Add(status.free_disk_bytes());
  if (status.disk_bytes() > 0) {
    told.Gauge("maillage_disk_size_bytes", "Size of that file system.").Add(status.disk_bytes());
  }
  uint64_t stored = 0;
  for (const v1::TableSize& table : status.tables()) stored += table.bytes();
  told.Gauge("maillage_store_size_bytes", "What the database takes on the disk.").Add(stored);
  told.Gauge("maillage_memory_resident_bytes", "Memory of the node's process.").Add(status.memory_bytes());
  if (status.has_certificate_expire_time()) {
    told.Gauge("maillage_certificate_expiry_timestamp_seconds", "Until when the site's certificate is valid.")
        .Add(SecondsOf(status.certificate_expire_time()));
  }
  if (status.has_backup_time()) {
    told.Gauge("maillage_backup_timestamp_seconds", "When the last backup was made.").Add(SecondsOf(status.backup_time()));
  }
}

// Three of the four positions; the fourth is the node's own.
void TellPositions(const v1::PeerStatus& peer, const std::vector<ClientMetric::Label>& label, Families& told) {
  const auto behind = [&](uint64_t position) { return peer.saved_position() - std::min(peer.saved_position(), position); };
  told.Gauge("maillage_peer_unsent_changes", "Saved here and not sent to the peer.").Add(behind(peer.sent_position()), label);
  told.Gauge("maillage_peer_unstored_changes", "Saved here and not on the peer's disk, as far as is known.")
      .Add(behind(peer.stored_position()), label);
  told.Gauge("maillage_peer_unapplied_changes", "Saved here and not merged at the peer, as far as is known.")
      .Add(behind(peer.applied_position()), label);
  if (peer.has_oldest_unsent_time()) {
    told.Gauge("maillage_peer_oldest_unsent_timestamp_seconds", "When the oldest of the unsent was saved here.")
        .Add(SecondsOf(peer.oldest_unsent_time()), label);
  }
}

// Two peers may call themselves alike; two series may not.
std::string NameOf(const v1::PeerStatus& peer, std::set<std::string>& taken) {
  if (!peer.site().empty() && taken.insert(peer.site()).second) return peer.site();
  return peer.address().empty() ? peer.site_id() : peer.address();
}

void TellPeer(const v1::PeerStatus& peer, const std::string& name, Families& told) {
  using State = v1::PeerStatus;
  const std::vector<ClientMetric::Label> label = {{"peer", name}};
  const State::State state = peer.state();
  const bool connected = state == State::SYNCING || state == State::UP_TO_DATE || state == State::BEHIND;
  told.Gauge("maillage_peer_connected", "1 while a session with the peer is open.").Add(connected ? 1 : 0, label);
  told.Gauge("maillage_peer_up_to_date", "1 while both are known to be equal.").Add(state == State::UP_TO_DATE ? 1 : 0, label);
  told.Gauge("maillage_peer_paused", "1 while somebody has paused the peer.").Add(state == State::PAUSED ? 1 : 0, label);
  told.Gauge("maillage_peer_failing", "1 where the last session ended by a fault.").Add(state == State::ERROR ? 1 : 0, label);
  told.Gauge("maillage_peer_antenna", "1 where the peer is an antenna.").Add(peer.role() == v1::ROLE_ANTENNA ? 1 : 0, label);
  if (peer.has_last_contact_time()) {
    told.Gauge("maillage_peer_last_contact_timestamp_seconds", "When the peer last said anything.")
        .Add(SecondsOf(peer.last_contact_time()), label);
  }
  if (peer.has_last_agreement_time()) {
    told.Gauge("maillage_peer_last_agreement_timestamp_seconds", "When both were last found equal.")
        .Add(SecondsOf(peer.last_agreement_time()), label);
  }
  if (peer.has_disagreement_time()) {
    told.Gauge("maillage_peer_disagreement_timestamp_seconds", "Since when all was exchanged and roots still differ.")
        .Add(SecondsOf(peer.disagreement_time()), label);
  }
  TellPositions(peer, label, told);
  told.Counter("maillage_peer_stalls_total", "Sessions that were ended because nothing moved for a minute.").Add(peer.stalls(), label);
  told.Counter("maillage_peer_sent_bytes_total", "Bytes of frames that were sent, in this session.").Add(peer.bytes_sent(), label);
  told.Counter("maillage_peer_received_bytes_total", "Bytes of frames that came, in this session.").Add(peer.bytes_received(), label);
  told.Counter("maillage_peer_sent_changes_total", "Changes that were sent, in this session.").Add(peer.changes_sent(), label);
  told.Counter("maillage_peer_received_changes_total", "Changes that came, in this session.").Add(peer.changes_received(), label);
  told.Gauge("maillage_peer_clock_difference_seconds", "The peer's clock minus this one's.")
      .Add(static_cast<double>(peer.clock_difference_ms()) / 1e3, label);
  if (peer.has_round_trip()) {
    told.Gauge("maillage_peer_round_trip_seconds", "From a question to its answer, at the last comparison.")
        .Add(static_cast<double>(peer.round_trip().seconds()) + peer.round_trip().nanos() / 1e9, label);
  }
}

// What other sites of the network told of themselves, and what follows from it.
void TellFleet(const v1::NodeStatus& status, Families& told) {
  if (status.has_everywhere_time()) {
    told.Gauge("maillage_everywhere_timestamp_seconds", "What any site had written before is known to be on all sites.")
        .Add(SecondsOf(status.everywhere_time()));
  }
  std::set<std::string> taken;
  for (const v1::SiteStanding& standing : status.fleet()) {
    const bool is_new = taken.insert(standing.site()).second;
    const std::vector<ClientMetric::Label> label = {{"peer", is_new ? standing.site() : standing.site_id()}};
    if (standing.has_report_time()) {
      told.Gauge("maillage_site_report_timestamp_seconds", "When the site told last how it is.")
          .Add(SecondsOf(standing.report_time()), label);
    }
    if (standing.has_complete_time()) {
      told.Gauge("maillage_site_complete_timestamp_seconds", "What any site had written before is known to be on this one.")
          .Add(SecondsOf(standing.complete_time()), label);
    }
    if (standing.has_lacking_changes()) {
      told.Gauge("maillage_site_lacking_changes", "Changes of this node that the site hasn't confirmed, at most.")
          .Add(standing.lacking_changes(), label);
    }
  }
}

}  // namespace

std::vector<MetricFamily> MetricsOf(const v1::NodeStatus& status) {
  Families told;
  TellNode(status, told);
  TellMachine(status, told);
  std::set<std::string> taken;
  for (const v1::PeerStatus& peer : status.peers()) TellPeer(peer, NameOf(peer, taken), told);
  TellFleet(status, told);
  return told.Take();
}

HttpReply Metrics(const absl::StatusOr<v1::NodeStatus>& status) {
  if (!status.ok()) return {503, "text/plain; charset=utf-8", std::string(status.status().message()) + "\n"};
  return {200, "text/plain; version=0.0.4; charset=utf-8", prometheus::TextSerializer().Serialize(MetricsOf(*status))};
}

}  // namespace maillage::server
