// Power cuts, failing disks and flipped bits under a real RocksStore on a disk in memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_store.h"
#include "tests/storage/memory_disk.h"
#include "tests/storage/rocks_damage.h"
#include "tests/storage/store_model.h"
#include "tests/support/seed.h"

namespace maillage::storage {
namespace {

using ::maillage::testing::NumberFromEnvironment;
using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

constexpr char kPath[] = "/site/store";
constexpr auto kPatience = std::chrono::seconds(5);

RocksOptions OptionsOn(MemoryDisk& disk) {
  RocksOptions options;
  options.env = disk.env();
  // A few batches, so that they are flushed and compacted all the time.
  options.write_buffer_bytes = size_t{8} << 10;
  options.block_cache_bytes = size_t{1} << 20;
  return options;
}

// The folder above the store is the node's to make.
void MakeSiteFolder(MemoryDisk& disk) {
  std::unique_ptr<rocksdb::Directory> root;
  disk.env()->CreateDirIfMissing("/site");
  if (disk.env()->NewDirectory("/", &root).ok()) root->Fsync();
}

absl::StatusOr<RocksStore::Opened> OpenOn(MemoryDisk& disk) {
  MakeSiteFolder(disk);
  return RocksStore::Open(kPath, OptionsOn(disk));
}

// The store holds what it ought to; whether the unanswered batch is part of that is known from here on.
void CheckAndSettle(const RocksStore& store, StoreModel& model) {
  const StoreModel::Verdict verdict = model.Compare(store);
  EXPECT_EQ(verdict.wrong, "");
  EXPECT_EQ(verdict.errors, 0u);
  model.Settle(store);
}

// Opens after a cut; takes the doubt for settled, as the node does with a new incarnation.
std::unique_ptr<RocksStore> MustOpen(MemoryDisk& disk, bool* doubted = nullptr) {
  auto opened = OpenOn(disk);
  EXPECT_TRUE(opened.ok()) << opened.status();
  if (!opened.ok()) return nullptr;
  if (doubted != nullptr) *doubted = !opened->continuity_proven;
  if (!opened->continuity_proven) {
    EXPECT_TRUE(opened->store->SettleContinuity().ok());
  }
  return std::move(opened->store);
}

// Writes `batches` times; false where the power went or the store refused before.
bool WriteUntilRefused(const MemoryDisk& disk, RocksStore& store, StoreModel& model, std::mt19937_64& random,
                       uint64_t batches) {
  for (uint64_t i = 0; i < batches; ++i) {
    const CommitBatch batch = StoreModel::RandomBatch(random);
    const absl::Status committed = store.Commit(batch);
    if (committed.ok() && !disk.power_is_off()) {
      model.Acknowledged(batch);
      continue;
    }
    model.Unanswered(batch);
    if (!committed.ok()) {
      EXPECT_EQ(store.Commit(batch).code(), absl::StatusCode::kFailedPrecondition);
    }
    return false;
  }
  return true;
}

// A copy that was answered for holds what the store held, whatever becomes of the power.
struct MadeCopy {
  std::string path;
  StoreModel model;
};

std::optional<MadeCopy> MakeCopy(const MemoryDisk& disk, const RocksStore& store, const StoreModel& model,
                                 uint64_t number) {
  MadeCopy copy{absl::StrCat("/site/copy-", number), model};
  if (disk.power_is_off() || !store.Checkpoint(copy.path).ok() || disk.power_is_off()) return std::nullopt;
  return copy;
}

void CheckCopy(MemoryDisk& disk, const MadeCopy& copy) {
  const auto opened = RocksStore::Open(copy.path, OptionsOn(disk));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_FALSE(opened->continuity_proven);
  EXPECT_EQ(copy.model.Compare(*opened->store).wrong, "");
}

// The rounds of one test in parts that run side by side.
constexpr uint64_t kShards = 4;

class PowerRounds : public ::testing::TestWithParam<uint64_t> {
 protected:
  static uint64_t Rounds(const char* variable, uint64_t usual) {
    return TestRounds(NumberFromEnvironment(variable, usual)) / kShards;
  }

