// What sites tell of themselves, on its way to all others, and what follows from it.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/sync_session.h"
#include "replication/tuning.h"
#include "replication/watermark.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestSeed;

class SyncReport : public ::testing::Test {
 protected:
  SyncReport() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("clermont", v1::ROLE_RELAY, "", clermont_key);
    network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie_key);
    lyon.Join(network.file, network.lyon);
    clermont.Join(network.file, clermont_key);
    savoie.Join(network.file, savoie_key);
  }
  // As a node does every now and then.
  void Publish(TestSite& site) {
    clock.millis += 1000;
    ASSERT_TRUE(site.replica->Commit().ok());
    site.replica->PublishReport({});
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  // Everybody meets Lyon, tells, and hears of the others.
  void MeetAndTell() {
    for (int round = 0; round < 3; ++round) {
      for (TestSite* site : {&clermont, &savoie}) Link(site, &lyon).Run();
      for (TestSite* site : {&lyon, &clermont, &savoie}) Publish(*site);
    }
    for (TestSite* site : {&clermont, &savoie, &clermont}) Link(site, &lyon).Run();
  }
  static const v1::SiteReport* ReportOf(const TestSite& at, const TestSite& of) {
    const SiteReports::Entry* const entry = at.replica->reports().Find(of.id);
    return entry != nullptr ? &entry->body : nullptr;
  }
  Watermark WatermarkAt(const TestSite& site) { return WatermarkOf(*site.replica, clock.millis); }
  std::optional<uint64_t> Until(const TestSite& at, const TestSite& of) {
    return WatermarkAt(at).sites.at(of.id).until_millis;
  }

  TestNetwork network;
  SteppedClock clock;
  SigningKey clermont_key = SigningKey::Generate(network.random);
  SigningKey savoie_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite clermont{"clermont", 2, &clock};
  TestSite savoie{"savoie", 3, &clock};
};

TEST_F(SyncReport, ReachesSitesThatNeverMeet) {
  savoie.Create(NamedActor("ADOS"));
  Publish(savoie);
  const uint64_t told = clock.millis;
  Link(&savoie, &lyon).Run();
  Link(&clermont, &lyon).Run();
  const v1::SiteReport* const report = ReportOf(clermont, savoie);
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->time(), told);
  EXPECT_EQ(report->feed_head(), 1u);
  EXPECT_EQ(report->holds(), "73");
  EXPECT_EQ(report->digest(), savoie.Digest());
  ASSERT_EQ(report->kind_size(), 1);
  EXPECT_EQ(report->kind(0).records(), 1u);
}

TEST_F(SyncReport, ALiveSessionPassesItOnOnce) {
  Link near(&savoie, &lyon);
  Link far(&clermont, &lyon);
  near.Run();
  far.Run();
  Publish(savoie);
  EXPECT_EQ(near.Run(), 1u);
  EXPECT_EQ(far.Run(), 1u);
  EXPECT_EQ(near.Run() + far.Run(), 0u) << "and it doesn't come back";
  ASSERT_NE(ReportOf(clermont, savoie), nullptr);
}

TEST_F(SyncReport, EqualReportsAreNotToldAgain) {
  MeetAndTell();
  Link(&savoie, &lyon).Run();
  Link again(&savoie, &lyon);
  int frames = 0;
  again.on_frame = [&](bool, const v1::SyncFrame& frame) { frames += frame.has_reports() ? 1 : 0; };
  again.Run();
  EXPECT_EQ(frames, 0);
}

TEST_F(SyncReport, IsKeptOverARestart) {
  MeetAndTell();
  Publish(clermont);
  clermont.Restart();
  EXPECT_NE(ReportOf(clermont, savoie), nullptr);
  EXPECT_TRUE(Until(clermont, clermont).has_value()) << "and so is what it holds";
}

TEST_F(SyncReport, WhatIsEverywhere) {
  EXPECT_FALSE(WatermarkAt(lyon).everywhere_millis.has_value()) << "nobody has told anything";
  const uint64_t before = clock.millis;
  MeetAndTell();
  for (TestSite* site : {&lyon, &clermont, &savoie}) {
    const Watermark watermark = WatermarkAt(*site);
    ASSERT_TRUE(watermark.everywhere_millis.has_value()) << site->name;
    EXPECT_GT(*watermark.everywhere_millis, before);
  }
}

