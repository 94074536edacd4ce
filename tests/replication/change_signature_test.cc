#include "replication/change_signature.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

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

TEST_F(ChangeSignatureTest, OfWhatIsPersonalTheKeyIsTakenOutAsWell) {
  Change change = Written("a1").At(kMorning).By("Zoé").Add(19, "awa@exemple.fr").Remove(20, "04 78");
  change.dot.actor.site = network.lyon.site();
  change.salt = "8 bytes!";
  for (Operation& operation : change.operations) operation.personal = true;
  const std::string whole = Signed(change);
  const std::string none = *WithoutValues(whole);
  EXPECT_TRUE(Verifies(whole) && Verifies(none));
  EXPECT_EQ(HashOfChange(none), HashOfChange(whole));
  EXPECT_NE(whole.find("awa@"), std::string::npos);
  EXPECT_EQ(none.find("awa@"), std::string::npos);
  EXPECT_EQ(none.find("04 78"), std::string::npos);
  EXPECT_FALSE(DecodeChange(none).ok()) << "erased, which this version doesn't know";
  // Nor can another key be put in its place, or the flag be taken away.
  Change other = change;
  other.operations[0].key = "eve@exemple.fr";
  EXPECT_NE(HashOfChange(Signed(other)), HashOfChange(whole));
  other = change;
  other.operations[0].personal = false;
  EXPECT_NE(HashOfChange(Signed(other)), HashOfChange(whole));
}

TEST_F(ChangeSignatureTest, OneSignatureIsEnoughForMany) {
  std::vector<std::string> changes;
  std::vector<std::string> alone;
  for (uint64_t n = 1; n <= kMaxSignedTogether + 3; ++n) {
    Change change = AChange(n);
    if (n > 1) change.previous = "another sixteen!";
    changes.push_back(EncodeChange(change));
    alone.push_back(Signed(change));
  }
  std::vector<std::string*> all;
  for (std::string& change : changes) all.push_back(&change);
  SignChanges(network.lyon, network.id(), all);
  VerifiedRoots roots;
  std::set<std::string> signatures;
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_TRUE(Verifies(changes[i]));
    EXPECT_TRUE(VerifyChange(changes[i], network.id(), network.lyon.public_key(), &roots));
    EXPECT_FALSE(VerifyChange(changes[i], network.id(), network.recovery.public_key(), &roots)) << "of another's key";
    EXPECT_FALSE(VerifyChange(changes[i], TestNetwork(4711).id(), network.lyon.public_key(), &roots));
    EXPECT_EQ(HashOfChange(changes[i]), HashOfChange(alone[i])) << "however it was signed";
    EXPECT_TRUE(Verifies(*WithoutValues(changes[i])));
    EXPECT_EQ(*DecodeChange(changes[i]), *DecodeChange(alone[i]));
    EXPECT_LE(changes[i].size(), EncodeChange(AChange(i + 1)).size() + (i > 0 ? 18 : 0) + kMaxSignatureSize);
    signatures.insert(changes[i].substr(changes[i].size() - kSignatureSize));
  }
  EXPECT_EQ(signatures.size(), 2u);
}

// Whoever hashes it would take it for another change once a value is out.
TEST_F(ChangeSignatureTest, TwoProofsAreNone) {
  std::string change = EncodeChange(AChange());
  std::string other = EncodeChange(AChange());
  const size_t size = change.size();
  SignChanges(network.lyon, network.id(), {&change, &other});
  const std::string proof = change.substr(size, change.size() - size - kSignatureFieldSize);
  const std::string doubled = change.substr(0, size) + proof + change.substr(size);
  EXPECT_TRUE(Verifies(change));
  EXPECT_FALSE(Verifies(doubled));
  EXPECT_FALSE(WithoutValues(doubled).ok());
}

TEST_F(ChangeSignatureTest, WhatWasSignedTogetherCannotBeAlteredEither) {
  std::vector<std::string> changes = {EncodeChange(AChange(1)), EncodeChange(AChange(1)), EncodeChange(AChange(1))};
  const std::string other = EncodeChange(Written("a1").At(kMorning).By("Zoé").Set(1, "autre"));
  SignChanges(network.lyon, network.id(), {&changes[0], &changes[1], &changes[2]});
  const size_t unsigned_size = EncodeChange(AChange(1)).size();
  EXPECT_FALSE(Verifies(other + changes[0].substr(unsigned_size)));
  for (uint64_t i = 0; i < TestRounds(2'000); ++i) {
    VerifiedRoots roots;
    ASSERT_TRUE(VerifyChange(changes[0], network.id(), network.lyon.public_key(), &roots));
    std::string altered = changes[0];
    altered[random.Below(altered.size())] ^= static_cast<char>(1 << random.Below(8));
    const bool verifies = VerifyChange(altered, network.id(), network.lyon.public_key(), &roots);
    ASSERT_FALSE(verifies && HashOfChange(altered) != HashOfChange(changes[0]));
  }
}

TEST_F(ChangeSignatureTest, OnlyWhatIsInternalIsWithheld) {
  Change change = AChange();
  change.operations[1].internal = true;
  const std::string whole = Signed(change);
  const std::string told = **WithoutInternal(whole);
  EXPECT_TRUE(Verifies(told));
  EXPECT_EQ(HashOfChange(told), HashOfChange(whole));
  EXPECT_EQ(told.find("04 78"), std::string::npos);
  EXPECT_NE(told.find("Amis du Mali"), std::string::npos);
  EXPECT_EQ(*WithoutInternal(told), std::nullopt) << "nothing is left to take out";
  EXPECT_EQ(*WithoutInternal(Signed(AChange())), std::nullopt);
  // Both say the same of it.
  const Change here = *DecodeChange(whole);
  const Change there = *DecodeChange(told);
  EXPECT_EQ(here.operations[1].commitment, there.operations[1].commitment);
  EXPECT_FALSE(here.withholds());
  EXPECT_TRUE(there.withholds());
  EXPECT_EQ(there.operations[1].value, std::nullopt);
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
