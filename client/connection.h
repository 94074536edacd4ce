// The RPCs of a node as plain calls: what the client library is built on, and what tests replace.
#ifndef MAILLAGE_CLIENT_CONNECTION_H_
#define MAILLAGE_CLIENT_CONNECTION_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin_service.pb.h"
#include "proto/audit_service.pb.h"
#include "proto/membership.pb.h"
#include "proto/quarantine_service.pb.h"
#include "proto/record_service.pb.h"
#include "proto/site_service.pb.h"
#include "proto/status_service.pb.h"

namespace maillage::client {

// Implementations are thread-safe. Every call returns the status that the node gave, with its
// message, or Unavailable where no node answers, DeadlineExceeded where it takes too long,
// Cancelled where the caller stops.
class Connection {
 public:
  // False ends the watch.
  using EventHandler = std::function<bool(const v1::RecordEvent&)>;

  virtual ~Connection() = default;

  virtual absl::StatusOr<v1::Record> GetRecord(const v1::GetRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::ListRecordsResponse> ListRecords(
      const v1::ListRecordsRequest& request) = 0;
  virtual absl::StatusOr<v1::Record> CreateRecord(const v1::CreateRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::Record> UpdateRecord(const v1::UpdateRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::Record> DeleteRecord(const v1::DeleteRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::Record> UndeleteRecord(const v1::UndeleteRecordRequest& request) = 0;
  virtual absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsertRecords(
      const v1::BatchUpsertRecordsRequest& request) = 0;
  // Calls `handler` on this thread for each event, in the feed's order. OK once the handler
  // returned false or `until` has come; InfiniteFuture watches until the connection is stopped.
  virtual absl::Status WatchRecords(const v1::WatchRecordsRequest& request, absl::Time until,
                                    const EventHandler& handler) = 0;
  virtual absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
      const v1::ListRecordChangesRequest& request) = 0;
  virtual absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) = 0;
  virtual absl::StatusOr<v1::ListKindsResponse> ListKinds(const v1::ListKindsRequest& request) = 0;

  virtual absl::StatusOr<v1::NodeStatus> GetStatus(const v1::GetStatusRequest& request) = 0;
  virtual absl::StatusOr<v1::ListPeersResponse> ListPeers(const v1::ListPeersRequest& request) = 0;
  virtual absl::StatusOr<v1::PeerStatus> PausePeer(const v1::PausePeerRequest& request) = 0;
  virtual absl::StatusOr<v1::PeerStatus> ResumePeer(const v1::ResumePeerRequest& request) = 0;
  virtual absl::StatusOr<v1::PeerStatus> SyncPeer(const v1::SyncPeerRequest& request) = 0;
  virtual absl::StatusOr<v1::RecordExplanation> ExplainRecord(const v1::ExplainRecordRequest& request) = 0;

  virtual absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request) = 0;
  virtual absl::StatusOr<v1::ListAuditEntriesResponse> ListAuditEntries(const v1::ListAuditEntriesRequest& request) = 0;
  virtual absl::StatusOr<v1::NoteExportResponse> NoteExport(const v1::NoteExportRequest& request) = 0;
  virtual absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const v1::ListQuarantinedRequest& request) = 0;
  // Never repeated: the second time there is nothing to take over.
  virtual absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const v1::AdoptQuarantinedRequest& request) = 0;
  virtual absl::StatusOr<v1::DropQuarantinedResponse> DropQuarantined(const v1::DropQuarantinedRequest& request) = 0;
  virtual absl::StatusOr<v1::ListSitesResponse> ListSites(const v1::ListSitesRequest& request) = 0;
  virtual absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(
      const v1::SetSiteScopeRequest& request) = 0;

  // Calls `handler` on this thread for each message. Never repeated: a second try would meet what the first one made.
  virtual absl::Status Backup(const v1::BackupRequest& request,
                              const std::function<void(const v1::BackupProgress&)>& handler) = 0;
  virtual absl::Status Scrub(const v1::ScrubRequest& request,
                             const std::function<void(const v1::ScrubProgress&)>& handler) = 0;
  // The handler's first error ends the call.
  virtual absl::Status ExportBundle(const v1::ExportBundleRequest& request,
                                    const std::function<absl::Status(const v1::BundlePart&)>& handler) = 0;
  // Sends what `next` gives until it gives nothing. OK with the outcome in the last message that `handler` got.
  virtual absl::Status ImportBundle(const std::function<std::optional<v1::BundlePart>()>& next,
                                    const std::function<void(const v1::ImportBundleProgress&)>& handler) = 0;
};

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_CONNECTION_H_
