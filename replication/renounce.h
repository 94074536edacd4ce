// Giving up dots that a twin may have used for something else: the same changes under dots of a new incarnation. A pure
// rewrite of one record's state and history; README.md says when, and why nothing is lost by it.
#ifndef MAILLAGE_REPLICATION_RENOUNCE_H_
#define MAILLAGE_REPLICATION_RENOUNCE_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "replication/change.h"
#include "replication/local_meta.h"
#include "replication/record_state.h"

namespace maillage::replication {

// The vector with the dots that were given up under their new names.
VersionVector Rename(const VersionVector& vector, const std::vector<Renaming>& renamings);

Dot RenameDot(const Dot& dot, const std::vector<Renaming>& renamings);

// Adds later renamings to those of a record: what was renamed again is known by its last name alone.
void AddRenamings(const std::vector<Renaming>& later, std::vector<Renaming>& renamings);

// Whether somebody who read this vector read it before its dots were given up, or elsewhere: it names them, and nothing
// of what they are called now. What it covers today is not what the reader saw.
bool NamesRenounced(const VersionVector& vector, const std::vector<Renaming>& renamings);

// One row of a record's history.
struct HistoricChange {
  // In the feed.
  uint64_t position = 0;
  Change change;
  // Issued here, not received.
  bool own = false;
};

struct RecordBefore {
  RecordState state;
  // Every change of the record that this site keeps, in feed order.
  std::vector<HistoricChange> history;
  // Dots of this site that states from elsewhere covered.
  VersionVector seen_elsewhere;
};

struct RecordAfter {
  RecordState state;
  // The renamed changes, in feed order, with their new dots, contexts, counters and sequence numbers.
  std::vector<HistoricChange> renamed;
  std::vector<Renaming> renamings;
  // The history didn't reach back to the record's beginning: the state is right, and the renamed changes can't stand by
  // themselves, since a counter in them may build on what is not known. Their rows have to go; the state travels whole.
  bool history_broken = false;
};

// Positions of the own changes of one record that are to be given up: those of `doubtful`, but for the ones that others
// hold or have built upon. Whoever built on a change holds those before it.
std::vector<uint64_t> ChangesToRename(const RecordBefore& before, const std::set<uint64_t>& doubtful,
                                      const std::set<uint64_t>& held_elsewhere);

// Gives the changes at the positions that are the keys of `new_sequences` (as ChangesToRename chose them, at least one)
// dots of `incarnation`, with the sequence numbers that stand there. DataLoss where the history contradicts the state.
absl::StatusOr<RecordAfter> RenameChanges(const RecordBefore& before,
                                          const std::map<uint64_t, uint64_t>& new_sequences,
                                          uint64_t incarnation);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RENOUNCE_H_
