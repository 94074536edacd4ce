#include "server/audit_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "server/grpc_status.h"

namespace maillage::server {
namespace {

// Some hundred bytes each: an answer stays below what a message may be.
constexpr size_t kMostEntries = 10'000;

v1::AuditLogEntry Tell(const AuditEntry& entry) {
  v1::AuditLogEntry told;
  told.set_number(entry.number);
  *told.mutable_time() =
      google::protobuf::util::TimeUtil::MillisecondsToTimestamp(static_cast<int64_t>(entry.event.millis));
  told.set_person(entry.event.person);
  told.set_action(entry.event.action);
  told.set_subject(entry.event.subject);
  told.set_detail(entry.event.detail);
  told.set_hash(entry.hash);
  return told;
}

}  // namespace

grpc::ServerUnaryReactor* AuditService::ListAuditEntries(grpc::CallbackServerContext* context,
                                                         const v1::ListAuditEntriesRequest* request,
                                                         v1::ListAuditEntriesResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::StatusOr<AuditContents> contents = trail_->log().Read();
  if (contents.ok()) {
    const size_t total = contents->entries.size();
    const size_t wanted = request->last() == 0 ? kMostEntries : std::min<size_t>(request->last(), kMostEntries);
    for (size_t i = total - std::min(wanted, total); i < total; ++i) *response->add_entries() = Tell(contents->entries[i]);
    response->set_damage(contents->damage);
    response->set_total(total);
  }
  reactor->Finish(ToGrpcStatus(contents.status()));
  return reactor;
}

grpc::ServerUnaryReactor* AuditService::NoteExport(grpc::CallbackServerContext* context,
                                                   const v1::NoteExportRequest* request, v1::NoteExportResponse*) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  trail_->Note(request->person(), "export", request->where(), request->what());
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace maillage::server
