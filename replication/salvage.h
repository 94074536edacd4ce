// Copies what can be read of a damaged store into a new one.
#ifndef MAILLAGE_REPLICATION_SALVAGE_H_
#define MAILLAGE_REPLICATION_SALVAGE_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "replication/scrub.h"
#include "storage/store.h"

namespace maillage::replication {

struct SalvageCounts {
  struct TableCount {
    uint64_t copied = 0;
    // Damaged places that the walk passed over; 1 more where it couldn't go on.
    uint64_t places = 0;
    // Rows of those places that were found by name.
    uint64_t by_name = 0;
  };
  std::array<TableCount, storage::kTableCount> tables{};

  uint64_t places() const;
};

// Every table row by row, going on behind damage; then, since rows that are newer than the damage lie out of reach of a
// walk, by the names that other tables tell: the states of records with fingerprints or changes, the feed's positions,
// identity and progress. `to` is new. Afterwards CompleteMeta and Repair (repair.h) make a whole store of it, whose
// owner takes a new incarnation. Cancelled where `progress` says so.
absl::StatusOr<SalvageCounts> CopyReadable(const storage::ReadView& from, storage::Store& to,
                                           const ScrubProgress& progress);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SALVAGE_H_
