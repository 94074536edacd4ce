#include "server/records/conflicts.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proto/quote.h"
#include "replication/record_reader.h"
#include "server/query/page_token.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"
#include "server/records/site_names.h"
#include "server/records/value_text.h"
#include "storage/keys.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::Cell;
using replication::FieldSchema;
using replication::HybridTime;
using replication::KindSchema;
using replication::Life;
using replication::RecordState;
using replication::Schema;
using replication::VersionVector;
using storage::ReadView;

namespace {

constexpr char kEdited[] = "modifié";
constexpr char kDeleted[] = "supprimé";

// Who wrote something, and when.
struct Author {
  replication::Dot dot;
  HybridTime time;
  std::string person;
};

v1::Version Tell(const Schema& schema, const ReadView& view, std::string value,
                 const Author& author) {
  v1::Version told;
  told.set_value(std::move(value));
  told.set_person(author.person);
  told.set_site(SiteName(schema, view, author.dot.actor.site));
  *told.mutable_time() = ToTimestamp(author.time);
  return told;
}

v1::FieldConflict CompareVersions(const Schema& schema, const ReadView& view,
                                  const KindSchema& kind, const Cell& cell) {
  v1::FieldConflict conflict;
  conflict.set_field(FieldName(kind, cell.field));
  const FieldSchema* field = kind.FindField(cell.field);
  if (field != nullptr && !cell.key.empty()) {
    conflict.set_key(KeyText(schema, kind, *field, cell.key));
  }
  std::vector<const replication::Version*> versions = replication::OtherVersions(cell);
  versions.insert(versions.begin(), &replication::Winner(cell.versions));
  for (const replication::Version* version : versions) {
    v1::Version& told = *conflict.add_versions();
    told = Tell(
        schema, view,
        field == nullptr ? Quote(version->value) : ValueText(schema, kind, *field, version->value),
        {version->dot, version->time, version->person});
    if (field == nullptr) continue;
    const std::unique_ptr<Message> content = MessageOfValue(schema, kind, *field, version->value);
    if (content != nullptr) told.mutable_content()->PackFrom(*content);
  }
  return conflict;
}

// What the deletes of a record covered.
VersionVector CoveredByDeletes(const Cell& deletes) {
  VersionVector covered;
  for (const replication::Version& version : deletes.versions) {
    v1::VersionVector proto;
    if (!proto.ParseFromString(version.value)) continue;
    const absl::StatusOr<VersionVector> seen = replication::FromProto(proto);
    if (seen.ok()) covered.Merge(*seen);
  }
  return covered;
}

// Authors of values that no delete has seen, and of changes that history still tells: an edit that
// cleared a field leaves no value.
absl::StatusOr<std::vector<Author>> UnseenEdits(const ReadView& view, const RecordKey& record,
                                                const RecordState& state, const Cell& deletes) {
  const VersionVector covered = CoveredByDeletes(deletes);
  const auto names = [](const Cell* cell, const replication::Dot& dot) {
    return cell != nullptr && std::any_of(cell->versions.begin(), cell->versions.end(),
                                          [&](const replication::Version& v) { return v.dot == dot; });
  };
  const auto unseen = [&](const replication::Dot& dot) {
    return !covered.Covers(dot) && !names(&deletes, dot) && !names(replication::VoidChanges(state), dot);
  };
  std::vector<Author> authors;
  for (const Cell& cell : state.cells()) {
    for (const replication::Version& version : cell.versions) {
      if (unseen(version.dot)) authors.push_back({version.dot, version.time, version.person});
    }
  }
  auto rows = replication::ReadHistory(view, record);
  if (!rows.ok()) return rows.status();
  for (const replication::HistoryRow& row : *rows) {
    if (!unseen(row.dot)) continue;
    auto entry = replication::ReadFeedEntry(view, row.position);
    if (!entry.ok()) return entry.status();
    const auto change = replication::DecodeChange(entry->change);
    if (change.ok()) authors.push_back({change->dot, change->time, change->person});
  }
  return authors;
}

// The latest of each person at each site, by descending time.
std::vector<Author> LatestOfEach(std::vector<Author> authors) {
  std::sort(authors.begin(), authors.end(), [](const Author& a, const Author& b) {
    return std::tie(b.time, b.dot) < std::tie(a.time, a.dot);
  });
  std::vector<Author> latest;
  for (Author& author : authors) {
    const bool told = std::any_of(latest.begin(), latest.end(), [&](const Author& other) {
      return other.person == author.person && other.dot.actor.site == author.dot.actor.site;
    });
    if (!told) latest.push_back(std::move(author));
  }
  return latest;
}

absl::StatusOr<v1::FieldConflict> CompareLives(const Schema& schema, const ReadView& view,
                                               const RecordKey& record, const RecordState& state) {
  v1::FieldConflict conflict;
  conflict.set_field(std::string(kDeletedField));
  const Cell* deletes = state.Find(replication::kLifeField);
  absl::StatusOr<std::vector<Author>> edits = UnseenEdits(view, record, state, *deletes);
  if (!edits.ok()) return edits.status();
  for (const Author& edit : LatestOfEach(*std::move(edits))) {
    *conflict.add_versions() = Tell(schema, view, kEdited, edit);
  }
  std::vector<Author> deleters;
  for (const replication::Version& version : deletes->versions) {
    deleters.push_back({version.dot, version.time, version.person});
  }
  for (const Author& deleter : LatestOfEach(std::move(deleters))) {
    *conflict.add_versions() = Tell(schema, view, kDeleted, deleter);
  }
  return conflict;
}

absl::StatusOr<v1::RecordConflict> Compare(const Schema& schema, const ReadView& view,
                                           const KindSchema& kind, const RecordKey& record) {
  auto state = replication::ReadState(view, record);
  if (!state.ok()) return state.status();
  if (!state->has_value()) return absl::DataLossError("index table: a conflict of no record");
  v1::RecordConflict conflict;
  *conflict.mutable_record() = ToRecord(schema, kind, record.id, **state);
  for (const Cell& cell : (*state)->cells()) {
    if (cell.field == replication::kLifeField || replication::OtherVersions(cell).empty()) continue;
    *conflict.add_fields() = CompareVersions(schema, view, kind, cell);
  }
  if ((*state)->life() == Life::kContested) {
    absl::StatusOr<v1::FieldConflict> lives = CompareLives(schema, view, record, **state);
    if (!lives.ok()) return lives.status();
    *conflict.add_fields() = *std::move(lives);
  }
  return conflict;
}

// Whether a walk that has ended goes on behind damage.
bool SkipsDamage(storage::Cursor& cursor, uint64_t& unreadable) {
  if (cursor.status().ok() || !cursor.SkipDamage()) return false;
  ++unreadable;
  return true;
}

struct ConflictPlan {
  storage::KeyRange range;
  size_t page_size = 0;
  PageScope scope;
};

absl::StatusOr<ConflictPlan> MakePlan(const Schema& schema,
                                      const v1::ListConflictsRequest& request) {
  ConflictPlan plan;
  std::string prefix = storage::ConflictPrefix();
  if (!request.kind().empty()) {
    absl::StatusOr<const KindSchema*> kind = FindKind(schema, request.kind());
    if (!kind.ok()) return kind.status();
    prefix = storage::ConflictPrefix((*kind)->number);
  }
  absl::StatusOr<size_t> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  plan.page_size = *page_size;
  plan.scope = {"ListConflicts", request.kind()};
  plan.range = storage::KeyRange::Prefix(prefix);
  if (!request.page_token().empty()) {
    absl::StatusOr<PagePosition> last = DecodePageToken(plan.scope, request.page_token());
    if (!last.ok()) return last.status();
    plan.range.begin = last->id + '\0';
  }
  return plan;
}

}  // namespace

