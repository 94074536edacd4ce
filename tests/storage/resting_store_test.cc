// What happens to a store's files while nobody looks, shape by shape: RocksDB alone passes over each of these in silence.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocks_store.h"
#include "storage/rocks_store_log.h"
#include "storage/rocks_store_note.h"
#include "storage/rocks_store_rescue.h"
#include "storage/rocks_store_sorted_file.h"
#include "tests/storage/memory_disk.h"
#include "tests/storage/rocks_damage.h"

namespace maillage::storage {
namespace {

using ::testing::HasSubstr;

constexpr char kPath[] = "/store";
constexpr char kNote[] = "/store/CONTINUITY";
constexpr char kDoubt[] = "/store/CONTINUITY_LOST";
// So that three of them fill a block of the log.
constexpr size_t kValueBytes = 10'000;

class RestingStore : public ::testing::Test {
 protected:
  RocksOptions Options() {
    RocksOptions options;
    options.env = disk_.env();
    options.write_buffer_bytes = size_t{512} << 10;
    return options;
  }
  absl::StatusOr<RocksStore::Opened> TryOpen() { return RocksStore::Open(kPath, Options()); }
  std::unique_ptr<RocksStore> MustOpen() {
    auto opened = TryOpen();
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? std::move(opened->store) : nullptr;
  }
  // One batch over two tables each.
  static void Commit(RocksStore& store, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      CommitBatch batch;
      batch.Put(Table::kFeed, absl::StrCat(i), "");
      batch.Put(Table::kStates, absl::StrCat(i), std::string(kValueBytes, 'x'));
      ASSERT_TRUE(store.Commit(batch).ok());
    }
  }
  // Stops in order.
  void Fill(int count) { Commit(*MustOpen(), 100, count); }
  // As a killed process leaves the disk.
  DiskImage FillAndKill(int count) {
    const auto store = MustOpen();
    Commit(*store, 100, count);
    return disk_.Image();
  }
  // The batches 100, 101, … of both tables; -1 where they aren't the first ones, whole.
  static int Batches(const RocksStore& store) {
    int count = 0;
    for (auto row = store.Scan(Table::kFeed, {}); row->Valid(); row->Next(), ++count) {
      if (row->key() != absl::StrCat(100 + count)) return -1;
      const auto state = store.Get(Table::kStates, row->key());
      if (!state.ok() || !state->has_value()) return -1;
    }
    return count;
  }
  // Opening doubts, says why, and finds the first `batches`.
  void ExpectDoubt(const std::string& why, int batches) {
    const auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_FALSE(opened->continuity_proven);
    EXPECT_THAT(opened->damage, HasSubstr(why));
    EXPECT_EQ(Batches(*opened->store), batches);
  }
  // Opening refuses, and says what to do; nothing on the disk is touched.
  void ExpectRefusal(const std::string& why) {
    const DiskImage before = disk_.Image();
    const auto opened = TryOpen();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(why));
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr("restaurez une sauvegarde"));
    EXPECT_EQ(disk_.Image(), before);
  }
  void Load(DiskImage image) { disk_.Load(std::move(image)); }
  // The one in use, by CURRENT.
  static std::string Manifest(const DiskImage& image) {
    const std::string& current = image.at("/store/CURRENT");
    return absl::StrCat(kPath, "/", current.substr(0, current.size() - 1));
  }

  MemoryDisk disk_;
};

// Of the log in this file.
uint64_t NumberOf(const std::string& path) { return std::stoull(path.substr(path.rfind('/') + 1)); }

// A record of a manifest, whole: RocksDB's log format with a masked CRC-32C.
std::string ManifestRecord(const std::string& edit) {
  const std::string typed = "\x01" + edit;
  uint32_t crc = ~uint32_t{0};
  for (const char byte : typed) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82f63b78 & (0 - (crc & 1)));
  }
  crc = ~crc;
  const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8;
  std::string record;
  for (int byte = 0; byte < 4; ++byte) record += static_cast<char>(masked >> (8 * byte));
  record += static_cast<char>(edit.size());
  record += '\0';
  return record + typed;
}

// Says that the log of this number, below 128, was synced, where nothing says that it is of no more use (RocksDB's
// VersionEdit: kWalAddition2, kWalDeletion2, and an unknown tag that readers pass over). As long as before, but for
// what is added.
void NameInManifest(std::string& manifest, uint64_t log) {
  const std::vector<size_t> records = RecordBoundaries(manifest);
  for (size_t i = 0; i + 1 < records.size(); ++i) {
    std::string edit = manifest.substr(records[i] + 7, records[i + 1] - records[i] - 7);
    const size_t deletion = edit.rfind("\x88\x40");
    if (deletion == edit.npos || deletion + 4 != edit.size()) continue;
    edit.replace(deletion, 2, "\xe8\x47");
    manifest.replace(records[i], records[i + 1] - records[i], ManifestRecord(edit));
  }
  manifest += ManifestRecord("\x87\x40\x04" + std::string(1, static_cast<char>(log)) + "\x02\x01\x01");
}

