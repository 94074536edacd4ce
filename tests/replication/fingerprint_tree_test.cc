// The tree against a naive sum over all records.
#include "replication/fingerprint_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "storage/memory_store.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using storage::PartitionKey;

const PartitionKey kSavoie{1, "73"};
const PartitionKey kSeven{1, "7"};
const PartitionKey kRegion{2, ""};

struct Place {
  uint64_t position;
  RecordId id;
  auto operator<=>(const Place&) const = default;
};

// The tree, its table, and the plain list of what should be in both.
class FingerprintTreeTest : public ::testing::Test {
 protected:
  void Put(const PartitionKey& partition, const Place& place,
           const std::optional<Fingerprint>& after) {
    auto& records = records_[partition];
    const auto found = records.find(place);
    std::optional<Fingerprint> before;
    if (found != records.end()) before = found->second;
    tree_.Apply(partition, place.position, before, after);
    storage::CommitBatch batch;
    const std::string key = storage::FingerprintKey(partition, place.position, place.id);
    if (after.has_value()) {
      records[place] = *after;
      batch.Put(storage::Table::kFingerprints, key, after->ToBytes());
    } else {
      records.erase(place);
      batch.Delete(storage::Table::kFingerprints, key);
    }
    ASSERT_TRUE(store_.Commit(batch).ok());
  }

  // Positions that share long prefixes as often as not.
  Place AnyPlace() {
    uint64_t position = random_.engine();
    if (random_.OneIn(2)) position = 0x1234'5678'0000'0000 | (position & 0xf);
    if (random_.OneIn(4)) position = 0xffff'ffff'ffff'ffff;
    return {position, IdOf(random_.Below(50))};
  }

  void PlayRandomly(int steps) {
    const PartitionKey partitions[] = {kSavoie, kSeven, kRegion};
    for (int i = 0; i < steps; ++i) {
      const PartitionKey& partition = partitions[random_.Below(3)];
      auto& records = records_[partition];
      if (!records.empty() && random_.OneIn(3)) {
        const Place place =
            std::next(records.begin(), static_cast<std::ptrdiff_t>(random_.Below(records.size())))
                ->first;
        Put(partition, place, std::nullopt);
      } else {
        Put(partition, AnyPlace(), Fingerprint::OfState({1, IdOf(0)}, std::to_string(i)));
      }
    }
  }

  FingerprintSum NaiveSum(const PartitionKey& partition, const TriePrefix& prefix) {
    FingerprintSum sum;
    for (const auto& [place, fingerprint] : records_[partition]) {
      if (IsBelow(place.position, prefix)) sum.Add(fingerprint);
    }
    return sum;
  }

  static bool IsBelow(uint64_t position, const TriePrefix& prefix) {
    for (size_t digit = 0; digit < prefix.digits; ++digit) {
      const size_t shift = 60 - 4 * digit;
      if ((position >> shift & 0xf) != (prefix.bits >> shift & 0xf)) return false;
    }
    return true;
  }

  // Walks down to every record, and beside each, comparing all there is at each node.
  void ExpectEqualToNaive(const FingerprintTree& tree) {
    for (auto& [partition, records] : records_) {
      EXPECT_EQ(tree.Root(partition), NaiveSum(partition, {}));
      std::vector<uint64_t> positions = {0, UINT64_MAX};
      for (const auto& [place, fingerprint] : records) positions.push_back(place.position);
      for (const uint64_t position : positions) ExpectPathEqual(tree, partition, position);
    }
  }

  void ExpectPathEqual(const FingerprintTree& tree, const PartitionKey& partition,
                       uint64_t position) {
    TriePrefix prefix;
    while (true) {
      ASSERT_EQ(*tree.Node(store_, partition, prefix), NaiveSum(partition, prefix));
      if (prefix.digits == TriePrefix::kMaxDigits) return;
      const auto children = tree.Children(store_, partition, prefix);
      ASSERT_TRUE(children.ok()) << children.status();
      for (uint8_t digit = 0; digit < 16; ++digit) {
        ASSERT_EQ((*children)[digit], NaiveSum(partition, prefix.Child(digit)))
            << "digit " << int{digit} << " below " << int{prefix.digits};
      }
      ExpectLeavesEqual(tree, partition, prefix);
      prefix = prefix.Child(static_cast<uint8_t>(position >> (60 - 4 * prefix.digits) & 0xf));
    }
  }

