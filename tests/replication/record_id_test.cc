#include "replication/record_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "tests/replication/support/changes.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RecordIdTest : public ::testing::Test {
 protected:
  SeededRandom random{TestSeed()};
  FakeWall wall{0x0123456789ab};
  RecordIdSource source{&wall, &random};
  const SiteId savoie = SiteOf('s');
};

TEST_F(RecordIdTest, IsAUuidOfTheSeventhVersion) {
  const std::string id = FormatUuid(source.Next(savoie));
  EXPECT_THAT(id, StartsWith("01234567-89ab-7"));
  EXPECT_THAT(std::string("89ab"), HasSubstr(id.substr(19, 1)));
}

TEST_F(RecordIdTest, OfOneMillisecondAreAllDifferent) {
  std::set<RecordId> ids;
  for (int i = 0; i < 200'000; ++i) ids.insert(source.Next(savoie));
  EXPECT_EQ(ids.size(), 200'000u);
}

TEST_F(RecordIdTest, TellsWhoMadeIt) {
  for (int i = 0; i < 1'000; ++i) {
    const RecordId id = source.Next(savoie);
    ASSERT_TRUE(IsIdOf(id, savoie));
    ASSERT_FALSE(IsIdOf(id, SiteOf('i')));
  }
}

TEST_F(RecordIdTest, AnotherBitIsAnotherId) {
  const RecordId id = source.Next(savoie);
  for (size_t bit = 0; bit < RecordId::kSize * 8; ++bit) {
    std::string bytes(id.bytes());
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    ASSERT_FALSE(IsIdOf(*RecordId::FromBytes(bytes), savoie)) << bit;
  }
}

}  // namespace
}  // namespace maillage::replication::testing