TEST_F(SyncReport, ASiteThatIsAwayHoldsItBack) {
  MeetAndTell();
  const uint64_t together = clock.millis;
  clock.millis += 3'600'000;
  lyon.Create(NamedActor("ADOS"));
  for (int round = 0; round < 3; ++round) {
    Link(&clermont, &lyon).Run();
    Publish(lyon);
    Publish(clermont);
  }
  Link(&clermont, &lyon).Run();
  const Watermark watermark = WatermarkAt(lyon);
  EXPECT_LE(*watermark.everywhere_millis, together);
  EXPECT_LE(*Until(lyon, savoie), together);
  const Completeness& clermonts = watermark.sites.at(clermont.id);
  EXPECT_EQ(clermonts.held_back_by, savoie.id) << "nobody knows what Savoie has written since";
  EXPECT_EQ(clermonts.of_here->position, lyon.replica->progress().feed_head);
  EXPECT_LT(watermark.sites.at(savoie.id).of_here->position, lyon.replica->progress().feed_head);
}

TEST_F(SyncReport, NothingIsHeldBeforeItCame) {
  MeetAndTell();
  for (int i = 0; i < 50; ++i) lyon.Create(NamedActor("ADOS"));
  Publish(lyon);
  const uint64_t told = clock.millis;
  Link link(&savoie, &lyon);
  const auto holds = [&] {
    const auto& held = savoie.replica->held_reports().held();
    return held.at(lyon.id).millis >= told;
  };
  while (link.Step()) {
    if (holds()) {
      EXPECT_EQ(savoie.replica->progress().feed_head, lyon.replica->progress().feed_head);
    }
  }
  EXPECT_TRUE(holds());
}

TEST_F(SyncReport, WhatIsNotForASiteDoesNotHoldItsWordBack) {
  MeetAndTell();
  Link link(&savoie, &lyon);
  link.Run();
  lyon.Create(NamedActor("Grenoble", "38"));
  link.Run();
  Publish(lyon);
  link.Run();
  EXPECT_EQ(savoie.replica->held_reports().held().at(lyon.id).number, ReportOf(savoie, lyon)->number());
}

TEST_F(SyncReport, ASlowLineIsNotOvertakenByReports) {
  MeetAndTell();
  Link link(&savoie, &lyon);
  link.Run();
  const uint64_t first = ReportOf(savoie, lyon)->number();
  // Four frames are written while two arrive: each report comes before the changes that it is about are here.
  v1::Actor longest = NamedActor("ADOS");
  longest.set_description(std::string(kMaxValueBytes, 'x'));
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 4; ++i) lyon.Create(longest);
    Publish(lyon);
    for (int i = 0; i < 2; ++i) link.Step();
  }
  EXPECT_LT(savoie.replica->progress().feed_head, lyon.replica->progress().feed_head);
  EXPECT_GT(savoie.replica->held_reports().held().at(lyon.id).number, first);
}

