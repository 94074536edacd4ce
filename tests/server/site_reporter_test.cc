// When a site tells the others of itself.
#include "server/site_reporter.h"

#include <gtest/gtest.h>

#include <memory>

#include "proto/status_service.pb.h"
#include "server/tuning.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using replication::testing::NamedActor;
using replication::testing::SteppedClock;
using replication::testing::TestNetwork;
using replication::testing::TestSite;

class SiteReporterTest : public ::testing::Test {
 protected:
  SiteReporterTest() : network_(TestSeed()) {
    // A replica of its own, which the reporter keeps.
    lyon_.Join(network_.file, network_.lyon);
    reporter_ = std::make_unique<SiteReporter>(lyon_.replica.get(), [] {
      v1::SiteFacts facts;
      facts.set_version("1.2");
      return facts;
    });
    v1::ReportedLink& link = links_.emplace_back();
    link.set_site(std::string(16, 's'));
    link.set_state(v1::PeerStatus::UP_TO_DATE);
    Tick();
    // What it told first is no news any more.
    TickAfter(kReportAfterglowMillis);
    EXPECT_FALSE(TickAfter(kReportChangeMillis));
  }
  // Whether a report went out.
  bool Tick() {
    const uint64_t before = Number();
    reporter_->Tick(links_, clock_.millis);
    EXPECT_TRUE(lyon_.replica->Commit().ok());
    return Number() != before;
  }
  bool TickAfter(uint64_t millis) {
    clock_.millis += millis;
    return Tick();
  }
  uint64_t Number() const {
    const auto* const entry = lyon_.replica->reports().Find(lyon_.id);
    return entry == nullptr ? 0 : entry->body.number();
  }
  const v1::SiteReport& Report() const { return lyon_.replica->reports().Find(lyon_.id)->body; }

  TestNetwork network_;
  SteppedClock clock_;
  TestSite lyon_{"lyon", 1, &clock_};
  std::vector<v1::ReportedLink> links_;
  std::unique_ptr<SiteReporter> reporter_;
};

TEST_F(SiteReporterTest, TellsAtOnceWhatItIs) {
  ASSERT_GT(Number(), 0u);
  EXPECT_EQ(Report().facts().version(), "1.2");
  ASSERT_EQ(Report().facts().link_size(), 1);
  EXPECT_EQ(Report().facts().link(0).state(), static_cast<uint32_t>(v1::PeerStatus::UP_TO_DATE));
}

TEST_F(SiteReporterTest, WhereNothingHappensSeldom) {
  EXPECT_FALSE(TickAfter(Report().time() + kReportIdleMillis - 1 - clock_.millis));
  EXPECT_TRUE(TickAfter(1));
  EXPECT_FALSE(TickAfter(kReportIdleMillis - 1));
  EXPECT_TRUE(TickAfter(1));
}

TEST_F(SiteReporterTest, ACutLinkWithinSeconds) {
  EXPECT_FALSE(TickAfter(60'000));
  links_[0].set_state(v1::PeerStatus::OFFLINE);
  EXPECT_TRUE(Tick());
  EXPECT_FALSE(TickAfter(60'000));
  links_[0].set_state(v1::PeerStatus::SYNCING);
  EXPECT_TRUE(TickAfter(kReportLinkMillis + kReportMillisPerLink)) << "and when it is healed";
}

TEST_F(SiteReporterTest, ALinkThatFlickersNotAllTheTime) {
  links_[0].set_state(v1::PeerStatus::OFFLINE);
  EXPECT_TRUE(Tick());
  links_[0].set_state(v1::PeerStatus::UP_TO_DATE);
  EXPECT_FALSE(TickAfter(kReportLinkMillis)) << "it has just told";
  EXPECT_TRUE(TickAfter(kReportMillisPerLink));
}

TEST_F(SiteReporterTest, ThatTheTwoCompareIsNoNews) {
  links_[0].set_state(v1::PeerStatus::BEHIND);
  EXPECT_FALSE(TickAfter(60'000));
  links_[0].set_state(v1::PeerStatus::SYNCING);
  EXPECT_FALSE(TickAfter(60'000));
}

TEST_F(SiteReporterTest, WhatWasWrittenSoon) {
  lyon_.Create(NamedActor("ADOS"));
  EXPECT_TRUE(Tick());
  EXPECT_EQ(Report().feed_head(), lyon_.replica->progress().feed_head);
  lyon_.Create(NamedActor("ADOS"));
  EXPECT_FALSE(TickAfter(kReportChangeMillis - 1));
  EXPECT_TRUE(TickAfter(1));
}

TEST_F(SiteReporterTest, ForAWhileAfterTheLastChange) {
  lyon_.Create(NamedActor("ADOS"));
  EXPECT_TRUE(Tick());
  int told = 0;
  for (uint64_t millis = 0; millis < 2 * kReportAfterglowMillis; millis += 1000) told += TickAfter(1000) ? 1 : 0;
  EXPECT_EQ(told, static_cast<int>((kReportAfterglowMillis - 1) / kReportChangeMillis));
}

TEST_F(SiteReporterTest, TheMoreSitesTheLessOften) {
  std::vector<replication::SigningKey> keys;
  for (int i = 0; i < 99; ++i) {
    keys.push_back(replication::SigningKey::Generate(network_.random));
    lyon_.Hear(network_.Enrol("site" + std::to_string(i), v1::ROLE_RELAY, "73", keys.back()));
  }
  lyon_.Create(NamedActor("ADOS"));
  EXPECT_TRUE(Tick());
  lyon_.Create(NamedActor("ADOS"));
  EXPECT_FALSE(TickAfter(100 * kReportMillisPerSite - 1));
  EXPECT_TRUE(TickAfter(1));
}

TEST_F(SiteReporterTest, WhatOthersToldIsOnDiskWithinAMinute) {
  const replication::SigningKey key = replication::SigningKey::Generate(network_.random);
  lyon_.Hear(network_.Enrol("savoie", v1::ROLE_RELAY, "73", key));
  v1::SiteReport report;
  report.set_network(std::string(network_.id().bytes()));
  report.set_site(std::string(key.site().bytes()));
  report.set_number(7);
  Tick();
  ASSERT_TRUE(lyon_.replica->AddReport(replication::SignReport(key, report)).ok());
  EXPECT_FALSE(TickAfter(kReportKeepMillis));
  EXPECT_FALSE(lyon_.replica->HasUnsavedReports());
  lyon_.Restart();
  EXPECT_NE(lyon_.replica->reports().Find(key.site()), nullptr);
}

TEST_F(SiteReporterTest, AClockThatIsSetBackSilencesNobody) {
  clock_.millis -= 86'400'000;
  EXPECT_TRUE(Tick());
}

TEST(SiteReporterAlone, WhoBelongsToNoNetworkTellsNothing) {
  SteppedClock clock;
  TestSite alone("alone", 1, &clock);
  SiteReporter reporter(alone.replica.get(), []() -> v1::SiteFacts {
    ADD_FAILURE() << "not even asked";
    return {};
  });
  reporter.Tick({}, clock.millis);
  EXPECT_TRUE(alone.replica->reports().entries().empty());
}

}  // namespace
}  // namespace maillage::server
