#include <deque>
#include <utility>

#include "storage/memory_store.h"
#include "tests/sim/disk.h"

namespace maillage::sim {
namespace {

using storage::CommitBatch;
using storage::MemoryStore;

// Commits since the last flush, which a damaged log loses from some point on.
constexpr size_t kLogLength = 24;

// A MemoryStore that remembers how it came to be what it is.
class LoggedStore final : public storage::Store {
 public:
  explicit LoggedStore(std::unique_ptr<MemoryStore> content)
      : content_(std::move(content)), flushed_(content_->Clone()) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Table table, std::string_view key) const override {
    return content_->Get(table, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Table table, const storage::KeyRange& range,
                                        storage::ScanOrder order) const override {
    return content_->Scan(table, range, order);
  }
  std::unique_ptr<storage::ReadView> Snapshot() const override { return content_->Snapshot(); }

  absl::Status Commit(const CommitBatch& batch) override {
    if (!failing_ || outcome_ == MemoryStore::Outcome::kApplied) Log(batch);
    failing_ = false;
    return content_->Commit(batch);
  }

  void FailNextCommit(absl::Status error, MemoryStore::Outcome outcome) {
    failing_ = true;
    outcome_ = outcome;
    content_->FailNextCommit(std::move(error), outcome);
  }

  void Reopen() {
    content_->Reopen();
    failing_ = false;
  }

  // Loses the last commits, all since the flush at most.
  void Truncate(size_t commits) {
    for (; commits > 0 && !log_.empty(); --commits) log_.pop_back();
    content_ = flushed_->Clone();
    for (const CommitBatch& batch : log_) content_->Commit(batch).IgnoreError();
  }
  size_t log_length() const { return log_.size(); }

  std::unique_ptr<MemoryStore> CloneContent() const { return content_->Clone(); }

 private:
  void Log(const CommitBatch& batch) {
    if (log_.size() >= kLogLength) {
      flushed_ = content_->Clone();
      log_.clear();
    }
    log_.push_back(batch);
  }

  std::unique_ptr<MemoryStore> content_;
  std::unique_ptr<MemoryStore> flushed_;
  std::deque<CommitBatch> log_;
  bool failing_ = false;
  MemoryStore::Outcome outcome_ = MemoryStore::Outcome::kLost;
};

class MemoryDisk final : public Disk {
 public:
  explicit MemoryDisk(std::unique_ptr<MemoryStore> content)
      : store_(std::make_unique<LoggedStore>(std::move(content))) {}

  storage::Store* store() override { return on_ ? store_.get() : nullptr; }
  const storage::ReadView& content() override { return *store_; }

  void FailNextCommit(SeededRandom& random, absl::Status error, bool noted) override {
    store_->FailNextCommit(std::move(error),
                           random.OneIn(2) ? MemoryStore::Outcome::kApplied : MemoryStore::Outcome::kLost);
    if (noted) in_doubt_ = true;
  }

  void PowerOff(SeededRandom&) override { on_ = false; }

  void DamageEnd(SeededRandom& random) override {
    store_->Truncate(random.Below(store_->log_length() + 1));
    in_doubt_ = true;
  }

  bool PowerOn() override {
    on_ = true;
    store_->Reopen();
    return !std::exchange(in_doubt_, false);
  }

  std::unique_ptr<Disk> Copy() override {
    auto copy = std::make_unique<MemoryDisk>(store_->CloneContent());
    copy->on_ = false;
    copy->in_doubt_ = in_doubt_;
    return copy;
  }

 private:
  std::unique_ptr<LoggedStore> store_;
  bool on_ = false;
  bool in_doubt_ = false;
};

}  // namespace

std::unique_ptr<Disk> NewMemoryDisk() {
  return std::make_unique<MemoryDisk>(std::make_unique<MemoryStore>());
}

}  // namespace maillage::sim
