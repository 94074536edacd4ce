// Inside RocksStore: what it keeps in its folder beside RocksDB's own files, and what the disk's
// errors mean.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/env.h"
#include "rocksdb/status.h"

namespace maillage::storage::rocks {

inline constexpr char kCurrentFile[] = "CURRENT";
inline constexpr char kLogSuffix[] = ".log";

std::string In(const std::string& folder, const std::string& name);

// DataLoss for damaged or missing bytes, ResourceExhausted for a full disk, Internal for the rest.
// `doing` is the beginning of a French sentence: « Lecture de … ».
absl::Status ToStatus(const rocksdb::Status& status, const std::string& doing);

// Makes the folder if it is missing. Returns whether it holds a database. DataLoss if RocksDB, opening it, would take the remains of a
// database for an empty folder and clear them away.
absl::StatusOr<bool> PrepareFolder(rocksdb::Env* env, const std::string& path);

absl::StatusOr<std::vector<std::string>> FilesIn(rocksdb::Env* env, const std::string& path);

// The file's bytes are on disk when this returns OK; its name is once its folder was synced.
absl::Status WriteFile(rocksdb::Env* env, const std::string& file, const std::string& contents);

// Whether the folder holds a database without any log, which RocksDB, opening it, would not
// mention.
absl::StatusOr<bool> LacksLog(rocksdb::Env* env, const std::string& path);

// Copies the logs into a new folder inside `path`, before a recovery that would discard their
// damaged end. Returns that folder.
absl::StatusOr<std::string> KeepLogs(rocksdb::Env* env, const std::string& path);

absl::StatusOr<bool> HasSortedFiles(rocksdb::Env* env, const std::string& path);
// Runs `step` as if the folder held no logs; what logs it makes are replaced by those of before.
absl::Status WithLogsAside(rocksdb::Env* env, const std::string& path, absl::FunctionRef<absl::Status()> step);

// Removes a folder of files, if it exists.
absl::Status RemoveFolder(rocksdb::Env* env, const std::string& path);

absl::Status SyncFolder(rocksdb::Env* env, const std::string& path);
// Makes the name of `path` itself durable, which is an entry of the folder above it.
absl::Status SyncFolderAbove(rocksdb::Env* env, const std::string& path);

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_FOLDER_H_
