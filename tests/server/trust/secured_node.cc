#include "tests/server/trust/secured_node.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "server/machine.h"
#include "server/trust/certificate.h"
#include "server/backup_files.h"
#include "server/trust/network_file.h"

namespace maillage::server {

SecuredNode::SecuredNode(replication::testing::TestNetwork& network, std::string site,
                         const replication::SigningKey& key, std::vector<std::string> peers, uint64_t issued_millis)
    : key_pem_(PrivateKeyPem(key)) {
  config_.site = std::move(site);
  config_.data = folder_.In("data");
  config_.listen = "127.0.0.1:0";
  config_.log_level = "warn";
  std::filesystem::create_directories(config_.data);
  const uint64_t now = issued_millis == 0 ? MachineClock().NowMillis() : issued_millis;
  EXPECT_TRUE(ReplaceFile(config_.data / "identity.key", std::string(key.seed())).ok());
  EXPECT_TRUE(WriteNetworkFile(config_.data, network.file).ok());
  EXPECT_TRUE(WriteCertificate(config_.data, *IssueCertificate(network.lyon, key.public_key(), std::string(16, '\x17'), now)).ok());
  Start(std::move(peers));
}

void SecuredNode::Start(std::vector<std::string> peers) {
  config_.peers = std::move(peers);
  auto node = Node::Start(config_);
  ASSERT_TRUE(node.ok()) << node.status();
  node_ = *std::move(node);
  config_.listen = node_->address();
  Connect("unix:" + (config_.data / kSocketFile).string());
}

TlsIdentity SecuredNode::identity() const { return {key_pem_, *ReadCertificate(config_.data)}; }

grpc::Status SecuredNode::Tell(const v1::SignedEntry& entry) {
  const auto trust = v1::TrustService::NewStub(
      grpc::CreateChannel("unix:" + (config_.data / kSocketFile).string(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::MembershipLog log;
  *log.add_entry() = entry;
  v1::AddMembershipEntriesResponse response;
  return trust->AddMembershipEntries(&context, log, &response);
}

}  // namespace maillage::server
