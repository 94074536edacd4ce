// The gRPC adapter of SiteService: who there is, and what each holds.
#ifndef MAILLAGE_SERVER_SITE_SERVICE_H_
#define MAILLAGE_SERVER_SITE_SERVICE_H_

#include "proto/site_service.grpc.pb.h"
#include "replication/schema.h"
#include "server/audit_trail.h"
#include "server/writer.h"

namespace maillage::server {

// Thread-safe.
class SiteService final : public v1::SiteService::CallbackService {
 public:
  // Both must outlive the service.
  // All must outlive the service; `audit` may be null.
  SiteService(Writer* writer, const replication::Schema* schema, const AuditTrail* audit)
      : writer_(writer), schema_(schema), audit_(audit) {}

  grpc::ServerUnaryReactor* ListSites(grpc::CallbackServerContext* context, const v1::ListSitesRequest* request,
                                      v1::ListSitesResponse* response) override;
  grpc::ServerUnaryReactor* SetSiteScope(grpc::CallbackServerContext* context,
                                         const v1::SetSiteScopeRequest* request,
                                         v1::SetSiteScopeResponse* response) override;

 private:
  Writer* const writer_;
  const replication::Schema* const schema_;
  const AuditTrail* const audit_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SITE_SERVICE_H_
