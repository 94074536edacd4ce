// Whole fleets that tell each other what they hold, with links cut anywhere: what a site says that it holds, it holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "replication/sync_session.h"
#include "storage/keys.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

class ReportFleet {
 public:
  explicit ReportFleet(uint64_t seed) : random_(seed), network_(seed) {
    static constexpr const char* kTerritories[] = {"", "", "73", "38,73"};
    for (const char* territory : kTerritories) {
      const std::string name = std::string("site").append(std::to_string(sites_.size()));
      keys_.push_back(std::make_unique<SigningKey>(SigningKey::Generate(network_.random)));
      if (sites_.empty()) {
        const SigningKey authority = SigningKey::Generate(network_.random);
        network_.Enrol(name, v1::ROLE_ANTENNA, "", *keys_.back(), &authority, {&network_.lyon_authority, &network_.recovery});
      } else {
        network_.Enrol(name, v1::ROLE_RELAY, territory, *keys_.back());
      }
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

  // Everybody meets the first, which is an antenna, and tells.
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