absl::StatusOr<v1::ListConflictsResponse> ListConflicts(const Schema& schema, const ReadView& view,
                                                        const v1::ListConflictsRequest& request) {
  absl::StatusOr<ConflictPlan> plan = MakePlan(schema, request);
  if (!plan.ok()) return plan.status();
  v1::ListConflictsResponse response;
  PageRoom room(plan->page_size);
  std::string last;
  uint64_t unreadable = 0;
  auto cursor = view.Scan(storage::Table::kIndex, plan->range);
  for (; cursor->Valid() || SkipsDamage(*cursor, unreadable); cursor->Next()) {
    if (!cursor->Valid()) break;
    const auto record = storage::ParseConflictKey(cursor->key());
    if (!record.has_value()) return absl::DataLossError("index table: a damaged key");
    const KindSchema* kind = schema.FindKind(record->kind);
    if (kind == nullptr || (kind->options.system() && request.kind().empty())) continue;
    if (room.full()) {
      response.set_next_page_token(EncodePageToken(plan->scope, {"", last}));
      break;
    }
    absl::StatusOr<v1::RecordConflict> conflict = Compare(schema, view, *kind, *record);
    if (absl::IsDataLoss(conflict.status())) {
      ++unreadable;
      continue;
    }
    if (!conflict.ok()) return conflict.status();
    room.Take(*conflict);
    *response.add_conflicts() = *std::move(conflict);
    last = std::string(cursor->key());
  }
  if (!cursor->status().ok()) return cursor->status();
  response.set_unreadable_records(static_cast<int64_t>(unreadable));
  return response;
}

}  // namespace maillage::server
