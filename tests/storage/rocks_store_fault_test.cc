// A disk that refuses to sync, that is full, or that is read-only.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/rocks_store.h"
#include "tests/storage/faulty_disk.h"
#include "tests/storage/store_contract.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RocksStoreFaultTest : public ::testing::Test {
 protected:
  absl::StatusOr<RocksStore::Opened> TryOpen() {
    RocksOptions options;
    options.env = env_.get();
    return RocksStore::Open(path_, options);
  }
  RocksStore::Opened Open() {
    auto opened = TryOpen();
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : RocksStore::Opened();
  }
  static absl::Status PutOne(RocksStore& store, std::string key) {
    CommitBatch batch;
    batch.Put(Table::kFeed, std::move(key), "");
    return store.Commit(batch);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.In("data");
  DiskFaults faults_;
  const std::unique_ptr<rocksdb::Env> env_ =
      rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(faults_));
};

TEST_F(RocksStoreFaultTest, FailedSyncEndsWritingAndContinuity) {
  faults_.suffix = ".log";
  auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  faults_.sync_fails = true;
  const absl::Status failed = PutOne(*opened.store, "2");
  EXPECT_EQ(failed.code(), absl::StatusCode::kInternal) << failed;
  faults_.sync_fails = false;
  for (const char* key : {"3", "4"}) {
    const absl::Status refused = PutOne(*opened.store, key);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("injected"));
  }
  EXPECT_EQ(opened.store->Commit(CommitBatch()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(opened.store->SettleContinuity().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Value(*opened.store, Table::kFeed, "1"), ::testing::Optional(std::string()));
  opened.store.reset();

  opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(opened.damage, HasSubstr("Une écriture a échoué"));
  EXPECT_THAT(Keys(*opened.store, Table::kFeed),
              ::testing::AnyOf(ElementsAre("1"), ElementsAre("1", "2")));
  ASSERT_TRUE(PutOne(*opened.store, "5").ok());
  ASSERT_TRUE(opened.store->SettleContinuity().ok());
  opened.store.reset();
  EXPECT_TRUE(Open().continuity_proven);
}

constexpr auto kPatience = std::chrono::seconds(5);

TEST_F(RocksStoreFaultTest, AfterAFailedSyncTheStoreOpensAgainInPlace) {
  faults_.suffix = ".log";
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  faults_.sync_fails = true;
  EXPECT_FALSE(PutOne(*opened.store, "2").ok());
  faults_.sync_fails = false;
  const auto doubt = opened.store->Reopen(kPatience);
  ASSERT_TRUE(doubt.ok()) << doubt.status();
  EXPECT_THAT(*doubt, HasSubstr("Une écriture a échoué"));
  EXPECT_THAT(Keys(*opened.store, Table::kFeed),
              ::testing::AnyOf(ElementsAre("1"), ElementsAre("1", "2")));
  ASSERT_TRUE(PutOne(*opened.store, "3").ok());
  EXPECT_TRUE(opened.store->SettleContinuity().ok());
  EXPECT_THAT(Value(*opened.store, Table::kFeed, "3"), ::testing::Optional(std::string()));
}

// What the log's pages in memory hold may not be on the disk: only files written and synced since count.
TEST_F(RocksStoreFaultTest, WhatIsReadAfterReopeningWasWrittenToNewFiles) {
  faults_.suffix = ".log";
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  EXPECT_TRUE(FilesEndingIn(path_, ".sst").empty());
  faults_.sync_fails = true;
  EXPECT_FALSE(PutOne(*opened.store, "2").ok());
  faults_.sync_fails = false;
  ASSERT_TRUE(opened.store->Reopen(kPatience).ok());
  EXPECT_FALSE(FilesEndingIn(path_, ".sst").empty());
}

TEST_F(RocksStoreFaultTest, ReopeningWaitsForViewsAndGivesUpAtItsBound) {
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  auto view = opened.store->Snapshot();
  EXPECT_EQ(opened.store->Reopen(std::chrono::milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Value(*view, Table::kFeed, "1"), ::testing::Optional(std::string()));
  auto cursor = view->Scan(Table::kFeed, KeyRange());
  EXPECT_FALSE(opened.store->Reopen(std::chrono::milliseconds(1)).ok());
  EXPECT_TRUE(PutOne(*opened.store, "2").ok());
  cursor.reset();
  view.reset();
  EXPECT_TRUE(opened.store->Reopen(kPatience).ok());
}

TEST_F(RocksStoreFaultTest, ReadersGoOnAcrossAReopening) {
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto view = opened.store->Snapshot();
        auto cursor = view->Scan(Table::kFeed, KeyRange());
        const auto value = view->Get(Table::kFeed, "1");
        if (!cursor->Valid() || cursor->key() != "1" || !value.ok() || !value->has_value()) ++wrong;
      }
    });
    readers.emplace_back([&] {
      while (!stop) {
        const auto value = opened.store->Get(Table::kFeed, "1");
        if (!value.ok() || !value->has_value()) ++wrong;
      }
    });
  }
  int reopened = 0;
  for (int i = 0; i < 5; ++i) reopened += opened.store->Reopen(kPatience).ok() ? 1 : 0;
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(reopened, 5);
}