TEST_F(SyncReport, AnotherCopyOfASiteIsAnotherMatter) {
  MeetAndTell();
  // Lyon's disk is a copy of before; its new changes come under numbers that Savoie had others under.
  const std::unique_ptr<TestSite> old = lyon.Clone(77);
  for (int i = 0; i < 5; ++i) lyon.Create(NamedActor("lost"));
  Publish(lyon);
  Link(&savoie, &lyon).Run();
  old->key = &network.lyon;
  old->Restart();
  old->Create(NamedActor("new"));
  Publish(*old);
  const v1::SignedSiteReport told = old->replica->reports().Find(lyon.id)->told;
  ASSERT_TRUE(savoie.replica->AddReport(told).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  EXPECT_LT(savoie.replica->held_reports().held().at(lyon.id).number, ReportOf(savoie, lyon)->number());
}

TEST_F(SyncReport, BeforeTwoAgreeAPositionIsAHint) {
  std::vector<RecordId> records;
  for (int i = 0; i < 10; ++i) records.push_back(lyon.Create(NamedActor("ADOS")));
  const std::unique_ptr<TestSite> old = clermont.Clone(79);
  const auto take = [&](TestSite& site, size_t first) {
    const std::vector<std::string> feed = lyon.Feed();
    for (size_t i = first; i < first + 5; ++i) ASSERT_TRUE(site.replica->Apply(feed[i], lyon.id).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  };
  take(clermont, 0);
  Link(&savoie, &clermont).Run();
  // An older copy of Clermont has other changes under the same positions, none of them its own: nothing at the greeting tells.
  old->key = &clermont_key;
  old->Restart();
  take(*old, 5);
  old->Create(NamedActor("PSS"));
  Publish(*old);
  const uint64_t told = old->replica->reports().Find(clermont.id)->body.number();
  Link link(&savoie, old.get());
  bool held = false;
  while (link.Step()) {
    const auto found = savoie.replica->held_reports().held().find(clermont.id);
    held = found != savoie.replica->held_reports().held().end() && found->second.number == told;
    if (!held) continue;
    for (const RecordId& id : records) ASSERT_FALSE(savoie.State(kActor, id).vector().empty());
  }
  EXPECT_TRUE(held);
}

TEST_F(SyncReport, ARelaysWordOnOthersCountsForNothing) {
  MeetAndTell();
  const uint64_t known = lyon.replica->held_reports().held().at(savoie.id).number;
  // Clermont, which holds everything and is no antenna, is ahead of all others.
  v1::SiteReport lie = *ReportOf(clermont, clermont);
  lie.set_number(lie.number() + 1);
  for (v1::HeldReport& held : *lie.mutable_held()) {
    if (held.site() == savoie.id.bytes()) held.set_number(known + 1'000'000);
  }
  ASSERT_TRUE(lyon.replica->AddReport(SignReport(clermont_key, lie)).ok());
  ASSERT_TRUE(clermont.replica->AddReport(SignReport(clermont_key, lie)).ok());
  Link(&clermont, &lyon).Run();
  EXPECT_EQ(lyon.replica->held_reports().held().at(clermont.id).number, lie.number());
  EXPECT_EQ(lyon.replica->held_reports().held().at(savoie.id).number, known);
}

TEST_F(SyncReport, ANarrowAntennasWordIsNotForWhoHoldsMore) {
  MeetAndTell();
  const uint64_t known = clermont.replica->held_reports().held().at(savoie.id).number;
  v1::SiteReport narrow = *ReportOf(lyon, lyon);
  narrow.set_number(narrow.number() + 1);
  narrow.set_holds("73");
  for (v1::HeldReport& held : *narrow.mutable_held()) held.set_number(held.number() + 1'000'000);
  for (TestSite* site : {&lyon, &clermont, &savoie}) {
    ASSERT_TRUE(site->replica->AddReport(SignReport(network.lyon, narrow)).ok());
  }
  Link(&clermont, &lyon).Run();
  EXPECT_EQ(clermont.replica->held_reports().held().at(savoie.id).number, known);
  Link(&savoie, &lyon).Run();
  EXPECT_GT(savoie.replica->held_reports().held().at(clermont.id).number, known) << "it is for who holds that and no more";
}

TEST_F(SyncReport, WhatASiteWithdrewIsNotHeld) {
  MeetAndTell();
  savoie.Create(NamedActor("ADOS"));
  Publish(savoie);
  const SiteReports::Entry told = *savoie.replica->reports().Find(savoie.id);
  ASSERT_TRUE(lyon.replica->AddReport(told.told).ok());
  // Its change goes on under another number.
  ASSERT_TRUE(savoie.replica->Renounce(ContinuityDoubt::kTwinMet, {}, /*must_renew=*/true).ok());
  Link(&savoie, &lyon).Run();
  EXPECT_LT(lyon.replica->held_reports().held().at(savoie.id).number, told.body.number());
  Publish(savoie);
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(lyon.replica->held_reports().held().at(savoie.id).number, ReportOf(lyon, savoie)->number());
}

TEST_F(SyncReport, ASiteThatCameBackFromABackupIsHeardAgain) {
  MeetAndTell();
  std::unique_ptr<TestSite> old = savoie.Clone(78);
  Publish(savoie);
  Link(&savoie, &lyon).Run();
  const uint64_t known = ReportOf(lyon, savoie)->number();
  // Its clock, too, is one of before.
  clock.millis -= 60'000;
  old->key = &savoie_key;
  old->Restart(/*continuity_proven=*/false);
  Publish(*old);
  Link(old.get(), &lyon).Run();
  EXPECT_TRUE(old->replica->ReportIsOutdated());
  Publish(*old);
  Link(old.get(), &lyon).Run();
  EXPECT_GT(ReportOf(lyon, savoie)->number(), known);
}

TEST_F(SyncReport, AWiderTerritoryIsFoundCompleteAnew) {
  lyon.Create(NamedActor("ADOS", "38"));
  MeetAndTell();
  ASSERT_GT(savoie.replica->held_reports().held().at(lyon.id).number, 0u);
  savoie.Hear(network.Enrol("savoie", v1::ROLE_RELAY, "38,73", savoie_key, nullptr, {}, 1));
  EXPECT_TRUE(savoie.replica->held_reports().held().empty());
  lyon.Hear(network.file.log().entry(network.file.log().entry_size() - 1));
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(savoie.replica->held_reports().held().at(lyon.id).number, ReportOf(savoie, lyon)->number());
}

TEST_F(SyncReport, WhoLacksRecordsHoldsNothing) {
  const RecordId id = savoie.Create(NamedActor("ADOS"));
  MeetAndTell();
  ASSERT_TRUE(Until(savoie, savoie).has_value());
  savoie.replica->SetLost({kActor, id}, true);
  ASSERT_TRUE(savoie.replica->Commit().ok());
  EXPECT_FALSE(Until(savoie, savoie).has_value());
  EXPECT_FALSE(WatermarkAt(savoie).everywhere_millis.has_value());
  Publish(savoie);
  ASSERT_TRUE(lyon.replica->AddReport(savoie.replica->reports().Find(savoie.id)->told).ok());
  EXPECT_FALSE(Until(lyon, savoie).has_value()) << "as the others see it, too";
}

TEST_F(SyncReport, ARevokedSiteCountsNoMore) {
  MeetAndTell();
  lyon.Hear(network.Revoke(savoie_key.site(), {}, {}, {&network.lyon_authority, &network.recovery}));
  EXPECT_EQ(ReportOf(lyon, savoie), nullptr);
  EXPECT_FALSE(WatermarkAt(lyon).sites.contains(savoie.id));
  Publish(lyon);
  lyon.Restart();
  EXPECT_EQ(ReportOf(lyon, savoie), nullptr) << "nor is it on disk";
}

class ForgedReport : public SyncReport {
 protected:
  void SetUp() override {
    SyncReport::SetUp();
    Publish(savoie);
    told = savoie.replica->reports().Find(savoie.id)->told;
    report = *ReportOf(savoie, savoie);
  }
  std::string Refused(const v1::SignedSiteReport& offered) {
    const auto added = lyon.replica->AddReport(offered);
    EXPECT_EQ(lyon.replica->reports().entries().size(), added.ok() ? 1u : 0u);
    return added.ok() ? "" : std::string(added.status().message());
  }

  v1::SignedSiteReport told;
  v1::SiteReport report;
};

TEST_F(ForgedReport, IsRefused) {
  v1::SignedSiteReport bad = told;
  bad.mutable_signature()->front() ^= 1;
  EXPECT_EQ(Refused(bad), "rapport d'un site : la signature n'est pas celle de « savoie »");
  EXPECT_EQ(Refused(SignReport(clermont_key, report)), "rapport d'un site : la signature n'est pas celle de « savoie »");
  bad = told;
  bad.mutable_report()->pop_back();
  EXPECT_NE(Refused(bad), "");
  v1::SiteReport other = report;
  other.mutable_network()->front() ^= 1;
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : d'un autre réseau");
  const SigningKey stranger = SigningKey::Generate(network.random);
  other = report;
  other.set_site(std::string(stranger.site().bytes()));
  EXPECT_EQ(Refused(SignReport(stranger, other)), "rapport d'un site : d'un site qui n'est pas membre");
  other = report;
  other.add_held()->set_site("short");
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : nomme un site qui n'en est pas un");
  other = report;
  other.mutable_facts()->add_link()->set_site("short");
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : nomme un site qui n'en est pas un");
  other = report;
  other.add_held()->set_site(std::string(16, 's'));
  other.mutable_held(0)->set_time(UINT64_MAX);
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : daté d'après l'an 9999");
  other = report;
  other.set_number(UINT64_MAX);
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : daté d'après l'an 9999");
  other = report;
  other.set_holds("73,,74|");
  EXPECT_NE(Refused(SignReport(savoie_key, other)), "");
  other = report;
  other.mutable_facts()->set_version(std::string(kMaxReportBytes, 'x'));
  EXPECT_EQ(Refused(SignReport(savoie_key, other)), "rapport d'un site : trop long");
  EXPECT_EQ(Refused(told), "");
}

TEST_F(ForgedReport, AnOlderOneChangesNothing) {
  Publish(savoie);
  ASSERT_TRUE(lyon.replica->AddReport(savoie.replica->reports().Find(savoie.id)->told).ok());
  const uint64_t version = lyon.replica->reports().version();
  ASSERT_TRUE(lyon.replica->AddReport(told).ok());
  EXPECT_EQ(lyon.replica->reports().version(), version);
  EXPECT_GT(ReportOf(lyon, savoie)->number(), report.number());
}

TEST_F(ForgedReport, OfOneNumberAllKeepTheSame) {
  v1::SiteReport twin = report;
  twin.set_conflicts(7);
  const v1::SignedSiteReport other = SignReport(savoie_key, twin);
  ASSERT_TRUE(lyon.replica->AddReport(told).ok() && lyon.replica->AddReport(other).ok());
  ASSERT_TRUE(clermont.replica->AddReport(other).ok() && clermont.replica->AddReport(told).ok());
  EXPECT_EQ(lyon.replica->reports().digest(), clermont.replica->reports().digest());
}

TEST_F(ForgedReport, AFrameThatIsNoneEndsTheSession) {
  Link link(&savoie, &lyon);
  link.Run();
  v1::SyncFrame frame;
  frame.mutable_reports()->add_known()->set_site("short");
  ASSERT_TRUE(link.answerer().Receive(frame).ok());
  link.Run();
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::MALFORMED);
}

}  // namespace
}  // namespace maillage::replication::testing
