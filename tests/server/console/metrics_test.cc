#include "server/console/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace maillage::server {
namespace {

using prometheus::MetricType;
using v1::NodeStatus;
using v1::PeerStatus;

void SetSeconds(google::protobuf::Timestamp* time, int64_t seconds) { time->set_seconds(seconds); }

// A node that has everything to tell.
NodeStatus AStatus() {
  NodeStatus status;
  status.set_version("1");
  SetSeconds(status.mutable_start_time(), 100);
  v1::KindCount* kind = status.add_kinds();
  kind->set_kind("actor");
  kind->set_records(3);
  status.set_write_state(NodeStatus::WRITING);
  status.set_disk_bytes(1);
  status.add_tables()->set_bytes(5);
  status.add_tables()->set_bytes(6);
  SetSeconds(status.mutable_certificate_expire_time(), 200);
  SetSeconds(status.mutable_backup_time(), 300);
  PeerStatus* peer = status.add_peers();
  peer->set_site("lyon");
  peer->set_saved_position(10);
  peer->set_sent_position(8);
  peer->set_stored_position(7);
  peer->set_applied_position(6);
  SetSeconds(peer->mutable_last_contact_time(), 400);
  SetSeconds(peer->mutable_last_agreement_time(), 500);
  SetSeconds(peer->mutable_oldest_unsent_time(), 600);
  SetSeconds(peer->mutable_disagreement_time(), 700);
  peer->mutable_round_trip()->set_nanos(1'000'000);
  SetSeconds(status.mutable_everywhere_time(), 800);
  v1::SiteStanding* standing = status.add_fleet();
  standing->set_site("savoie");
  SetSeconds(standing->mutable_report_time(), 900);
  SetSeconds(standing->mutable_complete_time(), 800);
  standing->set_lacking_changes(5);
  return status;
}

// By name and labels.
std::map<std::string, double> Values(const NodeStatus& status) {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : MetricsOf(status)) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string name = family.name;
      for (const auto& label : metric.label) absl::StrAppend(&name, " ", label.name, "=", label.value);
      values[name] = family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
    }
  }
  return values;
}

struct Mover {
  const char* metric;
  // To AStatus, and what the metric is then.
  std::function<void(NodeStatus& status, PeerStatus& peer)> move;
  double value;
};

