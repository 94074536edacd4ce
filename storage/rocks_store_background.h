// Inside RocksStore: what RocksDB does on threads of its own, and what it must not do there.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_BACKGROUND_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_BACKGROUND_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "rocksdb/db.h"
#include "rocksdb/listener.h"
#include "rocksdb/status.h"

namespace maillage::storage::rocks {

class Continuity;

// Raises what the folder must hold each time a part of the log is no longer needed.
class FlushNoter final : public rocksdb::EventListener {
 public:
  explicit FlushNoter(std::shared_ptr<Continuity> continuity);
  // Best effort: what was noted before stays true.
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override;

 private:
  const std::shared_ptr<Continuity> continuity_;
};

// Where a disk was full, RocksDB would try again by itself as soon as there is space. The store is opened again instead
// (README.md, « Options »), and a resumption under way while it closes waits for a flush that waits for it.
class NoResumption final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override;
};

// A compaction that meets a damaged block would end all writing, and meet it again after each reopening. What is damaged
// stays where it is until somebody repairs it; all else goes on. Thread-safe.
class CompactionGuard final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  // Empty: none.
  std::string damage() const;

 private:
  mutable std::mutex mutex_;
  std::string damage_ ABSL_GUARDED_BY(mutex_);
};

// Asks for the flushes of all tables, one at a time. RocksDB 7.8 by itself would ask for the next while one is still at
// work; where that one fails, the next finds nothing to flush in some table, and an assertion, which Debian's build
// keeps, ends the process. RocksDB's own limits are therefore beyond reach (rocks_store_options.cc), but for a
// batch that is larger than they are by itself. Thread-safe.
class FlushPacer {
 public:
  using Tables = std::span<rocksdb::ColumnFamilyHandle* const>;

  // `limit_bytes`: of log and memory between two flushes.
  explicit FlushPacer(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // Before a write of so many bytes and rows: asks for a flush where they would exceed the limit together with what was
  // written since the last, and waits first for the end of that one. A flush that fails ends writing: the write tells.
  void MakeRoom(rocksdb::DB& db, Tables tables, size_t bytes, size_t rows);
  // Runs what flushes by itself, while no other flush is asked for or at work. Writes that need none go on.
  rocksdb::Status Alone(rocksdb::DB& db, Tables tables, absl::FunctionRef<rocksdb::Status()> flushing);

 private:
  rocksdb::Status Flush(rocksdb::DB& db, Tables tables, bool wait) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t limit_bytes_;
  std::mutex mutex_;
  // Read and added to without the mutex.
  std::atomic<uint64_t> unflushed_bytes_ = 0;
};

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_BACKGROUND_H_
