// The one-time code, and what is asked for with it.
#include "server/trust/join_code.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using replication::SigningKey;
using replication::testing::kMorning;
using replication::testing::SeededRandom;

class JoinCodeTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kExpires = kMorning / 60'000 * 60'000 + kJoinCodeLifeMillis;

  SeededRandom random{TestSeed()};
  SigningKey authority = SigningKey::Generate(random);
  SigningKey key = SigningKey::Generate(random);
  JoinCode code{"haute-savoie", kExpires, Fingerprint(authority.public_key()), std::string(kJoinSecretSize, '\x5c')};
};

TEST_F(JoinCodeTest, IsReadAsItWasWritten) {
  const std::string text = FormatJoinCode(code);
  EXPECT_EQ(text.substr(0, 13), "haute-savoie.");
  ASSERT_TRUE(ParseJoinCode(text).ok());
  EXPECT_EQ(*ParseJoinCode(text), code);
}

TEST_F(JoinCodeTest, IsReadFromSloppyHands) {
  std::string text = FormatJoinCode(code);
  for (char& letter : text) {
    if (&letter - text.data() < 13) continue;
    if (letter == '0') letter = 'O';
    if (letter == '1') letter = 'l';
    if (letter == 'a') letter = 'A';
    if (letter == '-') letter = ' ';
  }
  ASSERT_TRUE(ParseJoinCode("  " + text + "\n").ok()) << text;
  EXPECT_EQ(*ParseJoinCode("  " + text + "\n"), code);
}

TEST_F(JoinCodeTest, EverySlipIsNoticed) {
  const std::string text = FormatJoinCode(code);
  int taken = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char other : std::string_view("0129abz.-")) {
      std::string wrong = text;
      wrong[i] = other;
      const auto parsed = ParseJoinCode(wrong);
      // Sixteen bits of check, and bits at the end that mean nothing.
      if (parsed.ok() && *parsed != code) ++taken;
    }
    EXPECT_FALSE(ParseJoinCode(text.substr(0, i)).ok());
  }
  EXPECT_EQ(taken, 0);
}

TEST_F(JoinCodeTest, ARequestIsOfItsCodeAndKeyAlone) {
  const v1::JoinRequest good = MakeJoinRequest(code, key, authority.public_key());
  EXPECT_TRUE(CheckJoinRequest(code, good, kMorning).ok());
  EXPECT_EQ(CheckJoinRequest(code, good, kExpires).code(), absl::StatusCode::kPermissionDenied) << "expired";
  EXPECT_EQ(good.SerializeAsString().find(code.secret), std::string::npos) << "the secret never travels";
  JoinCode other = code;
  other.secret[3] ^= 1;
  EXPECT_FALSE(CheckJoinRequest(other, good, kMorning).ok()) << "wrong secret";
  other = code;
  other.authority[3] ^= 1;
  EXPECT_FALSE(CheckJoinRequest(other, good, kMorning).ok()) << "another antenna's";
  v1::JoinRequest bad = good;
  bad.set_site("savoie");
  EXPECT_FALSE(CheckJoinRequest(code, bad, kMorning).ok());
  bad = good;
  bad.set_key(SigningKey::Generate(random).public_key());
  EXPECT_FALSE(CheckJoinRequest(code, bad, kMorning).ok()) << "somebody between the two puts in another key";
  bad = good;
  bad.mutable_authority_key()->clear();
  EXPECT_FALSE(CheckJoinRequest(code, bad, kMorning).ok());
  bad = good;
  bad.mutable_signature()->front() ^= 1;
  EXPECT_FALSE(CheckJoinRequest(code, bad, kMorning).ok()) << "who doesn't hold the key";
  bad.clear_signature();
  bad.clear_proof();
  EXPECT_FALSE(CheckJoinRequest(code, bad, kMorning).ok());
}

TEST_F(JoinCodeTest, AFingerprintIsReadAloudInGroups) {
  EXPECT_EQ(FingerprintText(std::string("\x3f\x2a\x91\xbc", 4)), "3f2a 91bc");
}

}  // namespace
}  // namespace maillage::server