const Mover kMovers[] = {
    {"maillage_build_info version=2", [](NodeStatus& s, PeerStatus&) { s.set_version("2"); }, 1},
    {"maillage_start_timestamp_seconds", [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_start_time(), 7); }, 7},
    {"maillage_records kind=actor", [](NodeStatus& s, PeerStatus&) { s.mutable_kinds(0)->set_records(4); }, 4},
    {"maillage_deleted_records kind=actor", [](NodeStatus& s, PeerStatus&) { s.mutable_kinds(0)->set_deleted(2); }, 2},
    {"maillage_changes_stored_total", [](NodeStatus& s, PeerStatus&) { s.set_feed_head(12); }, 12},
    {"maillage_records_to_compare", [](NodeStatus& s, PeerStatus&) { s.set_conflicts(2); }, 2},
    {"maillage_quarantined_changes", [](NodeStatus& s, PeerStatus&) { s.set_quarantined(3); }, 3},
    {"maillage_changes_from_the_future_total", [](NodeStatus& s, PeerStatus&) { s.set_changes_from_the_future(4); }, 4},
    {"maillage_incarnations_total", [](NodeStatus& s, PeerStatus&) { s.set_renewals(5); }, 5},
    {"maillage_unreadable_records", [](NodeStatus& s, PeerStatus&) { s.set_unreadable_records(6); }, 6},
    {"maillage_waiting_records", [](NodeStatus& s, PeerStatus&) { s.set_waiting_records(7); }, 7},
    {"maillage_leaving_records", [](NodeStatus& s, PeerStatus&) { s.set_leaving_records(8); }, 8},
    {"maillage_sessions_comparing", [](NodeStatus& s, PeerStatus&) { s.set_reconciling_sessions(9); }, 9},
    {"maillage_sessions_waiting", [](NodeStatus& s, PeerStatus&) { s.set_waiting_sessions(10); }, 10},
    {"maillage_store_writable", [](NodeStatus& s, PeerStatus&) { s.set_write_state(NodeStatus::READ_ONLY_DISK_FULL); }, 0},
    {"maillage_commits_failed_total", [](NodeStatus& s, PeerStatus&) { s.set_failed_commits(11); }, 11},
    {"maillage_store_reopenings_total", [](NodeStatus& s, PeerStatus&) { s.set_store_reopenings(12); }, 12},
    {"maillage_disk_free_bytes", [](NodeStatus& s, PeerStatus&) { s.set_free_disk_bytes(13); }, 13},
    {"maillage_disk_size_bytes", [](NodeStatus& s, PeerStatus&) { s.set_disk_bytes(14); }, 14},
    {"maillage_store_size_bytes", [](NodeStatus& s, PeerStatus&) { s.mutable_tables(1)->set_bytes(10); }, 15},
    {"maillage_memory_resident_bytes", [](NodeStatus& s, PeerStatus&) { s.set_memory_bytes(16); }, 16},
    {"maillage_certificate_expiry_timestamp_seconds",
     [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_certificate_expire_time(), 17); }, 17},
    {"maillage_backup_timestamp_seconds", [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_backup_time(), 18); }, 18},
    {"maillage_peer_connected peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_state(PeerStatus::SYNCING); }, 1},
    {"maillage_peer_up_to_date peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_state(PeerStatus::UP_TO_DATE); }, 1},
    {"maillage_peer_paused peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_state(PeerStatus::PAUSED); }, 1},
    {"maillage_peer_failing peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_state(PeerStatus::ERROR); }, 1},
    {"maillage_peer_antenna peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_role(v1::ROLE_ANTENNA); }, 1},
    {"maillage_peer_last_contact_timestamp_seconds peer=lyon",
     [](NodeStatus&, PeerStatus& p) { SetSeconds(p.mutable_last_contact_time(), 19); }, 19},
    {"maillage_peer_last_agreement_timestamp_seconds peer=lyon",
     [](NodeStatus&, PeerStatus& p) { SetSeconds(p.mutable_last_agreement_time(), 20); }, 20},
    {"maillage_peer_disagreement_timestamp_seconds peer=lyon",
     [](NodeStatus&, PeerStatus& p) { SetSeconds(p.mutable_disagreement_time(), 21); }, 21},
    {"maillage_peer_unsent_changes peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_sent_position(9); }, 1},
    {"maillage_peer_unstored_changes peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_stored_position(9); }, 1},
    {"maillage_peer_unapplied_changes peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_applied_position(9); }, 1},
    {"maillage_peer_oldest_unsent_timestamp_seconds peer=lyon",
     [](NodeStatus&, PeerStatus& p) { SetSeconds(p.mutable_oldest_unsent_time(), 22); }, 22},
    {"maillage_peer_stalls_total peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_stalls(27); }, 27},
    {"maillage_peer_sent_bytes_total peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_bytes_sent(23); }, 23},
    {"maillage_peer_received_bytes_total peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_bytes_received(24); }, 24},
    {"maillage_peer_sent_changes_total peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_changes_sent(25); }, 25},
    {"maillage_peer_received_changes_total peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_changes_received(26); }, 26},
    {"maillage_peer_clock_difference_seconds peer=lyon", [](NodeStatus&, PeerStatus& p) { p.set_clock_difference_ms(-1500); }, -1.5},
    {"maillage_peer_round_trip_seconds peer=lyon", [](NodeStatus&, PeerStatus& p) { p.mutable_round_trip()->set_nanos(500'000'000); }, 0.5},
    {"maillage_everywhere_timestamp_seconds", [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_everywhere_time(), 28); }, 28},
    {"maillage_site_report_timestamp_seconds peer=savoie",
     [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_fleet(0)->mutable_report_time(), 29); }, 29},
    {"maillage_site_complete_timestamp_seconds peer=savoie",
     [](NodeStatus& s, PeerStatus&) { SetSeconds(s.mutable_fleet(0)->mutable_complete_time(), 30); }, 30},
    {"maillage_site_lacking_changes peer=savoie", [](NodeStatus& s, PeerStatus&) { s.mutable_fleet(0)->set_lacking_changes(31); }, 31},
};

TEST(MetricsTest, EachIsMovedByWhatItIsAboutAndByNothingElse) {
  const std::map<std::string, double> before = Values(AStatus());
  for (const Mover& mover : kMovers) {
    NodeStatus status = AStatus();
    mover.move(status, *status.mutable_peers(0));
    const std::map<std::string, double> after = Values(status);
    ASSERT_TRUE(after.contains(mover.metric)) << mover.metric;
    EXPECT_DOUBLE_EQ(after.at(mover.metric), mover.value) << mover.metric;
    EXPECT_FALSE(before.contains(mover.metric) && before.at(mover.metric) == mover.value) << mover.metric << " didn't move";
  }
}

TEST(MetricsTest, NoneIsWithoutItsTest) {
  std::set<std::string> tested;
  for (const Mover& mover : kMovers) tested.insert(std::string(mover.metric).substr(0, std::string(mover.metric).find(' ')));
  for (const prometheus::MetricFamily& family : MetricsOf(AStatus())) EXPECT_TRUE(tested.contains(family.name)) << family.name;
}

// prometheus.io/docs/practices/naming, and what the issue says of labels.
TEST(MetricsTest, NamesFollowTheRules) {
  for (const prometheus::MetricFamily& family : MetricsOf(AStatus())) {
    EXPECT_TRUE(absl::StartsWith(family.name, "maillage_")) << family.name;
    EXPECT_EQ(absl::EndsWith(family.name, "_total"), family.type == MetricType::Counter) << family.name;
    EXPECT_FALSE(family.help.empty());
    const bool is_info = absl::EndsWith(family.name, "_info");
    for (const prometheus::ClientMetric& metric : family.metric) {
      for (const auto& label : metric.label) {
        EXPECT_TRUE(label.name == "peer" || label.name == "kind" || (is_info && label.name == "version")) << family.name;
      }
    }
  }
}

TEST(MetricsTest, WhatIsNotKnownIsNotTold) {
  NodeStatus status;
  status.add_peers()->set_address("127.0.0.1:7101");
  status.add_fleet()->set_site("savoie");
  const std::map<std::string, double> values = Values(status);
  EXPECT_TRUE(values.contains("maillage_peer_connected peer=127.0.0.1:7101")) << "by its address, until it has told its name";
  for (const auto& [name, value] : values) EXPECT_THAT(name, ::testing::Not(::testing::HasSubstr("last_contact")));
  EXPECT_FALSE(values.contains("maillage_backup_timestamp_seconds"));
  EXPECT_FALSE(values.contains("maillage_certificate_expiry_timestamp_seconds"));
  for (const auto& [name, value] : values) EXPECT_THAT(name, ::testing::Not(::testing::HasSubstr("savoie"))) << "it told nothing";
}

// Prometheus takes one sample of a series and drops the others.
TEST(MetricsTest, PeersOfOneNameAreToldApart) {
  NodeStatus status = AStatus();
  v1::PeerStatus* const second = status.add_peers();
  *second = status.peers(0);
  second->set_address("127.0.0.1:7102");
  *status.add_peers() = status.peers(0);
  status.mutable_peers(2)->set_site_id("4f0c");
  std::set<std::string> series;
  for (const prometheus::MetricFamily& family : MetricsOf(status)) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string name = family.name;
      for (const auto& label : metric.label) absl::StrAppend(&name, " ", label.value);
      EXPECT_TRUE(series.insert(name).second) << name;
    }
  }
  for (const char* name : {"lyon", "127.0.0.1:7102", "4f0c"}) EXPECT_TRUE(series.contains(absl::StrCat("maillage_peer_paused ", name)));
}

TEST(MetricsTest, TheTextIsPrometheus) {
  NodeStatus status = AStatus();
  status.mutable_peers(0)->set_site("l\"yon\n");
  const HttpReply reply = Metrics(status);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, ::testing::HasSubstr("# TYPE maillage_changes_stored_total counter\n"));
  EXPECT_THAT(reply.body, ::testing::HasSubstr("maillage_peer_connected{peer=\"l\\\"yon\\n\"} 0\n"));
  EXPECT_EQ(Metrics(absl::UnavailableError("le nœud ne répond pas")).status, 503);
}

}  // namespace
}  // namespace maillage::server