  void ExpectLeavesEqual(const FingerprintTree& tree, const PartitionKey& partition,
                         const TriePrefix& prefix) {
    std::vector<LeafEntry> expected;
    for (const auto& [place, fingerprint] : records_[partition]) {
      if (IsBelow(place.position, prefix)) {
        expected.push_back({place.position, place.id, fingerprint});
      }
    }
    // Read in pages, each after the last of the one before.
    const size_t page = 1 + random_.Below(20);
    std::vector<LeafEntry> read;
    while (true) {
      const auto after = read.empty() ? std::nullopt : std::optional<LeafEntry>(read.back());
      const auto leaves = tree.Leaves(store_, partition, prefix, after, page);
      ASSERT_TRUE(leaves.ok()) << leaves.status();
      ASSERT_LE(leaves->size(), page);
      read.insert(read.end(), leaves->begin(), leaves->end());
      ASSERT_LE(read.size(), expected.size());
      if (leaves->size() < page) break;
    }
    ASSERT_EQ(read.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(read[i].position, expected[i].position);
      ASSERT_EQ(read[i].id, expected[i].id);
      ASSERT_EQ(read[i].fingerprint, expected[i].fingerprint);
    }
  }

  SeededRandom random_{maillage::testing::TestSeed()};
  storage::MemoryStore store_;
  FingerprintTree tree_;
  std::map<PartitionKey, std::map<Place, Fingerprint>> records_;
};

TEST_F(FingerprintTreeTest, IsTheNaiveSumAtEveryDepth) {
  PlayRandomly(150);
  ExpectEqualToNaive(tree_);
}

TEST_F(FingerprintTreeTest, LoadsToWhatItWas) {
  PlayRandomly(150);
  FingerprintTree loaded;
  ASSERT_TRUE(loaded.Load(store_).ok());
  EXPECT_EQ(loaded.Digest(), tree_.Digest());
  EXPECT_EQ(loaded.Partitions(), tree_.Partitions());
  ExpectEqualToNaive(loaded);
}

TEST_F(FingerprintTreeTest, IsEmptyAgainWhenAllIsGone) {
  const std::string empty = tree_.Digest();
  PlayRandomly(60);
  EXPECT_NE(tree_.Digest(), empty);
  for (auto& [partition, records] : records_) {
    while (!records.empty()) Put(partition, Place(records.begin()->first), std::nullopt);
  }
  EXPECT_EQ(tree_.Digest(), empty);
  EXPECT_TRUE(tree_.Partitions().empty());
  EXPECT_EQ(tree_.Root(kSavoie), FingerprintSum());
}

TEST_F(FingerprintTreeTest, ListsPartitionsInOrder) {
  const Fingerprint any = Fingerprint::OfState({1, IdOf(1)}, "x");
  for (const PartitionKey& partition : {kRegion, kSavoie, kSeven})
    Put(partition, {1, IdOf(1)}, any);
  const auto partitions = tree_.Partitions();
  ASSERT_EQ(partitions.size(), 3u);
  EXPECT_EQ(partitions[0].first, kSeven);
  EXPECT_EQ(partitions[1].first, kSavoie);
  EXPECT_EQ(partitions[2].first, kRegion);
}

TEST_F(FingerprintTreeTest, TheDigestTellsPartitionsApart) {
  const Fingerprint any = Fingerprint::OfState({1, IdOf(1)}, "x");
  FingerprintTree savoie;
  savoie.Apply(kSavoie, 1, std::nullopt, any);
  FingerprintTree seven;
  seven.Apply(kSeven, 1, std::nullopt, any);
  EXPECT_NE(savoie.Digest(), seven.Digest());
  EXPECT_EQ(savoie.Digest().size(), 16u);
}

TEST_F(FingerprintTreeTest, DamagedRowsAreDataLoss) {
  storage::CommitBatch batch;
  batch.Put(storage::Table::kFingerprints, storage::FingerprintKey(kSavoie, 1, IdOf(1)), "short");
  ASSERT_TRUE(store_.Commit(batch).ok());
  EXPECT_EQ(tree_.Load(store_).code(), absl::StatusCode::kDataLoss);
}

TEST_F(FingerprintTreeTest, NothingIsBelowAWholePosition) {
  TriePrefix prefix;
  for (int i = 0; i < 16; ++i) prefix = prefix.Child(15);
  EXPECT_EQ(tree_.Children(store_, kSavoie, prefix).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TriePrefix, BoundsItsPositions) {
  EXPECT_EQ(TriePrefix().first(), 0u);
  EXPECT_EQ(TriePrefix().last(), UINT64_MAX);
  const TriePrefix prefix = TriePrefix().Child(0xa).Child(0xb);
  EXPECT_EQ(prefix.first(), 0xab00'0000'0000'0000u);
  EXPECT_EQ(prefix.last(), 0xabff'ffff'ffff'ffffu);
  TriePrefix whole;
  for (uint8_t digit = 0; digit < 16; ++digit) whole = whole.Child(digit);
  EXPECT_EQ(whole.first(), 0x0123'4567'89ab'cdefu);
  EXPECT_EQ(whole.last(), whole.first());
}

}  // namespace
}  // namespace maillage::replication::testing