  std::mt19937_64 random_{TestSeed() + GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Shards, PowerRounds, ::testing::Range(uint64_t{0}, kShards));

TEST_P(PowerRounds, CutsLoseNothingAcknowledged) {
  const uint64_t cuts = Rounds("MAILLAGE_POWER_CUTS", MAILLAGE_POWER_CUTS);
  constexpr uint64_t kCutsPerDisk = 100;
  uint64_t in_doubt = 0;
  uint64_t while_opening = 0;
  uint64_t copies = 0;
  std::unique_ptr<MemoryDisk> disk;
  StoreModel model;
  for (uint64_t cut = 0; cut < cuts && !HasFailure(); ++cut) {
    SCOPED_TRACE(absl::StrCat("cut ", cut));
    if (cut % kCutsPerDisk == 0) {
      disk = std::make_unique<MemoryDisk>();
      model = StoreModel();
    }
    const bool copying = random_() % 8 == 0;
    disk->CutPowerAfter(random_() % (copying || random_() % 4 == 0 ? 400 : 60));
    auto opened = OpenOn(*disk);
    EXPECT_TRUE(opened.ok()) << opened.status();
    std::optional<MadeCopy> copy;
    if (opened.ok()) {
      while_opening += disk->power_is_off() ? 1 : 0;
      if (copying) copy = MakeCopy(*disk, *opened->store, model, cut);
      if (!disk->power_is_off()) WriteUntilRefused(*disk, *opened->store, model, random_, 60);
      opened->store.reset();
    }
    disk->PowerOn(random_);
    if (copy.has_value()) CheckCopy(*disk, *copy);
    copies += copy.has_value() ? 1 : 0;
    bool doubted = false;
    const auto store = MustOpen(*disk, &doubted);
    if (store == nullptr) break;
    in_doubt += doubted ? 1 : 0;
    CheckAndSettle(*store, model);
  }
  std::cout << "figure: power cuts " << cuts << " (" << while_opening << " while opening, " << in_doubt
            << " found in doubt afterwards, " << copies << " just after a copy), acknowledged batches lost " << (HasFailure() ? "SOME" : "0") << std::endl;
}

// What somebody does with a store, drawn from a seed: lives of commits with flushes and compactions, and within them
// checkpoints and openings in place. Ends at the first error.
void Workload(MemoryDisk& disk, StoreModel& model, std::mt19937_64& random) {
  const uint64_t lives = 2 + random() % 2;
  for (uint64_t life = 0; life < lives; ++life) {
    auto opened = OpenOn(disk);
    if (!opened.ok()) return;
    RocksStore& store = *opened->store;
    CheckAndSettle(store, model);
    if (!opened->continuity_proven && !store.SettleContinuity().ok()) return;
    for (uint64_t steps = 1 + random() % 3; steps > 0; --steps) {
      if (!WriteUntilRefused(disk, store, model, random, 4 + random() % 12)) break;
      const uint64_t then = random() % 4;
      if (then == 0) store.Checkpoint(absl::StrCat("/site/backup-", life)).IgnoreError();
      if (then == 1 && (!store.Reopen(kPatience).ok() || !store.SettleContinuity().ok())) return;
    }
  }
}

// Each shard takes its share of the operations of every workload. MAILLAGE_IO_WORKLOAD repeats the one whose seed a
// failure told.
TEST_P(PowerRounds, AnyOperationMayFail) {
  std::mt19937_64 seeds(TestSeed());
  const uint64_t workloads = TestRounds(NumberFromEnvironment("MAILLAGE_IO_WORKLOADS", 1));
  const uint64_t stride = NumberFromEnvironment("MAILLAGE_IO_STRIDE", MAILLAGE_IO_STRIDE);
  uint64_t points = 0;
  std::set<StoreModel::Rows> different;
  for (uint64_t workload = 0; workload < workloads && !HasFailure(); ++workload) {
    const uint64_t seed = NumberFromEnvironment("MAILLAGE_IO_WORKLOAD", seeds());
    MemoryDisk whole;
    StoreModel nothing;
    std::mt19937_64 same(seed);
    Workload(whole, nothing, same);
    const uint64_t operations = whole.operations();
    ASSERT_GT(operations, 100u);
    different.insert(nothing.rows());
    for (uint64_t at = GetParam(); at < operations && !HasFailure(); at += kShards * stride) {
      for (const auto fault : {MemoryDisk::Fault::kIoError, MemoryDisk::Fault::kNoSpace}) {
        const bool once = random_() % 2 == 0;
        SCOPED_TRACE(absl::StrCat("workload seed ", seed, ", operation ", at, once ? ", once" : ", from then on",
                                  fault == MemoryDisk::Fault::kNoSpace ? ", no space" : ", I/O error"));
        MemoryDisk disk;
        StoreModel model;
        disk.FailAt(at, fault, once);
        std::mt19937_64 again(seed);
        Workload(disk, model, again);
        disk.FailAt(0, MemoryDisk::Fault::kNone, true);
        const auto store = MustOpen(disk);
        if (store == nullptr) break;
        CheckAndSettle(*store, model);
        ++points;
      }
    }
  }
  EXPECT_TRUE(HasFailure() || different.size() == workloads) << "workloads that do the same";
  std::cout << "figure: failing operations and full disks at every index, workloads " << workloads << ", points "
            << points << ", acknowledged batches lost " << (HasFailure() ? "SOME" : "0") << std::endl;
}

// A disk at rest, with files of every kind: sorted files of several levels, a log, manifests, RocksDB's small files, and
// the store's own notes.
struct RestingDisk {
  StoreModel model;
  DiskImage image;
  // The store was closed in order; otherwise its process was killed.
  bool stopped = true;
  // It was in doubt, and nobody had settled that.
  bool in_doubt = false;
};

RestingDisk FillDisk(std::mt19937_64& random) {
  RestingDisk resting;
  resting.stopped = random() % 3 != 0;
  resting.in_doubt = random() % 4 == 0;
  MemoryDisk disk;
  for (int part = 0; part < 3; ++part) {
    const auto store = MustOpen(disk);
    WriteUntilRefused(disk, *store, resting.model, random, 30 + random() % 60);
  }
  auto opened = OpenOn(disk);
  EXPECT_TRUE(opened.ok()) << opened.status();
  if (resting.in_doubt) {
    // As after the restore of a backup.
    EXPECT_TRUE(opened->store->Checkpoint("/site/copy").ok());
    opened->store.reset();
    for (const auto& [file, bytes] : disk.Image()) {
      if (!file.starts_with("/site/copy/")) disk.env()->DeleteFile(file);
    }
    disk.env()->DeleteDir(kPath);
    disk.env()->RenameFile("/site/copy", kPath);
    opened = OpenOn(disk);
    EXPECT_TRUE(opened.ok()) << opened.status();
    EXPECT_FALSE(opened->continuity_proven);
  }
  WriteUntilRefused(disk, *opened->store, resting.model, random, 30 + random() % 60);
  if (resting.stopped) opened->store.reset();
  resting.image = disk.Image();
  opened->store.reset();
  MemoryDisk undamaged;
  undamaged.Load(resting.image);
  const auto again = OpenOn(undamaged);
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->continuity_proven, !resting.in_doubt) << again->damage;
  EXPECT_EQ(resting.model.Compare(*again->store).wrong, "");
  return resting;
}

// Of every kind as often: of sorted files there are many, of notes few.
std::string AnyFile(const DiskImage& image, std::mt19937_64& random) {
  static constexpr const char* kKinds[] = {".log", ".sst", "/MANIFEST-", "/CURRENT", "/CONTINUITY", "/OPTIONS-", ""};
  while (true) {
    const std::string kind = kKinds[random() % std::size(kKinds)];
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : image) {
      if (path.find(kind) != path.npos && !bytes.empty()) paths.push_back(path);
    }
    if (!paths.empty()) return paths[random() % paths.size()];
  }
}

TEST_P(PowerRounds, DamageIsNeverAWrongValue) {
  const uint64_t damages = Rounds("MAILLAGE_BIT_FLIPS", MAILLAGE_BIT_FLIPS);
  constexpr uint64_t kDamagesPerDisk = 50;
  uint64_t refused = 0;
  uint64_t in_doubt = 0;
  uint64_t read_errors = 0;
  uint64_t harmless = 0;
  RestingDisk whole;
  uint64_t done = 0;
  for (uint64_t attempt = 0; done < damages && !HasFailure(); ++attempt) {
    if (attempt % kDamagesPerDisk == 0) whole = FillDisk(random_);
    DiskImage damaged = whole.image;
    const std::string path = AnyFile(damaged, random_);
    const std::string what = DamageFile(damaged, path, whole.stopped, random_);
    if (what.empty() || damaged == whole.image) continue;
    ++done;
    SCOPED_TRACE(absl::StrCat("damage ", done, ", ", path, ": ", what, whole.stopped ? "" : ", after a kill",
                              whole.in_doubt ? ", in doubt before" : ""));
    MemoryDisk disk;
    disk.Load(damaged);
    const auto opened = OpenOn(disk);
    if (!opened.ok()) {
      EXPECT_FALSE(opened.status().message().empty());
      ++refused;
      continue;
    }
    if (whole.in_doubt) {
      EXPECT_FALSE(opened->continuity_proven) << "the doubt is forgotten";
    }
    const StoreModel::Verdict verdict = whole.model.Compare(*opened->store, !opened->continuity_proven);
    EXPECT_EQ(verdict.wrong, "");
    EXPECT_TRUE(opened->continuity_proven || !opened->damage.empty());
    in_doubt += opened->continuity_proven ? 0 : 1;
    read_errors += verdict.errors > 0 ? 1 : 0;
    harmless += opened->continuity_proven && verdict.errors == 0 ? 1 : 0;
  }
  std::cout << "figure: bit flips and other damage " << done << ": opening refused " << refused
            << ", opened in doubt " << in_doubt << ", reads refused " << read_errors << ", harmless " << harmless
            << ", wrong values and undetected losses " << (HasFailure() ? "SOME" : "0") << std::endl;
}

// Each byte in turn of a file that holds rows, its index and all that says how to read them.
TEST(SortedFile, EveryByteIsGuarded) {
  std::mt19937_64 random(TestSeed());
  MemoryDisk disk;
  StoreModel model;
  {
    const auto store = MustOpen(disk);
    CommitBatch batch;
    for (int row = 0; row < 40; ++row) batch.Put(Table::kFeed, absl::StrCat("key", row), absl::StrCat("value", row));
    ASSERT_TRUE(store->Commit(batch).ok());
    model.Acknowledged(batch);
  }
  // Opening writes to sorted files what the log holds.
  MustOpen(disk).reset();
  const DiskImage whole = disk.Image();
  const auto sorted = std::find_if(whole.begin(), whole.end(), [](const auto& file) {
    return absl::EndsWith(file.first, ".sst");
  });
  ASSERT_NE(sorted, whole.end());
  uint64_t noticed = 0;
  for (size_t place = 0; place < sorted->second.size() && !::testing::Test::HasFailure();
       place += MAILLAGE_IO_STRIDE) {
    DiskImage damaged = whole;
    char& byte = damaged[sorted->first][place];
    byte = static_cast<char>(byte ^ (1 << random() % 8));
    SCOPED_TRACE(absl::StrCat("byte ", place, " of ", sorted->second.size()));
    MemoryDisk flipped;
    flipped.Load(damaged);
    const auto opened = OpenOn(flipped);
    if (!opened.ok()) {
      ++noticed;
      continue;
    }
    const StoreModel::Verdict verdict = model.Compare(*opened->store, !opened->continuity_proven);
    EXPECT_EQ(verdict.wrong, "");
    noticed += verdict.errors > 0 || !opened->continuity_proven ? 1 : 0;
  }
  std::cout << "figure: bytes of a sorted file, one flipped at a time " << sorted->second.size() << ", noticed "
            << noticed << std::endl;
}

}  // namespace
}  // namespace maillage::storage
