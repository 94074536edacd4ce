#include "client/client.h"

#include <iterator>

namespace maillage::client {

using google::protobuf::Message;

namespace {

// A range over the repeated field `items` of a paged call's response.
template <typename T, typename Request, typename Response>
PagedRange<T> Pages(std::shared_ptr<Connection> connection,
                    absl::StatusOr<Response> (Connection::*call)(const Request&), Request request,
                    google::protobuf::RepeatedPtrField<T>* (Response::*items)()) {
  return PagedRange<T>(
      [=](const std::string& token) mutable -> absl::StatusOr<typename PagedRange<T>::Page> {
        request.set_page_token(token);
        absl::StatusOr<Response> response = ((*connection).*call)(request);
        if (!response.ok()) return response.status();
        google::protobuf::RepeatedPtrField<T>& found = *((*response).*items)();
        typename PagedRange<T>::Page page{
            {std::make_move_iterator(found.begin()), std::make_move_iterator(found.end())},
            response->next_page_token()};
        if constexpr (requires { response->unreadable_records(); })
          page.unreadable = response->unreadable_records();
        return page;
      });
}

}  // namespace

v1::ListRecordsRequest ListRequest(std::string_view kind, const ListOptions& options) {
  v1::ListRecordsRequest request;
  request.set_kind(std::string(kind));
  request.set_filter(options.filter);
  request.set_order_by(options.order_by);
  request.set_search(options.search);
  request.set_show_deleted(options.show_deleted);
  request.set_page_size(options.page_size);
  for (const std::string& field : options.read_mask) request.mutable_read_mask()->add_paths(field);
  return request;
}

v1::WriteContext Client::NewContext() const {
  v1::WriteContext context;
  context.set_request_id(options_.request_id());
  context.set_person(options_.person);
  return context;
}

absl::StatusOr<v1::Record> Client::GetRecord(std::string_view name) {
  v1::GetRecordRequest request;
  request.set_name(std::string(name));
  return connection_->GetRecord(request);
}

PagedRange<v1::Record> Client::ListRecords(std::string_view kind, const ListOptions& options) {
  return Pages<v1::Record>(connection_, &Connection::ListRecords, ListRequest(kind, options),
                           &v1::ListRecordsResponse::mutable_records);
}

absl::StatusOr<v1::Record> Client::CreateRecord(const Message& content) {
  v1::CreateRecordRequest request;
  request.mutable_record()->mutable_content()->PackFrom(content);
  *request.mutable_context() = NewContext();
  return connection_->CreateRecord(request);
}

absl::StatusOr<v1::Record> Client::UpdateRecord(std::string_view name, const Message& content,
                                                const UpdateOptions& options) {
  v1::UpdateRecordRequest request;
  request.mutable_record()->set_name(std::string(name));
  request.mutable_record()->set_etag(options.etag);
  request.mutable_record()->mutable_content()->PackFrom(content);
  for (const std::string& field : options.mask) request.mutable_update_mask()->add_paths(field);
  if (options.additions != nullptr) request.mutable_additions()->PackFrom(*options.additions);
  if (options.removals != nullptr) request.mutable_removals()->PackFrom(*options.removals);
  *request.mutable_context() = NewContext();
  return connection_->UpdateRecord(request);
}

absl::StatusOr<v1::Record> Client::Delete(std::string_view name, std::string_view etag) {
  v1::DeleteRecordRequest request;
  request.set_name(std::string(name));
  request.set_etag(std::string(etag));
  *request.mutable_context() = NewContext();
  return connection_->DeleteRecord(request);
}

absl::StatusOr<v1::Record> Client::Undelete(std::string_view name, std::string_view etag) {
  v1::UndeleteRecordRequest request;
  request.set_name(std::string(name));
  request.set_etag(std::string(etag));
  *request.mutable_context() = NewContext();
  return connection_->UndeleteRecord(request);
}

absl::StatusOr<v1::BatchUpsertRecordsResponse> Client::BatchUpsert(
    std::string_view kind, const std::vector<const Message*>& content, bool validate_only) {
  v1::BatchUpsertRecordsRequest request;
  request.set_kind(std::string(kind));
  for (const Message* message : content) request.add_content()->PackFrom(*message);
  request.set_validate_only(validate_only);
  *request.mutable_context() = NewContext();
  return connection_->BatchUpsertRecords(request);
}

absl::Status Client::WatchRecords(std::string_view kind, std::optional<uint64_t> after,
                                  absl::Time until, const Connection::EventHandler& handler) {
  v1::WatchRecordsRequest request;
  request.set_kind(std::string(kind));
  if (after.has_value()) request.set_after(*after);
  return connection_->WatchRecords(request, until, handler);
}

PagedRange<v1::RecordChange> Client::History(std::string_view name) {
  v1::ListRecordChangesRequest request;
  request.set_name(std::string(name));
  return Pages<v1::RecordChange>(connection_, &Connection::ListRecordChanges, std::move(request),
                                 &v1::ListRecordChangesResponse::mutable_changes);
}

PagedRange<v1::RecordConflict> Client::Conflicts(std::string_view kind) {
  v1::ListConflictsRequest request;
  request.set_kind(std::string(kind));
  return Pages<v1::RecordConflict>(connection_, &Connection::ListConflicts, std::move(request),
                                   &v1::ListConflictsResponse::mutable_conflicts);
}

}  // namespace maillage::client
