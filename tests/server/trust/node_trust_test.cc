// Nodes that speak mutual TLS: who is answered, and what.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "proto/status_service.grpc.pb.h"
#include "proto/sync.grpc.pb.h"
#include "server/machine.h"
#include "server/trust/certificate.h"
#include "server/trust/network_file.h"
#include "server/trust/site_trust.h"
#include "tests/server/trust/secured_node.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using replication::SigningKey;
using replication::testing::TestNetwork;

constexpr uint64_t kDay = uint64_t{24} * 3600 * 1000;

class NodeTrust : public ::testing::Test {
 protected:
  NodeTrust() : network(TestSeed()) { network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie_key); }

  // A channel to a node, with a certificate and a key, by the rules of the network.
  std::shared_ptr<grpc::Channel> Dial(const std::string& address, const TlsIdentity& identity) {
    auto door = std::make_shared<Door>(&clock);
    door->Follow(std::make_shared<const replication::Membership>(network.Opened()));
    return grpc::CreateChannel(address, SiteChannelCredentials(identity, door, std::make_shared<ProvenSite>()));
  }
  static grpc::Status GetStatus(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::NodeStatus status;
    return v1::StatusService::NewStub(channel)->GetStatus(&context, {}, &status);
  }
  static grpc::Status Create(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::Actor actor;
    actor.set_name("Amis du Mali");
    v1::CreateRecordRequest request;
    request.mutable_record()->mutable_content()->PackFrom(actor);
    v1::Record record;
    return v1::RecordService::NewStub(channel)->CreateRecord(&context, request, &record);
  }
  // How a stream of frames ends that says nothing.
  static grpc::Status OpenSync(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    auto stream = v1::SyncService::NewStub(channel)->Sync(&context);
    stream->WritesDone();
    v1::SyncFrame frame;
    while (stream->Read(&frame)) {
    }
    return stream->Finish();
  }
  TlsIdentity MadeUp(const SigningKey& issuer, const SigningKey& key) {
    return {PrivateKeyPem(key),
            *IssueCertificate(issuer, key.public_key(), std::string(16, '\x19'), clock.NowMillis())};
  }

  TestNetwork network;
  MachineClock clock;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey stranger = SigningKey::Generate(network.random);
};

TEST_F(NodeTrust, MembersSynchronise) {
  SecuredNode lyon(network, "lyon", network.lyon);
  const v1::Record record = lyon.Create("Amis du Mali");
  SecuredNode savoie(network, "savoie", savoie_key, {lyon.address()});
  const grpc::Status synced = savoie.Sync(lyon.address());
  ASSERT_TRUE(synced.ok()) << synced.error_message();
  EXPECT_EQ(savoie.NameOf(record.name()), "Amis du Mali");
}

