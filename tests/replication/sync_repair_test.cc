// Damage of every kind that an examination tells, planted by chance in the store of a site: after a repair and one
// exchange with a healthy peer nothing is damaged, both hold the same, and nothing that anyone wrote is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/change.h"
#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "replication/record_reader.h"
#include "replication/repair.h"
#include "replication/scrub.h"
#include "replication/state_codec.h"
#include "storage/keys.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using storage::Table;

constexpr int kRecords = 24;

bool GoOn(uint64_t) { return true; }

v1::Actor Named(const std::string& name, const std::string& department) {
  v1::Actor actor;
  actor.set_name(name);
  actor.add_departments(department);
  return actor;
}

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows RowsOf(const storage::ReadView& view, Table table) {
  Rows rows;
  auto cursor = view.Scan(table, {});
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key(), cursor->value());
  return rows;
}

class RepairTest : public ::testing::Test {
 protected:
  explicit RepairTest(uint64_t seed = maillage::testing::TestSeed())
      : seed_(seed), random_(seed), lyon("lyon", seed + 1, &clock), savoie("savoie", seed + 2, &clock) {}

  void Note(const Dot& dot, const RecordId& id) {
    EXPECT_TRUE(dots_.insert({id, dot}).second) << "a dot was used twice, seed " << seed_;
  }
  void Edit(TestSite& site, const RecordId& id) {
    if (random_.Below(4) == 0) {
      v1::Actor more;
      more.add_departments(random_.Below(2) == 0 ? "38" : "69");
      const auto before = site.State(kActor, id).vector();
      site.Add(id, more);
      const VersionVector after = site.State(kActor, id).vector();
      for (const auto& entry : after.entries()) {
        if (entry.n > before.Get(entry.actor)) Note({entry.actor, entry.n}, id);
      }
      return;
    }
    Note(site.Update(id, Named(absl::StrCat("Association ", random_.Below(1000)), "73"), {"name"}), id);
  }
  TestSite& Either() { return random_.Below(2) == 0 ? lyon : savoie; }
  void Exchange() {
    Link link(&savoie, &lyon);
    for (int second = 0; second < 4; ++second) {
      link.Run();
      clock.millis += 2'000;
    }
  }

  // A past in which savoie got some records change by change and some whole, then wrote without a network.
  void MakePast() {
    savoie.damaged = std::make_unique<DamagedStore>(savoie.store.get());
    savoie.Restart();
    for (int i = 0; i < kRecords; ++i) {
      TestSite& author = Either();
      ids_.push_back(author.Create(Named(absl::StrCat("Association ", i), "73")));
      const VersionVector created = author.State(kActor, ids_[i]).vector();
      Note({created.entries()[0].actor, 1}, ids_[i]);
      for (uint64_t edits = random_.Below(4); edits > 0; --edits) Edit(author, ids_[i]);
      if (random_.Below(3) == 0) PassWhole(author, ids_[i]);
    }
    Exchange();
    ASSERT_EQ(lyon.Digest(), savoie.Digest());
    for (int i = 0; i < kRecords / 3; ++i) {
      Edit(savoie, ids_[i]);
      unsent_.insert(ids_[i]);
    }
    for (int i = kRecords / 3; i < kRecords / 2; ++i) Edit(lyon, ids_[i]);
  }
  void PassWhole(TestSite& from, const RecordId& id) {
    TestSite& to = &from == &lyon ? savoie : lyon;
    ASSERT_TRUE(to.replica->Merge({kActor, id}, EncodeState(from.State(kActor, id)), from.id).ok());
    ASSERT_TRUE(to.replica->Commit().ok());
  }

