// Makes a new store of what can still be read of a damaged one, while no node runs.
#ifndef MAILLAGE_SERVER_SALVAGE_H_
#define MAILLAGE_SERVER_SALVAGE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/repair.h"
#include "replication/salvage.h"

namespace maillage::server {

struct SalvageReport {
  replication::SalvageCounts counts;
  replication::RepairReport repair;
  // Where the damaged store is kept, in the data folder.
  std::string kept;
  // Why the manifest had to be made anew; empty otherwise.
  std::string manifest_damage;
};

// Reads `data`/store without changing it, writes all that can be read to a new store, repairs that (replication/README.md,
// « Repair ») under a new incarnation, and puts it in the place of the damaged one, which is kept as damaged-store-N. A
// crash at any point leaves the one or the other: server/README.md, « Salvaging ». FailedPrecondition while a node runs
// there; DataLoss where nothing opens. `progress` gets rows.
absl::StatusOr<SalvageReport> Salvage(const std::filesystem::path& data,
                                      const std::function<bool(uint64_t rows)>& progress);

// For the start of a node. Before it opens its store: ends what a crash in the middle of the exchange has left. After: what
// a salvage that was cut off worked in goes; the damaged store has gone on since.
absl::Status CompleteSalvage(const std::filesystem::path& data);
absl::Status RemoveSalvageRemains(const std::filesystem::path& data);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SALVAGE_H_
