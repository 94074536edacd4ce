#include "tests/model/session_model.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "tests/model/explorer.h"
#include "tests/support/seed.h"

namespace maillage::model {
namespace {

// The exploration ends by itself: every session does.
constexpr size_t kToTheEnd = 1000;

struct Line {
  const char* name;
  bool hints;
  size_t most_in_flight;
};

SessionModel::Options OptionsOf(const Line& line) {
  SessionModel::Options options;
  options.hints = line.hints;
  options.most_in_flight = line.most_in_flight;
  return options;
}

class SessionModelTest : public ::testing::TestWithParam<Line> {};

TEST_P(SessionModelTest, CutAnywhereTheTwoBecomeEqualAndKnowIt) {
  SessionModel::Options options = OptionsOf(GetParam());
  options.disturbances = maillage::testing::NumberFromEnvironment("MAILLAGE_MODEL_DEPTH",
                                                                  MAILLAGE_SESSION_DISTURBANCES);
  const Exploration explored = Explore(SessionModel(options), kToTheEnd);
  explored.Print(std::string("session ") + GetParam().name);
  EXPECT_EQ(explored.violation, "") << explored.Show();
  EXPECT_LT(explored.depth, kToTheEnd);
  EXPECT_GT(explored.states, options.disturbances == 0 ? 10U : 500U);
}

INSTANTIATE_TEST_SUITE_P(SessionModel, SessionModelTest,
                         ::testing::Values(Line{"WithCursors", true, 2},
                                           Line{"WithoutCursors", false, 2},
                                           Line{"WithCursorsOneFrame", true, 1},
                                           Line{"WithoutCursorsOneFrame", false, 1}),
                         [](const auto& tested) { return tested.param.name; });

struct Planted {
  const char* name;
  SessionBug bug;
  const char* violation;
};

class PlantedInSession : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedInSession, IsFound) {
  SessionModel::Options options;
  options.disturbances = 1;
  options.bug = GetParam().bug;
  const Exploration explored = Explore(SessionModel(options), kToTheEnd);
  std::cout << explored.Show();
  EXPECT_NE(explored.violation.find(GetParam().violation), std::string::npos) << explored.Show();
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedInSession,
    ::testing::Values(
        Planted{"SendsBeforeCommit", SessionBug::kSendsBeforeCommit,
                "a receipt for what isn't stored there"},
        Planted{"LosesAFrame", SessionBug::kLosesAFrame, "a receipt for what isn't stored there"},
        Planted{"KeepsTheOldSession", SessionBug::kKeepsTheOldSession, "ended"},
        Planted{"RestartForgets", SessionBug::kRestartForgets, "an acknowledged edit is lost"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace maillage::model
