// RecordService over gRPC: a thin adapter. Reads run on a snapshot in gRPC's thread; writes go to
// the writer and are answered once they are on disk.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_SERVICE_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_SERVICE_H_

#include "proto/record_service.grpc.pb.h"
#include "replication/schema.h"
#include "server/records/watchers.h"
#include "server/writer.h"
#include "storage/store.h"

namespace maillage::server {

// Thread-safe. A write whose commit failed is answered UNKNOWN: it may be there after a restart,
// and its retry with the same request id finds out.
class RecordService final : public v1::RecordService::CallbackService {
 public:
  // All must outlive the service; it must outlive the gRPC server.
  RecordService(const replication::Schema* schema, const storage::Store* store, Writer* writer);

  // Ends the watches with UNAVAILABLE. To be called before the gRPC server's Shutdown, which would
  // wait for them, and before the writer's Stop. Idempotent.
  void Shutdown();

  grpc::ServerUnaryReactor* GetRecord(grpc::CallbackServerContext* context,
                                      const v1::GetRecordRequest* request,
                                      v1::Record* response) override;
  grpc::ServerUnaryReactor* ListRecords(grpc::CallbackServerContext* context,
                                        const v1::ListRecordsRequest* request,
                                        v1::ListRecordsResponse* response) override;
  grpc::ServerUnaryReactor* ListRecordChanges(grpc::CallbackServerContext* context,
                                              const v1::ListRecordChangesRequest* request,
                                              v1::ListRecordChangesResponse* response) override;
  grpc::ServerUnaryReactor* ListConflicts(grpc::CallbackServerContext* context,
                                          const v1::ListConflictsRequest* request,
                                          v1::ListConflictsResponse* response) override;
  grpc::ServerUnaryReactor* ListKinds(grpc::CallbackServerContext* context,
                                      const v1::ListKindsRequest* request,
                                      v1::ListKindsResponse* response) override;

  grpc::ServerUnaryReactor* CreateRecord(grpc::CallbackServerContext* context,
                                         const v1::CreateRecordRequest* request,
                                         v1::Record* response) override;
  grpc::ServerUnaryReactor* UpdateRecord(grpc::CallbackServerContext* context,
                                         const v1::UpdateRecordRequest* request,
                                         v1::Record* response) override;
  grpc::ServerUnaryReactor* DeleteRecord(grpc::CallbackServerContext* context,
                                         const v1::DeleteRecordRequest* request,
                                         v1::Record* response) override;
  grpc::ServerUnaryReactor* UndeleteRecord(grpc::CallbackServerContext* context,
                                           const v1::UndeleteRecordRequest* request,
                                           v1::Record* response) override;
  grpc::ServerUnaryReactor* BatchUpsertRecords(grpc::CallbackServerContext* context,
                                               const v1::BatchUpsertRecordsRequest* request,
                                               v1::BatchUpsertRecordsResponse* response) override;

  grpc::ServerWriteReactor<v1::RecordEvent>* WatchRecords(
      grpc::CallbackServerContext* context, const v1::WatchRecordsRequest* request) override;

 private:
  const replication::Schema* const schema_;
  const storage::Store* const store_;
  Writer* const writer_;
  Watchers watchers_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_SERVICE_H_
