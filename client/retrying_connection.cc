#include "client/retrying_connection.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <utility>

#include "absl/time/clock.h"

namespace maillage::client {
namespace {

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// A write of unknown outcome is done at most once under its request id, so that sending it again settles it.
bool WriteMayPass(const absl::Status& status) { return MayPass(status) || absl::IsUnknown(status); }

std::function<double()> SeededUniform() {
  struct Source {
    std::mutex mutex;
    std::mt19937_64 engine{std::random_device{}()};
  };
  return [source = std::make_shared<Source>()] {
    const std::lock_guard lock(source->mutex);
    return std::uniform_real_distribution<double>(0, 1)(source->engine);
  };
}

class RetryingConnection : public Connection {
 public:
  RetryingConnection(std::shared_ptr<Connection> connection, RetryOptions options)
      : connection_(std::move(connection)), options_(std::move(options)) {
    if (!options_.sleep) options_.sleep = [](absl::Duration pause) { absl::SleepFor(pause); };
    if (!options_.uniform) options_.uniform = SeededUniform();
  }

  absl::StatusOr<v1::Record> GetRecord(const v1::GetRecordRequest& request) override {
    return Repeat([&] { return connection_->GetRecord(request); });
  }
  absl::StatusOr<v1::ListRecordsResponse> ListRecords(
      const v1::ListRecordsRequest& request) override {
    return Repeat([&] { return connection_->ListRecords(request); });
  }
  absl::StatusOr<v1::Record> CreateRecord(const v1::CreateRecordRequest& request) override {
    return RepeatWrite(request, [&] { return connection_->CreateRecord(request); });
  }
  absl::StatusOr<v1::Record> UpdateRecord(const v1::UpdateRecordRequest& request) override {
    return RepeatWrite(request, [&] { return connection_->UpdateRecord(request); });
  }
  absl::StatusOr<v1::Record> DeleteRecord(const v1::DeleteRecordRequest& request) override {
    return RepeatWrite(request, [&] { return connection_->DeleteRecord(request); });
  }
  absl::StatusOr<v1::Record> UndeleteRecord(const v1::UndeleteRecordRequest& request) override {
    return RepeatWrite(request, [&] { return connection_->UndeleteRecord(request); });
  }
  absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsertRecords(
      const v1::BatchUpsertRecordsRequest& request) override {
    return RepeatWrite(request, [&] { return connection_->BatchUpsertRecords(request); });
  }
  absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
      const v1::ListRecordChangesRequest& request) override {
    return Repeat([&] { return connection_->ListRecordChanges(request); });
  }
  absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) override {
    return Repeat([&] { return connection_->ListConflicts(request); });
  }
  absl::StatusOr<v1::ListKindsResponse> ListKinds(const v1::ListKindsRequest& request) override {
    return Repeat([&] { return connection_->ListKinds(request); });
  }
  absl::StatusOr<v1::NodeStatus> GetStatus(const v1::GetStatusRequest& request) override {
    return Repeat([&] { return connection_->GetStatus(request); });
  }
  absl::StatusOr<v1::ListPeersResponse> ListPeers(const v1::ListPeersRequest& request) override {
    return Repeat([&] { return connection_->ListPeers(request); });
  }
  absl::StatusOr<v1::RecordExplanation> ExplainRecord(const v1::ExplainRecordRequest& request) override {
    return Repeat([&] { return connection_->ExplainRecord(request); });
  }
  absl::StatusOr<v1::PeerStatus> PausePeer(const v1::PausePeerRequest& request) override {
    return Repeat([&] { return connection_->PausePeer(request); });
  }
  absl::StatusOr<v1::PeerStatus> ResumePeer(const v1::ResumePeerRequest& request) override {
    return Repeat([&] { return connection_->ResumePeer(request); });
  }
  absl::StatusOr<v1::PeerStatus> SyncPeer(const v1::SyncPeerRequest& request) override {
    return Repeat([&] { return connection_->SyncPeer(request); }, absl::IsUnavailable);
  }
  absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request) override {
    return Repeat([&] { return connection_->ListMembers(request); });
  }
  absl::StatusOr<v1::ListAuditEntriesResponse> ListAuditEntries(const v1::ListAuditEntriesRequest& request) override {
    return Repeat([&] { return connection_->ListAuditEntries(request); });
  }
  absl::StatusOr<v1::NoteExportResponse> NoteExport(const v1::NoteExportRequest& request) override {
    return Repeat([&] { return connection_->NoteExport(request); });
  }
  absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const v1::ListQuarantinedRequest& request) override {
    return Repeat([&] { return connection_->ListQuarantined(request); });
  }
  absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const v1::AdoptQuarantinedRequest& request) override {
    return connection_->AdoptQuarantined(request);
  }
  absl::StatusOr<v1::DropQuarantinedResponse> DropQuarantined(const v1::DropQuarantinedRequest& request) override {
    return connection_->DropQuarantined(request);
  }
  absl::StatusOr<v1::ListSitesResponse> ListSites(const v1::ListSitesRequest& request) override {
    return Repeat([&] { return connection_->ListSites(request); });
  }
  // Writing the same scope again writes nothing.
  absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(
      const v1::SetSiteScopeRequest& request) override {
    return Repeat([&] { return connection_->SetSiteScope(request); });
  }

  absl::Status Backup(const v1::BackupRequest& request,
                      const std::function<void(const v1::BackupProgress&)>& handler) override {
    return connection_->Backup(request, handler);
  }

  absl::Status Scrub(const v1::ScrubRequest& request,
                     const std::function<void(const v1::ScrubProgress&)>& handler) override {
    return connection_->Scrub(request, handler);
  }

  absl::Status ExportBundle(const v1::ExportBundleRequest& request,
                            const std::function<absl::Status(const v1::BundlePart&)>& handler) override {
    return connection_->ExportBundle(request, handler);
  }

  absl::Status ImportBundle(const std::function<std::optional<v1::BundlePart>()>& next,
                            const std::function<void(const v1::ImportBundleProgress&)>& handler) override {
    return connection_->ImportBundle(next, handler);
  }

  absl::Status WatchRecords(const v1::WatchRecordsRequest& request, absl::Time until,
                            const EventHandler& handler) override {
    v1::WatchRecordsRequest resumed = request;
    for (int attempt = 1;; ++attempt) {
      const absl::Status status =
          connection_->WatchRecords(resumed, until, [&](const v1::RecordEvent& event) {
            attempt = 1;
            resumed.set_after(event.position());
            return handler(event);
          });
      if (!MayPass(status) || attempt >= options_.max_attempts) return status;
      Pause(attempt);
    }
  }

 private:
  template <typename Call>
  std::invoke_result_t<Call> Repeat(Call call, bool (*may_pass)(const absl::Status&) = MayPass) {
    for (int attempt = 1;; ++attempt) {
      auto result = call();
      if (!may_pass(result.status()) || attempt >= options_.max_attempts) return result;
      Pause(attempt);
    }
  }

  template <typename Request, typename Call>
  std::invoke_result_t<Call> RepeatWrite(const Request& request, Call call) {
    if (request.context().request_id().empty()) return call();
    return Repeat(call, WriteMayPass);
  }

  void Pause(int attempt) {
    const absl::Duration bound =
        std::min(options_.max_backoff, options_.initial_backoff * std::ldexp(1.0, attempt - 1));
    options_.sleep(bound * options_.uniform());
  }

  const std::shared_ptr<Connection> connection_;
  RetryOptions options_;
};

}  // namespace

std::shared_ptr<Connection> MakeRetryingConnection(std::shared_ptr<Connection> connection,
                                                   RetryOptions options) {
  return std::make_shared<RetryingConnection>(std::move(connection), std::move(options));
}

}  // namespace maillage::client
