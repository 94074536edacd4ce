#include "server/console/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maillage::server {
namespace {

using ::testing::HasSubstr;
using v1::NodeStatus;

TEST(HealthTest, ANodeThatAnswersLives) {
  EXPECT_EQ(Livez(NodeStatus()).status, 200);
  const HttpReply hangs = Livez(absl::UnavailableError("le nœud ne répond pas depuis 5 s"));
  EXPECT_EQ(hangs.status, 503);
  EXPECT_THAT(hangs.body, HasSubstr("le nœud ne répond pas"));
}

TEST(HealthTest, ReadyIsWhoReadsWhateverItsPeersAndItsDisk) {
  NodeStatus offline;
  offline.set_write_state(NodeStatus::WRITING);
  offline.add_peers()->set_state(v1::PeerStatus::OFFLINE);
  EXPECT_EQ(Readyz(offline).status, 200);
  NodeStatus full = offline;
  full.set_write_state(NodeStatus::READ_ONLY_DISK_FULL);
  full.set_read_only_reason("disque plein");
  EXPECT_EQ(Readyz(full).status, 200);
  EXPECT_THAT(Readyz(full).body, HasSubstr("disque plein"));
  full.set_write_state(NodeStatus::READ_ONLY_STORE_ERROR);
  EXPECT_EQ(Readyz(full).status, 503);
  EXPECT_EQ(Readyz(absl::UnavailableError("x")).status, 503);
}

}  // namespace
}  // namespace maillage::server
