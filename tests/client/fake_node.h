// A node in memory, for tests of the client: records with the semantics of a single writer, and the
// answers that a test prepares where a real node would merge.
#ifndef MAILLAGE_TESTS_CLIENT_FAKE_NODE_H_
#define MAILLAGE_TESTS_CLIENT_FAKE_NODE_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/connection.h"

namespace maillage::client::testing {

// Ids are 018f0000-0000-7000-8000-… by rank of creation, etags "e1", "e2", … by rank of the write,
// and times begin at kStart and go on by a minute a write. Not thread-safe.
class FakeNode : public Connection {
 public:
  // 23 November 2026, 13:02 UTC: 14:02 in Paris.
  static constexpr int64_t kStartSeconds = 1'795'438'920;

  // ---- What a test prepares ----

  // Given by the next calls, before anything else happens; for each call one, until none is left.
  std::deque<absl::Status> failures;
  v1::ScrubReport scrub;
  // What an export tells and holds, and what an import concludes.
  v1::BundlePart bundle;
  v1::BundleOutcome bundle_outcome;
  v1::RecordExplanation explanation;
  std::vector<v1::RecordConflict> conflicts;
  std::vector<v1::RecordEvent> events;
  v1::NodeStatus status;
  v1::PeerStatus peer;
  // Naming texts that BatchUpsertRecords refuses, with the reason "refusé pour l'essai" in the
  // field "siren".
  std::vector<std::string> refused_titles;
  int max_page_size = 1000;

  // ---- What a test looks at ----

  std::map<std::string, v1::Record> records;
  std::vector<v1::ListRecordsRequest> lists;
  std::vector<v1::UpdateRecordRequest> updates;
  std::vector<v1::DeleteRecordRequest> deletes;
  std::vector<v1::UndeleteRecordRequest> undeletes;
  std::vector<v1::BatchUpsertRecordsRequest> batches;
  std::vector<v1::WatchRecordsRequest> watches;
  std::vector<absl::Time> watch_ends;
  std::vector<v1::WriteContext> contexts;
  std::vector<std::string> peer_calls;
  std::vector<v1::SetSiteScopeRequest> scope_calls;
  std::vector<v1::ExportBundleRequest> bundle_calls;
  std::string imported;
  v1::ListSitesResponse sites;
  v1::ListMembersResponse members;
  v1::ListAuditEntriesResponse audit;
  v1::ListQuarantinedResponse quarantine;
  std::vector<std::string> adopted;
  std::vector<std::string> dropped;
  // As they were noted.
  std::vector<v1::NoteExportRequest> exports;
  v1::SetSiteScopeResponse scope_change;

  absl::StatusOr<v1::Record> GetRecord(const v1::GetRecordRequest& request) override;
  absl::StatusOr<v1::ListRecordsResponse> ListRecords(
      const v1::ListRecordsRequest& request) override;
  absl::StatusOr<v1::Record> CreateRecord(const v1::CreateRecordRequest& request) override;
  absl::StatusOr<v1::Record> UpdateRecord(const v1::UpdateRecordRequest& request) override;
  absl::StatusOr<v1::Record> DeleteRecord(const v1::DeleteRecordRequest& request) override;
  absl::StatusOr<v1::Record> UndeleteRecord(const v1::UndeleteRecordRequest& request) override;
  absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsertRecords(
      const v1::BatchUpsertRecordsRequest& request) override;
  absl::Status WatchRecords(const v1::WatchRecordsRequest& request, absl::Time until,
                            const EventHandler& handler) override;
  absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
      const v1::ListRecordChangesRequest& request) override;
  absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) override;
  absl::StatusOr<v1::ListKindsResponse> ListKinds(const v1::ListKindsRequest& request) override;
  absl::Status Backup(const v1::BackupRequest& request,
                      const std::function<void(const v1::BackupProgress&)>& handler) override;
  absl::Status Scrub(const v1::ScrubRequest& request,
                     const std::function<void(const v1::ScrubProgress&)>& handler) override;
  absl::Status ExportBundle(const v1::ExportBundleRequest& request,
                            const std::function<absl::Status(const v1::BundlePart&)>& handler) override;
  absl::Status ImportBundle(const std::function<std::optional<v1::BundlePart>()>& next,
                            const std::function<void(const v1::ImportBundleProgress&)>& handler) override;
  absl::StatusOr<v1::NodeStatus> GetStatus(const v1::GetStatusRequest& request) override;
  absl::StatusOr<v1::ListPeersResponse> ListPeers(const v1::ListPeersRequest& request) override;
  absl::StatusOr<v1::PeerStatus> PausePeer(const v1::PausePeerRequest& request) override;
  absl::StatusOr<v1::PeerStatus> ResumePeer(const v1::ResumePeerRequest& request) override;
  absl::StatusOr<v1::PeerStatus> SyncPeer(const v1::SyncPeerRequest& request) override;
  absl::StatusOr<v1::RecordExplanation> ExplainRecord(const v1::ExplainRecordRequest& request) override;
  absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request) override;
  absl::StatusOr<v1::ListAuditEntriesResponse> ListAuditEntries(const v1::ListAuditEntriesRequest& request) override;
  absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const v1::ListQuarantinedRequest& request) override;
  absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const v1::AdoptQuarantinedRequest& request) override;
  absl::StatusOr<v1::DropQuarantinedResponse> DropQuarantined(const v1::DropQuarantinedRequest& request) override;
  absl::StatusOr<v1::NoteExportResponse> NoteExport(const v1::NoteExportRequest& request) override;
  absl::StatusOr<v1::ListSitesResponse> ListSites(const v1::ListSitesRequest& request) override;
  absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(
      const v1::SetSiteScopeRequest& request) override;

 private:
  absl::Status NextFailure();
  // Takes the write into the record's history, gives it an etag and a time.
  void Commit(v1::Record& record, const v1::WriteContext& context, v1::FieldChange change);
  v1::UpsertResult Upsert(const std::string& kind, const google::protobuf::Any& content,
                          bool validate_only, const v1::WriteContext& context);
  absl::StatusOr<v1::Record*> Find(const std::string& name);

  int writes_ = 0;
  // Newest first.
  std::map<std::string, std::deque<v1::RecordChange>> history_;
};

}  // namespace maillage::client::testing

#endif  // MAILLAGE_TESTS_CLIENT_FAKE_NODE_H_
