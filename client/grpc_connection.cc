#include "client/grpc_connection.h"

#include <thread>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "proto/admin_service.grpc.pb.h"
#include "proto/audit_service.grpc.pb.h"
#include "proto/quarantine_service.grpc.pb.h"
#include "proto/membership.grpc.pb.h"
#include "proto/record_service.grpc.pb.h"
#include "proto/site_service.grpc.pb.h"
#include "proto/status_service.grpc.pb.h"

namespace maillage::client {
namespace {

// A page of 1000 records of the largest size that a node accepts.
constexpr int kMaxMessageBytes = 64 << 20;
// A watch is silent for as long as nobody writes: only pings tell a quiet node from a dead link.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

// The two enumerations have the same numbers (both are google.rpc.Code).
absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // A proxy of the environment never leads to a node of one's own network.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

class GrpcConnection : public Connection {
 public:
  explicit GrpcConnection(GrpcConnectionOptions options)
      : options_(std::move(options)),
        channel_(Dial(options_.address)),
        records_(v1::RecordService::NewStub(channel_)),
        status_(v1::StatusService::NewStub(channel_)),
        admin_(v1::AdminService::NewStub(channel_)),
        sites_(v1::SiteService::NewStub(channel_)),
        trust_(v1::TrustService::NewStub(channel_)),
        audit_(v1::AuditService::NewStub(channel_)),
        quarantine_(v1::QuarantineService::NewStub(channel_)) {}

