// The disk in memory keeps what POSIX promises and no more, and a store that forgot to sync would be caught on it.
#include "tests/storage/memory_disk.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "rocksdb/file_system.h"
#include "storage/rocks_store.h"
#include "tests/support/seed.h"

namespace maillage::storage {
namespace {

// Whatever may be lost is lost in one of so many cuts.
constexpr int kCuts = 64;
constexpr int kCutsOfStores = 16;

void MakeFolder(MemoryDisk& disk, const std::string& path) { ASSERT_TRUE(disk.env()->CreateDir(path).ok()); }

void SyncFolder(MemoryDisk& disk, const std::string& path) {
  std::unique_ptr<rocksdb::Directory> folder;
  ASSERT_TRUE(disk.env()->NewDirectory(path, &folder).ok());
  ASSERT_TRUE(folder->Fsync().ok());
}

void Write(MemoryDisk& disk, const std::string& path, const std::string& bytes, bool synced) {
  ASSERT_TRUE(rocksdb::WriteStringToFile(disk.env(), bytes, path, synced).ok());
}

// A file system that takes the fsync of one folder for done.
class ForgetfulFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  ForgetfulFileSystem(MemoryDisk& disk, std::string folder)
      : FileSystemWrapper(disk.env()->GetFileSystem()), folder_(std::move(folder)) {}
  const char* Name() const override { return "ForgetfulFileSystem"; }

  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder,
                                 rocksdb::IODebugContext* context) override {
    if (name != folder_) return FileSystemWrapper::NewDirectory(name, options, folder, context);
    *folder = std::make_unique<Unsynced>();
    return rocksdb::IOStatus::OK();
  }

 private:
  class Unsynced final : public rocksdb::FSDirectory {
   public:
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return rocksdb::IOStatus::OK();
    }
  };
  const std::string folder_;
};

class MemoryDiskTest : public ::testing::Test {
 protected:
  // In how many cuts, each right after `make` on a disk of its own, `path` is gone.
  int CutsThatLose(const std::string& path, const std::function<void(MemoryDisk&)>& make, int cuts = kCuts) {
    int lost = 0;
    for (int i = 0; i < cuts; ++i) {
      MemoryDisk disk;
      make(disk);
      disk.PowerOn(random_);
      lost += disk.env()->FileExists(path).ok() ? 0 : 1;
    }
    return lost;
  }

  std::mt19937_64 random_{testing::TestSeed()};
};

TEST_F(MemoryDiskTest, ANameIsDurableOnceItsFolderWasSynced) {
  const auto make = [](MemoryDisk& disk) { Write(disk, "/file", "bytes", /*synced=*/true); };
  EXPECT_GT(CutsThatLose("/file", make), 0);
  EXPECT_EQ(CutsThatLose("/file",
                         [&](MemoryDisk& disk) {
                           make(disk);
                           SyncFolder(disk, "/");
                         }),
            0);
}

TEST_F(MemoryDiskTest, AFolderIsDurableOnceTheOneAboveWasSynced) {
  const auto make = [](MemoryDisk& disk) {
    MakeFolder(disk, "/folder");
    Write(disk, "/folder/file", "bytes", /*synced=*/true);
    SyncFolder(disk, "/folder");
  };
  EXPECT_GT(CutsThatLose("/folder/file", make), 0);
  EXPECT_EQ(CutsThatLose("/folder/file",
                         [&](MemoryDisk& disk) {
                           make(disk);
                           SyncFolder(disk, "/");
                         }),
            0);
}

TEST_F(MemoryDiskTest, TheFsyncOfOneFolderIsNotThatOfItsNeighbour) {
  EXPECT_GT(CutsThatLose("/one/file",
                         [](MemoryDisk& disk) {
                           MakeFolder(disk, "/one");
                           MakeFolder(disk, "/other");
                           SyncFolder(disk, "/");
                           Write(disk, "/one/file", "bytes", /*synced=*/true);
                           SyncFolder(disk, "/other");
                         }),
            0);
}

TEST_F(MemoryDiskTest, ARenameHappensOrNot) {
  const auto rename = [](MemoryDisk& disk) {
    Write(disk, "/old", "bytes", /*synced=*/true);
    SyncFolder(disk, "/");
    ASSERT_TRUE(disk.env()->RenameFile("/old", "/new").ok());
  };
  int done = 0;
  for (int i = 0; i < kCuts; ++i) {
    MemoryDisk disk;
    rename(disk);
    disk.PowerOn(random_);
    const DiskImage left = disk.Image();
    EXPECT_EQ(left.size(), 1u);
    done += left.contains("/new") ? 1 : 0;
  }
  EXPECT_GT(done, 0);
  EXPECT_LT(done, kCuts);
}

TEST_F(MemoryDiskTest, UnsyncedBytesGoFromTheEnd) {
  std::set<std::string> left;
  for (int i = 0; i < kCuts; ++i) {
    MemoryDisk disk;
    std::unique_ptr<rocksdb::WritableFile> file;
    ASSERT_TRUE(disk.env()->NewWritableFile("/file", &file, {}).ok());
    SyncFolder(disk, "/");
    ASSERT_TRUE(file->Append("ab").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Append("cd").ok());
    file.reset();
    disk.PowerOn(random_);
    left.insert(disk.Image().at("/file"));
  }
  EXPECT_EQ(left, (std::set<std::string>{"ab", "abc", "abcd"}));
}

// In how many cuts a store, or its copy, goes with its folder, though it was told to be on disk.
class ForgottenFsync : public MemoryDiskTest {
 protected:
  int CutsThatLoseStore(const std::string& forgotten_folder, const std::string& looked_for) {
    return CutsThatLose(
        looked_for,
        [&](MemoryDisk& disk) {
          for (const char* folder : {"/site", "/copies"}) MakeFolder(disk, folder);
          SyncFolder(disk, "/");
          const auto forgetful =
              rocksdb::NewCompositeEnv(std::make_shared<ForgetfulFileSystem>(disk, forgotten_folder));
          RocksOptions options;
          options.env = forgetful.get();
          auto opened = RocksStore::Open("/site/store", options);
          ASSERT_TRUE(opened.ok()) << opened.status();
          CommitBatch batch;
          batch.Put(Table::kStates, "key", "value");
          ASSERT_TRUE(opened->store->Commit(batch).ok());
          ASSERT_TRUE(opened->store->Checkpoint("/copies/copy").ok());
          disk.CutPowerAfter(0);
          // The next operation is the cut's, and the store lives on in its dream.
          opened->store.reset();
          Write(disk, "/unimportant", "", /*synced=*/false);
        },
        kCutsOfStores);
  }
};

TEST_F(ForgottenFsync, OfTheFolderAboveANewStoreIsNoticed) {
  EXPECT_GT(CutsThatLoseStore("/site", "/site/store/CURRENT"), 0);
  EXPECT_EQ(CutsThatLoseStore("", "/site/store/CURRENT"), 0);
}

TEST_F(ForgottenFsync, OfTheFolderAboveACopyIsNoticed) {
  EXPECT_GT(CutsThatLoseStore("/copies", "/copies/copy/CURRENT"), 0);
  EXPECT_EQ(CutsThatLoseStore("", "/copies/copy/CURRENT"), 0);
}

}  // namespace
}  // namespace maillage::storage
