// Real nodes on a disk that fails: real stores, real gRPC on loopback, faults below the store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "grpcpp/grpcpp.h"
#include "proto/records.pb.h"
#include "proto/status_service.pb.h"
#include "server/node.h"
#include "tests/server/node_client.h"
#include "tests/storage/faulty_disk.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

using ::testing::HasSubstr;
using v1::NodeStatus;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class TestDisk final : public Disk {
 public:
  explicit TestDisk(const storage::DiskFaults& faults) : faults_(faults) {}
  absl::StatusOr<uint64_t> FreeBytes(const std::filesystem::path&) override { return free_bytes.load(); }
  absl::Status TryWrite(const std::filesystem::path&) override {
    const bool fails = faults_.sync_fails || faults_.append_finds_disk_full;
    return fails ? absl::InternalError("injected") : absl::OkStatus();
  }

  std::atomic<uint64_t> free_bytes = 1000 * kMiB;

 private:
  const storage::DiskFaults& faults_;
};

// A node on a disk whose faults the test chooses.
class FaultyNode : public NodeClient {
 public:
  explicit FaultyNode(std::string site, std::vector<std::string> peers = {}) {
    faults.suffix = ".log";
    Config config;
    config.site = std::move(site);
    config.data = folder_.In("data");
    config.listen = "127.0.0.1:0";
    config.peers = std::move(peers);
    NodePorts ports;
    ports.disk = &disk;
    ports.store.env = env_.get();
    auto node = Node::Start(config, ports);
    EXPECT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    Connect(address());
  }

  std::string address() const { return node_->address(); }

  storage::DiskFaults faults;
  TestDisk disk{faults};

 private:
  storage::TemporaryFolder folder_;
  const std::unique_ptr<rocksdb::Env> env_ =
      rocksdb::NewCompositeEnv(std::make_shared<storage::FaultyFileSystem>(faults));
  std::unique_ptr<Node> node_;
};

std::string Uuid(int number) { return absl::StrFormat("00000000-0000-4000-8000-%012d", number); }

// People who write until told to stop, and send again under the same request id what wasn't acknowledged.
class Load {
 public:
  Load(FaultyNode& node, int people) {
    for (int person = 0; person < people; ++person) {
      people_.emplace_back([this, &node] {
        while (!stop_) WriteOne(node, next_++);
      });
    }
  }
  void Stop() {
    stop_ = true;
    for (std::thread& person : people_) person.join();
  }
  int acknowledged() const { return acknowledged_; }
  int unknown() const { return unknown_; }
  int refused() const { return refused_; }
  int others() const { return others_; }

 private:
  void WriteOne(FaultyNode& node, int number) {
    while (true) {
      v1::Record record;
      const grpc::Status status = node.Create(absl::StrCat("A", number), Uuid(number), &record);
      switch (status.error_code()) {
        case grpc::StatusCode::OK:
          ++acknowledged_;
          return;
        case grpc::StatusCode::UNKNOWN:
          ++unknown_;
          break;
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
          ++refused_;
          break;
        default:
          ++others_;
          ADD_FAILURE() << status.error_code() << " " << status.error_message();
          return;
      }
    }
  }

  std::vector<std::thread> people_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> next_ = 1, acknowledged_ = 0, unknown_ = 0, refused_ = 0, others_ = 0;
};

class NodeFailureTest : public ::testing::Test {
 protected:
  // The disk fails under load and recovers, three times.
  void RunLoadOverFailures(std::atomic<bool>& fault, NodeStatus::WriteState state) {
    const v1::Record before = lyon_.Create("avant");
    std::string incarnation = lyon_.Status().incarnation();
    Load load(lyon_, 4);
    for (int round = 1; round <= 3; ++round) {
      const int acknowledged = load.acknowledged();
      while (load.acknowledged() < acknowledged + 50) std::this_thread::yield();
      fault = true;
      const NodeStatus stopped = lyon_.WaitFor(state);
      EXPECT_FALSE(stopped.read_only_reason().empty());
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(lyon_.Get(before).ok());
      fault = false;
      const NodeStatus resumed = lyon_.WaitFor(NodeStatus::WRITING);
      EXPECT_EQ(resumed.store_reopenings(), round);
      EXPECT_EQ(resumed.read_only_reason(), "");
      EXPECT_NE(resumed.incarnation(), incarnation);
      incarnation = resumed.incarnation();
    }
    load.Stop();
    EXPECT_GE(load.unknown(), 3);
    EXPECT_EQ(load.others(), 0);
    const std::multiset<std::string> names = lyon_.Names();
    EXPECT_EQ(names.size(), static_cast<size_t>(load.acknowledged()) + 1);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    std::printf("acknowledged %d, unknown %d, refused %d\n", load.acknowledged(), load.unknown(), load.refused());
    FaultyNode savoie("savoie", {lyon_.address()});
    ASSERT_TRUE(savoie.Sync(lyon_.address()).ok());
    EXPECT_EQ(savoie.Names(), names);
    EXPECT_EQ(savoie.Status().root(), lyon_.Status().root());
  }

  FaultyNode lyon_{"lyon"};
};

