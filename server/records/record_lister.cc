#include "server/records/record_lister.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "server/query/order.h"
#include "server/query/page_token.h"
#include "server/records/absence.h"
#include "server/records/record_request.h"
#include "server/records/record_search.h"
#include "server/records/record_view.h"
#include "server/records/references.h"
#include "storage/keys.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::FieldSchema;
using replication::KindSchema;
using replication::LocalProgress;
using replication::Schema;
using storage::ReadView;

namespace {

struct ListPlan {
  RecordSearch search;
  OrderBy order;
  std::vector<const FieldSchema*> mask;
  bool masked = false;
  size_t page_size = 0;
  PageScope scope;
  // Of the page before; nothing on the first.
  std::optional<PagePosition> after;
};

absl::StatusOr<ListPlan> MakePlan(const Schema& schema, const v1::ListRecordsRequest& request) {
  absl::StatusOr<RecordSearch> search = RecordSearch::Make(schema, request);
  if (!search.ok()) return search.status();
  ListPlan plan{*std::move(search), {}, {}, false, 0, {}, std::nullopt};
  const KindSchema& kind = plan.search.kind();
  absl::StatusOr<OrderBy> order = ParseOrderBy(request.order_by(), kind.descriptor);
  if (!order.ok()) return order.status();
  plan.order = *std::move(order);
  auto mask = ResolveMask(kind, request.read_mask());
  if (!mask.ok()) return mask.status();
  plan.mask = *std::move(mask);
  plan.masked = !request.read_mask().paths().empty();
  absl::StatusOr<size_t> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  plan.page_size = *page_size;
  plan.scope = {"ListRecords",      kind.name,        request.filter(),
                request.order_by(), request.search(), request.show_deleted() ? "deleted" : ""};
  if (!request.page_token().empty()) {
    absl::StatusOr<PagePosition> after = DecodePageToken(plan.scope, request.page_token());
    if (!after.ok()) return after.status();
    plan.after = *std::move(after);
  }
  return plan;
}

v1::Record Show(const ListPlan& plan, const RecordId& id, const replication::RecordState& state,
                Message& content) {
  const KindSchema& kind = plan.search.kind();
  if (plan.masked) KeepFields(kind, plan.mask, content);
  return ToRecord(kind, id, state, content);
}

void SetNextPage(const ListPlan& plan, const std::string& sort_key, const RecordId& last,
                 v1::ListRecordsResponse& response) {
  response.set_next_page_token(EncodePageToken(plan.scope, {sort_key, std::string(last.bytes())}));
}

absl::StatusOr<v1::ListRecordsResponse> ListById(const ListPlan& plan, const ReadView& view) {
  std::optional<RecordId> after;
  if (plan.after.has_value()) after = RecordId::FromBytes(plan.after->id);
  v1::ListRecordsResponse response;
  RecordId last;
  // Of this page: what lies behind its last record is for the next one.
  replication::Unread unread;
  uint64_t unreadable = 0;
  PageRoom room(plan.page_size);
  const auto show = [&](const FoundRecord& found) {
    if (room.full()) {
      SetNextPage(plan, "", last, response);
      return false;
    }
    *response.add_records() = Show(plan, found.id, found.state, found.content);
    room.Take(*response.records().rbegin());
    last = found.id;
    unreadable = unread.rows;
    return true;
  };
  const absl::Status scanned = plan.search.Scan(view, after, show, unread);
  if (!scanned.ok()) return scanned;
  if (response.next_page_token().empty()) unreadable = unread.rows;
  response.set_unreadable_records(static_cast<int64_t>(unreadable));
  const bool only_page = !plan.after.has_value() && response.next_page_token().empty();
  if (only_page) response.set_total_size(response.records_size());
  return response;
}

// Of a kind, those that a repair gave up: they have no state to be listed by.
int64_t WaitingRecords(const ReadView& view, uint16_t kind) {
  int64_t waiting = 0;
  auto lost = view.Scan(storage::Table::kMeta, storage::KeyRange::Prefix(storage::LostPrefix(kind)));
  for (; lost->Valid(); lost->Next()) {
    const auto record = storage::ParseLostKey(lost->key());
    if (!record.has_value()) continue;
    const auto state = view.Get(storage::Table::kStates, storage::StateKey(*record));
    if (state.ok() && !state->has_value()) ++waiting;
  }
  return waiting;
}

struct Row {
  std::string sort_key;
  RecordId id;