// RocksDB 7.8 may write it after a write to the manifest failed.
TEST_F(RestingStore, AManifestThatNamesALogWhichIsInSortedFilesIsNoDamage) {
  DiskImage image = FillAndKill(60);
  Load(image);
  MustOpen().reset();
  ASSERT_FALSE(disk_.Image().contains(NewestLog(image)));
  const uint64_t obsolete = NumberOf(NewestLog(image));
  image = disk_.Image();
  NameInManifest(image[Manifest(image)], obsolete);
  Load(image);
  for (int opening = 0; opening < 2; ++opening) {
    const auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->continuity_proven) << opened->damage;
    EXPECT_EQ(Batches(*opened->store), 60);
  }
}

// One damage doesn't hide another.
TEST_F(RestingStore, AManifestThatNamesALogWhichIsInSortedFilesHidesNoDamage) {
  DiskImage image = FillAndKill(5);
  Load(image);
  const uint64_t obsolete = NumberOf(NewestLog(image));
  Commit(*MustOpen(), 105, 5);
  image = disk_.Image();
  NameInManifest(image[Manifest(image)], obsolete);
  image[NewestLog(image)].back() ^= 1;
  Load(image);
  ExpectDoubt("a disparu", 9);
}

// RocksDB tells of the first log alone that it misses: what begins behind a hole is no proof of continuity.
TEST_F(RestingStore, AManifestThatNamesALogWhichIsInSortedFilesHidesNoOtherMissingLog) {
  DiskImage image = FillAndKill(5);
  Load(image);
  const uint64_t obsolete = NumberOf(NewestLog(image));
  {
    const auto store = MustOpen();
    Commit(*store, 105, 3);
    image = disk_.Image();
  }
  NameInManifest(image[Manifest(image)], obsolete);
  std::string& log = image[NewestLog(image)];
  log.erase(0, RecordBoundaries(log).at(1));
  Load(image);
  const auto opened = TryOpen();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_FALSE(opened->continuity_proven);
}

TEST_F(RestingStore, AManifestThatNamesALogWhichIsNowhereLeavesADoubt) {
  DiskImage image = FillAndKill(60);
  NameInManifest(image[Manifest(image)], 99);
  Load(image);
  EXPECT_FALSE(RocksStore::OpenToRescue(kPath, Options()).ok()) << "salvage makes a manifest";
  ExpectDoubt("000099.log a disparu", 60);
}

// RocksDB alone ends the process in an assertion.
TEST_F(RestingStore, ABitThatRocksDbDoesNotSurviveIsToldAndSalvaged) {
  DiskImage image = FillAndKill(60);
  Load(image);
  MustOpen().reset();
  image = disk_.Image();
  int flipped = 0;
  for (auto& [path, bytes] : image) {
    if (!path.ends_with(".sst")) continue;
    EXPECT_EQ(rocks::FatalByte(disk_.env(), path), std::nullopt);
    // The metaindex begins with three lengths and the first of its names; five bytes of checksum precede it.
    const size_t end = std::min(bytes.find("fullfilter."), bytes.find("rocksdb.properties")) - 9;
    bytes[end] = static_cast<char>(bytes[end] ^ '\x80');
    ++flipped;
  }
  ASSERT_GE(flipped, 2);
  Load(image);
  const auto opened = TryOpen();
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("doctor --salvage"));
  auto rescue = RocksRescue::Lock(kPath, Options());
  ASSERT_TRUE(rescue.ok()) << rescue.status();
  ASSERT_TRUE((*rescue)->Open("/scratch").ok());
  int rows = 0;
  auto row = (*rescue)->view().Scan(Table::kStates, {});
  for (; row->Valid(); row->Next()) ++rows;
  EXPECT_TRUE(row->status().ok()) << row->status();
  EXPECT_EQ(rows, 60);
}

TEST_F(RestingStore, ZerosInALogEndItThereThoughWholeRecordsFollow) {
  Fill(20);
  DiskImage image = disk_.Image();
  std::string& log = image[NewestLog(image)];
  const size_t third = RecordBoundaries(log).at(2);
  log.replace(third, 4096, 4096, '\0');
  Load(image);
  ExpectDoubt("est illisible à partir de l'octet", 2);
}

TEST_F(RestingStore, ZerosAtTheBeginningOfALogLeaveNothingOfIt) {
  Fill(20);
  DiskImage image = disk_.Image();
  image[NewestLog(image)].replace(0, 4096, 4096, '\0');
  Load(image);
  ExpectDoubt("est illisible à partir de l'octet 0", 0);
}

