// What sites tell of themselves, byte by byte.
#include <gtest/gtest.h>

#include <string>

#include "proto/sync.pb.h"
#include "replication/site_reports.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/golden.h"
#include "tests/replication/support/network.h"

namespace maillage::replication::testing {
namespace {

constexpr uint64_t kSeed = 7;

v1::SiteReport FullReport(const TestNetwork& network) {
  v1::SiteReport report;
  report.set_network(std::string(network.id().bytes()));
  report.set_site(std::string(network.lyon.site().bytes()));
  report.set_number(kMorning + 1);
  report.set_time(kMorning);
  report.set_instance(0x0102030405060708);
  report.set_feed_head(300);
  report.set_holds("73,74");
  report.set_digest(std::string(16, '\x4a'));
  v1::HeldReport* const held = report.add_held();
  held->set_site(std::string(16, '\x5b'));
  held->set_number(kMorning);
  held->set_time(kMorning);
  held->set_position(299);
  v1::ReportedKind* const kind = report.add_kind();
  kind->set_kind(1);
  kind->set_records(200);
  kind->set_deleted(3);
  report.set_conflicts(4);
  report.set_quarantined(5);
  report.set_leaving(6);
  report.set_waiting(7);
  report.set_withdrawals(8);
  return report;
}

void AddFacts(v1::SiteFacts& facts) {
  facts.set_version("0.6.0");
  facts.set_schema(1);
  facts.set_start_time(kMorning - 1000);
  facts.set_backup_time(kMorning - 500);
  facts.set_certificate_time(kMorning + 1000);
  facts.set_disk_bytes(1 << 30);
  facts.set_free_disk_bytes(1 << 20);
  facts.set_read_only_reason("disque plein");
  v1::ReportedLink* const link = facts.add_link();
  link->set_site(std::string(16, '\x5b'));
  link->set_state(6);
  link->set_last_contact_time(kMorning - 20);
  link->set_last_agreement_time(kMorning - 30);
  link->set_pending(12);
}

TEST(Golden, SiteReport) {
  const TestNetwork network(kSeed);
  v1::SiteReport report = FullReport(network);
  GoldenFile file("reports/reports.txt",
                  "SignedSiteReport: proto/site_report.proto; what is signed is \"maillage site report\", a NUL, and the report.");
  const v1::SignedSiteReport bare = SignReport(network.lyon, report);
  file.Add("what the replica knows", bare.SerializeAsString());
  AddFacts(*report.mutable_facts());
  const v1::SignedSiteReport whole = SignReport(network.lyon, report);
  file.Add("with what the program adds", whole.SerializeAsString());
  v1::SyncFrame frame;
  *frame.mutable_reports()->add_report() = bare;
  frame.mutable_reports()->set_feed_position(300);
  frame.mutable_reports()->set_withdrawals(8);
  file.Add("frame with a report", frame.SerializeAsString());
  frame.mutable_reports()->Clear();
  frame.mutable_reports()->set_lists(true);
  v1::KnownReport* const known = frame.mutable_reports()->add_known();
  known->set_site(std::string(16, '\x5b'));
  known->set_number(kMorning);
  file.Add("frame that lists what its sender has", frame.SerializeAsString());
  frame.mutable_hello()->set_reports(0x0102030405060708);
  file.Add("Hello of a member: reports alone", frame.SerializeAsString()).Compare();
  SiteReports reports;
  EXPECT_TRUE(*reports.Add(network.Opened(), whole));
}

}  // namespace
}  // namespace maillage::replication::testing
