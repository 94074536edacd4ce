// Copies of a node: made while it runs, restored while none runs.
#ifndef MAILLAGE_SERVER_BACKUP_H_
#define MAILLAGE_SERVER_BACKUP_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/subject_keys.h"
#include "server/backup_files.h"
#include "server/disk.h"

namespace maillage::server {

// Called with the bytes done and to do; false stops, and nothing is left.
using BackupProgressHandler = std::function<bool(uint64_t done, uint64_t total)>;

// What a backup needs of the node.
struct BackupSource {
  // The node's own folder: the key is read there, and the copy passes through it.
  std::filesystem::path data;
  Disk* disk = nullptr;
  // Bytes on disk that the node doesn't want to go without.
  uint64_t reserve_bytes = 0;
  // Of what the store says of persons: a copy is put beside `target` (personal_keys.h). Null: nothing is encrypted.
  const replication::SubjectKeys* personal_keys = nullptr;
  // Copies the store to a folder of the same file system and describes that very moment; `files` stays empty.
  std::function<absl::StatusOr<BackupManifest>(const std::filesystem::path& copy)> checkpoint;
};

// Writes the copy to TARGET.partial, the manifest last, all of it synced, and gives it its name at the end. `target`
// is an absolute path. AlreadyExists, ResourceExhausted, DataLoss; after an error nothing is left, and after a
// crash at most TARGET.partial, which has no manifest or isn't called by its name, and which the next copy replaces.
absl::StatusOr<BackupManifest> MakeBackup(const BackupSource& source, const std::filesystem::path& target,
                                          const BackupProgressHandler& progress);

// What a crash in a backup may leave in the data folder. For the start of a node.
absl::Status RemoveBackupRemains(const std::filesystem::path& data);

// Verifies every byte of `backup`, then copies it, and the keys that stand beside it, into `data`, which is made, or is empty, or holds a restoration that
// was interrupted. The node that starts there takes a new incarnation. FailedPrecondition where the folder is in use
// or isn't empty. Not while a node runs in `data`, which it notices.
absl::StatusOr<BackupManifest> Restore(const std::filesystem::path& backup, const std::filesystem::path& data,
                                       const BackupProgressHandler& progress);

// FailedPrecondition where a restoration into the folder was interrupted: no node may start there.
absl::Status CheckNotHalfRestored(const std::filesystem::path& data);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_BACKUP_H_
