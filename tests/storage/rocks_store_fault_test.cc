// A disk that refuses to sync, that is full, or that is read-only.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "storage/rocks_store.h"
#include "tests/storage/store_contract.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What the disk does to the files whose names end in `suffix`.
struct DiskFaults {
  std::string suffix;
  std::atomic<bool> sync_fails = false;
  std::atomic<bool> append_finds_disk_full = false;
  std::atomic<bool> creation_is_denied = false;
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, const DiskFaults& faults)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    if (faults_.append_finds_disk_full) return rocksdb::IOStatus::NoSpace("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* context) override {
    if (faults_.append_finds_disk_full) return rocksdb::IOStatus::NoSpace("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, verification, context);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* context) override {
    if (faults_.sync_fails) return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Sync(options, context);
  }

 private:
  const DiskFaults& faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(const DiskFaults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (!name.ends_with(faults_.suffix)) {
      return FileSystemWrapper::NewWritableFile(name, options, file, context);
    }
    if (faults_.creation_is_denied) return rocksdb::IOStatus::IOError("Permission denied", name);
    const auto made = FileSystemWrapper::NewWritableFile(name, options, file, context);
    if (made.ok()) *file = std::make_unique<FaultyFile>(std::move(*file), faults_);
    return made;
  }

 private:
  const DiskFaults& faults_;
};

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
