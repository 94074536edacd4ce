// TrustService: who belongs to the network, and certificates for members.
#ifndef MAILLAGE_SERVER_TRUST_TRUST_SERVICE_H_
#define MAILLAGE_SERVER_TRUST_TRUST_SERVICE_H_

#include "grpcpp/grpcpp.h"
#include "proto/membership.grpc.pb.h"
#include "server/trust/site_trust.h"
#include "server/writer.h"

namespace maillage::server {

// Thread-safe.
class TrustService final : public v1::TrustService::CallbackService {
 public:
  // Both must outlive the service; `trust` is null where the node belongs to no network.
  TrustService(Writer* writer, SiteTrust* trust) : writer_(writer), trust_(trust) {}

  grpc::ServerUnaryReactor* ListMembers(grpc::CallbackServerContext* context, const v1::ListMembersRequest* request,
                                        v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* GetMembershipLog(grpc::CallbackServerContext* context,
                                             const v1::GetMembershipLogRequest* request,
                                             v1::MembershipLog* response) override;
  grpc::ServerUnaryReactor* AddMembershipEntries(grpc::CallbackServerContext* context,
                                                 const v1::MembershipLog* request,
                                                 v1::AddMembershipEntriesResponse* response) override;
  grpc::ServerUnaryReactor* DescribeLastValid(grpc::CallbackServerContext* context,
                                              const v1::DescribeLastValidRequest* request,
                                              v1::DescribeLastValidResponse* response) override;
  grpc::ServerUnaryReactor* RenewCertificate(grpc::CallbackServerContext* context,
                                             const v1::RenewCertificateRequest* request,
                                             v1::RenewCertificateResponse* response) override;

 private:
  Writer* const writer_;
  SiteTrust* const trust_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_TRUST_SERVICE_H_
