// Two sites' sessions joined in memory: synchronisation without a transport, both ends synced to
// disk.
#ifndef MAILLAGE_TESTS_BENCH_PIPE_H_
#define MAILLAGE_TESTS_BENCH_PIPE_H_

#include <cstddef>
#include <cstdint>

#include "tests/bench/disk_site.h"

namespace maillage::bench {

struct Traffic {
  double seconds = 0;
  size_t frames = 0;
  // Serialised frames of both ends.
  uint64_t bytes = 0;
  // Changes and states of both ends.
  uint64_t records = 0;
  // Comparisons of the tries.
  uint64_t rounds = 0;
};

// From the greeting until neither end has anything to say. The ends take turns, a frame each, and
// every frame is parsed and committed before the next. Dies unless both then agree. `known`: the
// caller remembers who answers, and how far it had their feed.
Traffic Synchronise(DiskSite& caller, DiskSite& answerer, bool known);

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_PIPE_H_