TEST_F(NodeTrust, WhoHasNoCertificateIsNotAnswered) {
  SecuredNode lyon(network, "lyon", network.lyon);
  const auto plain = grpc::CreateChannel(lyon.address(), grpc::InsecureChannelCredentials());
  EXPECT_EQ(GetStatus(plain).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(OpenSync(plain).error_code(), grpc::StatusCode::UNAVAILABLE);
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  const auto anonymous = grpc::CreateChannel(lyon.address(), grpc::experimental::TlsCredentials(options));
  EXPECT_EQ(GetStatus(anonymous).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(OpenSync(anonymous).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(NodeTrust, WhoseCertificateNoAntennaMadeIsNotAnswered) {
  SecuredNode lyon(network, "lyon", network.lyon);
  for (const TlsIdentity& identity :
       {MadeUp(stranger, stranger), MadeUp(network.lyon, stranger), MadeUp(stranger, savoie_key), MadeUp(savoie_key, savoie_key)}) {
    const auto channel = Dial(lyon.address(), identity);
    EXPECT_EQ(GetStatus(channel).error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(OpenSync(channel).error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(NodeTrust, ACallerTalksToMembersAlone) {
  TestNetwork other(4711);
  SecuredNode impostor(other, "lyon", other.lyon);
  EXPECT_EQ(OpenSync(Dial(impostor.address(), MadeUp(network.lyon, savoie_key))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(NodeTrust, ARelayMaySynchroniseAndNothingElse) {
  SecuredNode lyon(network, "lyon", network.lyon);
  SecuredNode savoie(network, "savoie", savoie_key);
  const grpc::Status refused = GetStatus(Dial(lyon.address(), savoie.identity()));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED) << refused.error_message();
  EXPECT_TRUE(GetStatus(Dial(savoie.address(), savoie.identity())).ok()) << "at home it may";
  EXPECT_TRUE(GetStatus(Dial(savoie.address(), lyon.identity())).ok()) << "an antenna watches";
  EXPECT_EQ(Create(Dial(savoie.address(), lyon.identity())).error_code(), grpc::StatusCode::PERMISSION_DENIED)
      << "and makes nobody else's site sign";
  EXPECT_TRUE(Create(Dial(savoie.address(), savoie.identity())).ok());
}

TEST_F(NodeTrust, AnExpiredCertificateGetsANewOneAndNothingElse) {
  SecuredNode lyon(network, "lyon", network.lyon);
  const uint64_t long_ago = clock.NowMillis() - 200 * kDay;
  const TlsIdentity expired{PrivateKeyPem(savoie_key), *IssueCertificate(network.lyon, savoie_key.public_key(),
                                                                         std::string(16, '\x19'), long_ago)};
  EXPECT_EQ(GetStatus(Dial(lyon.address(), expired)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(OpenSync(Dial(lyon.address(), expired)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  // A node that was away for that long looks to it by itself.
  SecuredNode savoie(network, "savoie", savoie_key, {lyon.address()}, long_ago);
  grpc::Status synced = savoie.Sync(lyon.address());
  while (!synced.ok()) synced = savoie.Sync(lyon.address());
  const auto renewed = Certificate::Parse(*ReadCertificate(savoie.data()));
  ASSERT_TRUE(renewed.ok());
  EXPECT_GT(renewed->until_millis(), clock.NowMillis() + 89 * kDay);
  EXPECT_EQ(renewed->public_key(), savoie_key.public_key());
}

TEST_F(NodeTrust, OneThatIsDueIsRenewedWithoutARestart) {
  SecuredNode lyon(network, "lyon", network.lyon, {}, clock.NowMillis() - 50 * kDay);
  // An antenna makes its own.
  uint64_t until = 0;
  while (until < clock.NowMillis() + 89 * kDay) until = Certificate::Parse(*ReadCertificate(lyon.data()))->until_millis();
  SecuredNode savoie(network, "savoie", savoie_key, {lyon.address()});
  EXPECT_TRUE(savoie.Sync(lyon.address()).ok());
}

TEST_F(NodeTrust, ARevokedSiteIsOutAtOnce) {
  SecuredNode lyon(network, "lyon", network.lyon);
  SecuredNode savoie(network, "savoie", savoie_key, {lyon.address()});
  ASSERT_TRUE(savoie.Sync(lyon.address()).ok());
  const auto open = Dial(lyon.address(), savoie.identity());
  EXPECT_EQ(OpenSync(open).error_code(), grpc::StatusCode::OK);
  const v1::SignedEntry out =
      network.Revoke(savoie_key.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  const grpc::Status told = lyon.Tell(out);
  ASSERT_TRUE(told.ok()) << told.error_message();
  EXPECT_EQ(OpenSync(open).error_code(), grpc::StatusCode::PERMISSION_DENIED) << "over a connection from before";
  const v1::Record later = lyon.Create("Apres");
  EXPECT_FALSE(savoie.Sync(lyon.address()).ok());
  EXPECT_EQ(savoie.NameOf(later.name()), "");
}

TEST_F(NodeTrust, WhatIsNotSignedAsItMustBeIsRefusedWithItsReason) {
  SecuredNode lyon(network, "lyon", network.lyon);
  v1::SignedEntry forged = network.Enrol("isere", v1::ROLE_RELAY, "38", stranger, nullptr, {&savoie_key});
  const grpc::Status refused = lyon.Tell(forged);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(refused.error_message().find("aucune antenne ne l'a signée"), std::string::npos) << refused.error_message();
}

}  // namespace
}  // namespace maillage::server
