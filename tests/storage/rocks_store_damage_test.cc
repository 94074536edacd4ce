// Damaged blocks of sorted files: what lies in them is DataLoss, and everything else is found, by
// key and by walking.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocks_store.h"
#include "tests/storage/temporary_folder.h"
#include "tests/support/seed.h"

namespace maillage::storage {
namespace {

using ::maillage::testing::TestSeed;

constexpr size_t kRows = 4000;

class RocksStoreDamageTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksStore> Open() {
    auto opened = RocksStore::Open(path_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? std::move(opened->store) : nullptr;
  }
  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }
  // In one sorted file, its blocks of 8 KiB.
  void Fill() {
    CommitBatch batch;
    for (size_t row = 0; row < kRows; ++row) {
      const std::string key = Bytes(18);
      rows_[key] = Bytes(100 + random_() % 200);
      batch.Put(Table::kStates, key, rows_[key]);
    }
    ASSERT_TRUE(Open()->Commit(batch).ok());
    // What the log held is a sorted file once the store was opened again.
    ASSERT_NE(Open(), nullptr);
    const auto files = FilesEndingIn(path_, ".sst");
    ASSERT_FALSE(files.empty());
    file_ = files.front();
    for (const std::string& file : files) {
      if (ReadFile(file).size() > ReadFile(file_).size()) file_ = file;
    }
  }
  // Keys of rows that Get gives.
  std::vector<std::string> Readable(const RocksStore& store) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : rows_) {
      const auto read = store.Get(Table::kStates, key);
      if (read.ok() && *read == value) {
        keys.push_back(key);
      } else {
        EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
      }
    }
    return keys;
  }
  std::vector<std::string> Walk(const RocksStore& store, const KeyRange& range, size_t* skips) {
    std::vector<std::string> keys;
    auto cursor = store.Scan(Table::kStates, range);
    do {
      for (; cursor->Valid(); cursor->Next()) keys.emplace_back(cursor->key());
      if (cursor->status().ok()) break;
      EXPECT_EQ(cursor->status().code(), absl::StatusCode::kDataLoss);
      ++*skips;
    } while (cursor->SkipDamage());
    EXPECT_TRUE(cursor->status().ok()) << cursor->status();
    return keys;
  }

  const uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  TemporaryFolder folder_;
  const std::string path_ = folder_.In("store");
  std::map<std::string, std::string> rows_;
  std::string file_;
};

TEST_F(RocksStoreDamageTest, AWalkGoesOnBehindEachDamagedBlock) {
  Fill();
  const std::string whole = ReadFile(file_);
  size_t most_skips = 0;
  for (int trial = 0; trial < 12; ++trial) {
    WriteFile(file_, whole);
    // The last part of the file is its index, for which the next test is.
    const size_t data = whole.size() * 9 / 10;
    const size_t flips = 1 + random_() % 12;
    for (size_t flip = 0; flip < flips; ++flip) FlipBit(file_, random_() % data);
    const auto store = Open();
    ASSERT_NE(store, nullptr);
    size_t skips = 0;
    const auto readable = Readable(*store);
    EXPECT_LT(readable.size(), kRows);
    EXPECT_EQ(Walk(*store, {}, &skips), readable) << "seed " << seed_ << ", trial " << trial;
    most_skips = std::max(most_skips, skips);

    // A range that begins or ends anywhere is the same part of it.
    const std::string begin =
        std::next(rows_.begin(), static_cast<ptrdiff_t>(random_() % kRows))->first;
    std::vector<std::string> behind;
    for (const std::string& key : readable) {
      if (key >= begin) behind.push_back(key);
    }
    EXPECT_EQ(Walk(*store, {begin, ""}, &skips), behind) << "seed " << seed_ << ", trial " << trial;
  }
  EXPECT_GT(most_skips, 2u);
}

TEST_F(RocksStoreDamageTest, NewerRowsAreFoundBesideADamagedBlock) {
  Fill();
  FlipBit(file_, ReadFile(file_).size() / 2);
  const auto store = Open();
  std::vector<std::string> readable = Readable(*store);
  ASSERT_LT(readable.size(), kRows);
  CommitBatch batch;
  for (const auto& [key, value] : rows_) {
    if (!std::binary_search(readable.begin(), readable.end(), key))
      batch.Put(Table::kStates, key, value);
  }
  ASSERT_TRUE(store->Commit(batch).ok());
  EXPECT_EQ(Readable(*store).size(), kRows);
  // They are found by key; walks pass over them until the block is gone.
  size_t skips = 0;
  EXPECT_EQ(Walk(*store, {}, &skips), readable);
  EXPECT_EQ(skips, 1u);
}

TEST_F(RocksStoreDamageTest, AFileWithoutAnIndexIsToldAndWalkedPast) {
  Fill();
  CommitBatch batch;
  const std::string last(18, '\xff');
  batch.Put(Table::kStates, last, "behind");
  ASSERT_TRUE(Open()->Commit(batch).ok());
  ASSERT_NE(Open(), nullptr);
  std::string damaged = ReadFile(file_);
  for (size_t place = damaged.size() * 95 / 100; place < damaged.size() - 4096; place += 16)
    damaged[place] ^= 4;
  WriteFile(file_, damaged);
  auto opened = RocksStore::Open(path_);
  if (!opened.ok()) {
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
    return;
  }
  auto cursor = opened->store->Scan(Table::kStates, {});
  size_t rows = 0;
  bool told = false;
  do {
    for (; cursor->Valid(); cursor->Next()) ++rows;
    told = told || !cursor->status().ok();
  } while (!cursor->status().ok() && cursor->SkipDamage());
  EXPECT_TRUE(told);
  EXPECT_LT(rows, kRows);
}

}  // namespace
}  // namespace maillage::storage
