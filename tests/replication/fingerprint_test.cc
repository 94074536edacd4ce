#include "replication/fingerprint.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/replication/support/literals.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

Fingerprint RandomFingerprint(SeededRandom& random) {
  std::string bytes(Fingerprint::kSize, '\0');
  // Limbs full of ones, so that carries run all the way.
  for (size_t limb = 0; limb < 4; ++limb) {
    const bool full = random.OneIn(2);
    for (size_t i = 0; i < 8; ++i) {
      bytes[8 * limb + i] = full ? '\xff' : static_cast<char>(random.Below(256));
    }
  }
  return *Fingerprint::FromBytes(bytes);
}

Fingerprint Sum(Fingerprint left, const Fingerprint& right) {
  left.Add(right);
  return left;
}

Fingerprint Difference(Fingerprint left, const Fingerprint& right) {
  left.Subtract(right);
  return left;
}

TEST(Fingerprint, AddsLikeAGroup) {
  SeededRandom random(maillage::testing::TestSeed());
  const Fingerprint zero;
  for (int i = 0; i < 2000; ++i) {
    const Fingerprint a = RandomFingerprint(random);
    const Fingerprint b = RandomFingerprint(random);
    const Fingerprint c = RandomFingerprint(random);
    ASSERT_EQ(Sum(a, b), Sum(b, a));
    ASSERT_EQ(Sum(Sum(a, b), c), Sum(a, Sum(b, c)));
    ASSERT_EQ(Sum(a, zero), a);
    ASSERT_EQ(Difference(Sum(a, b), b), a);
    ASSERT_EQ(Sum(Difference(a, b), b), a);
    ASSERT_EQ(Difference(a, a), zero);
    ASSERT_EQ(*Fingerprint::FromBytes(a.ToBytes()), a);
  }
}

TEST(Fingerprint, CarriesFromEachLimbToTheNext) {
  const std::string ones(Fingerprint::kSize, '\xff');
  std::string one(Fingerprint::kSize, '\0');
  one[0] = 1;
  EXPECT_EQ(Sum(*Fingerprint::FromBytes(ones), *Fingerprint::FromBytes(one)), Fingerprint());
  EXPECT_EQ(Difference(Fingerprint(), *Fingerprint::FromBytes(one)).ToBytes(), ones);
}

TEST(Fingerprint, HasOneSize) {
  EXPECT_FALSE(Fingerprint::FromBytes(std::string(31, 'x')).has_value());
  EXPECT_FALSE(Fingerprint::FromBytes(std::string(33, 'x')).has_value());
  EXPECT_FALSE(Fingerprint::FromBytes("").has_value());
}

TEST(Fingerprint, CoversKindIdAndState) {
  std::set<std::string> seen;
  for (const uint16_t kind : {1, 2, 256}) {
    for (const uint64_t id : {1, 2}) {
      for (const char* state : {"", "x", "y"}) {
        seen.insert(Fingerprint::OfState({kind, IdOf(id)}, state).ToBytes());
      }
    }
  }
  EXPECT_EQ(seen.size(), 18u);
}

TEST(FingerprintSum, CountsWhatItHolds) {
  SeededRandom random(maillage::testing::TestSeed());
  const Fingerprint a = RandomFingerprint(random);
  const Fingerprint b = RandomFingerprint(random);
  FingerprintSum sum;
  sum.Add(a);
  sum.Add(b);
  EXPECT_EQ(sum.count, 2u);
  FingerprintSum twice = sum;
  twice.Add(sum);
  EXPECT_EQ(twice.count, 4u);
  sum.Subtract(a);
  sum.Subtract(b);
  EXPECT_EQ(sum, FingerprintSum());
}

TEST(FingerprintSum, TruncatesDifferentlyBySaltAndCount) {
  SeededRandom random(maillage::testing::TestSeed());
  const Fingerprint a = RandomFingerprint(random);
  EXPECT_EQ(a.Truncated(1, 1), a.Truncated(1, 1));
  EXPECT_NE(a.Truncated(1, 1), a.Truncated(2, 1));
  EXPECT_NE(a.Truncated(1, 1), a.Truncated(1, 2));
  EXPECT_NE(a.Truncated(1, 1), RandomFingerprint(random).Truncated(1, 1));
}

TEST(TriePosition, SpreadsConsecutiveIdsEvenly) {
  std::vector<int> buckets(16);
  for (uint64_t id = 0; id < 16'000; ++id) ++buckets[TriePosition({1, IdOf(id)}) >> 60];
  for (const int bucket : buckets) {
    // Nine standard deviations either way.
    EXPECT_GT(bucket, 725);
    EXPECT_LT(bucket, 1275);
  }
}

TEST(TriePosition, DependsOnTheKind) {
  EXPECT_NE(TriePosition({1, IdOf(1)}), TriePosition({2, IdOf(1)}));
}

TEST(Blake2b256, TellsWhereOnePartEnds) {
  EXPECT_NE(Blake2b256({"ab", "c"}), Blake2b256({"a", "bc"}));
  EXPECT_NE(Blake2b256({"abc"}), Blake2b256({"abc", ""}));
  EXPECT_EQ(Blake2b256({"abc"}).size(), 32u);
}

}  // namespace
}  // namespace maillage::replication::testing