  RepairReport Repaired() {
    const Exclusively exclusively = [&](const std::function<absl::Status(Replica&)>& step) {
      absl::Status status = step(*savoie.replica);
      return status.ok() ? savoie.replica->Commit() : status;
    };
    const auto report = Repair(*savoie.damaged, &Schema::BuiltIn(), exclusively, GoOn);
    EXPECT_TRUE(report.ok()) << report.status() << ", seed " << seed_;
    return report.ok() ? *report : RepairReport();
  }
  std::string Findings() {
    const auto report = Scrub(*savoie.damaged, &Schema::BuiltIn(), GoOn);
    std::string findings;
    for (const ScrubFinding& finding : report->findings) {
      absl::StrAppend(&findings, std::string(TableName(finding.table)), ": ", finding.what, "\n");
    }
    return findings;
  }
  // How the sites differ, for messages.
  std::string Differences() const {
    std::string differences;
    for (const RecordId& id : ids_) {
      const RecordState there = lyon.State(kActor, id);
      const RecordState here = savoie.State(kActor, id);
      if (there == here) continue;
      absl::StrAppend(&differences, FormatUuid(id), here.vector() == there.vector() ? ": same vector" : "",
                      unsent_.contains(id) ? ", was unsent" : "", "; ");
    }
    return differences;
  }
  void ExpectWhole(const std::string& planted) {
    Exchange();
    EXPECT_EQ(lyon.Digest(), savoie.Digest()) << planted << Differences();
    const std::string what = planted;
    EXPECT_EQ(Findings(), "") << what;
    EXPECT_TRUE(savoie.replica->lost().empty()) << what;
    for (const auto& [id, dot] : dots_) {
      EXPECT_TRUE(lyon.State(kActor, id).vector().Covers(PresentName(*savoie.store, {kActor, id}, dot))) << what << " lost " << FormatDot(dot);
    }
    // What is written now uses no dot again, and arrives.
    for (const RecordId& id : ids_) Edit(savoie, id);
    Exchange();
    EXPECT_EQ(lyon.Digest(), savoie.Digest()) << what;
    EXPECT_EQ(Findings(), "") << what;
    const std::string digest = savoie.Digest();
    savoie.Restart();
    EXPECT_EQ(savoie.Digest(), digest) << what;
  }

  void Plant(Table table, const std::string& key, const std::optional<std::string>& value) {
    storage::CommitBatch batch;
    value.has_value() ? batch.Put(table, key, *value) : batch.Delete(table, key);
    ASSERT_TRUE(savoie.store->Commit(batch).ok());
  }
  // Whose row it is, as far as a row is of one record.
  static std::optional<RecordId> RecordOf(Table table, const std::string& key, const std::string& value) {
    switch (table) {
      case Table::kStates:
        return storage::ParseStateKey(key)->id;
      case Table::kChanges:
        return storage::ParseStateKey(key.substr(0, key.size() - 8))->id;
      case Table::kFingerprints:
        return storage::ParseFingerprintKey(key)->id;
      case Table::kFeed:
        return DecodeFeedEntry(value)->record.id;
      default:
        return std::nullopt;
    }
  }
  std::string Flip(Table table, std::string value) {
    // Of a feed entry its record alone: what else in it is wrong an examination doesn't always tell (scrub.h).
    const size_t first = table == Table::kFeed ? 18 : 0;
    const size_t end = table == Table::kFeed ? 34 : value.size();
    const size_t place = first + random_.Below(end - first);
    value[place] = static_cast<char>(value[place] ^ (1 << random_.Below(8)));
    return value;
  }
  // One row of one table; what was done, for messages. Of a record with unsent changes one row at most.
  std::string PlantAny() {
    const Table table = std::vector<Table>{Table::kStates, Table::kChanges, Table::kFingerprints, Table::kFeed,
                                           Table::kIndex}[random_.Below(5)];
    const Rows rows = RowsOf(*savoie.store, table);
    const auto& [key, value] = rows[random_.Below(rows.size())];
    if (!seen_.emplace(table, key).second) return "";
    if (const auto id = RecordOf(table, key, value); id.has_value() && !MayDamage(*id)) return "";
    uint64_t how = random_.Below(table == Table::kIndex ? 2 : 3);
    // Which word of a record that is given up can't be read nobody can tell either.
    if (how == 1 && table == Table::kIndex && !alone_) how = 0;
    // Where the feed doesn't name it either, nobody can tell which row can't be read: salvaging is for that.
    const bool named = table != Table::kChanges || seen_.emplace(Table::kFeed, key.substr(key.size() - 8)).second;
    if (how == 1 && !named) how = 0;
    // Of two things that vouch for each other one has to be there.
    const auto record = RecordOf(table, key, value);
    const bool lone = (table == Table::kFingerprints && how < 2) || (table == Table::kStates && how == 2);
    if (lone && !unproven_.insert(*record).second) return "";
    if (how == 0) Plant(table, key, std::nullopt);
    if (how == 1) savoie.damaged->Damage(table, key);
    if (how == 2) Plant(table, key, Flip(table, value));
    static constexpr const char* kHow[] = {"without ", "unreadable ", "flipped "};
    return absl::StrCat(kHow[how], std::string(TableName(table)), " row of ",
                        record.has_value() ? FormatUuid(*record) : "", "; ");
  }
  // A state whose flip nothing contradicts is not told: no second row of a record is touched.
  bool MayDamage(const RecordId& id) { return damaged_records_.insert(id).second || !unsent_.contains(id); }

