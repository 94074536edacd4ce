// The simulation as a program: many seeds, or one of them aloud.
#include <sodium/core.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/sim/run.h"

namespace {

using maillage::sim::RunOptions;
using maillage::sim::RunOutcome;
using maillage::sim::RunSeed;

struct Sum {
  uint64_t seeds = 0;
  uint64_t failed = 0;
  uint64_t differing = 0;
  uint64_t edits = 0;
  uint64_t acknowledged = 0;
  uint64_t lost_with_disks = 0;
  uint64_t frames = 0;
  uint64_t crashes = 0;
  uint64_t restores = 0;
  uint64_t clones = 0;
  uint64_t scope_changes = 0;
  uint64_t handed_over = 0;
  uint64_t site_millis = 0;

  void Add(const RunOutcome& run) {
    ++seeds;
    edits += run.edits;
    acknowledged += run.acknowledged;
    lost_with_disks += run.lost_with_disks;
    frames += run.network.frames;
    crashes += run.operators.crashes + run.operators.failed_commits;
    restores += run.operators.restores;
    clones += run.operators.clones;
    scope_changes += run.operators.scope_changes;
    handed_over += run.handed_over;
    site_millis += run.site_millis;
  }
};

void Print(const Sum& sum, bool twice) {
  std::cout << "figure: simulation seeds " << sum.seeds << (twice ? ", replayed twice with another trace hash " : "");
  if (twice) std::cout << sum.differing;
  std::cout << ", violations " << sum.failed << ", simulated site-years "
            << static_cast<double>(sum.site_millis / maillage::sim::kDay) / 365 << ", edits " << sum.edits << ", acknowledged "
            << sum.acknowledged << " (" << sum.lost_with_disks << " on lost disks alone), frames " << sum.frames
            << ", crashes " << sum.crashes << ", restores " << sum.restores << ", clones " << sum.clones
            << ", changes of scope " << sum.scope_changes << ", records handed over " << sum.handed_over << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Simulates fleets of sites, one per seed, and holds them to the laws of tests/sim/README.md.");
  app.footer("maillage_simulation --seeds 2000 --twice\nmaillage_simulation --first 42 --aloud\n"
             "maillage_simulation --store rocks --seeds 20 --twice");
  uint64_t first = 1;
  uint64_t seeds = 1;
  uint64_t minutes = 0;
  bool twice = false;
  std::string store = "memory";
  RunOptions options;
  app.add_option("--first", first, "first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "how many")->capture_default_str();
  app.add_option("--minutes", minutes, "stop after so long, whatever --seeds says (0: no bound)");
  app.add_option("--store", store, "what a disk holds")->check(CLI::IsMember({"memory", "rocks"}))->capture_default_str();
  app.add_flag("--twice", twice, "run each seed twice, and compare the hashes of their traces");
  app.add_flag("--aloud", options.aloud, "print every event");
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) return 1;
  if (store == "rocks") options.new_disk = maillage::sim::NewRocksDisk;

  const auto began = std::chrono::steady_clock::now();
  Sum sum;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    if (minutes > 0 && std::chrono::steady_clock::now() - began > std::chrono::minutes(minutes)) break;
    const RunOutcome run = RunSeed(seed, options);
    sum.Add(run);
    for (const std::string& violation : run.violations) {
      std::cout << "seed " << seed << ": " << violation << std::endl;
    }
    if (!run.violations.empty()) ++sum.failed;
    if (twice && RunSeed(seed, options).trace_hash != run.trace_hash) {
      ++sum.differing;
      std::cout << "seed " << seed << ": replayed, its trace is another" << std::endl;
    }
    if (options.aloud) std::cout << "seed " << seed << " trace " << run.trace_hash << std::endl;
  }
  Print(sum, twice);
  return sum.failed + sum.differing == 0 ? 0 : 1;
}
