// Giving up dots: every table agrees afterwards, and whoever plays the history gets the state.
#include "replication/renounce.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "replication/record_reader.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"
#include "tests/replication/support/site.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kName = 1;
constexpr uint32_t kVisits = 904;
const RecordKey kActor{1, IdOf(1)};
const Actor kOld = ("a1"_dot).actor;
const Actor kNew = ("b1"_dot).actor;

TEST(Rename, AVectorBeyondTheFirstRenouncedDot) {
  const std::vector<Renaming> renamings{{kOld, 3, kNew}};
  EXPECT_EQ(Rename({{kOld, 2}}, renamings), (VersionVector{{kOld, 2}}));
  EXPECT_EQ(Rename({{kOld, 4}}, renamings), (VersionVector{{kOld, 2}, {kNew, 2}}));
  EXPECT_EQ(Rename({{kOld, 4}}, {{kOld, 1, kNew}}), (VersionVector{{kNew, 4}}));
}

TEST(Rename, AnEtagFromBeforeIsToldFromOneFromAfter) {
  const std::vector<Renaming> renamings{{kOld, 3, kNew}};
  EXPECT_FALSE(NamesRenounced({{kOld, 2}}, renamings));
  EXPECT_TRUE(NamesRenounced({{kOld, 3}}, renamings));
  EXPECT_FALSE(NamesRenounced({{kOld, 3}, {kNew, 1}}, renamings));
}

TEST(ChangesToRename, WhatOthersHoldOrHaveBuiltUponKeepsItsName) {
  RecordBefore before;
  before.history = {{1, Written("a1"), true}, {2, Written("a2").After("a1"), true},
                    {3, Written("c1").After("a2"), false}, {4, Written("a3").After("a2"), true},
                    {5, Written("a4").After("a3"), true}};
  before.state = StateOf({Written("a1"), Written("a2").After("a1"), Written("c1").After("a2"),
                          Written("a3").After("a2"), Written("a4").After("a3")});
  using Positions = std::vector<uint64_t>;
  EXPECT_EQ(ChangesToRename(before, {1, 2, 4, 5}, {}), (Positions{4, 5}));
  EXPECT_EQ(ChangesToRename(before, {1, 2, 4, 5}, {4}), Positions{5});
  EXPECT_EQ(ChangesToRename(before, {1, 2, 4, 5}, {5}), (Positions{4, 5})) << "a gap";
  EXPECT_EQ(ChangesToRename(before, {5}, {}), Positions{5});
  before.seen_elsewhere = VersionVector{{kOld, 3}};
  EXPECT_EQ(ChangesToRename(before, {1, 2, 4, 5}, {}), Positions{5});
}

TEST(Renounce, ACounterCountsNothingTwice) {
  Site alice('a');
  alice.Write(kActor, {Put(kVisits, "5", v1::COUNTER)});
  alice.replica->Witness(1);
  alice.Write(kActor, {Put(kVisits, "2", v1::COUNTER)});
  alice.Write(kActor, {Put(kVisits, "3", v1::COUNTER)});
  ASSERT_TRUE(alice.replica->Renounce(ContinuityDoubt::kPeerKnowsOther, {}, true).ok());
  const Cell cell = *alice.State(kActor).Find(kVisits);
  EXPECT_EQ(CounterSum(cell), 10);
  ASSERT_EQ(cell.versions.size(), 2u);
  alice.Write(kActor, {Put(kVisits, "1", v1::COUNTER)});
  EXPECT_EQ(CounterSum(*alice.State(kActor).Find(kVisits)), 11);
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(Renounce, IsOneCommitAndSurvivesARestart) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  alice.store->FailNextCommit(absl::InternalError("disk"), storage::MemoryStore::Outcome::kLost);
  const std::string before = alice.Feed()[0];
  EXPECT_FALSE(alice.replica->Renounce(ContinuityDoubt::kTwinMet, {}, true).ok());
  alice.Restart();
  EXPECT_EQ(alice.Feed()[0], before);
  EXPECT_EQ(alice.replica->identity().renewals, 0u);
  ASSERT_TRUE(alice.replica->Renounce(ContinuityDoubt::kTwinMet, {}, true).ok());
  const LocalIdentity identity = alice.replica->identity();
  alice.Restart();
  EXPECT_EQ(alice.replica->identity(), identity);
  EXPECT_EQ(alice.replica->continuity_note().renamed, 1u);
  EXPECT_EQ(alice.replica->progress().site_sequence, 1u);
  EXPECT_EQ(DecodeChange(alice.Feed()[0])->dot.actor.incarnation, identity.incarnation);
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(RenounceHistories, HistoryMakesTheStateAndEveryTableAgrees) {
  ForEachHistory(
      [](SeededRandom& random) {
        Site alice('a', random.engine());
        Site bob('b', random.engine());
        for (uint64_t step = 4 + random.Below(16); step > 0; --step) {
          Site& writer = random.OneIn(3) ? bob : alice;
          const RecordKey record{1, IdOf(random.Below(3))};
          const VersionVector context =
              random.OneIn(4) ? VersionVector() : writer.State(record).vector();
          writer.wall.millis += random.Below(5);
          writer.Stage(record, context, WriteAnyCells(random, {}, context));
          ASSERT_TRUE(writer.replica->Commit().ok());
          if (random.OneIn(4)) {
            for (const std::string& change : bob.Feed()) alice.Receive(change);
          }
          if (random.OneIn(6)) {
            for (const std::string& change : alice.Feed()) bob.Receive(change);
            if (random.OneIn(2)) alice.replica->Witness(alice.replica->progress().feed_head);
          }
        }
        std::set<uint64_t> held;
        const auto unwitnessed = alice.replica->UnwitnessedChanges();
        for (const Replica::OwnChange& change : *unwitnessed) {
          if (*bob.replica->Holds(change)) held.insert(change.position);
        }
        ASSERT_TRUE(alice.replica->Renounce(ContinuityDoubt::kPeerKnowsOther, held, true).ok());
        ASSERT_EQ(Inconsistency(alice), "");
        for (const std::string& change : bob.Feed()) alice.Receive(change);
        for (const std::string& change : alice.Feed()) bob.Receive(change);
        ASSERT_EQ(alice.Digest(), bob.Digest());
        Site carol('c');
        for (const std::string& change : alice.Feed()) carol.Receive(change);
        ASSERT_EQ(carol.Digest(), alice.Digest());
        ASSERT_EQ(Inconsistency(bob), "");
      },
      0.1);
}

}  // namespace
}  // namespace maillage::replication::testing
