#include "storage/rocks_store_background.h"

#include <utility>
#include <vector>

#include "rocksdb/options.h"
#include "storage/rocks_store_note.h"

namespace maillage::storage::rocks {
namespace {

// What a row takes in a memory table beside its bytes in the log.
constexpr uint64_t kMemoryPerRow = 64;

}  // namespace

FlushNoter::FlushNoter(std::shared_ptr<Continuity> continuity) : continuity_(std::move(continuity)) {}

void FlushNoter::OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) {
  continuity_->HoldMore(*db).IgnoreError();
}

void NoResumption::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) {
  *auto_recovery = false;
}

void CompactionGuard::OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) {
  if (reason != rocksdb::BackgroundErrorReason::kCompaction || !error->IsCorruption()) return;
  std::lock_guard lock(mutex_);
  if (damage_.empty()) damage_ = error->ToString();
  *error = rocksdb::Status::OK();
}

std::string CompactionGuard::damage() const {
  std::lock_guard lock(mutex_);
  return damage_;
}

void FlushPacer::MakeRoom(rocksdb::DB& db, Tables tables, size_t bytes, size_t rows) {
  const uint64_t added = bytes + kMemoryPerRow * rows;
  const auto is_due = [&] {
    const uint64_t unflushed = unflushed_bytes_;
    return unflushed > 0 && unflushed + added > limit_bytes_;
  };
  if (is_due()) {
    std::lock_guard lock(mutex_);
    // Another writer may have asked meanwhile.
    if (is_due()) Flush(db, tables, /*wait=*/false).PermitUncheckedError();
  }
  unflushed_bytes_ += added;
}

rocksdb::Status FlushPacer::Alone(rocksdb::DB& db, Tables tables, absl::FunctionRef<rocksdb::Status()> flushing) {
  std::lock_guard lock(mutex_);
  const rocksdb::Status flushed = Flush(db, tables, /*wait=*/true);
  return flushed.ok() ? flushing() : flushed;
}

rocksdb::Status FlushPacer::Flush(rocksdb::DB& db, Tables tables, bool wait) {
  rocksdb::FlushOptions options;
  options.wait = wait;
  // Waits while a table has a flush at work: max_write_buffer_number is 2.
  options.allow_write_stall = false;
  rocksdb::Status flushed = db.Flush(options, {tables.begin(), tables.end()});
  if (flushed.ok()) unflushed_bytes_ = 0;
  return flushed;
}

}  // namespace maillage::storage::rocks
