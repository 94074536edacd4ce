#include <gtest/gtest.h>

#include <set>
#include <string>

#include "storage/store.h"

namespace maillage::storage {
namespace {

using namespace std::string_literals;  // NOLINT(build/namespaces)

TEST(KeyRange, EndsOfPrefixes) {
  EXPECT_EQ(KeyRange::Prefix("ab").begin, "ab");
  EXPECT_EQ(KeyRange::Prefix("ab").end, "ac");
  EXPECT_EQ(KeyRange::Prefix("a\0"s).end, "a\x01");
  EXPECT_EQ(KeyRange::Prefix("a\x7f").end, "a\x80");
  EXPECT_EQ(KeyRange::Prefix("a\xfe").end, "a\xff");
  EXPECT_EQ(KeyRange::Prefix("a\xff").begin, "a\xff");
  EXPECT_EQ(KeyRange::Prefix("a\xff").end, "b");
  EXPECT_EQ(KeyRange::Prefix("a\xff\xff").end, "b");
  EXPECT_EQ(KeyRange::Prefix("\xff\xff").begin, "\xff\xff");
  EXPECT_EQ(KeyRange::Prefix("\xff\xff").end, "");
  EXPECT_EQ(KeyRange::Prefix("").end, "");
}

// They are on disk.
TEST(TableName, IsPinned) {
  const std::string names[] = {"states", "changes", "fingerprints", "feed", "index", "meta"};
  ASSERT_EQ(std::size(names), kTableCount);
  for (size_t table = 0; table < kTableCount; ++table) {
    EXPECT_EQ(TableName(static_cast<Table>(table)), names[table]);
  }
}

TEST(CommitBatch, CountsItsBytes) {
  CommitBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.Put(Table::kMeta, "key", "value");
  batch.Delete(Table::kMeta, "other");
  EXPECT_EQ(batch.byte_size(), 13U);
  EXPECT_EQ(batch.writes().size(), 2U);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.byte_size(), 0U);
}

}  // namespace
}  // namespace maillage::storage
