#include "replication/record_reader.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::KeyRange;
using storage::Table;

absl::StatusOr<std::optional<RecordState>> ReadState(const storage::ReadView& view,
                                                     const RecordKey& record) {
  auto bytes = view.Get(Table::kStates, storage::StateKey(record));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<RecordState> state = DecodeState(**bytes);
  if (!state.ok()) {
    return absl::DataLossError(
        absl::StrCat("record ", FormatUuid(record.id), ": ", state.status().message()));
  }
  return *std::move(state);
}

absl::Status ScanStates(const storage::ReadView& view, uint16_t kind,
                        const std::optional<RecordId>& after,
                        absl::FunctionRef<bool(const RecordKey&, std::string_view)> visit) {
  KeyRange range = KeyRange::Prefix(storage::StatePrefix(kind));
  if (after.has_value()) {
    range.begin = storage::StateKey({kind, *after});
    range.begin.push_back('\0');
  }
  auto cursor = view.Scan(Table::kStates, range);
  for (; cursor->Valid(); cursor->Next()) {
    const auto record = storage::ParseStateKey(cursor->key());
    if (!record.has_value()) return absl::DataLossError("states table: a damaged key");
    if (!visit(*record, cursor->value())) break;
  }
  return cursor->status();
}

absl::StatusOr<std::vector<HistoryRow>> ReadHistory(const storage::ReadView& view,
                                                    const RecordKey& record) {
  std::vector<HistoryRow> rows;
  auto cursor = view.Scan(Table::kChanges, KeyRange::Prefix(storage::ChangePrefix(record)));
  for (; cursor->Valid(); cursor->Next()) {
    const auto position = storage::ParseChangeKeyPosition(cursor->key());
    absl::StatusOr<Dot> dot = DecodeDot(cursor->value());
    if (!dot.ok()) return dot.status();
    if (!position.has_value()) return absl::DataLossError("changes table: a damaged key");
    rows.push_back({*position, *dot});
  }
  if (!cursor->status().ok()) return cursor->status();
  return rows;
}

absl::StatusOr<FeedEntry> ReadFeedEntry(const storage::ReadView& view, uint64_t position) {
  auto bytes = view.Get(Table::kFeed, storage::FeedKey(position));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) {
    return absl::DataLossError(absl::StrCat("feed table: no entry at position ", position));
  }
  return DecodeFeedEntry(**bytes);
}

absl::Status ScanFeed(const storage::ReadView& view, uint64_t after,
                      absl::FunctionRef<bool(uint64_t, FeedEntry)> visit) {
  auto cursor = view.Scan(Table::kFeed, {storage::FeedKey(after + 1), ""});
  for (; cursor->Valid(); cursor->Next()) {
    const auto position = storage::ParseFeedKey(cursor->key());
    if (!position.has_value()) return absl::DataLossError("feed table: a damaged key");
    absl::StatusOr<FeedEntry> entry = DecodeFeedEntry(cursor->value());
    if (!entry.ok()) return entry.status();
    if (!visit(*position, *std::move(entry))) break;
  }
  return cursor->status();
}

absl::StatusOr<std::optional<std::vector<std::string>>> ChangesBeyond(const storage::ReadView& view,
                                                                      const RecordKey& record,
                                                                      const VersionVector& state,
                                                                      const VersionVector& known) {
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(view, record);
  if (!rows.ok()) return rows.status();
  std::erase_if(*rows, [&](const HistoryRow& row) { return known.Covers(row.dot); });
  if (rows->size() != state.CountBeyond(known)) return std::nullopt;
  std::vector<std::string> changes;
  for (const HistoryRow& row : *rows) {
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(view, row.position);
    if (!entry.ok()) return entry.status();
    changes.push_back(std::move(entry->change));
  }
  return changes;
}

}  // namespace maillage::replication