TEST_F(RestingStore, ARecordTypeOfRecycledLogsDoesNotHideWhatFollows) {
  Fill(5);
  DiskImage image = disk_.Image();
  std::string& log = image[NewestLog(image)];
  log[RecordBoundaries(log).at(2) + 6] ^= 4;
  Load(image);
  ExpectDoubt("est illisible", 2);
}

TEST_F(RestingStore, ALogCutOffBetweenBatchesIsNoticedAfterAStop) {
  Fill(5);
  DiskImage image = disk_.Image();
  std::string& log = image[NewestLog(image)];
  log.resize(RecordBoundaries(log).at(3));
  Load(image);
  ExpectDoubt("octets sur", 3);
}

// Nobody but the peers can tell: it may have been killed just there.
TEST_F(RestingStore, ALogCutOffBetweenBatchesIsNotNoticedAfterAKill) {
  DiskImage image = FillAndKill(5);
  std::string& log = image[NewestLog(image)];
  log.resize(RecordBoundaries(log).at(3));
  Load(image);
  const auto opened = TryOpen();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(opened->continuity_proven);
  EXPECT_EQ(Batches(*opened->store), 3);
}

// What was flushed, and what was read at the last opening, is noted while the store runs.
TEST_F(RestingStore, RowsBelowWhatWasNotedAreMissedAfterAKill) {
  Fill(3);
  DiskImage image = FillAndKill(0);
  const auto note = rocks::DecodeNote(image.at(kNote));
  ASSERT_TRUE(note.has_value());
  rocks::Note higher = *note;
  higher.sequence += 2;
  image[kNote] = rocks::EncodeNote(higher);
  Load(image);
  ExpectDoubt("Des écritures confirmées manquent", 3);
}

TEST_F(RestingStore, AManifestCutOffIsRefusedAfterAStop) {
  Fill(100);
  const DiskImage whole = disk_.Image();
  const std::string& manifest = whole.at(Manifest(whole));
  for (const size_t record : RecordBoundaries(manifest)) {
    if (record == manifest.size()) continue;
    SCOPED_TRACE(record);
    DiskImage image = whole;
    image[Manifest(whole)].resize(record);
    Load(image);
    ExpectRefusal("octets sur");
  }
}

TEST_F(RestingStore, AFlushHiddenByACutManifestIsRefusedAfterAKill) {
  // 1 MB of batches through half a MB of buffers.
  DiskImage image = FillAndKill(100);
  const auto note = rocks::DecodeNote(image.at(kNote));
  ASSERT_TRUE(note.has_value() && note->manifest.has_value());
  std::string& manifest = image[Manifest(image)];
  std::vector<size_t> noted = RecordBoundaries(manifest.substr(0, note->manifest->bytes));
  ASSERT_GT(noted.size(), 2u);
  manifest.resize(noted.at(noted.size() - 2));
  Load(image);
  ExpectRefusal("octets sur");
}

TEST_F(RestingStore, ZerosInAManifestAreRefused) {
  Fill(100);
  DiskImage image = disk_.Image();
  std::string& manifest = image[Manifest(image)];
  const size_t record = RecordBoundaries(manifest).at(3);
  std::fill(manifest.begin() + static_cast<ptrdiff_t>(record), manifest.end(), '\0');
  Load(image);
  ExpectRefusal("est illisible");
}

