// Certificates, and whom they let in, by a clock that the test sets.
#include "server/trust/door.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/trust/certificate.h"
#include "tests/replication/support/network.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using replication::Membership;
using replication::SigningKey;
using replication::testing::FakeWall;
using replication::testing::TestNetwork;

constexpr uint64_t kDay = uint64_t{24} * 3600 * 1000;

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
    Follow();
  }
  void Follow() { door.Follow(std::make_shared<const Membership>(network.Opened())); }
  std::string Issue(const SigningKey& issuer, const SigningKey& subject) {
    return *IssueCertificate(issuer, subject.public_key(), std::string(16, '\xe1'), clock.millis);
  }
  std::string Refusal(const std::string& pem) {
    const auto admitted = door.Admit(pem);
    EXPECT_TRUE(admitted.ok() || absl::IsPermissionDenied(admitted.status())) << admitted.status();
    return std::string(admitted.status().message());
  }

  TestNetwork network;
  FakeWall clock;
  Door door{&clock};
  SigningKey savoie = SigningKey::Generate(network.random);
  SigningKey stranger = SigningKey::Generate(network.random);
};

TEST_F(DoorTest, ACertificateSaysWhatItWasMadeOf) {
  const auto certificate = Certificate::Parse(Issue(network.lyon, savoie));
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  EXPECT_EQ(certificate->public_key(), savoie.public_key());
  EXPECT_EQ(certificate->site(), savoie.site());
  EXPECT_EQ(certificate->issuer(), network.lyon.site());
  EXPECT_TRUE(certificate->SignedBy(network.lyon.public_key()));
  EXPECT_FALSE(certificate->SignedBy(savoie.public_key()));
  EXPECT_EQ(certificate->until_millis(), (clock.millis + kCertificateLifeMillis) / 1000 * 1000);
  EXPECT_EQ(certificate->from_millis(), (clock.millis - kCertificateLeadMillis) / 1000 * 1000);
}

TEST_F(DoorTest, LetsMembersIn) {
  const auto admitted = door.Admit(Issue(network.lyon, savoie));
  ASSERT_TRUE(admitted.ok()) << admitted.status();
  EXPECT_EQ(admitted->site, savoie.site());
  EXPECT_EQ(admitted->role, v1::ROLE_RELAY);
  EXPECT_FALSE(admitted->needs_renewal);
  EXPECT_TRUE(door.Admit(Issue(network.lyon, network.lyon)).ok()) << "an antenna makes its own";
}

TEST_F(DoorTest, KeepsOthersOut) {
  EXPECT_NE(Refusal(Issue(network.lyon, stranger)), "") << "no member";
  EXPECT_NE(Refusal(Issue(stranger, savoie)), "") << "made by nobody known";
  EXPECT_NE(Refusal(Issue(savoie, savoie)), "") << "made by itself";
  EXPECT_NE(Refusal("nonsense"), "");
  EXPECT_NE(Refusal(""), "");
  // Who claims another issuer than the one that signed.
  std::string forged = Issue(stranger, savoie);
  EXPECT_NE(Refusal(forged), "");
  Door of_no_network(&clock);
  EXPECT_FALSE(of_no_network.Admit(Issue(network.lyon, savoie)).ok());
}

TEST_F(DoorTest, EveryDamagedByteIsRefusedOrMeansTheSame) {
  const std::string pem = Issue(network.lyon, savoie);
  for (size_t i = 0; i < pem.size(); ++i) {
    std::string damaged = pem;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const auto admitted = door.Admit(damaged);
    // Padding and letters around the base64 say nothing.
    EXPECT_TRUE(!admitted.ok() || admitted->site == savoie.site()) << i;
  }
}

TEST_F(DoorTest, ARevokedSiteStaysOut) {
  const std::string pem = Issue(network.lyon, savoie);
  network.Revoke(savoie.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  EXPECT_EQ(Refusal(pem), "") << "nobody has told yet";
  Follow();
  EXPECT_EQ(Refusal(pem), "le site « savoie » a été révoqué");
}

TEST_F(DoorTest, TimePasses) {
  const std::string pem = Issue(network.lyon, savoie);
  const Certificate certificate = *Certificate::Parse(pem);
  EXPECT_FALSE(certificate.RenewalDue(clock.millis));
  clock.millis += 44 * kDay;
  EXPECT_FALSE(certificate.RenewalDue(clock.millis));
  clock.millis += 2 * kDay;
  EXPECT_TRUE(certificate.RenewalDue(clock.millis)) << "half of its life is over";
  EXPECT_FALSE(door.Admit(pem)->needs_renewal);
  clock.millis += 45 * kDay;
  ASSERT_TRUE(door.Admit(pem).ok()) << "its key is still a member's";
  EXPECT_TRUE(door.Admit(pem)->needs_renewal);
  clock.millis = replication::testing::kMorning - 2 * kDay;
  EXPECT_NE(Refusal(pem), "") << "made in the future";
}

TEST_F(DoorTest, WhatARevokedAntennaMadeHasToBeMadeAnew) {
  const SigningKey clermont = SigningKey::Generate(network.random);
  const SigningKey authority = SigningKey::Generate(network.random);
  network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &authority, {&network.lyon_authority, &network.recovery});
  Follow();
  const std::string pem = Issue(clermont, savoie);
  EXPECT_FALSE(door.Admit(pem)->needs_renewal);
  network.Revoke(clermont.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  Follow();
  EXPECT_TRUE(door.Admit(pem)->needs_renewal);
}

}  // namespace
}  // namespace maillage::server
