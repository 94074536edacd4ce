// The Store port on disk, over RocksDB. storage/README.md tells what each crash leaves behind.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/store.h"
#include "storage/use_gate.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Snapshot;
class Status;
}  // namespace rocksdb

namespace maillage::storage {
namespace rocks {
class CompactionGuard;
class Continuity;
class FlushPacer;
class GaplessLogs;
struct LogDamage;
}  // namespace rocks

// Sizes are for the whole store, all tables together.
struct RocksOptions {
  size_t block_cache_bytes = size_t{32} << 20;
  // Commits held in memory before they're written out as sorted files, and as much again while they are. The log is
  // about as long.
  size_t write_buffer_bytes = size_t{32} << 20;
  int max_open_files = 512;
  // Files, clock and background threads; tests inject faults here. Not owned, must outlive the
  // store. Null: those of the machine.
  rocksdb::Env* env = nullptr;
};

// Thread-safe. Snapshots and cursors must be gone before the store is: its destructor aborts
// otherwise. While Reopen runs, new reads wait.
//
// Continuity: "this folder holds everything that it ever acknowledged, and is the only one that
// goes on from there". It is in doubt after a damaged log, after a commit that failed, and in a
// copy made by Checkpoint. The doubt is noted in the folder itself, so it survives any number of
// restarts until SettleContinuity.
class RocksStore final : public Store {
 public:
  struct Opened {
    std::unique_ptr<RocksStore> store;
    // False: some acknowledged commits may be missing, or another store may go on from the same
    // past. The owner must take a new identity (incarnation) in a commit of its own, and then call
    // SettleContinuity.
    bool continuity_proven = true;
    // For people, in French: what put continuity in doubt. Empty where it is proven.
    std::string damage;
  };

  // Opens the store in `path`, and makes it (not the folders above it) if there is none.
  // FailedPrecondition: open elsewhere, not accessible, or written by a later version. DataLoss:
  // damaged elsewhere than in its log; all files are still there. ResourceExhausted: the disk is
  // full. The messages are for people, in French, and say what to do.
  static absl::StatusOr<Opened> Open(const std::string& path, const RocksOptions& options = {});

  // For RocksRescue alone. Opens a damaged store as it is, to be read: nothing in the folder changes, a log is
  // read behind its damage too, and commits are refused.
  static absl::StatusOr<std::unique_ptr<RocksStore>> OpenToRescue(const std::string& path,
                                                                  const RocksOptions& options = {});
  // Makes a manifest of the sorted files and logs in the folder, which RocksDB may rewrite: not for a store's only copy.
  static absl::Status MakeManifest(const std::string& path, const RocksOptions& options = {});

  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;
  ~RocksStore() override;

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range,
                               ScanOrder order = ScanOrder::kAscending) const override;
  std::unique_ptr<ReadView> Snapshot() const override;
  // The first error is ResourceExhausted (full disk), DataLoss or Internal.
  absl::Status Commit(const CommitBatch& batch) override;
  std::string KnownDamage() const override;

  // Closes the database and opens it again in place, after a failed commit: what is read afterwards is what the disk
  // holds. Waits for living views and cursors up to `patience` (DeadlineExceeded, and nothing has changed); new reads
  // wait meanwhile. Returns why continuity is in doubt, which it always is: the owner goes on as after Open. Where it
  // can't be opened, with the errors of Open, reads and commits are Unavailable until a later Reopen succeeds. Not to
  // be called by two threads at once, nor by one that holds a view or a cursor; a thread that holds a view and reads
  // beside it holds the reopening up until its bound.
  absl::StatusOr<std::string> Reopen(std::chrono::milliseconds patience);

  // Forgets the doubt. To be called once the new identity is committed. FailedPrecondition after a
  // failed commit, whose doubt is for the next Open.
  absl::Status SettleContinuity();

  // Bytes of each table, by number: sorted files on disk and what the log still holds, both
  // approximate.
  std::array<uint64_t, kTableCount> DiskUse() const;

