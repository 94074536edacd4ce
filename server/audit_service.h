// The gRPC adapter of AuditService: the audit log read, and exports noted.
#ifndef MAILLAGE_SERVER_AUDIT_SERVICE_H_
#define MAILLAGE_SERVER_AUDIT_SERVICE_H_

#include "proto/audit_service.grpc.pb.h"
#include "server/audit_trail.h"

namespace maillage::server {

// Thread-safe.
class AuditService final : public v1::AuditService::CallbackService {
 public:
  // The trail must outlive the service.
  explicit AuditService(const AuditTrail* trail) : trail_(trail) {}

  grpc::ServerUnaryReactor* ListAuditEntries(grpc::CallbackServerContext* context,
                                             const v1::ListAuditEntriesRequest* request,
                                             v1::ListAuditEntriesResponse* response) override;
  grpc::ServerUnaryReactor* NoteExport(grpc::CallbackServerContext* context, const v1::NoteExportRequest* request,
                                       v1::NoteExportResponse* response) override;

 private:
  const AuditTrail* const trail_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_AUDIT_SERVICE_H_
