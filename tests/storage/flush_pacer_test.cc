// Never is a second flush asked for while one is at work.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_store_background.h"
#include "storage/rocks_store_options.h"

namespace maillage::storage {
namespace {

constexpr char kPath[] = "/store";

// Keeps each flush at work for a while, and looks whether another one joins it.
class SlowFlushes final : public rocksdb::EventListener {
 public:
  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo&) override {
    for (int look = 0; look < looks && most_asked < 2; ++look) {
      for (rocksdb::ColumnFamilyHandle* table : *tables) {
        uint64_t asked = 0;
        db->GetIntProperty(table, rocksdb::DB::Properties::kNumImmutableMemTable, &asked);
        if (asked > most_asked) most_asked = asked;
      }
      std::this_thread::yield();
    }
  }

  const std::vector<rocksdb::ColumnFamilyHandle*>* tables = nullptr;
  std::atomic<int> looks = 0;
  // Of any table at one moment.
  std::atomic<uint64_t> most_asked = 0;
};

// Six tables in memory, as RocksStore sets them.
class FlushPacerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const RocksOptions options;
    rocksdb::DB* db = nullptr;
    rocksdb::DBOptions of_database =
        rocks::DatabaseOptions(options, env_.get(), rocksdb::WALRecoveryMode::kAbsoluteConsistency);
    of_database.listeners.push_back(slow_);
    const rocksdb::Status opened =
        rocksdb::DB::Open(of_database, kPath, rocks::Families(options), &tables_, &db);
    slow_->tables = &tables_;
    ASSERT_TRUE(opened.ok()) << opened.ToString();
    db_.reset(db);
  }
  void TearDown() override {
    // A flush at work looks at the tables.
    rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
    for (rocksdb::ColumnFamilyHandle* table : tables_) db_->DestroyColumnFamilyHandle(table);
  }

  // Into every other table, so that some have nothing to flush now and then.
  size_t WriteRow(rocks::FlushPacer& pacer, uint64_t number) {
    rocksdb::WriteBatch batch;
    for (size_t table = number % 2; table < tables_.size(); table += 2) {
      EXPECT_TRUE(batch.Put(tables_[table], std::to_string(number), std::string(1000, 'x')).ok());
    }
    pacer.MakeRoom(*db_, tables_, batch.GetDataSize(), 4);
    EXPECT_TRUE(db_->Write({}, &batch).ok());
    return batch.GetDataSize();
  }

  uint64_t Property(const std::string& name, rocksdb::ColumnFamilyHandle* table) const {
    uint64_t value = 0;
    EXPECT_TRUE(db_->GetIntProperty(table, name, &value));
    return value;
  }

  // Of the table that has most of them; each flush that has not ended holds one of each that it flushes.
  uint64_t Unflushed() const {
    uint64_t most = 0;
    for (rocksdb::ColumnFamilyHandle* table : tables_) {
      most = std::max(most, Property(rocksdb::DB::Properties::kNumImmutableMemTable, table));
    }
    return most;
  }

  // Before the database, which uses it.
  const std::unique_ptr<rocksdb::Env> env_{rocksdb::NewMemEnv(rocksdb::Env::Default())};
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> tables_;
  const std::shared_ptr<SlowFlushes> slow_ = std::make_shared<SlowFlushes>();
};

TEST_F(FlushPacerTest, OneFlushAtATime) {
  rocks::FlushPacer pacer(/*limit_bytes=*/1);
  uint64_t under_way = 0;
  for (uint64_t number = 0; number < 500; ++number) {
    WriteRow(pacer, number);
    const uint64_t unflushed = Unflushed();
    ASSERT_LE(unflushed, 1u);
    under_way += unflushed;
  }
  EXPECT_GT(under_way, 0u) << "no flush took longer than a look at it";
}

TEST_F(FlushPacerTest, ASlowFlushIsWaitedFor) {
  rocks::FlushPacer pacer(/*limit_bytes=*/1);
  slow_->looks = 2000;
  for (uint64_t number = 0; number < 30; ++number) WriteRow(pacer, number);
  EXPECT_EQ(slow_->most_asked, 1u);
}

TEST_F(FlushPacerTest, NothingIsFlushedBelowTheLimit) {
  rocks::FlushPacer pacer(/*limit_bytes=*/uint64_t{1} << 20);
  uint64_t written = 0;
  for (uint64_t number = 0; written < (uint64_t{1} << 19); ++number) {
    written += WriteRow(pacer, number);
  }
  for (rocksdb::ColumnFamilyHandle* table : tables_) {
    EXPECT_EQ(Property(rocksdb::DB::Properties::kLiveSstFilesSize, table), 0u);
    EXPECT_EQ(Property(rocksdb::DB::Properties::kNumImmutableMemTable, table), 0u);
  }
}

TEST_F(FlushPacerTest, WhatFlushesByItselfIsAloneWithItsFlush) {
  rocks::FlushPacer pacer(/*limit_bytes=*/1);
  for (uint64_t number = 0; number < 100; ++number) {
    WriteRow(pacer, number);
    const rocksdb::Status copied = pacer.Alone(*db_, tables_, [&] {
      EXPECT_EQ(Unflushed(), 0u);
      rocksdb::WriteBatch more;
      EXPECT_TRUE(more.Put(tables_[0], "meanwhile", "").ok());
      EXPECT_TRUE(db_->Write({}, &more).ok());
      return rocksdb::Status::OK();
    });
    ASSERT_TRUE(copied.ok()) << copied.ToString();
  }
}

// Together they would exceed what RocksDB flushes by itself, which would be a second flush beside the pacer's.
TEST_F(FlushPacerTest, ALargeBatchIsNotAddedToWhatAlmostFillsTheLimit) {
  const RocksOptions options;
  const uint64_t reach = options.write_buffer_bytes + options.write_buffer_bytes / 4;
  rocks::FlushPacer pacer(options.write_buffer_bytes);
  for (const uint64_t bytes : {options.write_buffer_bytes - 1000, options.write_buffer_bytes / 3}) {
    rocksdb::WriteBatch batch;
    EXPECT_TRUE(batch.Put(tables_[0], std::to_string(bytes), std::string(bytes, 'x')).ok());
    pacer.MakeRoom(*db_, tables_, batch.GetDataSize(), 1);
    EXPECT_TRUE(db_->Write({}, &batch).ok());
    EXPECT_LT(Property(rocksdb::DB::Properties::kCurSizeActiveMemTable, tables_[0]), reach);
  }
}

}  // namespace
}  // namespace maillage::storage
