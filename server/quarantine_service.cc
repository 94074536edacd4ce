#include "server/quarantine_service.h"

#include <memory>
#include <utility>

#include "server/grpc_status.h"
#include "server/quarantine.h"

namespace maillage::server {

grpc::ServerUnaryReactor* QuarantineService::Write(grpc::CallbackServerContext* context,
                                                   std::function<absl::Status(replication::Replica&)> step,
                                                   std::function<void()> noted) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto outcome = std::make_shared<absl::Status>();
  writer_->Post(
      [this, step = std::move(step), outcome](replication::Replica& replica) {
        *outcome = writer_->MayWrite();
        if (outcome->ok()) *outcome = step(replica);
      },
      [outcome, reactor, noted = std::move(noted)](const absl::Status& committed) {
        const absl::Status& status = outcome->ok() ? committed : *outcome;
        if (status.ok()) noted();
        reactor->Finish(ToGrpcStatus(status));
      });
  return reactor;
}

grpc::ServerUnaryReactor* QuarantineService::ListQuarantined(grpc::CallbackServerContext* context,
                                                             const v1::ListQuarantinedRequest* request,
                                                             v1::ListQuarantinedResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<v1::ListQuarantinedResponse> listed = server::ListQuarantined(*schema_, *store_->Snapshot(), *request);
  if (listed.ok()) *response = *std::move(listed);
  reactor->Finish(ToGrpcStatus(listed.status()));
  return reactor;
}

grpc::ServerUnaryReactor* QuarantineService::AdoptQuarantined(grpc::CallbackServerContext* context,
                                                              const v1::AdoptQuarantinedRequest* request,
                                                              v1::AdoptQuarantinedResponse* response) {
  return Write(
      context,
      [this, request, response](replication::Replica& replica) {
        absl::StatusOr<v1::AdoptQuarantinedResponse> adopted = server::AdoptQuarantined(*schema_, replica, *request);
        if (adopted.ok()) *response = *std::move(adopted);
        return adopted.status();
      },
      [this, request, response] {
        audit_->Note(request->person(), "adopted", response->record().name(), request->id());
      });
}

grpc::ServerUnaryReactor* QuarantineService::DropQuarantined(grpc::CallbackServerContext* context,
                                                             const v1::DropQuarantinedRequest* request,
                                                             v1::DropQuarantinedResponse*) {
  return Write(
      context, [request](replication::Replica& replica) { return server::DropQuarantined(replica, request->id()); },
      [this, request] { audit_->Note(request->person(), "dropped", request->id(), "retiré de la quarantaine"); });
}

}  // namespace maillage::server
