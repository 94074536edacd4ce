#include "storage/rocks_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "rocksdb/db.h"
#include "tests/storage/store_contract.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RocksUnderTest final : public StoreUnderTest {
 public:
  RocksUnderTest() { Reopen(); }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    auto opened = RocksStore::Open(folder_.In("data"));
    if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
    EXPECT_TRUE(opened->continuity_proven) << opened->damage;
    store_ = std::move(opened->store);
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<RocksStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Rocks, StoreContract,
                         ::testing::Values(StoreFactory{
                             "Rocks", [] { return std::make_unique<RocksUnderTest>(); }}),
                         [](const auto& info) { return info.param.name; });

class RocksStoreTest : public ::testing::Test {
 protected:
  RocksStore::Opened Open(const std::string& path) {
    auto opened = RocksStore::Open(path);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : RocksStore::Opened();
  }
  RocksStore::Opened Open() { return Open(path_); }
  // One commit each, in a new store at path_ that is closed again.
  void Fill(const std::vector<std::string>& keys) {
    const auto opened = Open();
    ASSERT_NE(opened.store, nullptr);
    for (const std::string& key : keys) Put(*opened.store, Table::kStates, key, "value of " + key);
  }
  // As after SIGKILL: the files of a store that goes on running.
  void CopyFiles(const std::string& from, const std::string& to) {
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.In("data");
};

TEST_F(RocksStoreTest, EveryAcknowledgedCommitSurvivesAKill) {
  const auto running = Open();
  for (const char* key : {"1", "2", "3"}) Put(*running.store, Table::kFeed, key, "");
  const std::string killed = folder_.In("killed");
  CopyFiles(path_, killed);
  const auto opened = Open(killed);
  EXPECT_TRUE(opened.continuity_proven) << opened.damage;
  EXPECT_THAT(opened.damage, IsEmpty());
  EXPECT_THAT(Keys(*opened.store, Table::kFeed), ElementsAre("1", "2", "3"));
}

TEST_F(RocksStoreTest, FlippedBitInTheLogEndsContinuity) {
  Fill({"1", "2", "3"});
  const auto logs = FilesEndingIn(path_, ".log");
  ASSERT_THAT(logs, SizeIs(1));
  const size_t second = ReadFile(logs[0]).find("value of 2");
  ASSERT_NE(second, std::string::npos);
  FlipBit(logs[0], second);
  const std::string damaged = ReadFile(logs[0]);

  const auto opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(opened.damage, HasSubstr("Le journal de la base était endommagé"));
  EXPECT_THAT(opened.damage, HasSubstr("damaged-logs-1"));
  EXPECT_THAT(Keys(*opened.store, Table::kStates), ElementsAre("1"));
  const auto kept = FilesEndingIn(path_ + "/damaged-logs-1", ".log");
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(ReadFile(kept[0]), damaged);
}

TEST_F(RocksStoreTest, TornEndOfTheLogEndsContinuity) {
  Fill({"1", "2", "3"});
  const auto logs = FilesEndingIn(path_, ".log");
  ASSERT_THAT(logs, SizeIs(1));
  std::filesystem::resize_file(logs[0], std::filesystem::file_size(logs[0]) - 3);
  const auto opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(Keys(*opened.store, Table::kStates), ElementsAre("1", "2"));
}

TEST_F(RocksStoreTest, MissingLogEndsContinuity) {
  Fill({"1"});
  // Recovery writes what was in the log to a sorted file.
  Fill({"2"});
  for (const std::string& log : FilesEndingIn(path_, ".log")) std::filesystem::remove(log);
  const auto opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(opened.damage, HasSubstr("Le journal de la base a disparu"));
  EXPECT_THAT(Keys(*opened.store, Table::kStates), ElementsAre("1"));
}

// All tables lose the same commits: none is ahead of the others.
TEST_F(RocksStoreTest, DamagedLogLeavesWholeBatches) {
  {
    const auto opened = Open();
    for (const std::string number : {"1", "2", "3"}) {
      CommitBatch batch;
      batch.Put(Table::kStates, "record", "state " + number);
      batch.Put(Table::kFeed, number, "");
      batch.Put(Table::kMeta, "progress", number);
      ASSERT_TRUE(opened.store->Commit(batch).ok());
    }
  }
  const std::string log = FilesEndingIn(path_, ".log").at(0);
  FlipBit(log, ReadFile(log).find("state 3"));
  const auto opened = Open();
  EXPECT_FALSE(opened.continuity_proven);
  EXPECT_THAT(Rows(*opened.store, Table::kStates), ElementsAre(Row("record", "state 2")));
  EXPECT_THAT(Keys(*opened.store, Table::kFeed), ElementsAre("1", "2"));
  EXPECT_THAT(Rows(*opened.store, Table::kMeta), ElementsAre(Row("progress", "2")));
}

// A table that fills often is flushed with the others, so that a damage in the oldest log never
// finds it ahead of them.
TEST_F(RocksStoreTest, DamagedLogFindsNoTableAheadOfTheOthers) {
  RocksOptions options;
  options.write_buffer_bytes = size_t{1} << 20;
  {
    const auto opened = RocksStore::Open(path_, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    for (int number = 100; number < 160; ++number) {
      CommitBatch batch;
      batch.Put(Table::kStates, "record", std::string(100'000, static_cast<char>(number)));
      batch.Put(Table::kMeta, "progress", "progress " + std::to_string(number));
      ASSERT_TRUE(opened->store->Commit(batch).ok());
    }
    ASSERT_THAT(FilesEndingIn(path_, ".sst"), Not(IsEmpty()));
  }
  const std::string log = FilesEndingIn(path_, ".log").front();
  const std::string contents = ReadFile(log);
  const size_t last = contents.rfind("progress 1");
  ASSERT_NE(last, std::string::npos);
  FlipBit(log, last);

  const auto opened = RocksStore::Open(path_, options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_FALSE(opened->continuity_proven);
  const int before = std::stoi(contents.substr(last + 9, 3)) - 1;
  EXPECT_EQ(Value(*opened->store, Table::kMeta, "progress"), "progress " + std::to_string(before));
  EXPECT_EQ(Value(*opened->store, Table::kStates, "record"),
            std::string(100'000, static_cast<char>(before)));
}

TEST_F(RocksStoreTest, DoubtLastsUntilItIsSettled) {
  Fill({"1", "2"});
  const std::string log = FilesEndingIn(path_, ".log").at(0);
  FlipBit(log, ReadFile(log).find("value of 2"));
  const std::string damage = Open().damage;
  EXPECT_THAT(damage, Not(IsEmpty()));
  {
    const auto again = Open();
    EXPECT_FALSE(again.continuity_proven);
    EXPECT_EQ(again.damage, damage);
    Put(*again.store, Table::kMeta, "identity", "new incarnation");
    ASSERT_TRUE(again.store->SettleContinuity().ok());
    EXPECT_TRUE(again.store->SettleContinuity().ok());
  }
  const auto settled = Open();
  EXPECT_TRUE(settled.continuity_proven) << settled.damage;
  EXPECT_THAT(settled.damage, IsEmpty());
  EXPECT_THAT(Keys(*settled.store, Table::kStates), ElementsAre("1"));
  EXPECT_THAT(Keys(*settled.store, Table::kMeta), ElementsAre("identity"));
}

TEST_F(RocksStoreTest, FlippedBitInASortedFileIsDataLossAndNeverAbsence) {
  Fill({"1", "2", "3"});
  // Recovery writes what was in the log to a sorted file.
  Fill({});
  const auto sorted = FilesEndingIn(path_, ".sst");
  ASSERT_THAT(sorted, SizeIs(1));
  // Inside a value, where nothing but a checksum can tell.
  const size_t value = ReadFile(sorted[0]).find("value of 1");
  ASSERT_NE(value, std::string::npos);
  FlipBit(sorted[0], value + 2);

  const auto opened = Open();
  ASSERT_NE(opened.store, nullptr);
  for (const char* key : {"1", "2", "3"}) {
    const absl::Status status = opened.store->Get(Table::kStates, key).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("table states"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("maillage doctor --salvage"));
  }
  for (const ScanOrder order : {ScanOrder::kAscending, ScanOrder::kDescending}) {
    const auto cursor = opened.store->Scan(Table::kStates, {}, order);
    EXPECT_FALSE(cursor->Valid());
    EXPECT_EQ(cursor->status().code(), absl::StatusCode::kDataLoss) << cursor->status();
  }
}

TEST_F(RocksStoreTest, MissingSortedFileIsRefused) {
  Fill({"1"});
  Fill({});
  const auto sorted = FilesEndingIn(path_, ".sst");
  ASSERT_THAT(sorted, SizeIs(1));
  std::filesystem::rename(sorted[0], folder_.In("aside"));
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(RocksStore::Open(path_).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_FALSE(std::filesystem::exists(path_ + "/damaged-logs-1"));
  }
  std::filesystem::rename(folder_.In("aside"), sorted[0]);
  EXPECT_THAT(Keys(*Open().store, Table::kStates), ElementsAre("1"));
}

TEST_F(RocksStoreTest, RemainsOfADatabaseAreNotTakenForAnEmptyFolder) {
  Fill({"1"});
  std::filesystem::rename(path_ + "/CURRENT", folder_.In("aside"));
  const absl::Status refused = RocksStore::Open(path_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("CURRENT"));
  std::filesystem::rename(folder_.In("aside"), path_ + "/CURRENT");
  EXPECT_THAT(Keys(*Open().store, Table::kStates), ElementsAre("1"));
}

void ExpectOpenElsewhere(const absl::Status& refused, const std::string& path) {
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_EQ(refused.message(),
            "Le dossier « " + path +
                " » est déjà ouvert par un autre nœud : arrêtez-le, ou donnez à celui-ci un autre "
                "dossier.");
}

TEST_F(RocksStoreTest, FolderOpensOnceInAProcess) {
  const auto opened = Open();
  ExpectOpenElsewhere(RocksStore::Open(path_).status(), path_);
  Put(*opened.store, Table::kStates, "1", "");
  EXPECT_THAT(Keys(*opened.store, Table::kStates), ElementsAre("1"));
}

TEST_F(RocksStoreTest, FolderOpensOnceOnAMachine) {
  Fill({"1"});
  const std::string lock_file = path_ + "/LOCK";
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t other = ::fork();
  ASSERT_NE(other, -1);
  if (other == 0) {
    // What another node does to hold the folder. System calls alone, since this process has
    // threads.
    ::close(finish[1]);
    const int file = ::open(lock_file.c_str(), O_RDWR);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    char byte = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) (void)!::read(finish[0], &byte, 1);
    ::_exit(0);
  }
  char locked = 'n';
  ASSERT_EQ(::read(ready[0], &locked, 1), 1);
  ASSERT_EQ(locked, 'y');
  ExpectOpenElsewhere(RocksStore::Open(path_).status(), path_);
  ::close(finish[1]);
  ASSERT_EQ(::waitpid(other, nullptr, 0), other);
  for (const int end : {ready[0], ready[1], finish[0]}) ::close(end);
  EXPECT_THAT(Keys(*Open().store, Table::kStates), ElementsAre("1"));
}

TEST_F(RocksStoreTest, FolderThatCannotBeMadeIsSaidSo) {
  WriteFile(folder_.In("file"), "");
  for (const std::string& path : {folder_.In("file/data"), folder_.In("no/such/data")}) {
    const absl::Status refused = RocksStore::Open(path).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()),
                HasSubstr("Le dossier « " + path + " » ne peut pas être créé"));
  }
}

TEST_F(RocksStoreTest, FolderOfALaterVersionIsRefused) {
  Fill({"1"});
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path_, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const auto& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* later = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, path_, families, &handles, &later).ok());
    const std::unique_ptr<rocksdb::DB> close(later);
    rocksdb::ColumnFamilyHandle* added = nullptr;
    ASSERT_TRUE(later->CreateColumnFamily({}, "later_table", &added).ok());
    handles.push_back(added);
    for (auto* handle : handles) later->DestroyColumnFamilyHandle(handle);
  }
  const absl::Status refused = RocksStore::Open(path_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("version plus récente de Maillage"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("later_table"));
}

TEST_F(RocksStoreTest, CheckpointIsACopyOfOneMomentInDoubt) {
  const auto running = Open();
  Put(*running.store, Table::kStates, "1", "before");
  const std::string copy = folder_.In("copy");
  // Left by a copy that was cut off.
  std::filesystem::create_directory(copy + ".partial");
  WriteFile(copy + ".partial/CURRENT", "half");
  ASSERT_TRUE(running.store->Checkpoint(copy).ok());
  EXPECT_FALSE(std::filesystem::exists(copy + ".partial"));
  Put(*running.store, Table::kStates, "2", "after");
  EXPECT_EQ(running.store->Checkpoint(copy).code(), absl::StatusCode::kAlreadyExists);

  const auto restored = Open(copy);
  EXPECT_FALSE(restored.continuity_proven);
  EXPECT_THAT(restored.damage, HasSubstr("copie (sauvegarde) de « " + path_ + " »"));
  Put(*restored.store, Table::kStates, "3", "elsewhere");
  EXPECT_THAT(Keys(*restored.store, Table::kStates), ElementsAre("1", "3"));
  EXPECT_THAT(Keys(*running.store, Table::kStates), ElementsAre("1", "2"));
}

TEST_F(RocksStoreTest, DiskUseGrowsWithItsTable) {
  const auto opened = Open();
  const auto before = opened.store->DiskUse();
  std::string noise(size_t{1} << 20, '\0');
  uint32_t state = 1;
  for (char& byte : noise) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  Put(*opened.store, Table::kChanges, "noise", noise);
  const auto after = opened.store->DiskUse();
  const auto of = [](const auto& use, Table table) { return use[static_cast<size_t>(table)]; };
  EXPECT_GE(of(after, Table::kChanges), of(before, Table::kChanges) + noise.size());
  EXPECT_EQ(of(after, Table::kIndex), of(before, Table::kIndex));
}

TEST(RocksStoreDeathTest, ViewsAndCursorsMustNotOutliveTheirStore) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The dying process runs this test from its start, and removes nothing: its parent's folder
  // serves both.
  constexpr char kFolder[] = "MAILLAGE_DEATH_TEST_FOLDER";
  std::optional<TemporaryFolder> folder;
  if (std::getenv(kFolder) == nullptr) {
    folder.emplace();
    ::setenv(kFolder, folder->In("").c_str(), /*overwrite=*/1);
  }
  const std::string shared = std::getenv(kFolder);
  EXPECT_DEATH(
      {
        std::unique_ptr<ReadView> view;
        auto opened = RocksStore::Open(shared + "view");
        view = opened->store->Snapshot();
        opened->store.reset();
      },
      "outlives its store");
  EXPECT_DEATH(
      {
        std::unique_ptr<Cursor> cursor;
        auto opened = RocksStore::Open(shared + "cursor");
        cursor = opened->store->Scan(Table::kFeed, {});
        opened->store.reset();
      },
      "outlives its store");
  if (folder) ::unsetenv(kFolder);
}

}  // namespace
}  // namespace maillage::storage
