// Order and round trips of storage/keys.h; golden files pin the bytes.
#include "storage/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/store.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::storage {
namespace {

using replication::testing::IdOf;
using replication::testing::SeededRandom;

constexpr uint16_t kKinds[] = {0, 1, 2, 255, 256, 65535};
constexpr uint64_t kNumbers[] = {0, 1, 255, 256, 65536, uint64_t{1} << 63, UINT64_MAX};

bool IsIn(const KeyRange& range, const std::string& key) {
  return key >= range.begin && (range.end.empty() || key < range.end);
}

TEST(Keys, StatesAreOrderedByKindThenId) {
  std::vector<std::string> keys;
  for (const uint16_t kind : kKinds) {
    for (const uint64_t id : kNumbers) {
      keys.push_back(StateKey({kind, IdOf(id)}));
      EXPECT_EQ(ParseStateKey(keys.back()), (RecordKey{kind, IdOf(id)}));
      EXPECT_TRUE(IsIn(KeyRange::Prefix(StatePrefix(kind)), keys.back()));
    }
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(Keys, HistoryIsOrderedByPosition) {
  const RecordKey record{1, IdOf(5)};
  const KeyRange history = KeyRange::Prefix(ChangePrefix(record));
  std::string previous;
  for (const uint64_t position : kNumbers) {
    const std::string key = ChangeKey(record, position);
    EXPECT_LT(previous, key);
    EXPECT_TRUE(IsIn(history, key));
    EXPECT_EQ(ParseChangeKeyPosition(key), position);
    previous = key;
  }
  EXPECT_FALSE(IsIn(history, ChangeKey({1, IdOf(4)}, UINT64_MAX)));
  EXPECT_FALSE(IsIn(history, ChangeKey({1, IdOf(6)}, 0)));
}

TEST(Keys, TheFirstNulEndsATerritory) {
  const std::string key = FingerprintKey({1, std::string("7\0003", 3)}, 5, IdOf(1));
  EXPECT_TRUE(IsIn(KeyRange::Prefix(FingerprintPrefix({1, "7"})), key)) << "where it doesn't belong";
  EXPECT_FALSE(ParseFingerprintKey(key).has_value());
  EXPECT_TRUE(ParseFingerprintKey(FingerprintKey({1, "73"}, 0, IdOf(0))).has_value());
}

TEST(Keys, TheFeedIsOrderedByPosition) {
  std::string previous;
  for (const uint64_t position : kNumbers) {
    EXPECT_LT(previous, FeedKey(position));
    previous = FeedKey(position);
    EXPECT_EQ(ParseFeedKey(previous), position);
  }
}

TEST(Keys, FingerprintsAreOrderedByPartitionThenHash) {
  std::vector<std::string> keys;
  for (const uint16_t kind : kKinds) {
    // A territory whose code begins like another's, too.
    for (const char* territory : {"", "01", "2A", "7", "73", "974"}) {
      const PartitionKey partition{kind, territory};
      for (const uint64_t hash : kNumbers) {
        keys.push_back(FingerprintKey(partition, hash, IdOf(3)));
        EXPECT_TRUE(IsIn(KeyRange::Prefix(FingerprintPrefix(partition)), keys.back()));
        EXPECT_LE(FingerprintBound(partition, hash), keys.back());
        const auto parsed = ParseFingerprintKey(keys.back());
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->partition, partition);
        EXPECT_EQ(parsed->hash, hash);
        EXPECT_EQ(parsed->id, IdOf(3));
      }
    }
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_GT(FingerprintBound({1, "73"}, 6), FingerprintKey({1, "73"}, 5, IdOf(UINT64_MAX)));
}

TEST(Keys, PartitionsDoNotReachIntoEachOther) {
  const KeyRange seven = KeyRange::Prefix(FingerprintPrefix({1, "7"}));
  EXPECT_FALSE(IsIn(seven, FingerprintKey({1, "73"}, 0, IdOf(1))));
  EXPECT_FALSE(IsIn(seven, FingerprintKey({1, ""}, UINT64_MAX, IdOf(1))));
}

TEST(Keys, WordsAreFoundByTheirBeginning) {
  const std::string savoie = WordKey(1, "savoie", IdOf(1));
  EXPECT_TRUE(IsIn(KeyRange::Prefix(WordPrefix(1, "sav")), savoie));
  EXPECT_TRUE(IsIn(KeyRange::Prefix(WordPrefix(1, "savoie")), savoie));
  EXPECT_FALSE(IsIn(KeyRange::Prefix(WordPrefix(1, "savoir")), savoie));
  EXPECT_FALSE(IsIn(KeyRange::Prefix(WordPrefix(2, "sav")), savoie));
  EXPECT_LT(WordKey(1, "eau", IdOf(UINT64_MAX)), WordKey(1, "eaux", IdOf(0)));
}

TEST(Keys, IndexKeysEndWithTheirId) {
  const RecordKey record{1, IdOf(7)};
  const std::string digest(16, 'd');
  for (const std::string& key : {WordKey(1, "eau", record.id),
                                 NaturalKeyKey(1, 2, digest, record.id), ConflictKey(record)}) {
    EXPECT_EQ(ParseIndexedId(key), record.id);
  }
  EXPECT_TRUE(IsIn(KeyRange::Prefix(NaturalKeyPrefix(1, 2, digest)),
                   NaturalKeyKey(1, 2, digest, record.id)));
  EXPECT_EQ(ParseConflictKey(ConflictKey(record)), record);
  EXPECT_TRUE(IsIn(KeyRange::Prefix(ConflictPrefix()), ConflictKey(record)));
  EXPECT_TRUE(IsIn(KeyRange::Prefix(ConflictPrefix(1)), ConflictKey(record)));
  EXPECT_FALSE(IsIn(KeyRange::Prefix(ConflictPrefix(2)), ConflictKey(record)));
}

TEST(Keys, MetaKeysDoNotMeet) {
  std::vector<std::string> keys = {std::string(kIdentityKey),
                                   std::string(kProgressKey),
                                   CursorKey(replication::testing::Alice()),
                                   RequestKey("1"),
                                   QuarantineKey("1"),
                                   PausedKey("1"),
                                   AddressKey("1")};
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
  EXPECT_TRUE(IsIn(KeyRange::Prefix(kQuarantinePrefix), QuarantineKey("digest")));
  EXPECT_TRUE(IsIn(KeyRange::Prefix(kPausedPrefix), PausedKey("127.0.0.1:7103")));
}

TEST(Keys, WrongSizesAreNoKeys) {
  SeededRandom random(maillage::testing::TestSeed());
  for (size_t size = 0; size < 40; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
    EXPECT_EQ(ParseStateKey(bytes).has_value(), size == 18);
    EXPECT_EQ(ParseChangeKeyPosition(bytes).has_value(), size == 26);
    EXPECT_EQ(ParseFeedKey(bytes).has_value(), size == 8);
    EXPECT_EQ(ParseIndexedId(bytes).has_value(), size >= 16);
    EXPECT_FALSE(ParseConflictKey(bytes).has_value() && size != 19);
    const auto parsed = ParseFingerprintKey(bytes);
    if (parsed.has_value()) {
      EXPECT_EQ(FingerprintKey(parsed->partition, parsed->hash, parsed->id), bytes);
    }
  }
}

}  // namespace
}  // namespace maillage::storage
