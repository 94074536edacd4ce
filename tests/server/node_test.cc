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
#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

// A node and a client of it. Nothing here sleeps: SyncPeer and Watch wait for what the test wants to see.
class TestNode {
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
    auto channel = grpc::CreateChannel(address(), grpc::InsecureChannelCredentials());
    records_ = v1::RecordService::NewStub(channel);
    status_ = v1::StatusService::NewStub(channel);
  }

  void Stop() { node_.reset(); }
  std::string address() const { return config_.listen; }

  v1::Record Create(const std::string& name) {
    v1::Actor actor;
    actor.set_name(name);
    v1::CreateRecordRequest request;
    request.mutable_record()->mutable_content()->PackFrom(actor);
    request.mutable_context()->set_person("Awa");
    v1::Record record;
    grpc::ClientContext context;
    const grpc::Status status = records_->CreateRecord(&context, request, &record);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return record;
  }

  // Empty where the node has no such record.
  std::string NameOf(const std::string& record) {
    v1::GetRecordRequest request;
    request.set_name(record);
    v1::Record response;
    grpc::ClientContext context;
    if (!records_->GetRecord(&context, request, &response).ok()) return "";
    v1::Actor actor;
    response.content().UnpackTo(&actor);
    return actor.name();
  }

  v1::NodeStatus Status() {
    v1::NodeStatus status;
    grpc::ClientContext context;
    EXPECT_TRUE(status_->GetStatus(&context, {}, &status).ok());
    return status;
  }

  // Waits until the roots of both were equal.
  grpc::Status Sync(const std::string& peer) {
    v1::SyncPeerRequest request;
    request.set_peer(peer);
    v1::PeerStatus response;
    grpc::ClientContext context;
    return status_->SyncPeer(&context, request, &response);
  }

  v1::PeerStatus Pause(const std::string& peer) {
    v1::PausePeerRequest request;
    request.set_peer(peer);
    v1::PeerStatus response;
    grpc::ClientContext context;
    EXPECT_TRUE(status_->PausePeer(&context, request, &response).ok());
    return response;
  }

  v1::PeerStatus Resume(const std::string& peer) {
    v1::ResumePeerRequest request;
    request.set_peer(peer);
    v1::PeerStatus response;
    grpc::ClientContext context;
    EXPECT_TRUE(status_->ResumePeer(&context, request, &response).ok());
    return response;
  }

  v1::RecordService::Stub& records() { return *records_; }

 private:
  storage::TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<v1::RecordService::Stub> records_;
  std::unique_ptr<v1::StatusService::Stub> status_;
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
  EXPECT_EQ(lyon.Status().reconciling_sessions(), 0u);
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
