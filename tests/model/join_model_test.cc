#include "tests/model/join_model.h"

#include <gtest/gtest.h>

#include <iostream>

#include "tests/model/explorer.h"
#include "tests/support/seed.h"

namespace maillage::model {
namespace {

TEST(JoinModel, EveryScheduleKeepsTheLaws) {
  const uint64_t depth = maillage::testing::NumberFromEnvironment("MAILLAGE_MODEL_DEPTH", MAILLAGE_MODEL_DEPTH);
  const Exploration explored = Explore(JoinModel(), depth);
  explored.Print("join");
  EXPECT_EQ(explored.violation, "") << explored.Show();
  EXPECT_GT(explored.states, 1000U);
}

struct Planted {
  const char* name;
  JoinBug bug;
  const char* violation;
};

class PlantedInJoin : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedInJoin, IsFound) {
  const Exploration explored = Explore(JoinModel(GetParam().bug), 6);
  std::cout << explored.Show();
  EXPECT_NE(explored.violation.find(GetParam().violation), std::string::npos) << explored.Show();
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedInJoin,
    ::testing::Values(
        Planted{"EpochReused", JoinBug::kEpochReusedAfterEviction, "a dot is used twice"},
        Planted{"OwnDotsUnnoticed", JoinBug::kOwnDotsComeBackUnnoticed, "a dot is used twice"},
        Planted{"SameIncarnation", JoinBug::kSameIncarnationAfterRestore, "a dot is used twice"},
        Planted{"CoversUnread", JoinBug::kWriteCoversUnread, "a value is gone"},
        Planted{"KeepsRemoved", JoinBug::kJoinKeepsRemoved, "a value is back"},
        Planted{"TakesTheirs", JoinBug::kJoinTakesTheirs, "join depends on the order"},
        Planted{"SwallowsEdits", JoinBug::kDeleteSwallowsLaterEdits, "life"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace maillage::model
