#include "server/status_service.h"

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replication/byte_codec.h"
#include "replication/tuning.h"
#include "server/explain.h"
#include "server/fleet_status.h"
#include "server/grpc_status.h"
#include "server/peer_text.h"
#include "server/site_list.h"
#include "server/tuning.h"
#include "storage/keys.h"

#ifndef MAILLAGE_VERSION
#error "the build defines MAILLAGE_VERSION"
#endif

namespace maillage::server {
namespace {

// Of the last backup; 0: there is none.
uint64_t BackupMillis(const replication::Replica& replica) {
  const auto backup = replica.store().Get(storage::Table::kMeta, storage::kBackupKey);
  return backup.ok() && backup->has_value() ? replication::ByteReader(**backup).Fixed64() : 0;
}

}  // namespace

StatusService::StatusService(Writer* writer, PeerHub* hub, const Recovery* recovery,
                             const replication::Schema* schema, Facts facts)
    : writer_(writer), hub_(hub), recovery_(recovery), schema_(schema), facts_(std::move(facts)) {}

void StatusService::FillStatus(const replication::Replica& replica, v1::NodeStatus* status) const {
  const replication::LocalIdentity& identity = replica.identity();
  const replication::LocalProgress& progress = replica.progress();
  status->set_site(facts_.site);
  status->set_site_id(FormatSiteId(identity.site));
  status->set_incarnation(absl::StrFormat("%016x", identity.incarnation));
  status->set_version(MAILLAGE_VERSION);
  SetMillis(facts_.start_millis, status->mutable_start_time());
  for (const auto& [kind, counts] : progress.kinds) {
    v1::KindCount* count = status->add_kinds();
    count->set_kind(KindName(*schema_, kind));
    count->set_records(static_cast<int64_t>(counts.alive));
    count->set_deleted(static_cast<int64_t>(counts.deleted));
  }
  status->set_root(absl::BytesToHexString(replica.tree().Digest()));
  for (const auto& [partition, sum] : replica.tree().Partitions()) {
    v1::PartitionRoot* root = status->add_partitions();
    root->set_kind(KindName(*schema_, partition.kind));
    root->set_territory(partition.territory);
    root->set_records(static_cast<int64_t>(sum.count));
    root->set_root(absl::BytesToHexString(sum.sum.ToBytes()));
  }
  status->set_feed_head(progress.feed_head);
  status->set_conflicts(static_cast<int64_t>(progress.conflicts));
  status->set_quarantined(static_cast<int64_t>(progress.quarantined));
  status->set_changes_from_the_future(static_cast<int64_t>(progress.changes_from_the_future));
  status->set_renewals(identity.renewals);
  const replication::ContinuityNote& note = replica.continuity_note();
  if (note.millis > 0) SetMillis(note.millis, status->mutable_renewal_time());
  status->set_renewal_reason(ContinuityText(note));
  status->set_renamed_changes(note.renamed);
  for (v1::PeerStatus& peer : hub_->Status()) *status->add_peers() = std::move(peer);
  recovery_->Describe(*status);
  status->set_reconciling_sessions(hub_->reconciling());
  status->set_waiting_sessions(hub_->waiting());
  status->set_unreadable_records(hub_->unreadable_records());
  status->set_store_damage(replica.damage().empty() ? replica.store().KnownDamage() : replica.damage());
  status->set_waiting_records(replica.lost().size());
  status->set_scope(ScopeText(*schema_, replica.scope()));
  status->set_leaving_records(replica.leaving());
  status->set_network(replica.membership()->network_name());
  if (facts_.certificate_until_millis) {
    SetMillis(facts_.certificate_until_millis(), status->mutable_certificate_expire_time());
  }
  if (const uint64_t backup = BackupMillis(replica); backup > 0) SetMillis(backup, status->mutable_backup_time());
  if (facts_.describe_machine) facts_.describe_machine(*status);
  if (replica.complete_millis() > 0) SetMillis(replica.complete_millis(), status->mutable_territory_complete_time());
  DescribeFleet(*schema_, replica, *hub_, *status);
}

v1::SiteFacts StatusService::ReportFacts() const {
  v1::NodeStatus status;
  recovery_->Describe(status);
  if (facts_.describe_machine) facts_.describe_machine(status);
  v1::SiteFacts facts;
  facts.set_version(MAILLAGE_VERSION);
  facts.set_schema(replication::kSchemaVersion);
  facts.set_start_time(facts_.start_millis);
  facts.set_backup_time(BackupMillis(writer_->replica()));
  if (facts_.certificate_until_millis) facts.set_certificate_time(facts_.certificate_until_millis());
  facts.set_disk_bytes(status.disk_bytes());
  facts.set_free_disk_bytes(status.free_disk_bytes());
  facts.set_read_only_reason(status.read_only_reason());
  return facts;
}

absl::StatusOr<v1::NodeStatus> StatusService::Read() const {
  // Outlives this call, should the writer answer later.
  auto answer = std::make_shared<std::promise<v1::NodeStatus>>();
  std::future<v1::NodeStatus> told = answer->get_future();
  writer_->Post([](replication::Replica&) {},
                [this, answer](const absl::Status&) {
                  v1::NodeStatus status;
                  FillStatus(writer_->replica(), &status);
                  answer->set_value(std::move(status));
                });
  if (told.wait_for(std::chrono::milliseconds(kStatusPatienceMillis)) == std::future_status::ready) return told.get();
  return absl::UnavailableError(absl::StrCat("le nœud ne répond pas depuis ", kStatusPatienceMillis / 1000,
                                             " s : le disque est-il bloqué ?"));
}

grpc::ServerUnaryReactor* StatusService::GetStatus(grpc::CallbackServerContext* context,
                                                   const v1::GetStatusRequest*,
                                                   v1::NodeStatus* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // After the batch's commit, so that roots, counts and positions are of one moment.
  writer_->Post([](replication::Replica&) {},
                [this, reactor, response](const absl::Status&) {
                  FillStatus(writer_->replica(), response);
                  reactor->Finish(grpc::Status::OK);
                });
  return reactor;
}

grpc::ServerUnaryReactor* StatusService::ListPeers(grpc::CallbackServerContext* context,
                                                   const v1::ListPeersRequest*,
                                                   v1::ListPeersResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  writer_->Post([](replication::Replica&) {},
                [this, reactor, response](const absl::Status&) {
                  for (v1::PeerStatus& peer : hub_->Status()) *response->add_peers() = std::move(peer);
                  reactor->Finish(grpc::Status::OK);
                });
  return reactor;
}

grpc::Status StatusService::FillPeer(const std::string& peer, v1::PeerStatus* response) const {
  absl::StatusOr<v1::PeerStatus> status = hub_->Status(peer);
  if (!status.ok()) return ToGrpcStatus(status.status());
  *response = *std::move(status);
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* StatusService::Command(grpc::CallbackServerContext* context,
                                                 const std::string& peer, v1::PeerStatus* response,
                                                 PeerCommand command) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto outcome = std::make_shared<absl::Status>();
  writer_->Post(
      [this, outcome, peer, command](replication::Replica&) {
        *outcome = writer_->MayWrite();
        if (outcome->ok()) *outcome = command(*hub_, peer);
      },
                [this, outcome, peer, reactor, response](const absl::Status& committed) {
                  if (outcome->ok()) *outcome = committed;
                  reactor->Finish(outcome->ok() ? FillPeer(peer, response) : ToGrpcStatus(*outcome));
                });
  return reactor;
}

grpc::ServerUnaryReactor* StatusService::PausePeer(grpc::CallbackServerContext* context,
                                                   const v1::PausePeerRequest* request,
                                                   v1::PeerStatus* response) {
  return Command(context, request->peer(), response,
                 [](PeerHub& hub, const std::string& peer) { return hub.Pause(peer); });
}

grpc::ServerUnaryReactor* StatusService::ResumePeer(grpc::CallbackServerContext* context,
                                                    const v1::ResumePeerRequest* request,
                                                    v1::PeerStatus* response) {
  return Command(context, request->peer(), response,
                 [](PeerHub& hub, const std::string& peer) { return hub.Resume(peer); });
}

grpc::ServerUnaryReactor* StatusService::SyncPeer(grpc::CallbackServerContext* context,
                                                  const v1::SyncPeerRequest* request,
                                                  v1::PeerStatus* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string peer = request->peer();
  writer_->Post(
      [this, peer, reactor, response](replication::Replica&) {
        hub_->Sync(peer, [this, peer, reactor, response](const absl::Status& outcome) {
          reactor->Finish(outcome.ok() ? FillPeer(peer, response) : ToGrpcStatus(outcome));
        });
      },
      nullptr);
  return reactor;
}

grpc::ServerUnaryReactor* StatusService::ExplainRecord(grpc::CallbackServerContext* context,
                                                       const v1::ExplainRecordRequest* request,
                                                       v1::RecordExplanation* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string name = request->name();
  writer_->Post([](replication::Replica&) {},
                [this, name, reactor, response](const absl::Status&) {
                  absl::StatusOr<v1::RecordExplanation> explained =
                      server::ExplainRecord(*schema_, writer_->replica(), hub_->Status(), name);
                  if (explained.ok()) *response = *std::move(explained);
                  reactor->Finish(ToGrpcStatus(explained.status()));
                });
  return reactor;
}

}  // namespace maillage::server
