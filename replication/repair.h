// Repairs a store from itself: derived tables from the states, states from their histories; what neither gives waits for
// a peer.
#ifndef MAILLAGE_REPLICATION_REPAIR_H_
#define MAILLAGE_REPLICATION_REPAIR_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/ports.h"
#include "replication/record_repair.h"
#include "replication/replica.h"
#include "replication/scrub.h"
#include "storage/store.h"

namespace maillage::replication {

struct RepairReport {
  ScrubReport before;
  // What is still damaged after all that could be done here.
  ScrubReport after;
  RepairTally done;
};

// Runs the step on the replica's thread with the replica to itself, and commits what it wrote. The first error of either.
using Exclusively = std::function<absl::Status(const std::function<absl::Status(Replica&)>& step)>;

// Examines the store, repairs what the findings name a few hundred at a time, and examines again, until nothing is found
// or nothing more can be done: bytes that the disk doesn't give, and records that wait for a peer (`after.waiting`).
// Reads on its own thread; writes, and people's writes between, pass through `exclusively`. A record that is given up is
// DataLoss from then on, and is fetched whole by the next comparison; its readable changes stay in the feed, and are
// applied to what comes. Whatever touches more than derived tables takes a new incarnation in the same commit. Bytes
// that are taken away are kept in quarantine. Cancelled where `progress` says so: what was repaired until then stays.
absl::StatusOr<RepairReport> Repair(const storage::Store& store, const IndexSource* index,
                                    const Exclusively& exclusively, const ScrubProgress& progress);

// For a store into which what could be read of another was copied: makes the rows of the meta table without which no
// replica opens, as far as they are missing. The replica is then to be opened with its continuity in doubt.
absl::Status CompleteMeta(storage::Store& store, const SiteId& site, Random& random);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_REPAIR_H_