  bool operator<(const Row& other) const {
    return std::tie(sort_key, id) < std::tie(other.sort_key, other.id);
  }
};

// The first rows in order after the last page: at most one more than the page holds.
absl::StatusOr<std::vector<Row>> FirstRows(const ListPlan& plan, const ReadView& view,
                                           int64_t* total, replication::Unread& unread) {
  std::optional<Row> after;
  if (plan.after.has_value()) {
    after = Row{plan.after->sort_key, RecordId::FromBytes(plan.after->id).value_or(RecordId())};
  }
  // A heap whose front is the greatest.
  std::vector<Row> rows;
  const auto take = [&](const FoundRecord& found) {
    ++*total;
    Row row{plan.order.SortKey(found.content), found.id};
    if (after.has_value() && !(*after < row)) return true;
    if (rows.size() == plan.page_size + 1) {
      if (!(row < rows.front())) return true;
      std::pop_heap(rows.begin(), rows.end());
      rows.pop_back();
    }
    rows.push_back(std::move(row));
    std::push_heap(rows.begin(), rows.end());
    return true;
  };
  if (absl::Status scanned = plan.search.Scan(view, std::nullopt, take, unread); !scanned.ok())
    return scanned;
  std::sort_heap(rows.begin(), rows.end());
  return rows;
}

absl::StatusOr<v1::ListRecordsResponse> ListInOrder(const Schema& schema, const ListPlan& plan,
                                                    const ReadView& view) {
  int64_t total = 0;
  replication::Unread unread;
  absl::StatusOr<std::vector<Row>> rows = FirstRows(plan, view, &total, unread);
  if (!rows.ok()) return rows.status();
  v1::ListRecordsResponse response;
  const KindSchema& kind = plan.search.kind();
  PageRoom room(plan.page_size);
  for (auto row = rows->begin(); row != rows->end(); ++row) {
    if (room.full()) {
      SetNextPage(plan, std::prev(row)->sort_key, std::prev(row)->id, response);
      break;
    }
    auto state = replication::ReadState(view, {kind.number, row->id});
    if (!state.ok()) return state.status();
    if (!state->has_value()) return absl::DataLossError("a record left the view that listed it");
    const std::unique_ptr<Message> content = schema.ToMessage(kind, **state);
    *response.add_records() = Show(plan, row->id, **state, *content);
    room.Take(*response.records().rbegin());
  }
  if (!plan.after.has_value()) {
    response.set_total_size(total);
    response.set_unreadable_records(static_cast<int64_t>(unread.rows));
  }
  return response;
}

}  // namespace

absl::StatusOr<LocalProgress> ReadProgress(const ReadView& view) {
  auto bytes = view.Get(storage::Table::kMeta, storage::kProgressKey);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return LocalProgress();
  return replication::DecodeProgress(**bytes);
}

absl::StatusOr<v1::Record> GetRecord(const Schema& schema, const ReadView& view,
                                     const v1::GetRecordRequest& request) {
  absl::StatusOr<NamedRecord> named = ParseRecordName(schema, request.name());
  if (!named.ok()) return named.status();
  auto state = replication::ReadState(view, named->key);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    absl::StatusOr<std::optional<v1::Record>> stub = StubRecord(schema, view, *named->kind, named->key.id);
    if (stub.ok() && stub->has_value()) return **std::move(stub);
    return WhyAbsent(schema, view, named->key, request.name());
  }
  const std::unique_ptr<google::protobuf::Message> content = schema.ToMessage(*named->kind, **state);
  v1::Record record = ToRecord(*named->kind, named->key.id, **state, *content);
  if (absl::Status status = AddReferences(schema, view, *named->kind, *content, record); !status.ok()) return status;
  return record;
}

absl::StatusOr<v1::ListRecordsResponse> ListRecords(const Schema& schema, const ReadView& view,
                                                    const v1::ListRecordsRequest& request) {
  absl::StatusOr<ListPlan> plan = MakePlan(schema, request);
  if (!plan.ok()) return plan.status();
  absl::StatusOr<v1::ListRecordsResponse> response =
      plan->order.empty() ? ListById(*plan, view) : ListInOrder(schema, *plan, view);
  if (response.ok() && !plan->after.has_value()) {
    const int64_t waiting = WaitingRecords(view, plan->search.kind().number);
    response->set_unreadable_records(response->unreadable_records() + waiting);
  }
  if (!plan->order.empty()) return response;
  if (!response.ok() || plan->after.has_value() || !plan->search.MatchesAll()) return response;
  absl::StatusOr<LocalProgress> progress = ReadProgress(view);
  if (!progress.ok()) return progress.status();
  const auto counts = progress->kinds.find(plan->search.kind().number);
  if (counts != progress->kinds.end()) {
    const uint64_t deleted = request.show_deleted() ? counts->second.deleted : 0;
    response->set_total_size(static_cast<int64_t>(counts->second.alive + deleted));
  }
  return response;
}

absl::StatusOr<v1::ListKindsResponse> ListKinds(const Schema& schema, const ReadView& view) {
  absl::StatusOr<LocalProgress> progress = ReadProgress(view);
  if (!progress.ok()) return progress.status();
  v1::ListKindsResponse response;
  for (const KindSchema& kind : schema.kinds()) {
    v1::KindInfo& info = *response.add_kinds();
    *info.mutable_kind() = kind.options;
    info.set_message_type(kind.descriptor->full_name());
    const auto counts = progress->kinds.find(kind.number);
    if (counts != progress->kinds.end()) {
      info.set_record_count(static_cast<int64_t>(counts->second.alive));
    }
  }
  return response;
}

}  // namespace maillage::server