  const uint64_t seed_;
  SteppedClock clock;
  SeededRandom random_;
  TestSite lyon;
  TestSite savoie;
  std::vector<RecordId> ids_;
  std::set<RecordId> unsent_;
  std::set<RecordId> damaged_records_;
  std::set<RecordId> unproven_;
  bool alone_ = false;
  std::set<std::pair<Table, std::string>> seen_;
  std::set<std::pair<RecordId, Dot>> dots_;
};

// A past of its own for each seed.
class OneRepair : public RepairTest {
 public:
  explicit OneRepair(uint64_t seed) : RepairTest(seed) {}
  void TestBody() override {}

  void Run(size_t damages) {
    MakePast();
    alone_ = damages == 1;
    std::string what = absl::StrCat("seed ", seed_, ": ");
    for (size_t i = 0; i < damages; ++i) what += PlantAny();
    savoie.Restart();
    Repaired();
    ExpectWhole(what);
  }
};

TEST(Repair, GivesBackWhateverOneDamageTook) {
  const uint64_t first = maillage::testing::TestSeed();
  for (uint64_t i = 0; i < maillage::testing::TestRounds(300) && !::testing::Test::HasFailure(); ++i) {
    OneRepair(first + i).Run(1);
  }
}

TEST(Repair, GivesBackWhateverManyDamagesTook) {
  const uint64_t first = maillage::testing::TestSeed() + 1'000'000;
  for (uint64_t i = 0; i < maillage::testing::TestRounds(300) && !::testing::Test::HasFailure(); ++i) {
    OneRepair(first + i).Run(2 + i % 20);
  }
}

TEST_F(RepairTest, DoesNothingToAHealthyStore) {
  MakePast();
  const uint64_t incarnation = savoie.replica->identity().incarnation;
  const RepairReport report = Repaired();
  EXPECT_FALSE(report.done.anything());
  EXPECT_EQ(report.before.damaged(), 0u);
  EXPECT_EQ(savoie.replica->identity().incarnation, incarnation);
}

TEST_F(RepairTest, DerivedTablesCostNoIncarnation) {
  MakePast();
  const uint64_t incarnation = savoie.replica->identity().incarnation;
  for (const Table table : {Table::kFingerprints, Table::kIndex}) {
    for (const auto& [key, value] : RowsOf(*savoie.store, table)) Plant(table, key, std::nullopt);
  }
  LocalProgress progress = savoie.replica->progress();
  progress.kinds[kActor].alive += 3;
  progress.conflicts = 17;
  Plant(Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(progress));
  savoie.Restart();
  const RepairReport report = Repaired();
  EXPECT_GT(report.before.damaged(), 0u);
  EXPECT_EQ(report.after.damaged(), 0u) << Findings();
  EXPECT_EQ(savoie.replica->identity().incarnation, incarnation);
  EXPECT_EQ(savoie.replica->progress().kinds.at(kActor).alive, static_cast<uint64_t>(kRecords));
  ExpectWhole("derived tables");
}