TEST_F(RocksStoreFaultTest, AStoreThatCannotBeOpenedAgainSaysSoUntilItCan) {
  faults_.suffix = "";
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  // The doubt is noted before anything is closed.
  faults_.creation_is_denied = true;
  EXPECT_FALSE(opened.store->Reopen(kPatience).ok());
  EXPECT_THAT(Value(*opened.store, Table::kFeed, "1"), ::testing::Optional(std::string()));
  faults_.creation_is_denied = false;
  ASSERT_TRUE(opened.store->Reopen(kPatience).ok());
  // With the doubt there, the database itself is what can't be opened.
  faults_.creation_is_denied = true;
  EXPECT_FALSE(opened.store->Reopen(kPatience).ok());
  EXPECT_EQ(opened.store->Get(Table::kFeed, "1").status().code(), absl::StatusCode::kUnavailable);
  const auto view = opened.store->Snapshot();
  EXPECT_EQ(view->Get(Table::kFeed, "1").status().code(), absl::StatusCode::kUnavailable);
  const auto cursor = opened.store->Scan(Table::kFeed, KeyRange());
  EXPECT_FALSE(cursor->Valid());
  EXPECT_EQ(cursor->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(PutOne(*opened.store, "2").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RocksStoreFaultTest, AfterAFailedReopeningTheNextMaySucceed) {
  faults_.suffix = "";
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  ASSERT_TRUE(opened.store->Reopen(kPatience).ok());
  faults_.creation_is_denied = true;
  EXPECT_FALSE(opened.store->Reopen(kPatience).ok());
  faults_.creation_is_denied = false;
  ASSERT_TRUE(opened.store->Reopen(kPatience).ok());
  EXPECT_THAT(Value(*opened.store, Table::kFeed, "1"), ::testing::Optional(std::string()));
  EXPECT_TRUE(PutOne(*opened.store, "2").ok());
}

TEST_F(RocksStoreFaultTest, FullDiskIsSaidSo) {
  faults_.suffix = ".log";
  const auto opened = Open();
  faults_.append_finds_disk_full = true;
  const absl::Status failed = PutOne(*opened.store, "1");
  EXPECT_EQ(failed.code(), absl::StatusCode::kResourceExhausted) << failed;
  EXPECT_THAT(std::string(failed.message()), HasSubstr("le disque est plein"));
  faults_.append_finds_disk_full = false;
  EXPECT_EQ(PutOne(*opened.store, "2").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RocksStoreFaultTest, FolderThatCannotBeWrittenIsSaidSo) {
  ASSERT_TRUE(PutOne(*Open().store, "1").ok());
  faults_.suffix = ".log";
  faults_.creation_is_denied = true;
  const absl::Status refused = TryOpen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("Le dossier « " + path_ + " » ne peut pas être ouvert"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("en lecture seule"));
  faults_.creation_is_denied = false;
  EXPECT_THAT(Keys(*Open().store, Table::kFeed), ElementsAre("1"));
}

// A power cut could take away a folder whose name isn't on disk, with all that was acknowledged in it.
TEST_F(RocksStoreFaultTest, NewFoldersAreOnDiskInTheFolderAbove) {
  const std::string above = std::filesystem::path(path_).parent_path();
  faults_.folder_that_cannot_sync = above;
  EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kInternal);
  faults_.folder_that_cannot_sync.clear();
  const auto opened = Open();
  ASSERT_TRUE(PutOne(*opened.store, "1").ok());
  const std::string copies = folder_.In("copies");
  std::filesystem::create_directory(copies);
  EXPECT_TRUE(opened.store->Checkpoint(copies + "/first").ok());
  faults_.folder_that_cannot_sync = copies;
  EXPECT_EQ(opened.store->Checkpoint(copies + "/second").code(), absl::StatusCode::kInternal);
}

// The recovery makes the log look sound, so the copy and the doubt are on disk before it.
TEST_F(RocksStoreFaultTest, DamagedLogStaysAsItIsUntilCopyAndDoubtAreOnDisk) {
  {
    const auto opened = Open();
    ASSERT_TRUE(PutOne(*opened.store, "1").ok());
    ASSERT_TRUE(PutOne(*opened.store, "2").ok());
  }
  const std::string log = FilesEndingIn(path_, ".log").at(0);
  FlipBit(log, ReadFile(log).size() - 1);
  const std::string damaged = ReadFile(log);
  faults_.append_finds_disk_full = true;
  for (const char* full_for : {".log", "CONTINUITY_LOST"}) {
    faults_.suffix = full_for;
    EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReadFile(log), damaged);
    EXPECT_FALSE(std::filesystem::exists(path_ + "/damaged-logs-1"));
  }
  faults_.append_finds_disk_full = false;
  const auto opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(Keys(*opened.store, Table::kFeed), ElementsAre("1"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/damaged-logs-1"));
}

}  // namespace
}  // namespace maillage::storage
