// Joining over real sockets and real TLS, and every way to do it wrong.
#include "server/trust/enrolment.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "server/machine.h"
#include "server/trust/certificate.h"
#include "server/trust/entries.h"
#include "tests/replication/support/network.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using replication::SigningKey;
using replication::testing::SeededRandom;

class EnrolmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    network = FoundNetwork("RESACOOP", "lyon", lyon, authority, recovery, {"Awa", clock.NowMillis()}, random);
    code = {"savoie", clock.NowMillis() + kJoinCodeLifeMillis, Fingerprint(authority.public_key()),
            std::string(kJoinSecretSize, '\x5c')};
    Wait();
  }
  void TearDown() override { End().IgnoreError(); }

  void Wait() {
    Enrolment::Ports ports;
    ports.clock = &clock;
    ports.confirm = [this](const v1::JoinRequest& request) {
      shown = FingerprintText(Fingerprint(request.key()));
      return operator_agrees;
    };
    ports.admit = [this](const v1::JoinRequest& request) { return Admit(request); };
    ports.refused = [this](const absl::Status&) { ++refused; };
    ports.stopped = [this] { return stopped.load(); };
    auto listening = Enrolment::Listen("127.0.0.1:0", code, authority, std::string(16, '\x31'), std::move(ports));
    ASSERT_TRUE(listening.ok()) << listening.status();
    enrolment = *std::move(listening);
    address = absl::StrCat("127.0.0.1:", enrolment->port());
    outcome = std::async(std::launch::async, [this] { return enrolment->Wait(); });
  }
  absl::Status End() {
    stopped = true;
    const absl::Status status = outcome.valid() ? outcome.get() : absl::OkStatus();
    enrolment.reset();
    return status;
  }
  absl::StatusOr<v1::JoinResponse> Admit(const v1::JoinRequest& request) {
    const auto membership = replication::Membership::Of(*replication::NetworkId::FromBytes(network.network()), network.log());
    v1::Enrolment wanted;
    wanted.set_key(request.key());
    wanted.set_name(request.site());
    wanted.set_role(v1::ROLE_RELAY);
    wanted.set_territory("73");
    const auto entry = EnrolmentEntry(*membership, wanted, {"Awa", clock.NowMillis()});
    if (!entry.ok()) return entry.status();
    *network.mutable_log()->add_entry() = SignEntry(*entry, {&authority});
    v1::JoinResponse response;
    *response.mutable_network() = network;
    response.set_certificate(*IssueCertificate(lyon, request.key(), std::string(16, '\x41'), clock.NowMillis()));
    return response;
  }
  absl::StatusOr<v1::JoinResponse> Ask(const JoinCode& with) {
    return AskToJoin(address, with, key, "", clock.NowMillis());
  }

  SeededRandom random{TestSeed()};
  MachineClock clock;
  SigningKey lyon = SigningKey::Generate(random);
  SigningKey authority = SigningKey::Generate(random);
  SigningKey recovery = SigningKey::Generate(random);
  SigningKey key = SigningKey::Generate(random);
  v1::NetworkFile network;
  JoinCode code;
  std::unique_ptr<Enrolment> enrolment;
  std::string address;
  std::future<absl::Status> outcome;
  bool operator_agrees = true;
  std::string shown;
  std::atomic<int> refused = 0;
  std::atomic<bool> stopped = false;
};

TEST_F(EnrolmentTest, AMachineJoins) {
  const auto response = Ask(code);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(CheckJoined(code, key, *response, clock).ok());
  EXPECT_EQ(shown, FingerprintText(Fingerprint(key.public_key())));
  EXPECT_TRUE(outcome.get().ok());
  EXPECT_FALSE(Ask(code).ok()) << "used";
}

TEST_F(EnrolmentTest, TheOperatorHasTheLastWord) {
  operator_agrees = false;
  EXPECT_EQ(Ask(code).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(outcome.get().code(), absl::StatusCode::kAborted);
}

TEST_F(EnrolmentTest, AWrongCodeIsRefusedAndTheRightOneStillServes) {
  JoinCode wrong = code;
  wrong.secret[0] ^= 1;
  EXPECT_EQ(Ask(wrong).status().code(), absl::StatusCode::kPermissionDenied);
  wrong = code;
  wrong.site = "isere";
  EXPECT_EQ(Ask(wrong).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused, 2);
  EXPECT_TRUE(Ask(code).ok());
}

TEST_F(EnrolmentTest, NothingIsSentToAnotherAuthority) {
  JoinCode elsewhere = code;
  elsewhere.authority[0] ^= 1;
  const absl::Status status = Ask(elsewhere).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(status.message()).find("Rien de secret n'a été envoyé"), std::string::npos) << status;
  EXPECT_EQ(refused, 0) << "no request came";
  EXPECT_EQ(shown, "");
}

TEST_F(EnrolmentTest, AnExpiredCodeIsNotEvenTried) {
  const absl::Status status = AskToJoin(address, code, key, "", code.expires_millis).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused, 0);
}

TEST_F(EnrolmentTest, TwoMachinesWithOneCode) {
  const SigningKey other = SigningKey::Generate(random);
  auto first = std::async(std::launch::async, [&] { return Ask(code); });
  auto second = std::async(std::launch::async, [&] { return AskToJoin(address, code, other, "", clock.NowMillis()); });
  const bool first_in = first.get().ok();
  const bool second_in = second.get().ok();
  EXPECT_NE(first_in, second_in) << "exactly one";
}

TEST_F(EnrolmentTest, AnInvitationThatIsStoppedLetsNobodyIn) {
  EXPECT_EQ(End().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Ask(code).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(EnrolmentTest, AnAnswerIsBelievedAsFarAsItIsSigned) {
  auto response = Ask(code);
  ASSERT_TRUE(response.ok());
  v1::JoinResponse bad = *response;
  bad.mutable_network()->mutable_log()->mutable_entry()->RemoveLast();
  EXPECT_FALSE(CheckJoined(code, key, bad, clock).ok()) << "not a member";
  bad = *response;
  bad.mutable_network()->mutable_network()->front() ^= 1;
  EXPECT_FALSE(CheckJoined(code, key, bad, clock).ok()) << "another network";
  bad = *response;
  bad.set_certificate(*IssueCertificate(key, key.public_key(), std::string(16, '\x41'), clock.NowMillis()));
  EXPECT_FALSE(CheckJoined(code, key, bad, clock).ok()) << "a certificate of nobody's";
  // A whole network of somebody else's, in which this machine is a member.
  const SigningKey thief = SigningKey::Generate(random);
  network = FoundNetwork("RESACOOP", "lyon", lyon, thief, recovery, {"Awa", clock.NowMillis()}, random);
  v1::Enrolment wanted;
  wanted.set_key(key.public_key());
  wanted.set_name("savoie");
  wanted.set_role(v1::ROLE_RELAY);
  const auto membership = replication::Membership::Of(*replication::NetworkId::FromBytes(network.network()), network.log());
  *network.mutable_log()->add_entry() =
      SignEntry(*EnrolmentEntry(*membership, wanted, {"Awa", clock.NowMillis()}), {&thief});
  bad = *response;
  *bad.mutable_network() = network;
  EXPECT_FALSE(CheckJoined(code, key, bad, clock).ok()) << "not the code's authority";
}

}  // namespace
}  // namespace maillage::server
