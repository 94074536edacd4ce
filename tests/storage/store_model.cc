#include "tests/storage/store_model.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::storage {
namespace {

constexpr uint64_t kKeysPerTable = 60;

std::string RandomValue(std::mt19937_64& random, size_t size) {
  std::string value(size, '\0');
  for (char& c : value) c = static_cast<char>('a' + random() % 26);
  return value;
}

// All rows by scans; those of a table whose scan is refused are left out, and counted.
StoreModel::Rows Read(const ReadView& store, uint64_t& refused) {
  StoreModel::Rows rows;
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    StoreModel::Rows found;
    auto cursor = store.Scan(table, {});
    for (; cursor->Valid(); cursor->Next()) found[{table, std::string(cursor->key())}] = cursor->value();
    if (cursor->status().ok()) {
      rows.merge(found);
    } else {
      ++refused;
    }
  }
  return rows;
}

std::string Name(const std::pair<Table, std::string>& key) {
  return absl::StrCat(ToAbsl(TableName(key.first)), "/", key.second);
}

std::string FirstDifference(const StoreModel::Rows& found, const StoreModel::Rows& expected) {
  const auto [has, ought] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  const bool extra = ought == expected.end() || (has != found.end() && has->first < ought->first);
  return absl::StrCat(Name((extra ? has : ought)->first), extra ? " is too many" : " is missing or another, ", " of ",
                      expected.size(), " rows ", found.size());
}

}  // namespace

CommitBatch StoreModel::RandomBatch(std::mt19937_64& random) {
  CommitBatch batch;
  const uint64_t writes = 1 + random() % 12;
  const bool large = random() % 8 == 0;
  for (uint64_t i = 0; i < writes; ++i) {
    const auto table = static_cast<Table>(random() % kTableCount);
    std::string key = absl::StrCat("key", random() % kKeysPerTable);
    if (random() % 5 == 0) {
      batch.Delete(table, std::move(key));
    } else {
      batch.Put(table, std::move(key), RandomValue(random, large ? 4000 : random() % 100));
    }
  }
  return batch;
}

void StoreModel::Apply(const CommitBatch& batch, Rows& rows) {
  for (const CommitBatch::Write& write : batch.writes()) {
    if (write.value.has_value()) {
      rows[{write.table, write.key}] = *write.value;
    } else {
      rows.erase({write.table, write.key});
    }
  }
}

void StoreModel::Remember(const CommitBatch& batch) {
  for (const CommitBatch::Write& write : batch.writes()) {
    if (write.value.has_value()) ever_[{write.table, write.key}].insert(*write.value);
  }
}

size_t StoreModel::Hash(const Rows& rows) {
  std::string whole;
  for (const auto& [key, value] : rows) {
    absl::StrAppend(&whole, static_cast<int>(key.first), " ", key.second.size(), key.second, value.size(), value);
  }
  return std::hash<std::string>()(whole);
}

void StoreModel::Acknowledged(const CommitBatch& batch) {
  moments_.insert(Hash(rows_));
  Remember(batch);
  Apply(batch, rows_);
}

void StoreModel::Unanswered(const CommitBatch& batch) {
  Remember(batch);
  with_unanswered_ = rows_;
  Apply(batch, with_unanswered_);
  unanswered_ = true;
}

bool StoreModel::IsAllowed(const std::pair<Table, std::string>& key, const std::optional<std::string>& value,
                           bool loss_is_told) const {
  const auto holds = [&](const Rows& rows) {
    const auto row = rows.find(key);
    return row == rows.end() ? !value.has_value() : value == row->second;
  };
  if (holds(rows_) || (unanswered_ && holds(with_unanswered_))) return true;
  if (!loss_is_told) return false;
  const auto ever = ever_.find(key);
  return !value.has_value() || (ever != ever_.end() && ever->second.contains(*value));
}

StoreModel::Verdict StoreModel::Compare(const ReadView& store, bool loss_is_told) const {
  Verdict verdict;
  const Rows found = Read(store, verdict.errors);
  const bool whole = verdict.errors == 0 && !loss_is_told;
  if (whole && found != rows_ && !(unanswered_ && found == with_unanswered_)) {
    verdict.wrong = absl::StrCat("the scans give neither what was acknowledged nor that and the last batch; ",
                                 FirstDifference(found, rows_));
  }
  if (verdict.errors == 0 && loss_is_told && !moments_.contains(Hash(found)) && Hash(found) != Hash(rows_) &&
      !(unanswered_ && found == with_unanswered_)) {
    verdict.wrong = "the scans give what the store never held";
  }
  for (const auto& [key, value] : found) {
    if (!IsAllowed(key, value, loss_is_told)) verdict.wrong = absl::StrCat(Name(key), ": a wrong value in a scan");
  }
  for (const auto& [key, value] : rows_) {
    const auto got = store.Get(key.first, key.second);
    if (!got.ok()) {
      ++verdict.errors;
    } else if (!IsAllowed(key, *got, loss_is_told)) {
      verdict.wrong = absl::StrCat(Name(key), got->has_value() ? ": a wrong value" : ": told as absent");
    }
  }
  return verdict;
}

void StoreModel::Settle(const ReadView& store) {
  uint64_t refused = 0;
  rows_ = Read(store, refused);
  unanswered_ = false;
}

}  // namespace maillage::storage
