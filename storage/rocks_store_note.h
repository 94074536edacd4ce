// Inside RocksStore: the two files in which a folder notes what it must hold, and whether it is in doubt.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_NOTE_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_NOTE_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"

namespace maillage::storage::rocks {

struct FileLength {
  std::string name;
  uint64_t bytes = 0;
  bool operator==(const FileLength&) const = default;
};

// What a sound folder holds at least; README.md, « Continuity », has the file's format.
struct Note {
  bool in_doubt = false;
  // RocksDB's number of the last commit that was acknowledged by then.
  uint64_t sequence = 0;
  // The manifest in use; nothing before there is one.
  std::optional<FileLength> manifest;
  // Of a store that was closed in order, and is not open: every log.
  std::vector<FileLength> logs;
  bool operator==(const Note&) const = default;
};

std::string EncodeNote(const Note& note);
// Nothing where it is damaged, or of a later version.
std::optional<Note> DecodeNote(std::string_view bytes);

// Why a folder is in doubt, in French, as a file of its own. On disk when this returns OK.
absl::Status WriteDoubt(rocksdb::Env* env, const std::string& folder, const std::string& why);

// Thread-safe.
class Continuity {
 public:
  Continuity(rocksdb::Env* env, std::string folder);

  // Reads what the folder notes. A folder of a database without a sound note is in doubt; that of a new one gets its
  // note here. Errors are the disk's.
  absl::Status Load(bool new_database);

  Note note() const;
  // In French, and on disk; nothing where continuity is proven.
  std::optional<std::string> doubt() const;

  // The following are on disk when they return OK.
  absl::Status Doubt(const std::string& why);
  absl::Status Settle();
  // The files may change from now on.
  absl::Status Start();
  // The database is open, and holds what it holds.
  absl::Status Hold(rocksdb::DB& db);
  // The same, where the manifest has grown; nothing happens before Hold, nor after a Doubt, when what was acknowledged is
  // not known.
  absl::Status HoldMore(rocksdb::DB& db);
  // The same, for the last time: nothing in the folder changes from now on.
  absl::Status Stop(rocksdb::DB& db, const std::vector<FileLength>& logs);

 private:
  absl::Status Write(const Note& note) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Note> Held(rocksdb::DB& db) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  rocksdb::Env* const env_;
  const std::string folder_;
  mutable std::mutex mutex_;
  // Nothing: missing, or damaged.
  std::optional<Note> note_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> doubt_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_NOTE_H_
