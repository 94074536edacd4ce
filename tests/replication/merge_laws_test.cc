// Laws of merging over random histories: the oracle, the lattice, the bytes.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "replication/fingerprint.h"
#include "replication/state_codec.h"
#include "tests/replication/oracle.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"

namespace maillage::replication::testing {
namespace {

constexpr RecordKey kRecord{kKind, RecordId()};

Oracle OracleOf(const Fleet& fleet, const std::set<size_t>& seen) {
  Oracle oracle;
  for (const size_t index : seen) oracle.Add(fleet.changes()[index]);
  return oracle;
}

std::string ShowChanges(const Fleet& fleet) {
  std::string text = "the changes:";
  for (const Change& change : fleet.changes()) text += Show(change);
  return text;
}

// Some states of the history, taken while it runs, and those at its end.
std::vector<RecordState> ReachableStates(SeededRandom& random) {
  Fleet fleet(&random, 2 + random.Below(3));
  std::vector<RecordState> states = {RecordState()};
  for (int i = 0; i < 4; ++i) {
    fleet.Run(5);
    states.push_back(fleet.copies()[random.Below(fleet.copies().size())].state);
  }
  for (const Copy& copy : fleet.copies()) states.push_back(copy.state);
  return states;
}

TEST(MergeLaws, EveryCopyIsWhatTheDefinitionsSay) {
  ForEachHistory([](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(8 + random.Below(20));
    for (const Copy& copy : fleet.copies()) {
      ASSERT_EQ(Disagreement(copy.state, OracleOf(fleet, copy.seen)), "")
          << Show(copy.state) << ShowChanges(fleet);
    }
  });
}

TEST(MergeLaws, AnyCausalOrderGivesTheSameBytes) {
  ForEachHistory([](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(8 + random.Below(12));
    const std::string bytes = EncodeState(StateOf(fleet.changes()));
    for (int i = 0; i < 2; ++i) {
      const std::vector<Change> order = fleet.InSomeCausalOrder(fleet.All());
      ASSERT_EQ(ToHex(EncodeState(StateOf(order))), ToHex(bytes)) << ShowChanges(fleet);
    }
    RecordState joined;
    for (const Copy& copy : fleet.copies()) joined.Join(copy.state);
    ASSERT_EQ(ToHex(EncodeState(joined)), ToHex(bytes)) << ShowChanges(fleet);
  });
}

TEST(MergeLaws, JoiningIsApplyingTheUnion) {
  ForEachHistory([](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(8 + random.Below(12));
    const Copy& left = fleet.copies()[random.Below(fleet.copies().size())];
    const Copy& right = fleet.copies()[random.Below(fleet.copies().size())];
    std::set<size_t> both = left.seen;
    both.insert(right.seen.begin(), right.seen.end());
    const RecordState applied = StateOf(fleet.InSomeCausalOrder(both));
    ASSERT_EQ(Joined(left.state, right.state), applied) << ShowChanges(fleet);
    // A prefix of the one order joined with a prefix of another, too.
    std::vector<Change> order = fleet.InSomeCausalOrder(both);
    std::vector<Change> other_order = fleet.InSomeCausalOrder(both);
    order.resize(random.Below(order.size() + 1));
    const RecordState prefix = StateOf(order);
    ASSERT_EQ(Joined(prefix, applied), applied);
    ASSERT_EQ(Joined(applied, prefix), applied);
  });
}

TEST(MergeLaws, JoinIsCommutativeAssociativeIdempotent) {
  ForEachHistory([](SeededRandom& random) {
    const std::vector<RecordState> states = ReachableStates(random);
    const RecordState& a = states[random.Below(states.size())];
    const RecordState& b = states[random.Below(states.size())];
    const RecordState& c = states[random.Below(states.size())];
    ASSERT_EQ(Joined(a, b), Joined(b, a));
    ASSERT_EQ(Joined(Joined(a, b), c), Joined(a, Joined(b, c)));
    ASSERT_EQ(Joined(a, a), a);
    ASSERT_EQ(Joined(a, Joined(a, b)), Joined(a, b));
    ASSERT_EQ(Joined(a, RecordState()), a);
  });
}

TEST(MergeLaws, StatesSurviveTheirBytes) {
  ForEachHistory([](SeededRandom& random) {
    for (const RecordState& state : ReachableStates(random)) {
      const std::string bytes = EncodeState(state);
      const auto decoded = DecodeState(bytes);
      ASSERT_TRUE(decoded.ok()) << decoded.status() << Show(state);
      ASSERT_EQ(*decoded, state);
      ASSERT_EQ(EncodeState(*decoded), bytes);
    }
  });
}

TEST(MergeLaws, FingerprintsAreEqualWhereStatesAre) {
  ForEachHistory([](SeededRandom& random) {
    const std::vector<RecordState> states = ReachableStates(random);
    for (const RecordState& a : states) {
      for (const RecordState& b : states) {
        const auto left = Fingerprint::OfState(kRecord, EncodeState(a));
        const auto right = Fingerprint::OfState(kRecord, EncodeState(b));
        ASSERT_EQ(left == right, a == b) << Show(a) << Show(b);
      }
    }
  });
}

// As after a revocation: what is void is told of histories that were played when it wasn't.
TEST(MergeLaws, VoidChangesHaveNoEffectInAnyOrderAndAnyJoin) {
  uint64_t voided = 0;
  uint64_t dead = 0;
  ForEachHistory([&](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(20);
    std::vector<Change> changes = fleet.changes();
    for (Change& change : changes) change.is_void = random.OneIn(4);
    std::vector<RecordState> states;
    for (const Copy& copy : fleet.copies()) {
      Oracle oracle;
      RecordState state;
      // In the order of the copy's own story: an index is no less than those of its causes.
      for (const size_t index : copy.seen) {
        oracle.Add(changes[index]);
        state.Apply(changes[index]);
        voided += changes[index].is_void ? 1 : 0;
      }
      ASSERT_EQ(Disagreement(state, oracle), "") << Show(state);
      const auto decoded = DecodeState(EncodeState(state));
      ASSERT_TRUE(decoded.ok()) << decoded.status() << Show(state);
      ASSERT_EQ(*decoded, state);
      dead += state.life() == Life::kDeleted ? 1 : 0;
      states.push_back(std::move(state));
    }
    Oracle all;
    for (const Change& change : changes) all.Add(change);
    RecordState joined;
    for (const RecordState& state : states) joined = Joined(joined, state);
    ASSERT_EQ(Disagreement(joined, all), "") << Show(joined);
  });
  EXPECT_GT(voided, 0u);
  EXPECT_GT(dead, 0u);
}

// Where no history tells what a void change had replaced, its own values go all the same, alike in any order.
TEST(MergeLaws, MakingAChangeVoidCommutesWithJoins) {
  ForEachHistory([&](SeededRandom& random) {
    Fleet fleet(&random, 2);
    fleet.Run(15);
    if (fleet.changes().empty()) return;
    const Change& change = fleet.changes()[random.Below(fleet.changes().size())];
    RecordState a = fleet.copies()[0].state;
    RecordState b = fleet.copies()[1].state;
    if (!a.vector().Covers(change.dot) || !b.vector().Covers(change.dot)) return;
    RecordState after = Joined(a, b);
    after.MakeVoid(change);
    // One of the two hears of it later, too.
    RecordState mixed = a;
    mixed.MakeVoid(change);
    ASSERT_EQ(Joined(mixed, b), after) << Show(change);
    ASSERT_EQ(Joined(b, mixed), after) << Show(change);
    b.MakeVoid(change);
    ASSERT_EQ(Joined(mixed, b), after) << Show(change);
  });
}

TEST(MergeLaws, NothingAppliesBeforeItsCausesOrTwice) {
  uint64_t refused = 0;
  ForEachHistory([&](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(20);
    for (const Copy& copy : fleet.copies()) {
      for (size_t i = 0; i < fleet.changes().size(); ++i) {
        const Change& change = fleet.changes()[i];
        const bool first = copy.seen.count(i) == 0;
        const bool follows = change.dot.n == copy.state.vector().Get(change.dot.actor) + 1;
        const bool caused = copy.state.vector().Covers(change.context);
        ASSERT_EQ(copy.state.CanApply(change), first && follows && caused) << Show(change);
        if (first && !(follows && caused)) ++refused;
      }
    }
  });
  EXPECT_GT(refused, 0u);
}

TEST(MergeLaws, TwinsInOneCellEndAlikeWhoeverJoinsWhom) {
  // Two sites that believe to be the same: nothing can be right, but it must not be endless.
  const RecordState left = StateOf({Written("a1").Set(1, "x").At(5)});
  const RecordState right = StateOf({Written("a1").Set(1, "y").At(4)});
  EXPECT_EQ(Joined(left, right), Joined(right, left));
}

TEST(MergeLaws, ApplyOfAChangeThatDoesNotFollowDies) {
  RecordState state;
  EXPECT_DEATH(state.Apply(Written("a2").Set(1, "x")), "CanApply");
  EXPECT_DEATH(state.Apply(Written("a1").After("b1").Set(1, "x")), "CanApply");
}

}  // namespace
}  // namespace maillage::replication::testing
