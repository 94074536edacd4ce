#include "server/records/record_service.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "server/grpc_status.h"
#include "server/records/batch_upsert.h"
#include "server/records/conflicts.h"
#include "server/records/history.h"
#include "server/records/record_lister.h"
#include "server/records/record_writer.h"

namespace maillage::server {

using replication::Replica;
using replication::Schema;
using storage::ReadView;

namespace {

// What a write found out on the writer's thread, before its commit.
template <typename Response>
grpc::Status Answer(absl::StatusOr<Response> result, const absl::Status& committed,
                    Response* response) {
  // A task that never ran.
  if (absl::IsUnavailable(committed)) return ToGrpcStatus(committed);
  // A refusal wrote nothing, whatever became of the batch.
  if (!result.ok()) return ToGrpcStatus(result.status());
  if (!committed.ok()) {
    return {
        grpc::StatusCode::UNKNOWN,
        "issue inconnue\u00A0: le disque n'a pas confirmé l'écriture, qui est peut-être faite\u00A0; renvoyer la "
        "même demande avec le même request_id, le nœud n'en fera qu'une seule modification"};
  }
  *response = *std::move(result);
  return grpc::Status::OK;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* Read(absl::StatusOr<Response> (*read)(const Schema&, const ReadView&,
                                                                const Request&),
                               const Schema& schema, const storage::Store& store,
                               grpc::CallbackServerContext* context, const Request& request,
                               Response* response) {
  const std::unique_ptr<ReadView> view = store.Snapshot();
  absl::StatusOr<Response> result = read(schema, *view, request);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (result.ok()) *response = *std::move(result);
  reactor->Finish(ToGrpcStatus(result.status()));
  return reactor;
}

// gRPC keeps request and response until Finish.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Write(absl::StatusOr<Response> (*write)(const Schema&, Replica&,
                                                                  const Request&),
                                const Schema& schema, Writer& writer,
                                grpc::CallbackServerContext* context, const Request* request,
                                Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto result = std::make_shared<absl::StatusOr<Response>>(absl::UnknownError("not run"));
  writer.Post(
      [=, &schema, &writer](Replica& replica) {
        const absl::Status may_write = writer.MayWrite();
        *result = may_write.ok() ? write(schema, replica, *request) : may_write;
      },
              [=](const absl::Status& committed) {
                reactor->Finish(Answer(std::move(*result), committed, response));
              });
  return reactor;
}

// ListKinds has nothing to ask.
absl::StatusOr<v1::ListKindsResponse> ReadKinds(const Schema& schema, const ReadView& view,
                                                const v1::ListKindsRequest&) {
  return ListKinds(schema, view);
}

}  // namespace

RecordService::RecordService(const Schema* schema, const storage::Store* store, Writer* writer)
    : schema_(schema), store_(store), writer_(writer), watchers_(schema, store, writer) {}

void RecordService::Shutdown() { watchers_.Shutdown(); }

grpc::ServerUnaryReactor* RecordService::GetRecord(grpc::CallbackServerContext* context,
                                                   const v1::GetRecordRequest* request,
                                                   v1::Record* response) {
  return Read(&server::GetRecord, *schema_, *store_, context, *request, response);
}

grpc::ServerUnaryReactor* RecordService::ListRecords(grpc::CallbackServerContext* context,
                                                     const v1::ListRecordsRequest* request,
                                                     v1::ListRecordsResponse* response) {
  return Read(&server::ListRecords, *schema_, *store_, context, *request, response);
}

grpc::ServerUnaryReactor* RecordService::ListRecordChanges(
    grpc::CallbackServerContext* context, const v1::ListRecordChangesRequest* request,
    v1::ListRecordChangesResponse* response) {
  return Read(&server::ListRecordChanges, *schema_, *store_, context, *request, response);
}

grpc::ServerUnaryReactor* RecordService::ListConflicts(grpc::CallbackServerContext* context,
                                                       const v1::ListConflictsRequest* request,
                                                       v1::ListConflictsResponse* response) {
  return Read(&server::ListConflicts, *schema_, *store_, context, *request, response);
}

grpc::ServerUnaryReactor* RecordService::ListKinds(grpc::CallbackServerContext* context,
                                                   const v1::ListKindsRequest* request,
                                                   v1::ListKindsResponse* response) {
  return Read(&ReadKinds, *schema_, *store_, context, *request, response);
}

grpc::ServerUnaryReactor* RecordService::CreateRecord(grpc::CallbackServerContext* context,
                                                      const v1::CreateRecordRequest* request,
                                                      v1::Record* response) {
  return Write(&server::CreateRecord, *schema_, *writer_, context, request, response);
}

grpc::ServerUnaryReactor* RecordService::UpdateRecord(grpc::CallbackServerContext* context,
                                                      const v1::UpdateRecordRequest* request,
                                                      v1::Record* response) {
  return Write(&server::UpdateRecord, *schema_, *writer_, context, request, response);
}

grpc::ServerUnaryReactor* RecordService::DeleteRecord(grpc::CallbackServerContext* context,
                                                      const v1::DeleteRecordRequest* request,
                                                      v1::Record* response) {
  return Write(&server::DeleteRecord, *schema_, *writer_, context, request, response);
}

grpc::ServerUnaryReactor* RecordService::UndeleteRecord(grpc::CallbackServerContext* context,
                                                        const v1::UndeleteRecordRequest* request,
                                                        v1::Record* response) {
  return Write(&server::UndeleteRecord, *schema_, *writer_, context, request, response);
}

grpc::ServerUnaryReactor* RecordService::BatchUpsertRecords(
    grpc::CallbackServerContext* context, const v1::BatchUpsertRecordsRequest* request,
    v1::BatchUpsertRecordsResponse* response) {
  return Write(&BatchUpsert, *schema_, *writer_, context, request, response);
}

grpc::ServerWriteReactor<v1::RecordEvent>* RecordService::WatchRecords(
    grpc::CallbackServerContext* context, const v1::WatchRecordsRequest* request) {
  return watchers_.Watch(context, *request);
}

}  // namespace maillage::server
