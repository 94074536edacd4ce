// The fleet, seed after seed; each twice, since a simulation that can't be replayed proves nothing.
#include <gtest/gtest.h>
#include <sodium/core.h>

#include <iostream>
#include <string>

#include "tests/sim/run.h"
#include "tests/support/seed.h"

namespace maillage::sim {
namespace {

class Simulation : public ::testing::TestWithParam<uint64_t> {};

// `seeds` of them, each twice.
void RunTwice(uint64_t first, uint64_t seeds, const RunOptions& options, const std::string& store) {
  uint64_t site_millis = 0;
  uint64_t acknowledged = 0;
  uint64_t crashes = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const RunOutcome run = RunSeed(seed, options);
    for (const std::string& violation : run.violations) {
      ADD_FAILURE() << "seed " << seed << ": " << violation << "\n  build/tests/sim/maillage_simulation --store " << store
                    << " --first " << seed << " --aloud tells how it came to that";
    }
    EXPECT_EQ(RunSeed(seed, options).trace_hash, run.trace_hash) << "seed " << seed;
    site_millis += run.site_millis;
    acknowledged += run.acknowledged;
    crashes += run.operators.crashes + run.operators.failed_commits;
  }
  std::cout << "figure: simulation on " << store << ", seeds replayed twice " << seeds << ", simulated site-days "
            << site_millis / kDay << ", acknowledged edits " << acknowledged << ", crashes " << crashes << std::endl;
}

uint64_t SeedsOfShard(const char* variable, uint64_t usual) {
  return testing::TestRounds(testing::NumberFromEnvironment(variable, usual)) / MAILLAGE_SIM_SHARDS;
}

TEST_P(Simulation, HoldsEveryLawAndReplays) {
  const uint64_t seeds = SeedsOfShard("MAILLAGE_SIM_SEEDS", MAILLAGE_SIM_SEEDS);
  RunTwice(testing::TestSeed() + GetParam() * seeds, seeds, {}, "memory");
}

TEST_P(Simulation, HoldsEveryLawAndReplaysOnRocks) {
  const uint64_t seeds = SeedsOfShard("MAILLAGE_SIM_ROCKS_SEEDS", MAILLAGE_SIM_ROCKS_SEEDS);
  RunOptions options;
  options.new_disk = NewRocksDisk;
  RunTwice(testing::TestSeed() + GetParam() * seeds, seeds, options, "rocks");
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
