// Bounds on requests of RecordService, each with its reason.
#ifndef MAILLAGE_SERVER_RECORDS_LIMITS_H_
#define MAILLAGE_SERVER_RECORDS_LIMITS_H_

#include <cstddef>

namespace maillage::server {

// A screenful for people who ask for nothing in particular.
inline constexpr size_t kDefaultPageSize = 50;
// Records of 1 KB make 1 MB then, well below the 4 MB that a gRPC message may take by default.
inline constexpr size_t kMaxPageSize = 1000;
// Items of one batch: about 1 MB, and some 50 ms on the one thread that writes.
inline constexpr size_t kMaxUpserts = 1000;
// Longer than any name; each word is looked for in every record that the longest word leaves.
inline constexpr size_t kMaxSearchBytes = 512;
// Feed entries that a watcher looks at before the next watcher's turn.
inline constexpr size_t kWatchScanEntries = 256;
// Candidates that a refused import names; nobody compares more by hand.
inline constexpr size_t kMaxNamedCandidates = 5;

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_LIMITS_H_
