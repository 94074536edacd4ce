// Inside RocksStore: what it keeps in its folder beside RocksDB's own files, and what the disk's
// errors mean.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/env.h"
#include "rocksdb/status.h"

namespace maillage::storage::rocks {

// DataLoss for damaged or missing bytes, ResourceExhausted for a full disk, Internal for the rest.
// `doing` is the beginning of a French sentence: « Lecture de … ».
absl::Status ToStatus(const rocksdb::Status& status, const std::string& doing);

// Makes the folder if it is missing. DataLoss if RocksDB, opening it, would take the remains of a
// database for an empty folder and clear them away.
absl::Status PrepareFolder(rocksdb::Env* env, const std::string& path);

// Whether the folder holds a database without any log, which RocksDB, opening it, would not
// mention.
absl::StatusOr<bool> LacksLog(rocksdb::Env* env, const std::string& path);

// The note in the folder that says, in French, why its continuity is in doubt; nothing if it isn't.
absl::StatusOr<std::optional<std::string>> ReadDoubt(rocksdb::Env* env, const std::string& path);
// On disk when this returns OK.
absl::Status WriteDoubt(rocksdb::Env* env, const std::string& path, const std::string& why);
absl::Status EraseDoubt(rocksdb::Env* env, const std::string& path);

// Copies the logs into a new folder inside `path`, before a recovery that would discard their
// damaged end. Returns that folder.
absl::StatusOr<std::string> KeepLogs(rocksdb::Env* env, const std::string& path);

// Removes a folder of files, if it exists.
absl::Status RemoveFolder(rocksdb::Env* env, const std::string& path);

absl::Status SyncFolder(rocksdb::Env* env, const std::string& path);
// Makes the name of `path` itself durable, which is an entry of the folder above it.
absl::Status SyncFolderAbove(rocksdb::Env* env, const std::string& path);

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_
