// Each kind of damage, planted row by row in the store of a site with a random past, is found; without any, nothing is.
#include "replication/scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/local_meta.h"
#include "storage/keys.h"
#include "tests/replication/support/site.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using storage::Table;
using ::testing::IsEmpty;

constexpr uint32_t kName = 1;
constexpr uint32_t kDepartments = 12;

bool GoOn(uint64_t) { return true; }

class ScrubTest : public ::testing::Test {
 protected:
  ScrubTest() : alice_('a', seed_), bob_('b', seed_ + 1), random_(seed_) {
    for (int step = 0; step < 200; ++step) Step();
  }

  void Step() {
    Site& author = random_.OneIn(2) ? alice_ : bob_;
    // Far from each other, so that no flipped bit makes one of another.
    const uint64_t number = 1 + random_.Below(9);
    const RecordKey record{static_cast<uint16_t>(1 + number % 2), IdOf(number * 1'000'003)};
    if (random_.OneIn(4)) {
      alice_.MergeFrom(bob_, record);
    } else if (random_.OneIn(3)) {
      Operation department = AddElement(kDepartments, random_.OneIn(2) ? "73" : "38");
      department.territory = true;
      author.Write(record, {department});
    } else {
      author.Write(record, {Put(kName, std::to_string(random_.Below(1000)))});
    }
  }

  ScrubReport Examine() {
    const auto report = Scrub(*alice_.store, &Schema::BuiltIn(), GoOn);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : ScrubReport();
  }
  // A row of the table, chosen by chance.
  std::pair<std::string, std::string> AnyRow(Table table) {
    const auto rows = Rows(*alice_.store, table);
    return rows.at(random_.Below(rows.size()));
  }
  void Plant(Table table, const std::string& key, const std::optional<std::string>& value) {
    storage::CommitBatch batch;
    value.has_value() ? batch.Put(table, key, *value) : batch.Delete(table, key);
    ASSERT_TRUE(alice_.store->Commit(batch).ok());
  }
  void ExpectFound(const std::string& said) {
    const ScrubReport report = Examine();
    EXPECT_GT(report.damaged(), 0u) << said << ", seed " << seed_;
  }

  const uint64_t seed_ = maillage::testing::TestSeed();
  Site alice_;
  Site bob_;
  SeededRandom random_;
};

TEST_F(ScrubTest, FindsNothingWhereNothingIs) {
  const ScrubReport report = Examine();
  EXPECT_EQ(report.damaged(), 0u) << report.findings[0].what << ", seed " << seed_;
  EXPECT_EQ(report.records, Rows(*alice_.store, Table::kStates).size());
  EXPECT_GT(report.tables[static_cast<size_t>(Table::kFeed)].checked, 50u);
}

TEST_F(ScrubTest, FindsARowThatIsMissing) {
  for (const Table table : {Table::kStates, Table::kChanges, Table::kFingerprints, Table::kFeed}) {
    const auto [key, value] = AnyRow(table);
    Plant(table, key, std::nullopt);
    ExpectFound(std::string(TableName(table)));
    Plant(table, key, value);
  }
  EXPECT_EQ(Examine().damaged(), 0u);
}

TEST_F(ScrubTest, FindsAFlippedBit) {
  for (const Table table : {Table::kStates, Table::kChanges, Table::kFingerprints, Table::kFeed}) {
    for (int trial = 0; trial < 20; ++trial) {
      const auto [key, value] = AnyRow(table);
      // Of a feed entry, nothing else tells type, source and text (scrub.h): its record alone.
      const size_t first = table == Table::kFeed ? 17 : 0;
      const size_t end = table == Table::kFeed ? 34 : value.size();
      std::string flipped = value;
      const size_t place = first + random_.Below(end - first);
      flipped[place] = static_cast<char>(flipped[place] ^ (1 << random_.Below(8)));
      Plant(table, key, flipped);
      ExpectFound(absl::StrCat(std::string(TableName(table)), " byte ", place));
      Plant(table, key, value);
    }
  }
}

TEST_F(ScrubTest, FindsARowTooMuch) {
  const RecordId unknown = IdOf(99);
  Plant(Table::kFingerprints, storage::FingerprintKey({1, ""}, 7, unknown), std::string(32, 'x'));
  ExpectFound("fingerprint");
  Plant(Table::kFingerprints, storage::FingerprintKey({1, ""}, 7, unknown), std::nullopt);
  Plant(Table::kIndex, storage::WordKey(1, "absent", unknown), "");
  ExpectFound("index");
  Plant(Table::kIndex, storage::WordKey(1, "absent", unknown), std::nullopt);
  EXPECT_EQ(Examine().damaged(), 0u);
}

TEST_F(ScrubTest, FindsAnOlderStateWithItsOwnFingerprint) {
  const RecordKey record{1, IdOf(50)};
  alice_.Write(record, {Put(kName, "avant")});
  const auto before = Rows(*alice_.store, Table::kStates);
  alice_.Write(record, {Put(kName, "après")});
  for (const auto& [key, value] : before) {
    if (key == storage::StateKey(record)) Plant(Table::kStates, key, value);
  }
  bool told = false;
  for (const ScrubFinding& finding : Examine().findings) {
    told = told || (finding.table == Table::kStates && finding.record == record);
  }
  EXPECT_TRUE(told);
}

TEST_F(ScrubTest, FindsWrongCounts) {
  LocalProgress progress = alice_.replica->progress();
  ++progress.conflicts;
  Plant(Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(progress));
  ExpectFound("conflicts");
}

TEST_F(ScrubTest, StopsWhenItIsTold) {
  for (int step = 0; step < 400; ++step) Step();
  const auto stopped = Scrub(*alice_.store, &Schema::BuiltIn(), [](uint64_t) { return false; });
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace maillage::replication::testing
