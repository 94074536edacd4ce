// What sites tell of themselves, on its way to all others, and what follows from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "replication/sync_session.h"
#include "replication/tuning.h"
#include "replication/watermark.h"
#include "storage/keys.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
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

// ---- Whole fleets, with links cut anywhere ----

class ReportFleet {
 public:
  explicit ReportFleet(uint64_t seed) : random_(seed), network_(seed) {
    static constexpr const char* kTerritories[] = {"", "", "73", "38,73"};
    for (const char* territory : kTerritories) {
      const std::string name = std::string("site").append(std::to_string(sites_.size()));
      keys_.push_back(std::make_unique<SigningKey>(SigningKey::Generate(network_.random)));
      network_.Enrol(name, v1::ROLE_RELAY, territory, *keys_.back());
      sites_.push_back(std::make_unique<TestSite>(name, random_(), &clock_));
    }
    // Lyon is one of the log that nobody hears of: it has written nothing, and never tells anything.
    for (size_t i = 0; i < sites_.size(); ++i) sites_[i]->Join(network_.file, *keys_[i]);
  }

  void Live(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      clock_.millis += 1 + random_() % 60'000;
      TestSite& site = *sites_[random_() % sites_.size()];
      switch (random_() % 8) {
        case 0:
        case 1:
          Write(site);
          break;
        case 2:
          Publish(site);
          break;
        case 3:
          if (random_() % 8 == 0) site.Restart();
          break;
        default:
          Meet(site, *sites_[random_() % sites_.size()]);
      }
      CheckAll();
    }
  }

  // Everybody meets the first, which holds everything, and tells.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      for (const auto& site : sites_) {
        if (site != sites_[0]) Link(site.get(), sites_[0].get()).Run();
        clock_.millis += 1000;
        Publish(*site);
      }
    }
    for (size_t i = 1; i < sites_.size(); ++i) Link(sites_[i].get(), sites_[0].get()).Run();
    CheckAll();
    for (const auto& at : sites_) {
      for (const auto& of : sites_) {
        if (at == of) continue;
        EXPECT_NE(at->replica->reports().Find(of->id), nullptr);
        if (at == sites_[0] || of == sites_[0]) {
          EXPECT_EQ(Held(*at, *of), at->replica->reports().Find(of->id)->body.number()) << at->name << " of " << of->name;
        }
        EXPECT_GT(Held(*at, *of), 0u) << at->name << " of " << of->name;
      }
    }
  }

 private:
  // Where a record lay, for whoever holds so much of it.
  using Place = std::pair<VersionVector, std::vector<std::string>>;
  using Holding = std::map<RecordKey, Place>;

  static uint64_t Held(const TestSite& at, const TestSite& of) {
    const auto& held = at.replica->held_reports().held();
    const auto found = held.find(of.id);
    return found == held.end() ? 0 : found->second.number;
  }

  void Write(TestSite& site) {
    static constexpr const char* kDepartments[] = {"73", "38", "73", ""};
    const bool narrow = !site.replica->scope().everything();
    const std::string department = kDepartments[narrow ? 0 : random_() % 4];
    if (records_.empty() || random_() % 2 == 0) {
      records_.push_back(site.Create(NamedActor("acteur", department)));
      return;
    }
    const RecordId& id = records_[random_() % records_.size()];
    // Also into another département: it then leaves somebody's territory.
    const bool is_here = !site.State(kActor, id).vector().empty();
    const bool may = is_here && (!narrow || site.Actor(id).department() == "73");
    if (may) site.Update(id, NamedActor("autre", department), {"name", "department"});
  }

  void Publish(TestSite& site) {
    site.replica->PublishReport({});
    ASSERT_TRUE(site.replica->Commit().ok());
    Holding& holding = told_[{site.id, site.replica->reports().Find(site.id)->body.number()}];
    auto rows = site.store->Scan(storage::Table::kStates, {});
    for (; rows->Valid(); rows->Next()) {
      const RecordKey record = *storage::ParseStateKey(rows->key());
      const RecordState state = site.State(record.kind, record.id);
      holding[record] = {state.vector(), state.Territories()};
    }
  }

  void Meet(TestSite& one, TestSite& other) {
    if (&one == &other) return;
    Link link(&one, &other);
    if (random_() % 2 == 0) {
      link.RunUntilCut(1 + random_() % 12);
      return;
    }
    link.Run();
    // A live session, in which things happen.
    for (int i = 0; i < 4; ++i) {
      TestSite& site = random_() % 2 == 0 ? one : other;
      if (random_() % 3 == 0) Publish(site);
      if (random_() % 2 == 0) Write(site);
      clock_.millis += random_() % 5000;
      for (uint64_t steps = random_() % 4; steps > 0; --steps) link.Step();
      CheckAll();
    }
    if (random_() % 2 == 0) link.Run();
  }

  void CheckAll() {
    NotePlaces();
    for (const auto& site : sites_) {
      for (const auto& [author, held] : site->replica->held_reports().held()) {
        const auto told = told_.find({author, held.number});
        if (told != told_.end()) CheckHolds(*site, told->second);
      }
    }
  }

  void CheckHolds(const TestSite& site, const Holding& told) {
    for (const auto& [record, held] : told) {
      if (!site.replica->scope().HoldsAny(record.kind, held.second)) continue;
      const auto evicted = site.store->Get(storage::Table::kMeta, storage::EvictedKey(record));
      if ((evicted.ok() && evicted->has_value()) || MovedAway(site, record, held.first)) continue;
      ASSERT_TRUE(site.State(record.kind, record.id).vector().Covers(held.first)) << site.name;
    }
  }

  // It lay outside of the site's territory since: what it was before no longer concerns the site.
  bool MovedAway(const TestSite& site, const RecordKey& record, const VersionVector& told) {
    const std::vector<Place>& places = places_[record];
    return std::any_of(places.begin(), places.end(), [&](const Place& place) {
      return place.first.Covers(told) && !site.replica->scope().HoldsAny(record.kind, place.second);
    });
  }
  void NotePlaces() {
    for (const RecordId& id : records_) {
      std::vector<Place>& places = places_[{kActor, id}];
      for (const auto& site : sites_) {
        const RecordState state = site->State(kActor, id);
        Place place{state.vector(), state.Territories()};
        if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(std::move(place));
      }
    }
  }

  std::mt19937_64 random_;
  TestNetwork network_;
  SteppedClock clock_;
  std::vector<std::unique_ptr<SigningKey>> keys_;
  std::vector<std::unique_ptr<TestSite>> sites_;
  std::vector<RecordId> records_;
  std::map<RecordKey, std::vector<Place>> places_;
  std::map<std::pair<SiteId, uint64_t>, Holding> told_;
};

TEST(ReportFleet, WhatASiteSaysThatItHoldsItHolds) {
  const uint64_t seed = TestSeed();
  const uint64_t rounds = TestRounds(40);
  for (uint64_t round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed + round);
    ReportFleet fleet(seed + round);
    fleet.Live(150);
    fleet.Settle();
  }
}

}  // namespace
}  // namespace maillage::replication::testing
