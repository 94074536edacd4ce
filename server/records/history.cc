#include "server/records/history.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "replication/revoked_authors.h"
#include "server/query/page_token.h"
#include "server/records/absence.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"
#include "server/records/site_names.h"
#include "server/records/value_text.h"

namespace maillage::server {

using replication::Change;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Operation;
using replication::Schema;
using storage::ReadView;
using v1::FieldChange;

namespace {

FieldChange ToFieldChange(const Schema& schema, const KindSchema& kind,
                          const Operation& operation) {
  FieldChange told;
  const bool set = operation.value.has_value() || operation.is_withheld();
  if (operation.field == replication::kLifeField) {
    told.set_field(std::string(kDeletedField));
    told.set_action(set ? FieldChange::DELETE : FieldChange::UNDELETE);
    return told;
  }
  told.set_field(FieldName(kind, operation.field));
  const bool element = operation.rule == v1::SET || operation.rule == v1::MAP;
  if (element) {
    told.set_action(set ? FieldChange::ADD : FieldChange::REMOVE);
  } else {
    told.set_action(set ? FieldChange::SET : FieldChange::CLEAR);
  }
  const FieldSchema* field = kind.FindField(operation.field);
  if (field == nullptr) return told;
  if (element && (!set || operation.rule == v1::SET)) {
    told.set_value(KeyText(schema, kind, *field, operation.key));
  } else if (operation.is_withheld()) {
    told.set_withheld(true);
  } else if (set) {
    told.set_value(ValueText(schema, kind, *field, *operation.value));
  }
  return told;
}

// Newest first.
absl::StatusOr<std::vector<Change>> ReadChanges(const ReadView& view, const RecordKey& record) {
  auto rows = replication::ReadHistory(view, record);
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<replication::RevokedAuthors> revoked = replication::RevokedAuthors::FollowedBy(view);
  if (!revoked.ok()) return revoked.status();
  std::vector<Change> changes;
  for (const replication::HistoryRow& row : *rows) {
    auto entry = replication::ReadFeedEntry(view, row.position);
    if (!entry.ok()) return entry.status();
    absl::StatusOr<Change> change = revoked->Decode(entry->change);
    if (!change.ok()) {
      return absl::DataLossError(
          absl::StrCat("feed position ", row.position, ": ", change.status().message()));
    }
    changes.push_back(*std::move(change));
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::tie(b.time, b.dot) < std::tie(a.time, a.dot);
  });
  return changes;
}

// Greater than that of every older change.
std::string SortKey(const Change& change) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(change.time.value >> shift));
  }
  return key;
}

}  // namespace

v1::RecordChange ToRecordChange(const Schema& schema, const ReadView& view, const KindSchema& kind,
                                const Change& change) {
  v1::RecordChange told;
  told.set_person(change.person);
  told.set_site(SiteName(schema, view, change.dot.actor.site));
  *told.mutable_time() = ToTimestamp(change.time);
  for (const Operation& operation : change.operations) {
    *told.add_fields() = ToFieldChange(schema, kind, operation);
  }
  told.set_dot(replication::FormatDot(change.dot));
  told.set_is_void(change.is_void);
  return told;
}

absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
    const Schema& schema, const ReadView& view, const v1::ListRecordChangesRequest& request) {
  absl::StatusOr<NamedRecord> named = ParseRecordName(schema, request.name());
  if (!named.ok()) return named.status();
  absl::StatusOr<size_t> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  auto state = replication::ReadState(view, named->key);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    return WhyAbsent(schema, view, named->key, request.name());
  }
  absl::StatusOr<std::vector<Change>> changes = ReadChanges(view, named->key);
  if (!changes.ok()) return changes.status();
  v1::ListRecordChangesResponse response;
  response.set_compacted_changes(
      static_cast<int64_t>((*state)->vector().CountBeyond({}) - changes->size()));
  auto change = changes->begin();
  const PageScope scope = {"ListRecordChanges", request.name()};
  if (!request.page_token().empty()) {
    absl::StatusOr<PagePosition> last = DecodePageToken(scope, request.page_token());
    if (!last.ok()) return last.status();
    absl::StatusOr<replication::Dot> dot = replication::DecodeDot(last->id);
    if (!dot.ok()) return absl::InvalidArgumentError("page_token\u00A0: jeton d'une autre version");
    change = std::find_if(changes->begin(), changes->end(), [&](const Change& candidate) {
      const std::string key = SortKey(candidate);
      return std::tie(key, candidate.dot) < std::tie(last->sort_key, *dot);
    });
  }
  PageRoom room(*page_size);
  for (; change != changes->end(); ++change) {
    if (room.full()) {
      const Change& last = *std::prev(change);
      response.set_next_page_token(
          EncodePageToken(scope, {SortKey(last), replication::EncodeDot(last.dot)}));
      break;
    }
    *response.add_changes() = ToRecordChange(schema, view, *named->kind, *change);
    room.Take(*response.changes().rbegin());
  }
  return response;
}

absl::StatusOr<std::optional<v1::RecordEvent>> ToRecordEvent(const Schema& schema,
                                                             const ReadView& view,
                                                             uint64_t position,
                                                             const replication::FeedEntry& entry,
                                                             const KindSchema* only) {
  const KindSchema* kind = schema.FindKind(entry.record.kind);
  if (kind == nullptr || kind->options.system() || (only != nullptr && kind != only)) {
    return std::nullopt;
  }
  auto state = replication::ReadState(view, entry.record);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    if (entry.type == replication::FeedEntry::Type::kEvicted) return std::nullopt;
    return absl::DataLossError(absl::StrCat("feed position ", position, ": a change of no record"));
  }
  v1::RecordEvent event;
  event.set_position(position);
  *event.mutable_record() = ToRecord(schema, *kind, entry.record.id, **state);
  if (entry.type == replication::FeedEntry::Type::kChange) {
    const absl::StatusOr<replication::RevokedAuthors> revoked = replication::RevokedAuthors::FollowedBy(view);
    if (!revoked.ok()) return revoked.status();
    const absl::StatusOr<Change> change = revoked->Decode(entry.change);
    if (!change.ok()) {
      return absl::DataLossError(
          absl::StrCat("feed position ", position, ": ", change.status().message()));
    }
    *event.mutable_change() = ToRecordChange(schema, view, *kind, *change);
  }
  return event;
}

}  // namespace maillage::server
