#include "storage/memory_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

namespace maillage::storage {

class MemoryStore::View final : public ReadView {
 public:
  View(const MemoryStore& store, uint64_t sequence) : store_(store), sequence_(sequence) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() override { store_.Unpin(sequence_); }

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return store_.GetAt(sequence_, table, key);
  }
  std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range, ScanOrder order) const override;

  const MemoryStore& store() const { return store_; }
  uint64_t sequence() const { return sequence_; }

 private:
  const MemoryStore& store_;
  const uint64_t sequence_;
};

// Finds its place again by key at each move, so that it holds no lock and no iterator between
// moves.
class MemoryStore::RowCursor final : public Cursor {
 public:
  RowCursor(const View& view, Table table, KeyRange range, ScanOrder order)
      : view_(view), table_(table), range_(std::move(range)), order_(order) {
    Move();
  }
  // Reads from a view of its own.
  RowCursor(std::unique_ptr<View> view, Table table, KeyRange range, ScanOrder order)
      : own_view_(std::move(view)),
        view_(*own_view_),
        table_(table),
        range_(std::move(range)),
        order_(order) {
    Move();
  }

  bool Valid() const override { return place_ == Place::kOnRow; }
  void Next() override { Move(); }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  enum class Place : uint8_t { kBeforeFirst, kOnRow, kAfterLast };

  void Move() {
    std::shared_lock lock(view_.store().mutex_);
    const Rows& rows = view_.store().rows(table_);
    place_ = order_ == ScanOrder::kAscending ? MoveUp(rows) : MoveDown(rows);
  }

  Place MoveUp(const Rows& rows) {
    auto row =
        place_ == Place::kBeforeFirst ? rows.lower_bound(range_.begin) : rows.upper_bound(key_);
    for (; row != rows.end() && (range_.end.empty() || row->first < range_.end); ++row) {
      if (Take(*row)) return Place::kOnRow;
    }
    return Place::kAfterLast;
  }

  Place MoveDown(const Rows& rows) {
    auto row = rows.end();
    if (place_ == Place::kOnRow) {
      row = rows.lower_bound(key_);
    } else if (!range_.end.empty()) {
      row = rows.lower_bound(range_.end);
    }
    while (row != rows.begin()) {
      --row;
      if (row->first < range_.begin) break;
      if (Take(*row)) return Place::kOnRow;
    }
    return Place::kAfterLast;
  }

  // False if the view doesn't see the row.
  bool Take(const Rows::value_type& row) {
    const std::string* value = VisibleAt(row.second, view_.sequence());
    if (value == nullptr) return false;
    key_ = row.first;
    value_ = *value;
    return true;
  }

  const std::unique_ptr<View> own_view_;
  const View& view_;
  const Table table_;
  const KeyRange range_;
  const ScanOrder order_;
  Place place_ = Place::kBeforeFirst;
  std::string key_;
  std::string value_;
};

std::unique_ptr<Cursor> MemoryStore::View::Scan(Table table, const KeyRange& range,
                                                ScanOrder order) const {
  return std::make_unique<RowCursor>(*this, table, range, order);
}

MemoryStore::~MemoryStore() {
  if (pinned_.empty()) return;
  std::fputs("MemoryStore: a view outlives its store\n", stderr);
  std::abort();
}

absl::StatusOr<std::optional<std::string>> MemoryStore::Get(Table table,
                                                            std::string_view key) const {
  return GetAt(UINT64_MAX, table, key);
}

absl::StatusOr<std::optional<std::string>> MemoryStore::GetAt(uint64_t sequence, Table table,
                                                              std::string_view key) const {
  std::shared_lock lock(mutex_);
  const auto row = rows(table).find(key);
  if (row == rows(table).end()) return std::nullopt;
  const std::string* value = VisibleAt(row->second, sequence);
  if (value == nullptr) return std::nullopt;
  return *value;
}

std::unique_ptr<Cursor> MemoryStore::Scan(Table table, const KeyRange& range,
                                          ScanOrder order) const {
  return std::make_unique<RowCursor>(MakeView(), table, range, order);
}

std::unique_ptr<ReadView> MemoryStore::Snapshot() const { return MakeView(); }

std::unique_ptr<MemoryStore::View> MemoryStore::MakeView() const {
  std::unique_lock lock(mutex_);
  pinned_.insert(sequence_);
  return std::make_unique<View>(*this, sequence_);
}

void MemoryStore::Unpin(uint64_t sequence) const {
  std::unique_lock lock(mutex_);
  pinned_.erase(pinned_.find(sequence));
  DropUnseen();
}

absl::Status MemoryStore::Commit(const CommitBatch& batch) {
  std::unique_lock lock(mutex_);
  if (!failed_.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("La base n'accepte plus d'écritures depuis une erreur : ", failed_.message()));
  }
  const std::optional<Failure> failure = std::exchange(next_failure_, std::nullopt);
  if (!failure || failure->outcome == Outcome::kApplied) Apply(batch);
  if (failure) failed_ = failure->error;
  return failed_;
}

void MemoryStore::FailNextCommit(absl::Status error, Outcome outcome) {
  std::unique_lock lock(mutex_);
  next_failure_ = Failure{std::move(error), outcome};
}

void MemoryStore::Reopen() {
  std::unique_lock lock(mutex_);
  next_failure_.reset();
  failed_ = absl::OkStatus();
}

std::unique_ptr<MemoryStore> MemoryStore::Clone() const {
  CommitBatch all;
  {
    std::shared_lock lock(mutex_);
    for (size_t table = 0; table < kTableCount; ++table) {
      for (const auto& [key, versions] : tables_[table]) {
        const std::optional<std::string>& value = versions.back().value;
        if (value) all.Put(static_cast<Table>(table), key, *value);
      }
    }
  }
  auto clone = std::make_unique<MemoryStore>();
  std::unique_lock lock(clone->mutex_);
  clone->Apply(all);
  return clone;
}

const std::string* MemoryStore::VisibleAt(const Versions& versions, uint64_t sequence) {
  const auto newest = std::find_if(versions.rbegin(), versions.rend(), [&](const Version& version) {
    return version.sequence <= sequence;
  });
  return newest != versions.rend() && newest->value ? &*newest->value : nullptr;
}

void MemoryStore::Apply(const CommitBatch& batch) {
  ++sequence_;
  for (const CommitBatch::Write& write : batch.writes()) {
    Versions& versions = tables_[static_cast<size_t>(write.table)][write.key];
    if (!versions.empty() && versions.back().sequence == sequence_) {
      versions.back().value = write.value;
    } else {
      versions.push_back({sequence_, write.value});
    }
    if (versions.size() > 1 || !write.value) {
      superseded_.push_back({sequence_, write.table, write.key});
    }
  }
  DropUnseen();
}

void MemoryStore::DropUnseen() const {
  const uint64_t oldest = pinned_.empty() ? sequence_ : *pinned_.begin();
  for (; !superseded_.empty() && superseded_.front().sequence <= oldest; superseded_.pop_front()) {
    Rows& rows = tables_[static_cast<size_t>(superseded_.front().table)];
    const auto row = rows.find(superseded_.front().key);
    if (row == rows.end()) continue;
    Versions& versions = row->second;
    const auto first_seen =
        std::find_if(versions.rbegin(), versions.rend(),
                     [&](const Version& version) { return version.sequence <= oldest; });
    if (first_seen != versions.rend()) {
      versions.erase(versions.begin(), std::prev(first_seen.base()));
    }
    if (versions.size() == 1 && !versions.front().value) rows.erase(row);
  }
}

}  // namespace maillage::storage
