// Real nodes in one process: real stores, real sockets on loopback, real gRPC.
#include "server/node.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "proto/record_service.grpc.pb.h"
#include "proto/records.pb.h"
#include "proto/status_service.grpc.pb.h"
#include "server/tuning.h"
#include "tests/server/node_client.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

// A node and a client of it. Nothing here sleeps: SyncPeer and Watch wait for what the test wants to see.
class TestNode : public NodeClient {
 public:
  TestNode(std::string site, std::vector<std::string> peers = {}) {
    config_.site = std::move(site);
    config_.data = folder_.In("data");
    config_.listen = "127.0.0.1:0";
    config_.log_level = "warn";
    Start(std::move(peers));
  }

  void Start(std::vector<std::string> peers) {
    config_.peers = std::move(peers);
    auto node = Node::Start(config_);
    ASSERT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    config_.listen = node_->address();
    Connect(address());
  }

  void Stop() { node_.reset(); }
  std::string address() const { return config_.listen; }

 private:
  storage::TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Node> node_;
};

TEST(NodeTest, TwoNodesConverge) {
  TestNode lyon("lyon");
  const v1::Record record = lyon.Create("Amis du Mali");
  TestNode savoie("savoie", {lyon.address()});
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  EXPECT_EQ(savoie.NameOf(record.name()), "Amis du Mali");
  EXPECT_EQ(savoie.Status().root(), lyon.Status().root());
  EXPECT_EQ(savoie.Status().peers(0).site(), "lyon");
}

TEST(NodeTest, AWatchSeesWhatAnotherSiteWrites) {
  TestNode lyon("lyon");
  TestNode savoie("savoie", {lyon.address()});
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  grpc::ClientContext context;
  v1::WatchRecordsRequest request;
  request.set_kind("actor");
  request.set_after(savoie.Status().feed_head());
  auto watch = savoie.records().WatchRecords(&context, request);
  lyon.Create("vue en direct");
  v1::RecordEvent event;
  ASSERT_TRUE(watch->Read(&event));
  EXPECT_EQ(event.change().site(), "lyon");
  EXPECT_EQ(event.change().person(), "Awa");
  context.TryCancel();
}

TEST(NodeTest, PauseKeepsSitesApartAndSurvivesARestart) {
  TestNode lyon("lyon");
  TestNode savoie("savoie", {lyon.address()});
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  EXPECT_EQ(savoie.Pause("lyon").state(), v1::PeerStatus::PAUSED);
  const v1::Record record = lyon.Create("pendant la pause");
  savoie.Stop();
  savoie.Start({lyon.address()});
  EXPECT_EQ(savoie.Status().peers(0).state(), v1::PeerStatus::PAUSED);
  EXPECT_EQ(savoie.Sync(lyon.address()).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(savoie.NameOf(record.name()), "");
  savoie.Resume(lyon.address());
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  EXPECT_EQ(savoie.NameOf(record.name()), "pendant la pause");
}

TEST(NodeTest, TwoNodesThatDialEachOtherKeepOneSession) {
  TestNode lyon("lyon");
  TestNode clermont("clermont", {lyon.address()});
  ASSERT_TRUE(clermont.Sync(lyon.address()).ok());
  lyon.Stop();
  lyon.Start({clermont.address()});
  ASSERT_TRUE(lyon.Sync(clermont.address()).ok());
  const v1::Record record = clermont.Create("une seule liaison");
  ASSERT_TRUE(lyon.Sync(clermont.address()).ok());
  EXPECT_EQ(lyon.NameOf(record.name()), "une seule liaison");
  EXPECT_EQ(lyon.Status().peers_size(), 1);
  EXPECT_EQ(clermont.Status().peers_size(), 1);
}

TEST(NodeTest, WhatWasAcknowledgedIsThereAfterARestart) {
  TestNode lyon("lyon");
  const v1::Record record = lyon.Create("gardé");
  const std::string root = lyon.Status().root();
  const std::string incarnation = lyon.Status().incarnation();
  lyon.Stop();
  lyon.Start({});
  EXPECT_EQ(lyon.NameOf(record.name()), "gardé");
  EXPECT_EQ(lyon.Status().root(), root);
  EXPECT_EQ(lyon.Status().incarnation(), incarnation);
}

TEST(NodeTest, ANodeThatDialsItselfSaysSo) {
  TestNode lyon("lyon");
  const std::string own_address = lyon.address();
  lyon.Stop();
  lyon.Start({own_address});
  EXPECT_EQ(lyon.Sync(own_address).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(lyon.Status().peers(0).state(), v1::PeerStatus::ERROR);
  EXPECT_NE(lyon.Status().peers(0).last_error().find("s'appelle lui-même"), std::string::npos);
}

TEST(NodeTest, BytesThatAreNoMessageEndTheirStreamAndNothingElse) {
  TestNode lyon("lyon");
  const v1::Record record = lyon.Create("toujours là");
  grpc::GenericStub stub(grpc::CreateChannel(lyon.address(), grpc::InsecureChannelCredentials()));
  for (int i = 0; i < 200; ++i) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    auto call = stub.PrepareCall(&context, "/maillage.v1.SyncService/Sync", &queue);
    void* tag = nullptr;
    bool ok = false;
    call->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const std::string garbage(static_cast<size_t>(i), static_cast<char>(0xff - i));
    const grpc::Slice slice(garbage);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    queue.Next(&tag, &ok);
    // The node ends it, whatever was in it; the empty message is a frame of a later version and no greeting.
    grpc::ByteBuffer answer;
    do {
      call->Read(&answer, nullptr);
      queue.Next(&tag, &ok);
    } while (ok);
    grpc::Status status;
    call->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    queue.Shutdown();
  }
  EXPECT_EQ(lyon.NameOf(record.name()), "toujours là");
  // The last stream may have ended a moment before its session.
  lyon.WaitFor([](const v1::NodeStatus& status) { return status.reconciling_sessions() == 0; });
}

TEST(NodeTest, AMessageBeyondTheLimitIsRefusedAndTheNodeGoesOn) {
  TestNode lyon("lyon");
  v1::Record record;
  const std::string too_much(static_cast<size_t>(kMaxMessageBytes) + 1, 'x');
  EXPECT_EQ(lyon.Create(too_much, "", &record).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(lyon.NameOf(lyon.Create("après").name()), "après");
}

TEST(NodeTest, AnUnknownPeerIsRefusedWithThoseThereAre) {
  TestNode lyon("lyon");
  TestNode savoie("savoie", {lyon.address()});
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  const grpc::Status status = savoie.Sync("grenoble");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_NE(status.error_message().find("lyon"), std::string::npos);
}

TEST(NodeTest, AFolderOfAnotherNodeThatRunsIsRefused) {
  storage::TemporaryFolder folder;
  Config config;
  config.site = "lyon";
  config.data = folder.In("data");
  config.listen = "127.0.0.1:0";
  auto first = Node::Start(config);
  ASSERT_TRUE(first.ok());
  auto second = Node::Start(config);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace maillage::server
