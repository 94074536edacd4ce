// Data folders that run twice or come back from the past, with real nodes: found at the first exchange, and told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/status_service.pb.h"
#include "server/lease.h"
#include "server/node.h"
#include "storage/rocks_store.h"
#include "tests/server/node_client.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// One machine: a node, its data folder and its lease.
class Machine : public NodeClient {
 public:
  Machine(const storage::TemporaryFolder& folder, const std::string& name, std::string site) {
    config_.site = std::move(site);
    config_.data = folder.In(name);
    config_.listen = "127.0.0.1:0";
    config_.log_level = "error";
  }

  void Start(std::vector<std::string> peers = {}) {
    config_.peers = std::move(peers);
    auto node = Node::Start(config_);
    ASSERT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    config_.listen = node_->address();
    Connect(node_->address());
  }
  void Stop() { node_.reset(); }

  // Another machine gets this one's files. With a lease that speaks for them there: a copy that no file gives away.
  void CopyTo(const Machine& other) const {
    fs::copy(data(), other.data(), fs::copy_options::recursive);
    auto opened = storage::RocksStore::Open((other.data() / "store").string());
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_TRUE(opened->continuity_proven);
    auto lease = Lease::Take(DefaultLease(other.data()));
    ASSERT_TRUE(lease.ok()) << lease.status();
    ASSERT_TRUE((*lease)->End(**ReadFacts(*opened->store)).ok());
  }

  std::string address() const { return config_.listen; }
  fs::path data() const { return config_.data; }

 private:
  Config config_;
  std::unique_ptr<Node> node_;
};

class NodeTwins : public ::testing::Test {
 protected:
  NodeTwins() {
    lyon.Start();
    savoie.Start({lyon.address()});
    savoie.Create("avant");
    EXPECT_TRUE(savoie.Sync(lyon.address()).ok());
    savoie.Stop();
  }

  storage::TemporaryFolder folder;
  Machine lyon{folder, "lyon", "lyon"};
  Machine savoie{folder, "savoie", "savoie"};
  Machine copy{folder, "copie", "savoie"};
};

TEST_F(NodeTwins, ACopyWithoutALeaseTakesANewIncarnationAtItsStart) {
  fs::copy(savoie.data(), copy.data(), fs::copy_options::recursive);
  copy.Start({lyon.address()});
  EXPECT_EQ(copy.Status().renewals(), 1u);
  EXPECT_THAT(copy.Status().renewal_reason(), HasSubstr("restauré ou copié"));
  // And no other one at its next start.
  copy.Stop();
  copy.Start({lyon.address()});
  EXPECT_EQ(copy.Status().renewals(), 1u);
}

TEST_F(NodeTwins, ACleanStopAndAStartAreNoReasonForDoubt) {
  savoie.Start({lyon.address()});
  EXPECT_EQ(savoie.Status().renewals(), 0u);
}

TEST_F(NodeTwins, AnOldFolderThatCameBackIsFoundByTheLease) {
  const fs::path old = folder.In("ancien");
  fs::copy(savoie.data(), old, fs::copy_options::recursive);
  savoie.Start();
  savoie.Create("perdue");
  savoie.Stop();
  fs::remove_all(savoie.data());
  fs::rename(old, savoie.data());
  savoie.Start({lyon.address()});
  EXPECT_EQ(savoie.Status().renewals(), 1u);
}

TEST_F(NodeTwins, ACopyThatNoFileGivesAwayIsFoundByAPeerAndBothHistoriesAreKept) {
  savoie.CopyTo(copy);
  savoie.Start({lyon.address()});
  savoie.Create("à gauche");
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  savoie.Stop();
  copy.Start();
  copy.Create("à droite");
  EXPECT_EQ(copy.Status().renewals(), 0u);
  copy.Stop();
  copy.Start({lyon.address()});
  ASSERT_TRUE(copy.Sync(lyon.address()).ok());
  EXPECT_EQ(copy.Status().renewals(), 1u);
  EXPECT_THAT(copy.Status().renewal_reason(), HasSubstr("un pair connaît d'autres modifications"));
  for (Machine* machine : {&copy, &lyon}) {
    EXPECT_THAT(machine->Names(), UnorderedElementsAre("avant", "à gauche", "à droite"));
  }
  EXPECT_EQ(copy.Status().root(), lyon.Status().root());
}

TEST_F(NodeTwins, TwoCopiesThatMeetSaySo) {
  savoie.CopyTo(copy);
  copy.Start();
  savoie.Start({copy.address()});
  EXPECT_FALSE(savoie.Sync(copy.address()).ok());
  const v1::NodeStatus status = savoie.Status();
  EXPECT_EQ(status.peers(0).state(), v1::PeerStatus::ERROR);
  EXPECT_THAT(status.peers(0).last_error(), HasSubstr("deux copies"));
  EXPECT_EQ(status.renewals(), 1u);
  EXPECT_EQ(copy.Status().renewals(), 1u);
  EXPECT_NE(status.incarnation(), copy.Status().incarnation());
}

}  // namespace
}  // namespace maillage::server
