// One seed, from the first edit to the last law.
#ifndef MAILLAGE_TESTS_SIM_RUN_H_
#define MAILLAGE_TESTS_SIM_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/operators.h"

namespace maillage::sim {

struct RunOptions {
  // Each event on standard output.
  bool aloud = false;
  std::function<std::unique_ptr<Disk>()> new_disk = NewMemoryDisk;
  // A planted fault: nobody notices that a disk was exchanged.
  bool leases = true;
};

struct RunOutcome {
  std::string trace_hash;
  // Empty where every law held.
  std::vector<std::string> violations;
  uint64_t events = 0;
  uint64_t edits = 0;
  uint64_t site_millis = 0;
  uint64_t acknowledged = 0;
  uint64_t lost_with_disks = 0;
  // That left a site at least once, of those that were on its disk in the end.
  uint64_t handed_over = 0;
  NetworkCounts network;
  OperatorCounts operators;
};

// The same seed and options, the same outcome. Stops at the first violation.
RunOutcome RunSeed(uint64_t seed, const RunOptions& options = {});

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_RUN_H_