  // Of all tables, for progress bars.
  uint64_t ApproximateRows() const;

  // Bytes of the sorted files of each table, by the table's number; what is in the log and in memory comes later.
  using PerTable = std::array<uint64_t, kTableCount>;
  PerTable TableBytes() const;

  // Reads every block of every sorted file, and compares its checksum. DataLoss names the first that is damaged.
  absl::Status VerifyFiles() const;

  // Writes a copy of one moment, at or after the call, to the new folder `path`, which appears
  // complete or not at all; commits go on meanwhile, until they fill `write_buffer_bytes`. On the same file system it
  // costs almost no time and space at first. The copy's continuity is in doubt. AlreadyExists: there is something at `path`.
  absl::Status Checkpoint(const std::string& path) const;

 private:
  class View;
  class RowCursor;
  PerTable PropertyOfTables(const std::string& property) const;

  RocksStore(std::string path, const RocksOptions& options);
  // As Open; for a store that is closed.
  absl::Status OpenInPlace();
  absl::Status OpenExamined();
  // What the folder's files say before RocksDB changes them: DataLoss where it must not, and where the logs are
  // damaged.
  absl::StatusOr<std::optional<rocks::LogDamage>> Examine(bool database);
  // Doubts what holds less than it noted.
  absl::Status CompareWithNote();
  absl::Status ToStatus(const rocksdb::Status& opened) const;
  void NoteStop();
  // False where a view or a cursor is still alive.
  bool CloseDatabase();
  // Nothing that follows a known damage is taken; any other is refused, or ends the reading of the logs.
  rocksdb::Status OpenDatabase(const std::vector<rocks::LogDamage>& known, bool refuse_other_damage);
  absl::Status OpenUpToDamage(const rocks::LogDamage& damage);
  // Nothing was lost with the log that this opening missed.
  bool IsHarmless(const rocks::LogDamage& damage) const;
  // With the doubt noted.
  absl::StatusOr<std::string> KeepDamagedLogs(const rocks::LogDamage& damage);
  rocksdb::Status OpenDatabaseToRescue();
  // Takes over what RocksDB opened.
  void Adopt(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles);
  rocksdb::ColumnFamilyHandle* column_family(Table table) const {
    return column_families_[static_cast<size_t>(table)];
  }
  // Null snapshot: the latest state.
  absl::StatusOr<std::optional<std::string>> GetAt(const rocksdb::Snapshot* snapshot, Table table,
                                                   std::string_view key) const;
  std::unique_ptr<Cursor> ScanAt(const rocksdb::Snapshot* snapshot, Table table,
                                 const KeyRange& range, ScanOrder order) const;
  absl::Status WriteBatch(const CommitBatch& batch);
  void StopCompactionsAtDamage();
  absl::Status StopWriting(absl::Status error);
  // What reads say while a Reopen has failed.
  absl::Status Closed() const;
  absl::Status StillWriting() const;

  const std::string path_;
  const RocksOptions options_;
  rocksdb::Env* const env_;
  const std::shared_ptr<rocks::Continuity> continuity_;
  // Of the last opening; RocksDB keeps a pointer to it.
  std::unique_ptr<rocks::GaplessLogs> log_reading_;
  // Whoever touches what follows is inside; Reopen changes it with nobody inside.
  mutable UseGate gate_;
  // Null where a Reopen failed.
  std::unique_ptr<rocksdb::DB> db_;
  // Of this opening; null in a store that is only read.
  std::shared_ptr<rocks::CompactionGuard> compactions_;
  std::unique_ptr<rocks::FlushPacer> flushes_;
  std::atomic<bool> compactions_stopped_ = false;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> column_families_{};
  rocksdb::ColumnFamilyHandle* default_column_family_ = nullptr;
  mutable std::atomic<int> open_cursors_ = 0;

  mutable std::mutex mutex_;
  // OK until a commit fails.
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_H_
