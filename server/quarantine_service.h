// The gRPC adapter of QuarantineService.
#ifndef MAILLAGE_SERVER_QUARANTINE_SERVICE_H_
#define MAILLAGE_SERVER_QUARANTINE_SERVICE_H_

#include <functional>

#include "proto/quarantine_service.grpc.pb.h"
#include "replication/schema.h"
#include "server/audit_trail.h"
#include "server/writer.h"
#include "storage/store.h"

namespace maillage::server {

// Thread-safe.
class QuarantineService final : public v1::QuarantineService::CallbackService {
 public:
  // All must outlive the service.
  QuarantineService(Writer* writer, const storage::Store* store, const replication::Schema* schema, const AuditTrail* audit)
      : writer_(writer), store_(store), schema_(schema), audit_(audit) {}

  grpc::ServerUnaryReactor* ListQuarantined(grpc::CallbackServerContext* context, const v1::ListQuarantinedRequest* request,
                                            v1::ListQuarantinedResponse* response) override;
  grpc::ServerUnaryReactor* AdoptQuarantined(grpc::CallbackServerContext* context, const v1::AdoptQuarantinedRequest* request,
                                             v1::AdoptQuarantinedResponse* response) override;
  grpc::ServerUnaryReactor* DropQuarantined(grpc::CallbackServerContext* context, const v1::DropQuarantinedRequest* request,
                                            v1::DropQuarantinedResponse* response) override;

 private:
  // On the writer's thread, then an answer once it is on disk, and `noted` if it went well.
  grpc::ServerUnaryReactor* Write(grpc::CallbackServerContext* context, std::function<absl::Status(replication::Replica&)> step,
                                  std::function<void()> noted);

  Writer* const writer_;
  const storage::Store* const store_;
  const replication::Schema* const schema_;
  const AuditTrail* const audit_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_QUARANTINE_SERVICE_H_
