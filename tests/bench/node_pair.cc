#include "tests/bench/node_pair.h"

#include <chrono>
#include <utility>
#include <vector>

#include "proto/status_service.grpc.pb.h"
#include "server/config.h"
#include "tests/bench/raw_grpc.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

// Of one call; a node gives up on its own before.
constexpr std::chrono::seconds kCallDeadline(120);
constexpr int kMostCalls = 30;

std::unique_ptr<server::Node> StartNode(const std::string& name, const std::string& folder,
                                        std::vector<std::string> peers) {
  server::Config config;
  config.site = name;
  config.data = folder;
  config.listen = "127.0.0.1:0";
  config.peers = std::move(peers);
  return Must(server::Node::Start(config));
}

// Members talk to clients over nothing else.
std::string SocketIn(const std::string& folder) { return "unix:" + folder + "/" + server::kSocketFile; }

std::string RootOf(const std::string& address) {
  const auto stub = v1::StatusService::NewStub(NewChannel(address));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  v1::NodeStatus status;
  const grpc::Status called = stub->GetStatus(&context, {}, &status);
  if (!called.ok()) Die("GetStatus : " + called.error_message());
  return status.root();
}

// Returns once the node agrees with its peer, however many calls that takes.
v1::PeerStatus AwaitAgreement(const std::string& address, const std::string& peer) {
  const auto stub = v1::StatusService::NewStub(NewChannel(address));
  v1::SyncPeerRequest request;
  request.set_peer(peer);
  grpc::Status called;
  for (int call = 0; call < kMostCalls; ++call) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    v1::PeerStatus status;
    called = stub->SyncPeer(&context, request, &status);
    if (called.ok()) return status;
    if (called.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) break;
  }
  Die("SyncPeer : " + called.error_message());
}

}  // namespace

NodePair::NodePair(const std::string& first_folder, std::string second_folder)
    : first_folder_(first_folder), second_folder_(std::move(second_folder)), first_(StartNode("lyon", first_folder, {})) {}

NodePair::~NodePair() = default;

void NodePair::Connect() {
  second_ = StartNode("savoie", second_folder_, {first_address()});
  const v1::PeerStatus peer = AwaitAgreement(SocketIn(second_folder_), first_address());
  wire_bytes_ = peer.bytes_sent() + peer.bytes_received();
  if (RootOf(SocketIn(first_folder_)) != RootOf(SocketIn(second_folder_))) Die("two nodes agree and differ");
}

}  // namespace maillage::bench
