#include "replication/subject_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/signing.h"

#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

class SubjectKeysTest : public ::testing::Test {
 protected:
  SubjectKeysTest() : random(TestSeed()), keys(SubjectKeys::Generate(random)) {}

  RecordKey AnyRecord() {
    std::string id(RecordId::kSize, '\0');
    random.Fill({reinterpret_cast<uint8_t*>(id.data()), id.size()});
    return {static_cast<uint16_t>(1 + random.Below(3)), *RecordId::FromBytes(id)};
  }

  SeededRandom random;
  SubjectKeys keys;
};

TEST_F(SubjectKeysTest, EachRecordHasItsOwnAndAlwaysTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const RecordKey record = AnyRecord();
    const SubjectKeys::Key key = keys.Current(record);
    EXPECT_EQ(key.generation, 0u);
    EXPECT_EQ(key.bytes.size(), kSubjectKeySize);
    EXPECT_TRUE(seen.insert(key.bytes).second);
    EXPECT_EQ(keys.Find(record, 0), key.bytes);
    EXPECT_TRUE(seen.insert(*keys.Find(record, 1)).second);
  }
}

TEST_F(SubjectKeysTest, OneThatIsDestroyedIsGoneAndAllOthersStay) {
  for (uint64_t round = 0; round < TestRounds(20); ++round) {
    std::vector<std::pair<RecordKey, std::string>> others;
    for (int i = 0; i < 50; ++i) {
      const RecordKey record = AnyRecord();
      others.emplace_back(record, keys.Current(record).bytes);
    }
    const RecordKey erased = AnyRecord();
    const SubjectKeys::Key before = keys.Current(erased);
    keys.Destroy(erased);
    EXPECT_EQ(keys.Find(erased, before.generation), std::nullopt);
    EXPECT_EQ(keys.Current(erased).generation, before.generation + 1);
    EXPECT_NE(keys.Current(erased).bytes, before.bytes);
    for (const auto& [record, bytes] : others) EXPECT_EQ(keys.Current(record).bytes, bytes);
    EXPECT_EQ(keys.Encode().find(before.bytes), std::string::npos);
  }
}

// It can't be made from what is left: no seed that is kept lies above it.
TEST_F(SubjectKeysTest, DestroyedTwiceIsTwoGenerations) {
  const RecordKey record = AnyRecord();
  keys.Destroy(record);
  keys.Destroy(record);
  EXPECT_EQ(keys.Find(record, 0), std::nullopt);
  EXPECT_EQ(keys.Find(record, 1), std::nullopt);
  EXPECT_EQ(keys.Current(record).generation, 2u);
}

TEST_F(SubjectKeysTest, TheFileIsWhatItWasOrNothing) {
  for (int i = 0; i < 3; ++i) keys.Destroy(AnyRecord());
  const std::string bytes = keys.Encode();
  EXPECT_EQ(*SubjectKeys::Decode(bytes), keys);
  EXPECT_FALSE(SubjectKeys::Decode("").ok());
  const std::string seedless = bytes.substr(0, 1 + SubjectKeys::kIdSize) + std::string(1, '\0');
  EXPECT_TRUE(absl::IsDataLoss(SubjectKeys::Decode(seedless + Hash256(seedless)).status()));
  for (uint64_t i = 0; i < TestRounds(500); ++i) {
    std::string altered = bytes;
    altered[random.Below(altered.size())] ^= static_cast<char>(1 << random.Below(8));
    EXPECT_TRUE(absl::IsDataLoss(SubjectKeys::Decode(altered).status()));
    EXPECT_FALSE(SubjectKeys::Decode(bytes.substr(0, random.Below(bytes.size()))).ok());
  }
}

}  // namespace
}  // namespace maillage::replication::testing
