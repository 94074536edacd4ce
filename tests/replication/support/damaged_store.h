// A store on a disk with damaged places: what lies there can't be read, and is never told as
// absent.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_DAMAGED_STORE_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_DAMAGED_STORE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "storage/store.h"

namespace maillage::replication::testing {

// Wraps a store, which must outlive it. A row written again can be read again. Views share the
// damage of the moment of their reads.
class DamagedStore final : public storage::Store {
 public:
  explicit DamagedStore(storage::Store* store) : store_(store) {}

  void Damage(storage::Table table, std::string key) { damaged_.emplace(table, std::move(key)); }
  size_t damaged() const { return damaged_.size(); }

  absl::StatusOr<std::optional<std::string>> Get(storage::Table table,
                                                 std::string_view key) const override {
    return GetFrom(*store_, table, key);
  }
  std::unique_ptr<storage::Cursor> Scan(
      storage::Table table, const storage::KeyRange& range,
      storage::ScanOrder order = storage::ScanOrder::kAscending) const override {
    return std::make_unique<Rows>(this, table, store_->Scan(table, range, order));
  }
  std::unique_ptr<storage::ReadView> Snapshot() const override {
    return std::make_unique<View>(this, store_->Snapshot());
  }
  absl::Status Commit(const storage::CommitBatch& batch) override {
    const absl::Status committed = store_->Commit(batch);
    if (committed.ok()) {
      for (const auto& write : batch.writes()) damaged_.erase({write.table, write.key});
    }
    return committed;
  }

 private:
  static absl::Status Error() { return absl::DataLossError("block checksum mismatch"); }

  // Stops at a damaged row as RocksDB's iterators do.
  class Rows final : public storage::Cursor {
   public:
    Rows(const DamagedStore* store, storage::Table table, std::unique_ptr<storage::Cursor> rows)
        : store_(store), table_(table), rows_(std::move(rows)) {}
    bool Valid() const override { return rows_->Valid() && !AtDamage(); }
    void Next() override { rows_->Next(); }
    std::string_view key() const override { return rows_->key(); }
    std::string_view value() const override { return rows_->value(); }
    absl::Status status() const override { return AtDamage() ? Error() : rows_->status(); }
    bool SkipDamage() override {
      if (!AtDamage()) return false;
      while (AtDamage()) rows_->Next();
      return true;
    }

   private:
    bool AtDamage() const {
      return rows_->Valid() && store_->damaged_.contains({table_, std::string(rows_->key())});
    }
    const DamagedStore* const store_;
    const storage::Table table_;
    const std::unique_ptr<storage::Cursor> rows_;
  };

  class View final : public storage::ReadView {
   public:
    View(const DamagedStore* store, std::unique_ptr<storage::ReadView> view)
        : store_(store), view_(std::move(view)) {}
    absl::StatusOr<std::optional<std::string>> Get(storage::Table table,
                                                   std::string_view key) const override {
      return store_->GetFrom(*view_, table, key);
    }
    std::unique_ptr<storage::Cursor> Scan(storage::Table table, const storage::KeyRange& range,
                                          storage::ScanOrder order) const override {
      return std::make_unique<Rows>(store_, table, view_->Scan(table, range, order));
    }

   private:
    const DamagedStore* const store_;
    const std::unique_ptr<storage::ReadView> view_;
  };

  absl::StatusOr<std::optional<std::string>> GetFrom(const storage::ReadView& view,
                                                     storage::Table table,
                                                     std::string_view key) const {
    if (damaged_.contains({table, std::string(key)})) return Error();
    return view.Get(table, key);
  }

  storage::Store* const store_;
  std::set<std::pair<storage::Table, std::string>> damaged_;
};

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_DAMAGED_STORE_H_
