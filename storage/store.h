// The Store port: bytes in ordered tables, read from consistent snapshots and written by atomic batches.
// It knows nothing of records or merging. Two implementations, RocksStore on disk and MemoryStore, are held to
// the contract suite in tests/storage/store_contract.h.
#ifndef MAILLAGE_STORAGE_STORE_H_
#define MAILLAGE_STORAGE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::storage {

// One table each, a column family on disk. storage/keys.h lays out what each holds. The numbers index arrays
// and the names are on disk: append only.
enum class Table : uint8_t { kStates, kChanges, kFingerprints, kFeed, kIndex, kMeta };
inline constexpr size_t kTableCount = 6;
std::string_view TableName(Table table);

// Keys from `begin` (included) to `end` (excluded) in bytewise order; an empty `end` is the end of the table.
struct KeyRange {
  std::string begin;
  std::string end;

  // All keys that start with `prefix`.
  static KeyRange Prefix(std::string_view prefix);
};

// An ordered walk over one table. Not thread-safe. Views are valid until the next move.
//
//   for (auto cursor = view.Scan(Table::kFeed, range); cursor->Valid(); cursor->Next()) …
//   and then check cursor->status(): an I/O error ends the walk like the end of the range does.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  // OK, or DataLoss / Internal with what the disk said.
  virtual absl::Status status() const = 0;
  // After an ascending walk that ended in DataLoss: goes on at the first row behind the damage that
  // can be read, or at the end of the range, with status() OK again. False where it can't; nothing
  // has changed then. The rows between are for the caller to tell.
  virtual bool SkipDamage() { return false; }
};

enum class ScanOrder : uint8_t { kAscending, kDescending };

// Reads of one moment. Thread-safe.
class ReadView {
 public:
  virtual ~ReadView() = default;
  // Nothing where the key is absent; DataLoss where its bytes are damaged (never told as absent).
  virtual absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;
  // Never null. The cursor must not outlive the view.
  virtual std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range,
                                       ScanOrder order = ScanOrder::kAscending) const = 0;
};

// Writes that happen together or not at all. A later write to a key replaces an earlier one.
class CommitBatch {
 public:
  struct Write {
    Table table;
    std::string key;
    // Nothing: the key is deleted.
    std::optional<std::string> value;
  };

  void Put(Table table, std::string key, std::string value) {
    byte_size_ += key.size() + value.size();
    writes_.push_back({table, std::move(key), std::move(value)});
  }
  void Delete(Table table, std::string key) {
    byte_size_ += key.size();
    writes_.push_back({table, std::move(key), std::nullopt});
  }
  const std::vector<Write>& writes() const { return writes_; }
  bool empty() const { return writes_.empty(); }
  // Bytes of keys and values.
  size_t byte_size() const { return byte_size_; }
  void Clear() {
    writes_.clear();
    byte_size_ = 0;
  }

 private:
  std::vector<Write> writes_;
  size_t byte_size_ = 0;
};

// Thread-safe, but made for one writer: the callers of Commit must take turns to know their order.
// As a ReadView it reads the latest committed state, each call by itself.
class Store : public ReadView {
 public:
  // A view of this moment that later commits don't change. Must not outlive the store.
  virtual std::unique_ptr<ReadView> Snapshot() const = 0;

  // Applies the batch atomically, and returns once it is synced to disk. After an error the outcome is
  // unknown: the batch may or may not be there after a restart, and the store takes no more commits
  // (FailedPrecondition) until it is opened again.
  virtual absl::Status Commit(const CommitBatch& batch) = 0;

  // Damage of the disk that the store has met by itself, for people, in French; empty: none. Any thread.
  virtual std::string KnownDamage() const { return ""; }
};

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_STORE_H_
