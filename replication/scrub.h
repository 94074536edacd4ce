// Reads a whole store and compares its tables with each other, so that damage is found before somebody needs what is
// damaged.
#ifndef MAILLAGE_REPLICATION_SCRUB_H_
#define MAILLAGE_REPLICATION_SCRUB_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/replica.h"
#include "storage/store.h"

namespace maillage::replication {

struct ScrubFinding {
  storage::Table table;
  // Empty: the table as a whole.
  std::string key;
  std::optional<RecordKey> record;
  // For people, in French.
  std::string what;

  // For repairs. Positions of the feed that it concerns; 0: none.
  uint64_t first_position = 0;
  uint64_t last_position = 0;
  // The feed goes on to here, beyond the head that is told.
  uint64_t feed_end = 0;
  // The row of `key` is one too much, or nothing that could be read as what it should be.
  bool removable = false;
};

struct ScrubReport {
  struct TableCount {
    uint64_t checked = 0;
    uint64_t damaged = 0;
  };
  std::array<TableCount, storage::kTableCount> tables{};
  // The first kMaxScrubFindings; the counts are of all.
  std::vector<ScrubFinding> findings;
  // States that decode.
  uint64_t records = 0;
  // Records that a repair gave up and that wait for a peer. No damage: nothing is left here that could be repaired.
  uint64_t waiting = 0;

  uint64_t damaged() const;
};

// Called about every thousand rows, and at each table's end, with how many were read; false stops with Cancelled.
using ScrubProgress = std::function<bool(uint64_t rows)>;

// Called for each finding, without a limit.
using ScrubSink = std::function<void(const ScrubFinding&)>;

// Checks, in one moment of the store, that
//   1. every key and value decodes, and a state is canonical;
//   2. fingerprints, index, references and stubs, versions that wait for a person and counts are those that the states
//      call for, and no more;
//   3. the feed has every position from 1 to its head, and each change its row in the changes table, and no more;
//   4. a record's state covers every change of its history, and where the history is complete, replaying it gives
//      that state.
// Not told: a change that others have overwritten, or whose record was merged whole, and that still decodes; nothing else in
// the store says what it was. Below, RocksDB's checksums guard it.
// Goes on behind bytes that can't be read, where the store can; which records lie there is told by the other tables.
// Memory grows with the damage, not with the store. `index` must be the replica's, and may be null. An error only where
// `progress` stops it.
absl::StatusOr<ScrubReport> Scrub(const storage::ReadView& view, const IndexSource* index,
                                  const ScrubProgress& progress, const ScrubSink& sink = nullptr);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SCRUB_H_