TEST_F(NodeFailureTest, AfterSyncErrorsUnderLoadEveryRetryIsOneChangeAndWritingResumes) {
  RunLoadOverFailures(lyon_.faults.sync_fails, NodeStatus::READ_ONLY_STORE_ERROR);
}

TEST_F(NodeFailureTest, AfterADiskFullInACommitToo) {
  RunLoadOverFailures(lyon_.faults.append_finds_disk_full, NodeStatus::READ_ONLY_DISK_FULL);
}

TEST_F(NodeFailureTest, AFailedWriteTellsWhatToDo) {
  lyon_.faults.sync_fails = true;
  v1::Record record;
  grpc::Status status = lyon_.Create("X", Uuid(1), &record);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_THAT(status.error_message(), HasSubstr("même request_id"));
  status = lyon_.Create("Y", Uuid(2), &record);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("rien n'a été écrit"));
}

TEST_F(NodeFailureTest, LinksBreakAtAFailureAndComeBackByThemselves) {
  FaultyNode savoie("savoie", {lyon_.address()});
  ASSERT_TRUE(savoie.Sync(lyon_.address()).ok());
  lyon_.faults.sync_fails = true;
  v1::Record lost;
  EXPECT_FALSE(lyon_.Create("X", Uuid(1), &lost).ok());
  savoie.WaitFor([](const NodeStatus& status) { return status.peers(0).state() == v1::PeerStatus::OFFLINE; });
  const v1::Record record = savoie.Create("pendant la panne");
  lyon_.faults.sync_fails = false;
  lyon_.WaitFor(NodeStatus::WRITING);
  ASSERT_TRUE(savoie.Sync(lyon_.address()).ok());
  EXPECT_TRUE(lyon_.Get(record).ok());
}

TEST_F(NodeFailureTest, AFullDiskIsReadOnlyBeforeTheStoreMeetsItAndWritingResumes) {
  const v1::Record before = lyon_.Create("avant");
  lyon_.disk.free_bytes = 10 * kMiB;
  const NodeStatus full = lyon_.WaitFor(NodeStatus::READ_ONLY_DISK_FULL);
  EXPECT_THAT(full.read_only_reason(), HasSubstr("10 Mio libres"));
  EXPECT_EQ(full.free_disk_bytes(), 10 * kMiB);
  v1::Record record;
  const grpc::Status refused = lyon_.Create("X", Uuid(1), &record);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("libérez de la place"));
  EXPECT_TRUE(lyon_.Get(before).ok());
  lyon_.disk.free_bytes = 1000 * kMiB;
  const NodeStatus resumed = lyon_.WaitFor(NodeStatus::WRITING);
  EXPECT_EQ(resumed.store_reopenings(), 0);
  EXPECT_TRUE(lyon_.Create("X", Uuid(1), &record).ok());
}

TEST_F(NodeFailureTest, WithAFullDiskWhatIsHereStillGoesOut) {
  FaultyNode savoie("savoie", {lyon_.address()});
  ASSERT_TRUE(savoie.Sync(lyon_.address()).ok());
  savoie.Pause("lyon");
  const v1::Record at_lyon = lyon_.Create("de Lyon");
  const v1::Record at_savoie = savoie.Create("de Savoie");
  lyon_.disk.free_bytes = 0;
  lyon_.WaitFor(NodeStatus::READ_ONLY_DISK_FULL);
  savoie.Resume("lyon");
  const NodeStatus told = savoie.WaitFor(
      [](const NodeStatus& status) { return !status.peers(0).last_error().empty(); });
  EXPECT_THAT(told.peers(0).last_error(), HasSubstr("son disque est plein"));
  EXPECT_TRUE(savoie.Get(at_lyon).ok());
  EXPECT_EQ(lyon_.Get(at_savoie).error_code(), grpc::StatusCode::NOT_FOUND);
  lyon_.disk.free_bytes = 1000 * kMiB;
  lyon_.WaitFor(NodeStatus::WRITING);
  ASSERT_TRUE(savoie.Sync("lyon").ok());
  EXPECT_TRUE(lyon_.Get(at_savoie).ok());
}

TEST_F(NodeFailureTest, WhatALiveLinkLeftAsideComesOnceThereIsRoom) {
  FaultyNode savoie("savoie", {lyon_.address()});
  ASSERT_TRUE(savoie.Sync(lyon_.address()).ok());
  lyon_.disk.free_bytes = 0;
  lyon_.WaitFor(NodeStatus::READ_ONLY_DISK_FULL);
  const v1::Record record = savoie.Create("de Savoie");
  savoie.WaitFor([](const NodeStatus& status) {
    return status.peers(0).sent_position() == status.feed_head() ||
           status.peers(0).state() == v1::PeerStatus::OFFLINE;
  });
  EXPECT_FALSE(lyon_.Get(record).ok());
  lyon_.disk.free_bytes = 1000 * kMiB;
  lyon_.WaitFor(NodeStatus::WRITING);
  while (!lyon_.Get(record).ok()) {
  }
  EXPECT_EQ(lyon_.Status().root(), savoie.Status().root());
}

}  // namespace
}  // namespace maillage::server
