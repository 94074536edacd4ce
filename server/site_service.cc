#include "server/site_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc_status.h"
#include "server/site_list.h"

namespace maillage::server {

grpc::ServerUnaryReactor* SiteService::ListSites(grpc::CallbackServerContext* context, const v1::ListSitesRequest*,
                                                 v1::ListSitesResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  writer_->Post([](replication::Replica&) {},
                [this, reactor, response](const absl::Status&) {
                  absl::StatusOr<v1::ListSitesResponse> sites = server::ListSites(*schema_, writer_->replica());
                  if (sites.ok()) *response = *std::move(sites);
                  reactor->Finish(ToGrpcStatus(sites.status()));
                });
  return reactor;
}

grpc::ServerUnaryReactor* SiteService::SetSiteScope(grpc::CallbackServerContext* context,
                                                    const v1::SetSiteScopeRequest* request,
                                                    v1::SetSiteScopeResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto outcome = std::make_shared<absl::Status>();
  writer_->Post(
      [this, request, response, outcome](replication::Replica& replica) {
        if (!request->validate_only()) *outcome = writer_->MayWrite();
        if (!outcome->ok()) return;
        absl::StatusOr<v1::SetSiteScopeResponse> set = server::SetSiteScope(*schema_, replica, *request);
        *outcome = set.status();
        if (set.ok()) *response = *std::move(set);
        if (set.ok() && !request->validate_only() && audit_ != nullptr) {
          audit_->Note(request->person(), "scope", request->site(),
                       absl::StrCat("tient ", response->after().scope(), ", tenait ", response->before().scope()));
        }
      },
      [outcome, reactor](const absl::Status& committed) {
        reactor->Finish(ToGrpcStatus(outcome->ok() ? committed : *outcome));
      });
  return reactor;
}

}  // namespace maillage::server
