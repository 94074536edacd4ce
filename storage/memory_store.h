// The Store port in memory: the twin of RocksStore, for tests and simulations of many sites.
#ifndef MAILLAGE_STORAGE_MEMORY_STORE_H_
#define MAILLAGE_STORAGE_MEMORY_STORE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "storage/store.h"

namespace maillage::storage {

// Thread-safe. A snapshot copies nothing: every key keeps the versions that a living view can see.
//
// Invariants:
// 1. Versions of a key have ascending sequences; `sequence_` is that of the last commit.
// 2. A view pins its sequence in `pinned_`; for each pinned one, the newest version that is not
//    newer stays.
// 3. Every version that only older views see has an entry in `superseded_`, sorted by sequence, and
//    is dropped once the last of those views is gone.
class MemoryStore final : public Store {
 public:
  // What the disk holds after a commit that reported an error.
  enum class Outcome : uint8_t { kApplied, kLost };

  MemoryStore() = default;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  // Aborts if a view or a cursor is still alive.
  ~MemoryStore() override;

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range,
                               ScanOrder order = ScanOrder::kAscending) const override;
  std::unique_ptr<ReadView> Snapshot() const override;
  absl::Status Commit(const CommitBatch& batch) override;

  // The next Commit returns `error`, which must not be OK, and whether its batch is there is told
  // by `outcome`. As on disk, the store then takes no more commits until Reopen.
  void FailNextCommit(absl::Status error, Outcome outcome);
  // As a restart of the process: the data stay, commits are taken again. An injected error that no
  // commit has met is forgotten.
  void Reopen();
  // A store of its own with the data of this moment, such as a backup holds.
  std::unique_ptr<MemoryStore> Clone() const;

 private:
  class View;
  class RowCursor;

  struct Version {
    uint64_t sequence;
    // Nothing: deleted.
    std::optional<std::string> value;
  };
  using Versions = absl::InlinedVector<Version, 1>;
  using Rows = std::map<std::string, Versions, std::less<>>;
  struct Superseded {
    uint64_t sequence;
    Table table;
    std::string key;
  };
  struct Failure {
    absl::Status error;
    Outcome outcome;
  };

  // The value that a view of `sequence` sees; null if it sees none.
  static const std::string* VisibleAt(const Versions& versions, uint64_t sequence);
  const Rows& rows(Table table) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return tables_[static_cast<size_t>(table)];
  }
  absl::StatusOr<std::optional<std::string>> GetAt(uint64_t sequence, Table table,
                                                   std::string_view key) const;
  std::unique_ptr<View> MakeView() const;
  void Unpin(uint64_t sequence) const;
  void Apply(const CommitBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropUnseen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // A standard mutex: ThreadSanitizer sees through it, and not through that of a packaged Abseil.
  mutable std::shared_mutex mutex_;
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  // Mutable, since the end of a view, a reader, is what frees the versions that only it saw.
  mutable std::array<Rows, kTableCount> tables_ ABSL_GUARDED_BY(mutex_);
  mutable std::deque<Superseded> superseded_ ABSL_GUARDED_BY(mutex_);
  mutable std::multiset<uint64_t> pinned_ ABSL_GUARDED_BY(mutex_);
  std::optional<Failure> next_failure_ ABSL_GUARDED_BY(mutex_);
  // OK until a commit fails.
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_MEMORY_STORE_H_
