#include "replication/record_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::KeyRange;
using storage::Table;

namespace {

// Records that have a history and whose states should lie between the two keys.
uint64_t RecordsBetween(const storage::ReadView& view, const std::string& after,
                        const std::string& before) {
  uint64_t records = 0;
  std::string last;
  auto cursor = view.Scan(Table::kChanges, {after, before});
  for (; cursor->Valid(); cursor->Next()) {
    if (cursor->key().size() <= sizeof(uint64_t)) continue;
    const std::string_view record =
        cursor->key().substr(0, cursor->key().size() - sizeof(uint64_t));
    if (record == last || record < std::string_view(after)) continue;
    last = record;
    ++records;
  }
  return records;
}

}  // namespace

void Unread::Note(const absl::Status& why, uint64_t more) {
  if (rows == 0) what = std::string(why.message());
  rows += more;
}

absl::Status UnreadableRecord(const RecordKey& record, const absl::Status& why) {
  return absl::DataLossError(
      absl::StrCat("la fiche ", FormatUuid(record.id), " est endommagée sur le disque de ce nœud (",
                   why.message(), ") ; « maillage doctor --repair » la reprend d'un autre site"));
}

absl::StatusOr<std::optional<RecordState>> ReadState(const storage::ReadView& view,
                                                     const RecordKey& record) {
  auto bytes = view.Get(Table::kStates, storage::StateKey(record));
  if (absl::IsDataLoss(bytes.status())) return UnreadableRecord(record, bytes.status());
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<RecordState> state = DecodeState(**bytes);
  if (!state.ok()) return UnreadableRecord(record, state.status());
  return *std::move(state);
}

absl::Status WaitsForPeer(const RecordKey& record) {
  return absl::DataLossError(absl::StrCat("la fiche ", FormatUuid(record.id),
                                          " était endommagée sur le disque de ce nœud ; elle revient dès qu'un autre site "
                                          "qui l'a est joint (« maillage peers »)"));
}

absl::Status Absent(const storage::ReadView& view, const RecordKey& record, absl::Status not_found) {
  const auto lost = view.Get(Table::kMeta, storage::LostKey(record));
  if (!lost.ok()) return lost.status();
  return lost->has_value() ? WaitsForPeer(record) : not_found;
}

absl::Status ScanStates(const storage::ReadView& view, uint16_t kind,
                        const std::optional<RecordId>& after,
                        absl::FunctionRef<bool(const RecordKey&, std::string_view)> visit,
                        Unread* unread) {
  KeyRange range = KeyRange::Prefix(storage::StatePrefix(kind));
  if (after.has_value()) {
    range.begin = storage::StateKey({kind, *after});
    range.begin.push_back('\0');
  }
  std::string passed = range.begin;
  auto cursor = view.Scan(Table::kStates, range);
  while (true) {
    for (; cursor->Valid(); cursor->Next()) {
      const auto record = storage::ParseStateKey(cursor->key());
      if (!record.has_value()) return absl::DataLossError("states table: a damaged key");
      if (!visit(*record, cursor->value())) return absl::OkStatus();
      if (unread != nullptr) passed.assign(cursor->key()).push_back('\0');
    }
    const absl::Status status = cursor->status();
    if (status.ok() || unread == nullptr || !cursor->SkipDamage()) return status;
    const std::string next = cursor->Valid() ? std::string(cursor->key()) : range.end;
    unread->Note(status, std::max<uint64_t>(1, RecordsBetween(view, passed, next)));
  }
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
                      absl::FunctionRef<bool(uint64_t, FeedEntry)> visit, Unread* unread) {
  uint64_t last = after;
  auto cursor = view.Scan(Table::kFeed, {storage::FeedKey(after + 1), ""});
  while (true) {
    for (; cursor->Valid(); cursor->Next()) {
      const auto position = storage::ParseFeedKey(cursor->key());
      if (!position.has_value()) return absl::DataLossError("feed table: a damaged key");
      absl::StatusOr<FeedEntry> entry = DecodeFeedEntry(cursor->value());
      if (!entry.ok() && unread == nullptr) return entry.status();
      if (entry.ok() && !visit(*position, *std::move(entry))) return absl::OkStatus();
      if (!entry.ok()) unread->Note(entry.status());
      last = *position;
    }
    const absl::Status status = cursor->status();
    if (status.ok() || unread == nullptr || !cursor->SkipDamage()) return status;
    const auto next = cursor->Valid() ? storage::ParseFeedKey(cursor->key()) : std::nullopt;
    unread->Note(status, next.has_value() && *next > last + 1 ? *next - last - 1 : 1);
  }
}

absl::StatusOr<std::optional<std::vector<std::string>>> TakeChangesBeyond(const storage::ReadView& view,
                                                                          const RecordKey& record,
                                                                          const VersionVector& state,
                                                                          size_t enough_bytes, VersionVector& known) {
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(view, record);
  if (!rows.ok()) return rows.status();
  std::erase_if(*rows, [&](const HistoryRow& row) { return known.Covers(row.dot); });
  if (rows->size() != state.CountBeyond(known)) return std::nullopt;
  std::vector<std::string> changes;
  size_t bytes = 0;
  for (const HistoryRow& row : *rows) {
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(view, row.position);
    if (!entry.ok()) return entry.status();
    bytes += entry->change.size();
    changes.push_back(std::move(entry->change));
    known.Add(row.dot);
    if (bytes >= enough_bytes) break;
  }
  return changes;
}

}  // namespace maillage::replication
