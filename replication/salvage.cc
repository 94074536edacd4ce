#include "replication/salvage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "replication/local_meta.h"
#include "storage/keys.h"

namespace maillage::replication {
namespace {

using storage::Table;

constexpr size_t kBatchBytes = size_t{1} << 20;
constexpr uint64_t kRowsPerStep = 1'000;

class Salvager {
 public:
  Salvager(const storage::ReadView& from, storage::Store& to, const ScrubProgress& progress)
      : from_(from), to_(to), progress_(progress) {}

  absl::StatusOr<SalvageCounts> Run() {
    for (size_t table = 0; table < storage::kTableCount; ++table) {
      if (absl::Status copied = CopyTable(static_cast<Table>(table)); !copied.ok()) return copied;
    }
    if (counts_.places() > 0) {
      if (absl::Status asked = AskByName(); !asked.ok()) return asked;
    }
    return counts_;
  }

 private:
  SalvageCounts::TableCount& CountOf(Table table) { return counts_.tables[static_cast<size_t>(table)]; }

  absl::Status Put(Table table, std::string_view key, std::string_view value) {
    batch_.Put(table, std::string(key), std::string(value));
    if (++rows_ % kRowsPerStep == 0 && !progress_(rows_)) return absl::CancelledError("arrêté");
    return batch_.byte_size() < kBatchBytes ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    if (batch_.empty()) return absl::OkStatus();
    absl::Status committed = to_.Commit(batch_);
    batch_.Clear();
    return committed;
  }

  absl::Status CopyTable(Table table) {
    auto cursor = from_.Scan(table, {});
    while (true) {
      for (; cursor->Valid(); cursor->Next()) {
        if (absl::Status put = Put(table, cursor->key(), cursor->value()); !put.ok()) return put;
        ++CountOf(table).copied;
      }
      if (cursor->status().ok()) break;
      ++CountOf(table).places;
      if (!cursor->SkipDamage()) break;
    }
    return Flush();
  }

  // Copies the row unless it is there already, or nothing can be read.
  absl::Status Ask(Table table, const std::string& key) {
    const auto there = to_.Get(table, key);
    if (!there.ok()) return there.status();
    if (there->has_value()) return absl::OkStatus();
    const auto value = from_.Get(table, key);
    if (!value.ok() || !value->has_value()) return absl::OkStatus();
    ++CountOf(table).by_name;
    return Put(table, key, **value);
  }

  absl::Status AskByName() {
    absl::Status status = Ask(Table::kMeta, std::string(storage::kIdentityKey));
    if (status.ok()) status = Ask(Table::kMeta, std::string(storage::kProgressKey));
    if (status.ok()) status = AskForFeed();
    if (status.ok()) status = AskForStates();
    return status.ok() ? Flush() : status;
  }

  absl::Status AskForFeed() {
    if (absl::Status flushed = Flush(); !flushed.ok()) return flushed;
    uint64_t head = 0;
    if (auto last = to_.Scan(Table::kFeed, {}, storage::ScanOrder::kDescending); last->Valid()) {
      head = storage::ParseFeedKey(last->key()).value_or(0);
    }
    if (const auto stored = to_.Get(Table::kMeta, storage::kProgressKey); stored.ok() && stored->has_value()) {
      const auto progress = DecodeProgress(**stored);
      if (progress.ok()) head = std::max(head, progress->feed_head);
    }
    uint64_t next = 1;
    auto rows = to_.Scan(Table::kFeed, {});
    while (next <= head) {
      const auto there = rows->Valid() ? storage::ParseFeedKey(rows->key()) : std::nullopt;
      for (const uint64_t end = there.value_or(head + 1); next < end && next <= head; ++next) {
        if (absl::Status asked = Ask(Table::kFeed, storage::FeedKey(next)); !asked.ok()) return asked;
      }
      if (!rows->Valid()) break;
      next = std::max(next, there.value_or(0) + 1);
      rows->Next();
    }
    return rows->status();
  }

  absl::Status AskForStates() {
    if (absl::Status flushed = Flush(); !flushed.ok()) return flushed;
    auto fingerprints = to_.Scan(Table::kFingerprints, {});
    for (; fingerprints->Valid(); fingerprints->Next()) {
      const auto parsed = storage::ParseFingerprintKey(fingerprints->key());
      if (!parsed.has_value()) continue;
      absl::Status asked = Ask(Table::kStates, storage::StateKey({parsed->partition.kind, parsed->id}));
      if (!asked.ok()) return asked;
    }
    auto changes = to_.Scan(Table::kChanges, {});
    std::string last;
    for (; changes->Valid(); changes->Next()) {
      if (changes->key().size() <= sizeof(uint64_t)) continue;
      const std::string_view record = changes->key().substr(0, changes->key().size() - sizeof(uint64_t));
      if (record == last) continue;
      last = record;
      if (absl::Status asked = Ask(Table::kStates, last); !asked.ok()) return asked;
    }
    return absl::OkStatus();
  }

  const storage::ReadView& from_;
  storage::Store& to_;
  const ScrubProgress& progress_;
  SalvageCounts counts_;
  storage::CommitBatch batch_;
  uint64_t rows_ = 0;
};

}  // namespace

uint64_t SalvageCounts::places() const {
  uint64_t sum = 0;
  for (const TableCount& table : tables) sum += table.places;
  return sum;
}

absl::StatusOr<SalvageCounts> CopyReadable(const storage::ReadView& from, storage::Store& to,
                                           const ScrubProgress& progress) {
  return Salvager(from, to, progress).Run();
}

}  // namespace maillage::replication
