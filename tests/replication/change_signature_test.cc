#include "replication/change_signature.h"

#include <gtest/gtest.h>

#include <string>

#include "replication/equivocation.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/network.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

class ChangeSignatureTest : public ::testing::Test {
 protected:
  ChangeSignatureTest() : network(TestSeed()), random(TestSeed() + 1) {}

  Change AChange(uint64_t n = 1) {
    Change change = Written("a1").At(kMorning).By("Zoé").Set(1, "Amis du Mali").Set(2, "04 78 00 00 00").RemoveEntry(5, "x");
    change.dot.actor.site = network.lyon.site();
    change.dot.n = n;
    change.salt = "8 bytes!";
    return change;
  }
  std::string Signed(const Change& change) { return network.Signed(change, network.lyon); }
  bool Verifies(std::string_view bytes) const { return VerifyChange(bytes, network.id(), network.lyon.public_key()); }

  TestNetwork network;
  SeededRandom random;
};

TEST_F(ChangeSignatureTest, ValuesCanBeTakenOutAndTheRestStaysProven) {
  const std::string whole = Signed(AChange());
  const std::string one = *WithoutValue(whole, 1);
  const std::string none = *WithoutValues(whole);
  for (const std::string& form : {whole, one, none, *WithoutValue(one, 0), *WithoutValues(one)}) {
    EXPECT_TRUE(Verifies(form));
    EXPECT_EQ(HashOfChange(form), HashOfChange(whole));
  }
  EXPECT_EQ(one.find("04 78"), std::string::npos);
  EXPECT_NE(one.find("Amis du Mali"), std::string::npos);
  EXPECT_EQ(none.find("Amis du Mali"), std::string::npos);
  // Its salt is gone, too: nobody can try phone numbers.
  EXPECT_EQ(one.find("8 bytes!"), std::string::npos);
  EXPECT_EQ(*WithoutValue(one, 0), *WithoutValue(*WithoutValue(whole, 0), 1));
}

TEST_F(ChangeSignatureTest, WhatIsLeftCannotBeAltered) {
  const std::string whole = Signed(AChange());
  for (const std::string& form : {whole, *WithoutValue(whole, 1), *WithoutValues(whole)}) {
    for (uint64_t i = 0; i < TestRounds(2'000); ++i) {
      std::string altered = form;
      altered[random.Below(altered.size())] ^= static_cast<char>(1 << random.Below(8));
      ASSERT_FALSE(Verifies(altered) && HashOfChange(altered) != HashOfChange(whole));
      const auto change = DecodeChange(altered);
      // Another way to write the same number of bytes, at most.
      if (Verifies(altered) && change.ok()) {
        ASSERT_EQ(*change, AChange());
      }
    }
  }
}

TEST_F(ChangeSignatureTest, NobodyCanMakeItLongerOnItsWay) {
  const std::string whole = Signed(AChange());
  const std::string salt = "\x5a\x08" "8 bytes!";
  EXPECT_FALSE(Verifies(salt + whole));
  EXPECT_FALSE(Verifies(std::string("\xfa\x06\x01x", 4) + whole)) << "a field that is unknown here";
}

TEST_F(ChangeSignatureTest, TheSameValueTwiceHasTwoCommitments) {
  Change change = AChange();
  change.operations[1].value = change.operations[0].value;
  const std::string bytes = *WithoutValues(Signed(change));
  v1::Change shown;
  ASSERT_TRUE(shown.ParseFromString(bytes));
  EXPECT_EQ(shown.operation(0).commitment().size(), 32u);
  EXPECT_NE(shown.operation(0).commitment(), shown.operation(1).commitment());
  EXPECT_TRUE(shown.operation(2).commitment().empty()) << "a removal has no value";
}

TEST_F(ChangeSignatureTest, WhatHasNoSaltIsSignedAsItIs) {
  Change change = AChange();
  change.salt.clear();
  const std::string bytes = Signed(change);
  EXPECT_TRUE(Verifies(bytes));
  EXPECT_FALSE(WithoutValues(bytes).ok());
  EXPECT_FALSE(WithoutValue(Signed(AChange()), 3).ok());
  EXPECT_FALSE(WithoutValues("rubbish").ok());
}

// With its salt it must not lose what tells how it is signed.
TEST_F(ChangeSignatureTest, WhatHasNoValuesStaysProvenToo) {
  Change change = AChange();
  change.operations.erase(change.operations.begin(), change.operations.begin() + 2);
  const std::string whole = Signed(change);
  EXPECT_TRUE(Verifies(*WithoutValues(whole)));
  EXPECT_EQ(HashOfChange(*WithoutValues(whole)), HashOfChange(whole));
}

TEST_F(ChangeSignatureTest, TwoChangesUnderOneNumberAreAProof) {
  const std::string first = Signed(AChange());
  Change other = AChange();
  other.operations[0].value = "autre";
  const v1::Equivocation proof = *ProveEquivocation(network.lyon.public_key(), first, Signed(other));
  EXPECT_TRUE(IsEquivocation(network.id(), proof));
  EXPECT_EQ(proof.SerializeAsString().find("autre"), std::string::npos);
  EXPECT_FALSE(IsEquivocation(TestNetwork(4711).id(), proof));
}

TEST_F(ChangeSignatureTest, AChangeThatFollowsAnotherIsAProof) {
  const std::string first = Signed(AChange());
  Change next = AChange(2);
  next.previous = HashOfChange(first);
  const auto proves = [&](const Change& change) {
    return IsEquivocation(network.id(), *ProveEquivocation(network.lyon.public_key(), first, Signed(change)));
  };
  EXPECT_FALSE(proves(next)) << "an honest author";
  next.previous = kUnknownPrevious;
  EXPECT_FALSE(proves(next)) << "who has lost what it follows";
  next.previous.clear();
  EXPECT_FALSE(proves(next));
  next.previous = "another sixteen!";
  EXPECT_TRUE(proves(next));
  next.dot.n = 3;
  EXPECT_FALSE(proves(next)) << "not the next";
  next.dot.n = 2;
  next.record.id = *RecordId::FromBytes("another record !");
  EXPECT_FALSE(proves(next));
}

TEST_F(ChangeSignatureTest, NobodyIsProvenByWhatOthersSigned) {
  const SigningKey stranger = SigningKey::Generate(random);
  Change other = AChange();
  other.operations[0].value = "autre";
  const std::string forged = network.Signed(other, stranger);
  for (const auto& key : {network.lyon.public_key(), stranger.public_key()}) {
    EXPECT_FALSE(IsEquivocation(network.id(), *ProveEquivocation(key, Signed(AChange()), forged)));
  }
}

}  // namespace
}  // namespace maillage::replication::testing
