// The fleet, seed after seed; each twice, since a simulation that can't be replayed proves nothing.
#include <gtest/gtest.h>
#include <sodium/core.h>

#include <iostream>

#include "tests/sim/run.h"
#include "tests/support/seed.h"

namespace maillage::sim {
namespace {

class Simulation : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Simulation, HoldsEveryLawAndReplays) {
  const uint64_t seeds = testing::TestRounds(testing::NumberFromEnvironment("MAILLAGE_SIM_SEEDS", MAILLAGE_SIM_SEEDS)) /
                         MAILLAGE_SIM_SHARDS;
  const uint64_t first = testing::TestSeed() + GetParam() * seeds;
  uint64_t site_millis = 0;
  uint64_t acknowledged = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const RunOutcome run = RunSeed(seed);
    for (const std::string& violation : run.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << violation << "\n  build/tests/sim/maillage_simulation --first "
                    << seed << " --aloud tells how it came to that";
    }
    EXPECT_EQ(RunSeed(seed).trace_hash, run.trace_hash) << "seed " << seed;
    site_millis += run.site_millis;
    acknowledged += run.acknowledged;
  }
  std::cout << "figure: simulation, seeds replayed twice " << seeds << ", simulated site-years "
            << site_millis / kYear << ", acknowledged edits " << acknowledged << std::endl;
}

INSTANTIATE_TEST_SUITE_P(Shards, Simulation, ::testing::Range(uint64_t{0}, uint64_t{MAILLAGE_SIM_SHARDS}));

TEST(SimulationTrace, DependsOnTheSeed) { EXPECT_NE(RunSeed(1).trace_hash, RunSeed(2).trace_hash); }

// Law and fault: does the simulation reach what the leases are for, and see it?
TEST(SimulationFaults, DisksExchangedWithoutALeaseAreCaught) {
  RunOptions options;
  options.leases = false;
  const uint64_t first = testing::TestSeed();
  uint64_t caught = 0;
  for (uint64_t seed = first; seed < first + 60; ++seed) {
    if (!RunSeed(seed, options).violations.empty()) ++caught;
  }
  EXPECT_GE(caught, 3u);
}

}  // namespace
}  // namespace maillage::sim