  absl::StatusOr<v1::Record> GetRecord(const v1::GetRecordRequest& request) override {
    return Call<v1::Record>(*records_, &Records::GetRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::ListRecordsResponse> ListRecords(
      const v1::ListRecordsRequest& request) override {
    return Call<v1::ListRecordsResponse>(*records_, &Records::ListRecords, request,
                                         options_.call_timeout);
  }
  absl::StatusOr<v1::Record> CreateRecord(const v1::CreateRecordRequest& request) override {
    return Call<v1::Record>(*records_, &Records::CreateRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::Record> UpdateRecord(const v1::UpdateRecordRequest& request) override {
    return Call<v1::Record>(*records_, &Records::UpdateRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::Record> DeleteRecord(const v1::DeleteRecordRequest& request) override {
    return Call<v1::Record>(*records_, &Records::DeleteRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::Record> UndeleteRecord(const v1::UndeleteRecordRequest& request) override {
    return Call<v1::Record>(*records_, &Records::UndeleteRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsertRecords(
      const v1::BatchUpsertRecordsRequest& request) override {
    return Call<v1::BatchUpsertRecordsResponse>(*records_, &Records::BatchUpsertRecords, request,
                                                options_.batch_timeout);
  }
  absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
      const v1::ListRecordChangesRequest& request) override {
    return Call<v1::ListRecordChangesResponse>(*records_, &Records::ListRecordChanges, request,
                                               options_.call_timeout);
  }
  absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) override {
    return Call<v1::ListConflictsResponse>(*records_, &Records::ListConflicts, request,
                                           options_.call_timeout);
  }
  absl::StatusOr<v1::ListKindsResponse> ListKinds(const v1::ListKindsRequest& request) override {
    return Call<v1::ListKindsResponse>(*records_, &Records::ListKinds, request,
                                       options_.call_timeout);
  }

  absl::StatusOr<v1::NodeStatus> GetStatus(const v1::GetStatusRequest& request) override {
    return Call<v1::NodeStatus>(*status_, &Status::GetStatus, request, options_.call_timeout);
  }
  absl::StatusOr<v1::ListPeersResponse> ListPeers(const v1::ListPeersRequest& request) override {
    return Call<v1::ListPeersResponse>(*status_, &Status::ListPeers, request,
                                       options_.call_timeout);
  }
  absl::StatusOr<v1::PeerStatus> PausePeer(const v1::PausePeerRequest& request) override {
    return Call<v1::PeerStatus>(*status_, &Status::PausePeer, request, options_.call_timeout);
  }
  absl::StatusOr<v1::PeerStatus> ResumePeer(const v1::ResumePeerRequest& request) override {
    return Call<v1::PeerStatus>(*status_, &Status::ResumePeer, request, options_.call_timeout);
  }
  absl::StatusOr<v1::PeerStatus> SyncPeer(const v1::SyncPeerRequest& request) override {
    return Call<v1::PeerStatus>(*status_, &Status::SyncPeer, request, options_.sync_timeout);
  }
  absl::StatusOr<v1::RecordExplanation> ExplainRecord(const v1::ExplainRecordRequest& request) override {
    return Call<v1::RecordExplanation>(*status_, &Status::ExplainRecord, request, options_.call_timeout);
  }
  absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request) override {
    return Call<v1::ListMembersResponse>(*trust_, &v1::TrustService::Stub::ListMembers, request,
                                         options_.call_timeout);
  }
  absl::StatusOr<v1::ListAuditEntriesResponse> ListAuditEntries(const v1::ListAuditEntriesRequest& request) override {
    return Call<v1::ListAuditEntriesResponse>(*audit_, &v1::AuditService::Stub::ListAuditEntries, request,
                                              options_.call_timeout);
  }
  absl::StatusOr<v1::NoteExportResponse> NoteExport(const v1::NoteExportRequest& request) override {
    return Call<v1::NoteExportResponse>(*audit_, &v1::AuditService::Stub::NoteExport, request, options_.call_timeout);
  }
  absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const v1::ListQuarantinedRequest& request) override {
    return Call<v1::ListQuarantinedResponse>(*quarantine_, &v1::QuarantineService::Stub::ListQuarantined, request,
                                             options_.call_timeout);
  }
  absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const v1::AdoptQuarantinedRequest& request) override {
    return Call<v1::AdoptQuarantinedResponse>(*quarantine_, &v1::QuarantineService::Stub::AdoptQuarantined, request,
                                              options_.call_timeout);
  }
  absl::StatusOr<v1::DropQuarantinedResponse> DropQuarantined(const v1::DropQuarantinedRequest& request) override {
    return Call<v1::DropQuarantinedResponse>(*quarantine_, &v1::QuarantineService::Stub::DropQuarantined, request,
                                             options_.call_timeout);
  }
  absl::StatusOr<v1::ListSitesResponse> ListSites(const v1::ListSitesRequest& request) override {
    return Call<v1::ListSitesResponse>(*sites_, &Sites::ListSites, request, options_.call_timeout);
  }
  absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(
      const v1::SetSiteScopeRequest& request) override {
    return Call<v1::SetSiteScopeResponse>(*sites_, &Sites::SetSiteScope, request,
                                          options_.call_timeout);
  }

  absl::Status WatchRecords(const v1::WatchRecordsRequest& request, absl::Time until,
                            const EventHandler& handler) override {
    grpc::ClientContext context;
    if (until != absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(until));
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    auto stream = records_->WatchRecords(&context, request);
    v1::RecordEvent event;
    bool wanted = true;
    while (wanted && stream->Read(&event)) wanted = handler(event);
    if (!wanted) context.TryCancel();
    const grpc::Status status = stream->Finish();
    const bool time_is_up = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
                            until != absl::InfiniteFuture();
    if (!wanted || time_is_up) return absl::OkStatus();
    return ToAbsl(status);
  }

  absl::Status Backup(const v1::BackupRequest& request,
                      const std::function<void(const v1::BackupProgress&)>& handler) override {
    grpc::ClientContext context;
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    const auto stream = admin_->Backup(&context, request);
    v1::BackupProgress progress;
    while (stream->Read(&progress)) handler(progress);
    return ToAbsl(stream->Finish());
  }

  absl::Status Scrub(const v1::ScrubRequest& request,
                     const std::function<void(const v1::ScrubProgress&)>& handler) override {
    grpc::ClientContext context;
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    const auto stream = admin_->Scrub(&context, request);
    v1::ScrubProgress progress;
    while (stream->Read(&progress)) handler(progress);
    return ToAbsl(stream->Finish());
  }

  absl::Status ExportBundle(const v1::ExportBundleRequest& request,
                            const std::function<absl::Status(const v1::BundlePart&)>& handler) override {
    grpc::ClientContext context;
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    const auto stream = admin_->ExportBundle(&context, request);
    v1::BundlePart part;
    absl::Status handled;
    while (handled.ok() && stream->Read(&part)) handled = handler(part);
    if (!handled.ok()) context.TryCancel();
    const grpc::Status status = stream->Finish();
    return handled.ok() ? ToAbsl(status) : handled;
  }

  // Written on a thread of its own: the node tells how far it is while it is sent more.
  absl::Status ImportBundle(const std::function<std::optional<v1::BundlePart>()>& next,
                            const std::function<void(const v1::ImportBundleProgress&)>& handler) override {
    grpc::ClientContext context;
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    const auto stream = admin_->ImportBundle(&context);
    const std::jthread writer([&] {
      for (std::optional<v1::BundlePart> part = next(); part.has_value(); part = next()) {
        if (!stream->Write(*part)) return;
      }
      stream->WritesDone();
    });
    v1::ImportBundleProgress progress;
    while (stream->Read(&progress)) handler(progress);
    return ToAbsl(stream->Finish());
  }

 private:
  using Records = v1::RecordService::Stub;
  using Status = v1::StatusService::Stub;
  using Sites = v1::SiteService::Stub;

  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    const std::stop_callback cancel(options_.stop, [&context] { context.TryCancel(); });
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return ToAbsl(status);
    return response;
  }

  const GrpcConnectionOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Records> records_;
  const std::unique_ptr<Status> status_;
  const std::unique_ptr<v1::AdminService::Stub> admin_;
  const std::unique_ptr<v1::SiteService::Stub> sites_;
  const std::unique_ptr<v1::TrustService::Stub> trust_;
  const std::unique_ptr<v1::AuditService::Stub> audit_;
  const std::unique_ptr<v1::QuarantineService::Stub> quarantine_;
};

}  // namespace

std::shared_ptr<Connection> MakeGrpcConnection(GrpcConnectionOptions options) {
  return std::make_shared<GrpcConnection>(std::move(options));
}

}  // namespace maillage::client