// The first block of each sorted file in turn, so that scans come to it from another file of the level, too.
TEST_F(RestingStore, AScanEndsWhereItMeetsDamage) {
  constexpr int kBatches = 800;
  for (int part = 0; part < 4; ++part) Commit(*MustOpen(), 100 + part * kBatches / 4, kBatches / 4);
  MustOpen();
  const DiskImage whole = disk_.Image();
  int told = 0;
  for (const auto& [path, bytes] : whole) {
    if (!path.ends_with(".sst")) continue;
    DiskImage image = whole;
    image[path][1] ^= 1;
    Load(image);
    const auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status();
    for (const ScanOrder order : {ScanOrder::kAscending, ScanOrder::kDescending}) {
      for (const Table table : {Table::kFeed, Table::kStates}) {
        const auto row = opened->store->Scan(table, {}, order);
        int rows = 0;
        for (; row->Valid(); row->Next()) ++rows;
        EXPECT_TRUE(rows == kBatches || !row->status().ok()) << path << ": " << rows << " rows, and no error";
        told += row->status().ok() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(told, 0);
}

TEST_F(RestingStore, ADeletedDoubtIsStillADoubt) {
  ASSERT_TRUE(MustOpen()->Checkpoint("/copy").ok());
  DiskImage image;
  for (const auto& [path, bytes] : disk_.Image()) {
    if (path.starts_with("/copy/")) image[kPath + path.substr(5)] = bytes;
  }
  Load(image);
  ExpectDoubt("Ce dossier est une copie", 0);
  image = disk_.Image();
  ASSERT_EQ(image.erase(kDoubt), 1u);
  Load(image);
  ExpectDoubt("CONTINUITY_LOST qui disait pourquoi a disparu", 0);
}

TEST_F(RestingStore, AFolderWithoutASoundNoteIsInDoubt) {
  Fill(3);
  const DiskImage whole = disk_.Image();
  DiskImage image = whole;
  ASSERT_EQ(image.erase(kNote), 1u);
  Load(image);
  ExpectDoubt("Le fichier CONTINUITY manque", 3);
  image = whole;
  image[kNote].back() = 'x';
  Load(image);
  ExpectDoubt("Le fichier CONTINUITY est endommagé", 3);
}

TEST_F(RestingStore, ADoubtLastsUntilItIsSettledWhateverIsNotedMeanwhile) {
  Fill(3);
  DiskImage image = disk_.Image();
  image.erase(kNote);
  Load(image);
  Commit(*MustOpen(), 103, 60);
  ExpectDoubt("Le fichier CONTINUITY manque", 63);
  ASSERT_TRUE(MustOpen()->SettleContinuity().ok());
  const auto opened = TryOpen();
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(opened->continuity_proven) << opened->damage;
}

TEST_F(RestingStore, AnEmptiedFolderWithItsNoteIsNotTakenForANewOne) {
  Fill(3);
  DiskImage image = disk_.Image();
  std::erase_if(image, [](const auto& file) { return file.first != kNote; });
  Load(image);
  ExpectRefusal("CURRENT");
}

// RocksDB alone would refuse every write from then on, and meet the block again after each opening.
TEST_F(RestingStore, ACompactionThatMeetsDamageEndsNeitherWritingNorReading) {
  Fill(60);
  MustOpen().reset();
  DiskImage image = disk_.Image();
  size_t damaged = 0;
  for (auto& [path, bytes] : image) {
    if (!path.ends_with(".sst")) continue;
    // In its first block of rows.
    bytes[1] ^= 1;
    ++damaged;
  }
  ASSERT_GT(damaged, 0u);
  Load(image);
  const auto store = MustOpen();
  ASSERT_NE(store, nullptr);
  // One may begin as soon as the store is open. Rows all over the range of the damaged ones; RocksDB stops taking them rather than put off a compaction for long.
  constexpr int kEnough = 4000;
  int written = 0;
  for (; written < kEnough && store->KnownDamage().empty() && !HasFailure(); written += 10) {
    Commit(*store, 1000 + written, 10);
  }
  EXPECT_LT(written, kEnough) << "no compaction met the damage";
  EXPECT_THAT(store->KnownDamage(), HasSubstr("doctor --salvage"));
  Commit(*store, 9000, 200);
  for (int row = 9000; row < 9200; ++row) {
    const auto read = store->Get(Table::kStates, absl::StrCat(row));
    ASSERT_TRUE(read.ok() && read->has_value()) << read.status();
  }
  size_t unreadable = 0;
  for (int row = 100; row < 160; ++row) {
    const auto read = store->Get(Table::kStates, absl::StrCat(row));
    if (read.ok()) {
      EXPECT_TRUE(read->has_value());
      continue;
    }
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
    ++unreadable;
  }
  EXPECT_GT(unreadable, 0u);
}

TEST(RocksNote, ItsBytesArePinned) {
  rocks::Note note;
  note.in_doubt = true;
  note.sequence = 1234;
  note.manifest = {"MANIFEST-000012", 4567};
  note.logs = {{"000013.log", 890}};
  const std::string bytes = rocks::EncodeNote(note);
  EXPECT_EQ(bytes,
            "maillage store note 1\n"
            "doubt yes\n"
            "sequence 1234\n"
            "manifest MANIFEST-000012 4567\n"
            "log 000013.log 890\n"
            "checksum 8ecfdf5d09752fa0a9fdc00353edcdf3\n");
  EXPECT_EQ(rocks::DecodeNote(bytes), note);
  EXPECT_EQ(rocks::DecodeNote(rocks::EncodeNote({})), rocks::Note());
}

TEST(RocksNote, NoDamagedByteIsRead) {
  rocks::Note note;
  note.manifest = {"MANIFEST-000012", 4567};
  const std::string bytes = rocks::EncodeNote(note);
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(rocks::DecodeNote(bytes.substr(0, i)).has_value());
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(rocks::DecodeNote(damaged).has_value()) << i;
    }
  }
}

}  // namespace
}  // namespace maillage::storage
