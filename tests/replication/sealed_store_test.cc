#include "replication/sealed_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/personal_spans.h"
#include "replication/schema.h"
#include "replication/state_codec.h"
#include "storage/keys.h"
#include "storage/memory_store.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;
using storage::Table;

constexpr char kMail[] = "awa.diallo@exemple.fr";

// All rows of the tables that may be sealed, as they are.
std::vector<std::pair<std::pair<Table, std::string>, std::string>> RowsOf(const storage::ReadView& view) {
  std::vector<std::pair<std::pair<Table, std::string>, std::string>> rows;
  for (const Table table : {Table::kStates, Table::kFeed}) {
    for (auto cursor = view.Scan(table, {}); cursor->Valid(); cursor->Next()) {
      rows.push_back({{table, std::string(cursor->key())}, std::string(cursor->value())});
    }
  }
  return rows;
}

class SealedStoreTest : public ::testing::Test {
 protected:
  SealedStoreTest() : random(TestSeed()), keys(SubjectKeys::Generate(random)), sealed(&disk, &keys), site("lyon", 1, &clock) {}

  // What a site has on its disk after some edits, written through the sealed store.
  void SetUp() override {
    v1::Actor actor = NamedActor("Amis du Mali", "73");
    actor.add_emails(kMail);
    actor.add_phone_numbers("04 79 00 00 00");
    actor.set_internal_notes("Awa préfère le mardi");
    id = site.Create(actor);
    site.Create(NamedActor("ADOS", "26"));
    v1::Actor removals;
    removals.add_phone_numbers("04 79 00 00 00");
    site.Remove(id, removals);
    storage::CommitBatch batch;
    rows = RowsOf(*site.store);
    for (const auto& [place, row] : rows) batch.Put(place.first, place.second, row);
    ASSERT_TRUE(sealed.Commit(batch).ok());
  }
  size_t CountOnDisk(std::string_view text) const {
    size_t count = 0;
    for (const auto& [place, row] : RowsOf(disk)) count += row.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  SeededRandom random;
  SubjectKeys keys;
  storage::MemoryStore disk;
  SealedStore sealed;
  SteppedClock clock;
  TestSite site;
  RecordId id;
  std::vector<std::pair<std::pair<Table, std::string>, std::string>> rows;
};

TEST_F(SealedStoreTest, NothingOfPersonsIsOnTheDiskAndAllComesBack) {
  EXPECT_EQ(CountOnDisk("awa.diallo"), 0u);
  EXPECT_EQ(CountOnDisk("04 79"), 0u);
  EXPECT_EQ(CountOnDisk("mardi"), 0u);
  EXPECT_GT(CountOnDisk("Amis du Mali"), 0u) << "what is no secret stays readable";
  EXPECT_EQ(RowsOf(sealed), rows);
  const auto snapshot = sealed.Snapshot();
  EXPECT_EQ(RowsOf(*snapshot), rows);
  for (const auto& [place, row] : rows) EXPECT_EQ(**sealed.Get(place.first, place.second), row);
}

TEST_F(SealedStoreTest, WhatSaysNothingOfAnybodyIsStoredAsItIs) {
  size_t as_it_is = 0;
  for (const auto& [place, row] : rows) {
    const std::string stored = **disk.Get(place.first, place.second);
    EXPECT_EQ(IsSealed(place.first, stored), stored != row);
    as_it_is += stored == row ? 1 : 0;
  }
  // The state and the change of ADOS.
  EXPECT_EQ(as_it_is, 2u);
}

TEST_F(SealedStoreTest, OnceTheKeyIsDestroyedNobodyReadsItAnyMore) {
  keys.Destroy({kActor, id});
  const std::string key = storage::StateKey({kActor, id});
  EXPECT_TRUE(absl::IsDataLoss(sealed.Get(Table::kStates, key).status()));
  // Others are read on, and what is written about it from now on, too.
  size_t readable = 0;
  for (const auto& [place, row] : rows) readable += place.first == Table::kStates && sealed.Get(place.first, place.second).ok() ? 1 : 0;
  EXPECT_EQ(readable, 1u) << "ADOS";
  storage::CommitBatch batch;
  batch.Put(Table::kStates, key, EncodeState(site.State(kActor, id)));
  ASSERT_TRUE(sealed.Commit(batch).ok());
  EXPECT_TRUE(sealed.Get(Table::kStates, key).ok());
}

TEST_F(SealedStoreTest, AWalkGoesOnBehindWhatCannotBeRead) {
  keys.Destroy({kActor, id});
  auto cursor = sealed.Scan(Table::kFeed, {}, storage::ScanOrder::kAscending);
  size_t read = 0;
  size_t damaged = 0;
  while (true) {
    for (; cursor->Valid(); cursor->Next()) ++read;
    if (cursor->status().ok() || !cursor->SkipDamage()) break;
    ++damaged;
  }
  EXPECT_TRUE(cursor->status().ok());
  EXPECT_EQ(read, 1u);
  EXPECT_EQ(damaged, 2u);
}

TEST_F(SealedStoreTest, AlteredRowsAreDamagedRows) {
  for (const auto& [place, row] : RowsOf(disk)) {
    if (!IsSealed(place.first, row)) continue;
    for (uint64_t i = 0; i < TestRounds(300); ++i) {
      std::string altered = row;
      altered[1 + random.Below(altered.size() - 1)] ^= static_cast<char>(1 << random.Below(8));
      EXPECT_TRUE(absl::IsDataLoss(Unseal(keys, place.first, place.second, altered).status()));
      const size_t size = random.Below(row.size());
      EXPECT_TRUE(absl::IsDataLoss(Unseal(keys, place.first, place.second, row.substr(0, size)).status()));
    }
    EXPECT_FALSE(Unseal(SubjectKeys::Generate(random), place.first, place.second, row).ok());
    EXPECT_FALSE(Unseal(keys, place.first, storage::StateKey({kActor, *RecordId::FromBytes("another record !")}), row).ok());
  }
}

// The same row has the same bytes: a copy of the store can be compared with it.
TEST_F(SealedStoreTest, SealingIsAFunctionOfTheRow) {
  for (const auto& [place, row] : rows) {
    EXPECT_EQ(Seal(keys, place.first, place.second, row), Seal(keys, place.first, place.second, row));
    const auto stored = Seal(keys, place.first, place.second, row);
    if (stored.has_value()) {
      EXPECT_EQ(*Unseal(keys, place.first, place.second, *stored), row);
    }
  }
  EXPECT_EQ(Seal(keys, Table::kMeta, "x", rows[0].second), std::nullopt);
}

TEST_F(SealedStoreTest, AReplicaWorksOnItAsOnAnyStore) {
  storage::MemoryStore below;
  SealedStore store(&below, &keys);
  auto replica = *Replica::Open(&store, &clock, &random, {site.id, &Schema::BuiltIn()});
  for (const std::string& change : site.Feed()) ASSERT_TRUE(replica->Apply(change, site.id).ok());
  ASSERT_TRUE(replica->Commit().ok());
  EXPECT_EQ(replica->tree().Digest(), site.Digest());
  EXPECT_EQ(**replica->State({kActor, id}), site.State(kActor, id));
  replica = *Replica::Open(&store, &clock, &random, {site.id, &Schema::BuiltIn()});
  EXPECT_EQ(replica->tree().Digest(), site.Digest());
}

}  // namespace
}  // namespace maillage::replication::testing
