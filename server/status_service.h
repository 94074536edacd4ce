// The gRPC adapter of StatusService: every call is a task on the writer's thread, where the links live.
#ifndef MAILLAGE_SERVER_STATUS_SERVICE_H_
#define MAILLAGE_SERVER_STATUS_SERVICE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/status_service.grpc.pb.h"
#include "replication/schema.h"
#include "server/peer_hub.h"
#include "server/recovery.h"
#include "server/writer.h"

namespace maillage::server {

// Thread-safe.
class StatusService final : public v1::StatusService::CallbackService {
 public:
  struct Facts {
    std::string site;
    uint64_t start_millis = 0;
    // Until when this site's certificate is valid, in milliseconds since 1970; empty: of no network.
    std::function<uint64_t()> certificate_until_millis = {};
    // What the node takes of its machine; on the writer's thread. May be empty.
    std::function<void(v1::NodeStatus&)> describe_machine = {};
  };

  // All pointers must outlive the service.
  StatusService(Writer* writer, PeerHub* hub, const Recovery* recovery, const replication::Schema* schema,
                Facts facts);

  // For who isn't a gRPC client. Unavailable, in French, where the writer doesn't answer within kStatusPatienceMillis. Not on its
  // thread.
  absl::StatusOr<v1::NodeStatus> Read() const;

  // What a report of this site adds to what the replica knows, links aside. On the writer's thread.
  v1::SiteFacts ReportFacts() const;

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::NodeStatus* response) override;
  grpc::ServerUnaryReactor* ListPeers(grpc::CallbackServerContext* context,
                                      const v1::ListPeersRequest* request,
                                      v1::ListPeersResponse* response) override;
  grpc::ServerUnaryReactor* PausePeer(grpc::CallbackServerContext* context,
                                      const v1::PausePeerRequest* request,
                                      v1::PeerStatus* response) override;
  grpc::ServerUnaryReactor* ResumePeer(grpc::CallbackServerContext* context,
                                       const v1::ResumePeerRequest* request,
                                       v1::PeerStatus* response) override;
  grpc::ServerUnaryReactor* SyncPeer(grpc::CallbackServerContext* context,
                                     const v1::SyncPeerRequest* request,
                                     v1::PeerStatus* response) override;
  grpc::ServerUnaryReactor* ExplainRecord(grpc::CallbackServerContext* context,
                                          const v1::ExplainRecordRequest* request,
                                          v1::RecordExplanation* response) override;

 private:
  void FillStatus(const replication::Replica& replica, v1::NodeStatus* status) const;
  grpc::Status FillPeer(const std::string& peer, v1::PeerStatus* response) const;
  using PeerCommand = absl::Status (*)(PeerHub& hub, const std::string& peer);
  // Runs `command` and answers with the peer's status after the commit.
  grpc::ServerUnaryReactor* Command(grpc::CallbackServerContext* context, const std::string& peer,
                                    v1::PeerStatus* response, PeerCommand command);

  Writer* const writer_;
  PeerHub* const hub_;
  const Recovery* const recovery_;
  const replication::Schema* const schema_;
  const Facts facts_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_STATUS_SERVICE_H_
