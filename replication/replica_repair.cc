// What a replica does for repairs, and for the records that wait after one.
#include <algorithm>
#include <utility>

#include "replication/record_reader.h"
#include "replication/replica.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

bool Replica::HasOpenChanges(const RecordKey& record) const {
  const auto found = staged_.find(record);
  return found != staged_.end() && found->second->changed;
}

void Replica::PutRow(Table table, std::string key, std::optional<std::string> value) {
  dirty_ = true;
  if (value.has_value()) {
    batch_.Put(table, std::move(key), *std::move(value));
  } else {
    batch_.Delete(table, std::move(key));
  }
}

void Replica::SetLost(const RecordKey& record, bool lost) {
  if (lost) {
    lost_.insert(record);
    PutMeta(storage::LostKey(record), "");
  } else {
    lost_.erase(record);
    PutMeta(storage::LostKey(record), std::nullopt);
  }
}

void Replica::TakeNewIncarnation() {
  RenewIncarnation(ContinuityDoubt::kStoreDamaged, random_->Next64(), 0);
}

void Replica::LengthenFeed(uint64_t head) {
  dirty_ = true;
  open_.feed_head = std::max(open_.feed_head, head);
}

void Replica::CorrectCounts(const LocalProgress& told, const LocalProgress& counted) {
  dirty_ = true;
  // Modulo 2^64: what was counted wrongly may be less than nothing.
  const auto correct = [](uint64_t& now, uint64_t wrong, uint64_t right) { now += right - wrong; };
  const auto of = [](const LocalProgress& progress, uint16_t kind) {
    const auto found = progress.kinds.find(kind);
    return found == progress.kinds.end() ? KindCounts() : found->second;
  };
  std::set<uint16_t> kinds;
  for (const LocalProgress* progress : {&told, &counted}) {
    for (const auto& [kind, counts] : progress->kinds) kinds.insert(kind);
  }
  for (const uint16_t kind : kinds) {
    KindCounts& counts = open_.kinds[kind];
    correct(counts.alive, of(told, kind).alive, of(counted, kind).alive);
    correct(counts.deleted, of(told, kind).deleted, of(counted, kind).deleted);
  }
  correct(open_.conflicts, told.conflicts, counted.conflicts);
  PutMeta(std::string(storage::kProgressKey), EncodeProgress(open_));
}

absl::Status Replica::LoadLost() {
  lost_.clear();
  auto cursor = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kLostPrefix));
  for (; cursor->Valid() || (cursor->SkipDamage() && cursor->Valid()); cursor->Next()) {
    const auto record = storage::ParseLostKey(cursor->key());
    if (record.has_value()) lost_.insert(*record);
  }
  return cursor->status();
}

bool Replica::InHistory(const RecordKey& record, const Dot& dot) const {
  const auto rows = ReadHistory(*store_, record);
  return rows.ok() &&
         std::any_of(rows->begin(), rows->end(), [&](const HistoryRow& row) { return row.dot == dot; });
}

absl::Status Replica::RecoverHistory(const RecordKey& record, Staged& staged) {
  RecordState& state = staged.state;
  const auto rows = ReadHistory(*store_, record);
  if (!rows.ok()) return absl::IsDataLoss(rows.status()) ? absl::OkStatus() : rows.status();
  std::vector<Change> beyond;
  size_t unreadable = 0;
  for (const HistoryRow& row : *rows) {
    if (state.vector().Covers(row.dot)) continue;
    const auto entry = ReadFeedEntry(*store_, row.position);
    auto change = entry.ok() ? revoked().Decode(entry->change) : entry.status();
    if (change.ok() && change->record == record && change->dot == row.dot) {
      beyond.push_back(*std::move(change));
    } else {
      ++unreadable;
    }
  }
  size_t before = 0;
  do {
    before = beyond.size();
    std::erase_if(beyond, [&](const Change& change) {
      if (!state.CanApply(change)) return false;
      Touch(record, staged);
      state.Apply(change);
      return true;
    });
  } while (beyond.size() < before);
  // Otherwise it goes on waiting for what they build on.
  if (beyond.empty() && unreadable == 0) SetLost(record, false);
  return absl::OkStatus();
}

}  // namespace maillage::replication