TEST_F(RepairTest, ARecordThatWaitsIsDataLossAndTakesNoWrites) {
  MakePast();
  // Whole from lyon, then edited here without a network.
  const RecordId id = lyon.Create(Named("Entière", "73"));
  PassWhole(lyon, id);
  const Dot mine = savoie.Update(id, Named("La mienne", "73"), {"name"});
  savoie.damaged->Damage(Table::kStates, storage::StateKey({kActor, id}));
  savoie.Restart();
  const RepairReport report = Repaired();
  EXPECT_EQ(report.done.given_up, 1u);
  EXPECT_EQ(report.after.waiting, 1u);
  EXPECT_EQ(report.after.damaged(), 0u) << Findings();
  EXPECT_EQ(Absent(*savoie.damaged, {kActor, id}, absl::NotFoundError("")).code(), absl::StatusCode::kDataLoss);
  const auto written = savoie.replica->Write({{kActor, id}, {}, {}, "Awa", ""});
  EXPECT_EQ(written.status().code(), absl::StatusCode::kDataLoss) << written.status();
  // It waits over restarts, too.
  savoie.Restart();
  EXPECT_EQ(savoie.replica->lost().size(), 1u);
  Exchange();
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  EXPECT_TRUE(savoie.replica->lost().empty());
  EXPECT_TRUE(lyon.State(kActor, id).vector().Covers(mine));
  EXPECT_EQ(lyon.Actor(id).name(), "La mienne");
  EXPECT_EQ(Findings(), "");
}

TEST_F(RepairTest, AFeedAloneGivesEverythingBack) {
  // Nobody else has these.
  const RecordId id = savoie.Create(Named("Seule", "73"));
  savoie.Update(id, Named("Toute seule", "73"), {"name"});
  savoie.damaged = std::make_unique<DamagedStore>(savoie.store.get());
  for (const Table table : {Table::kStates, Table::kFingerprints, Table::kIndex}) {
    for (const auto& [key, value] : RowsOf(*savoie.store, table)) Plant(table, key, std::nullopt);
  }
  savoie.Restart();
  const RepairReport report = Repaired();
  EXPECT_EQ(report.done.rebuilt, 1u);
  EXPECT_EQ(report.after.waiting, 0u);
  EXPECT_EQ(Findings(), "");
  EXPECT_EQ(savoie.Actor(id).name(), "Toute seule");
}

TEST_F(RepairTest, AnOlderStateWithItsOwnFingerprintGrowsAgain) {
  MakePast();
  const RecordId id = ids_[0];
  const Rows states = RowsOf(*savoie.store, Table::kStates);
  const Rows fingerprints = RowsOf(*savoie.store, Table::kFingerprints);
  Note(savoie.Update(id, Named("Après", "73"), {"name"}), id);
  for (const auto& [key, value] : states) {
    if (key == storage::StateKey({kActor, id})) Plant(Table::kStates, key, value);
  }
  for (const auto& [key, value] : fingerprints) {
    if (storage::ParseFingerprintKey(key)->id == id) Plant(Table::kFingerprints, key, value);
  }
  savoie.Restart();
  EXPECT_EQ(Repaired().done.rebuilt, 1u);
  EXPECT_EQ(savoie.Actor(id).name(), "Après");
  ExpectWhole("an older state");
}

TEST_F(RepairTest, TheFeedsEndIsFoundAgain) {
  for (const int64_t by : {-3, 2}) {
    if (ids_.empty()) MakePast();
    LocalProgress progress = savoie.replica->progress();
    progress.feed_head = static_cast<uint64_t>(static_cast<int64_t>(progress.feed_head) + by);
    Plant(Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(progress));
    savoie.Restart();
    EXPECT_GT(Repaired().before.damaged(), 0u);
    ExpectWhole("the feed's end");
  }
}

}  // namespace
}  // namespace maillage::replication::testing
