#include "server/salvage.h"

#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/schema.h"
#include "replication/sealed_store.h"
#include "server/backup_files.h"
#include "server/identity.h"
#include "server/machine.h"
#include "server/personal_keys.h"
#include "storage/rocks_store_rescue.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using replication::Replica;

// In the data folder: what a salvage works in; and the store that it made, whole, before it takes the damaged one's place.
constexpr char kWorkFolder[] = "salvage-in-progress";
constexpr char kSalvagedStore[] = "salvaged-store";
constexpr char kKeptPrefix[] = "damaged-store-";

absl::Status Move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return SyncFolder(to.parent_path());
  return absl::FailedPreconditionError(
      absl::StrCat(from.string(), " ne peut pas devenir ", to.string(), " (", error.message(), ")"));
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

std::string FreeName(const fs::path& data) {
  int number = 1;
  while (Exists(data / absl::StrCat(kKeptPrefix, number))) ++number;
  return absl::StrCat(kKeptPrefix, number);
}

// Makes the store in `target` whole, and closes it.
absl::Status Fill(const fs::path& data, const storage::ReadView& source, const fs::path& target,
                  const std::function<bool(uint64_t)>& progress, SalvageReport& report) {
  const absl::StatusOr<replication::SigningKey> key = LoadIdentity(data);
  if (!key.ok()) return key.status();
  const SiteId site = key->site();
  auto opened = storage::RocksStore::Open(target.string());
  if (!opened.ok()) return opened.status();
  storage::RocksStore& store = *opened->store;
  auto counts = replication::CopyReadable(source, store, progress);
  if (!counts.ok()) return counts.status();
  report.counts = *counts;
  MachineClock clock;
  MachineRandom random;
  const auto personal_keys = LoadOrCreatePersonalKeys(data, store, random);
  if (!personal_keys.ok()) return personal_keys.status();
  replication::SealedStore sealed(&store, &*personal_keys);
  if (absl::Status made = replication::CompleteMeta(sealed, site, random); !made.ok()) return made;
  const replication::Schema& schema = replication::Schema::BuiltIn();
  // Some of what this site acknowledged may be missing.
  auto replica = Replica::Open(&sealed, &clock, &random, {site, &schema, /*continuity_proven=*/false});
  if (!replica.ok()) return replica.status();
  const replication::Exclusively exclusively = [&](const std::function<absl::Status(Replica&)>& step) {
    absl::Status done = step(**replica);
    return done.ok() ? (*replica)->Commit() : done;
  };
  auto repaired = replication::Repair(sealed, &schema, exclusively, progress);
  if (!repaired.ok()) return repaired.status();
  report.repair = *std::move(repaired);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SalvageReport> Salvage(const fs::path& data, const std::function<bool(uint64_t)>& progress) {
  if (absl::Status completed = CompleteSalvage(data); !completed.ok()) return completed;
  for (const char* needed : {kStoreFolder, kIdentityFile}) {
    if (Exists(data / needed)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(data.string(), " n'est pas le dossier de données d'un nœud : ", needed, " n'y est pas"));
  }
  // Locked until the new store is in its place.
  auto rescue = storage::RocksRescue::Lock((data / kStoreFolder).string());
  if (!rescue.ok()) return rescue.status();
  if (absl::Status removed = RemoveSalvageRemains(data); !removed.ok()) return removed;
  const fs::path work = data / kWorkFolder;
  if (absl::Status made = MakeFolder(work); !made.ok()) return made;
  SalvageReport report;
  absl::Status status = (*rescue)->Open((work / "rebuilt").string());
  report.manifest_damage = (*rescue)->manifest_damage();
  if (status.ok()) status = Fill(data, (*rescue)->view(), work / kStoreFolder, progress, report);
  if (status.ok()) status = Move(work / kStoreFolder, data / kSalvagedStore);
  report.kept = FreeName(data);
  if (status.ok()) status = Move(data / kStoreFolder, data / report.kept);
  if (status.ok()) status = Move(data / kSalvagedStore, data / kStoreFolder);
  rescue->reset();
  RemoveTree(work).IgnoreError();
  if (!status.ok()) return status;
  return report;
}

absl::Status CompleteSalvage(const fs::path& data) {
  const bool exchanging = Exists(data / kSalvagedStore) && !Exists(data / kStoreFolder);
  return exchanging ? Move(data / kSalvagedStore, data / kStoreFolder) : absl::OkStatus();
}

absl::Status RemoveSalvageRemains(const fs::path& data) {
  if (absl::Status removed = RemoveTree(data / kSalvagedStore); !removed.ok()) return removed;
  return RemoveTree(data / kWorkFolder);
}

}  // namespace maillage::server
