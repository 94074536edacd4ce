#include "tests/storage/store_contract.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace maillage::storage {

std::vector<Row> Rows(const ReadView& view, Table table, const KeyRange& range, ScanOrder order) {
  std::vector<Row> rows;
  const auto cursor = view.Scan(table, range, order);
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key(), cursor->value());
  EXPECT_TRUE(cursor->status().ok()) << cursor->status();
  return rows;
}

std::vector<std::string> Keys(const ReadView& view, Table table, const KeyRange& range,
                              ScanOrder order) {
  std::vector<std::string> keys;
  for (Row& row : Rows(view, table, range, order)) keys.push_back(std::move(row.first));
  return keys;
}

std::optional<std::string> Value(const ReadView& view, Table table, std::string_view key) {
  auto value = view.Get(table, key);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : std::nullopt;
}

void Put(Store& store, Table table, std::string key, std::string value) {
  CommitBatch batch;
  batch.Put(table, std::move(key), std::move(value));
  const absl::Status committed = store.Commit(batch);
  ASSERT_TRUE(committed.ok()) << committed;
}

namespace {

using namespace std::string_literals;  // NOLINT(build/namespaces)
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr Table kTables[] = {Table::kStates, Table::kChanges, Table::kFingerprints,
                             Table::kFeed,   Table::kIndex,   Table::kMeta};
static_assert(std::size(kTables) == kTableCount);

TEST_P(StoreContract, IsEmptyAtFirst) {
  for (const Table table : kTables) {
    EXPECT_EQ(Value(store(), table, "actor"), std::nullopt);
    EXPECT_THAT(Rows(store(), table), IsEmpty());
  }
}

TEST_P(StoreContract, TablesHaveKeysOfTheirOwn) {
  CommitBatch batch;
  for (const Table table : kTables) batch.Put(table, "key", std::string(TableName(table)));
  ASSERT_TRUE(store().Commit(batch).ok());
  for (const Table table : kTables) {
    EXPECT_THAT(Value(store(), table, "key"), Optional(std::string(TableName(table))));
    EXPECT_THAT(Keys(store(), table), ElementsAre("key"));
  }
}

TEST_P(StoreContract, OverwritesAndDeletes) {
  Put(store(), Table::kStates, "phone", "04 79 00 00 00");
  Put(store(), Table::kStates, "phone", "04 79 11 11 11");
  EXPECT_THAT(Value(store(), Table::kStates, "phone"), Optional("04 79 11 11 11"s));

  CommitBatch batch;
  batch.Delete(Table::kStates, "phone");
  batch.Delete(Table::kStates, "never written");
  ASSERT_TRUE(store().Commit(batch).ok());
  EXPECT_EQ(Value(store(), Table::kStates, "phone"), std::nullopt);
  EXPECT_THAT(Rows(store(), Table::kStates), IsEmpty());
}

TEST_P(StoreContract, LastWriteToAKeyInABatchWins) {
  Put(store(), Table::kMeta, "kept", "before");
  CommitBatch batch;
  batch.Put(Table::kMeta, "twice", "first");
  batch.Put(Table::kMeta, "twice", "second");
  batch.Put(Table::kMeta, "gone", "value");
  batch.Delete(Table::kMeta, "gone");
  batch.Delete(Table::kMeta, "kept");
  batch.Put(Table::kMeta, "kept", "after");
  ASSERT_TRUE(store().Commit(batch).ok());
  EXPECT_THAT(Rows(store(), Table::kMeta),
              ElementsAre(Row("kept", "after"), Row("twice", "second")));
}

TEST_P(StoreContract, EmptyBatchChangesNothing) {
  Put(store(), Table::kFeed, "1", "change");
  EXPECT_TRUE(store().Commit(CommitBatch()).ok());
  EXPECT_THAT(Rows(store(), Table::kFeed), ElementsAre(Row("1", "change")));
}

TEST_P(StoreContract, EmptyValueIsNotAbsence) {
  Put(store(), Table::kIndex, "word", "");
  EXPECT_THAT(Value(store(), Table::kIndex, "word"), Optional(""s));
  EXPECT_THAT(Rows(store(), Table::kIndex), ElementsAre(Row("word", "")));
}

TEST_P(StoreContract, KeysAreBytesInUnsignedOrder) {
  const std::vector<std::string> sorted = {
      ""s,   "\0"s,   "\0\0"s, "\0a"s, "\x01"s,     "a"s,    "a\0"s,    "a\0b"s,
      "ab"s, "\x7f"s, "\x80"s, "é"s,   "\xfe\xff"s, "\xff"s, "\xff\0"s, "\xff\xff"s};
  CommitBatch batch;
  for (auto key = sorted.rbegin(); key != sorted.rend(); ++key) {
    batch.Put(Table::kIndex, *key, "value of " + *key);
  }
  ASSERT_TRUE(store().Commit(batch).ok());
  EXPECT_EQ(Keys(store(), Table::kIndex), sorted);
  for (const std::string& key : sorted) {
    EXPECT_THAT(Value(store(), Table::kIndex, key), Optional("value of " + key));
  }
}

TEST_P(StoreContract, BigValuesComeBackWhole) {
  std::string big(size_t{5} << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 2654435761U >> 13);
  Put(store(), Table::kStates, "big", big);
  // Not EXPECT_EQ, which would print both.
  EXPECT_TRUE(Value(store(), Table::kStates, "big") == big);
  Reopen();
  EXPECT_TRUE(Value(store(), Table::kStates, "big") == big);
}

TEST_P(StoreContract, RangesIncludeTheirBeginAndExcludeTheirEnd) {
  for (const char* key : {"a", "b", "ba", "c", "d"}) Put(store(), Table::kFeed, key, "");
  const auto keys = [&](KeyRange range) { return Keys(store(), Table::kFeed, range); };
  EXPECT_THAT(keys({"b", "d"}), ElementsAre("b", "ba", "c"));
  EXPECT_THAT(keys({"", "b"}), ElementsAre("a"));
  EXPECT_THAT(keys({"c", ""}), ElementsAre("c", "d"));
  EXPECT_THAT(keys({"bb", "bc"}), IsEmpty());
  EXPECT_THAT(keys({"b", "b"}), IsEmpty());
  EXPECT_THAT(keys({"d", "a"}), IsEmpty());
  EXPECT_THAT(keys({"e", ""}), IsEmpty());
}

TEST_P(StoreContract, DescendingScansMeetTheSameRowsBackwards) {
  for (const char* key : {"a", "b", "ba", "c", "d"}) Put(store(), Table::kFeed, key, "");
  const auto keys = [&](KeyRange range) {
    return Keys(store(), Table::kFeed, range, ScanOrder::kDescending);
  };
  EXPECT_THAT(keys({}), ElementsAre("d", "c", "ba", "b", "a"));
  EXPECT_THAT(keys({"b", "d"}), ElementsAre("c", "ba", "b"));
  EXPECT_THAT(keys({"", "bz"}), ElementsAre("ba", "b", "a"));
  EXPECT_THAT(keys({"bb", ""}), ElementsAre("d", "c"));
  EXPECT_THAT(keys({"b", "b"}), IsEmpty());
  EXPECT_THAT(keys({"d", "a"}), IsEmpty());
  EXPECT_THAT(keys({"", "a"}), IsEmpty());
}

TEST_P(StoreContract, PrefixesOf0xffAreRangesToo) {
  const std::vector<std::string> all = {"a"s,    "a\xff"s, "a\xff\xff"s, "a\xff\xffz"s, "b"s,
                                        "\xfe"s, "\xff"s,  "\xff\xff"s,  "\xff\xffz"s};
  for (const std::string& key : all) Put(store(), Table::kIndex, key, "");
  for (const ScanOrder order : {ScanOrder::kAscending, ScanOrder::kDescending}) {
    const auto count = [&](std::string_view prefix) {
      const auto keys = Keys(store(), Table::kIndex, KeyRange::Prefix(prefix), order);
      for (const std::string& key : keys) EXPECT_TRUE(key.starts_with(prefix));
      return keys.size();
    };
    EXPECT_EQ(count(""), all.size());
    EXPECT_EQ(count("a"), 4U);
    EXPECT_EQ(count("a\xff"), 3U);
    EXPECT_EQ(count("a\xff\xff"), 2U);
    EXPECT_EQ(count("\xff"), 3U);
    EXPECT_EQ(count("\xff\xff"), 2U);
    EXPECT_EQ(count("\xff\xff\xff"), 0U);
  }
}

TEST_P(StoreContract, SnapshotDoesNotSeeLaterCommits) {
  Put(store(), Table::kStates, "changed", "old");
  Put(store(), Table::kStates, "deleted", "old");
  const auto view = store().Snapshot();
  CommitBatch batch;
  batch.Put(Table::kStates, "changed", "new");
  batch.Delete(Table::kStates, "deleted");
  batch.Put(Table::kStates, "created", "new");
  ASSERT_TRUE(store().Commit(batch).ok());

  EXPECT_THAT(Rows(*view, Table::kStates),
              ElementsAre(Row("changed", "old"), Row("deleted", "old")));
  EXPECT_THAT(Value(*view, Table::kStates, "changed"), Optional("old"s));
  EXPECT_THAT(Value(*view, Table::kStates, "deleted"), Optional("old"s));
  EXPECT_EQ(Value(*view, Table::kStates, "created"), std::nullopt);
  EXPECT_THAT(Rows(store(), Table::kStates),
              ElementsAre(Row("changed", "new"), Row("created", "new")));
}

TEST_P(StoreContract, SnapshotsEndInAnyOrder) {
  std::vector<std::unique_ptr<ReadView>> views;
  for (int i = 0; i < 6; ++i) {
    views.push_back(store().Snapshot());
    if (i % 3 == 2) {
      CommitBatch batch;
      batch.Delete(Table::kMeta, "key");
      ASSERT_TRUE(store().Commit(batch).ok());
    } else {
      Put(store(), Table::kMeta, "key", std::to_string(i));
    }
  }
  const std::optional<std::string> seen[] = {std::nullopt, "0", "1", std::nullopt, "3", "4"};
  for (const size_t ended : {2, 0, 5, 3, 1, 4}) {
    for (size_t i = 0; i < views.size(); ++i) {
      if (views[i] != nullptr) {
        EXPECT_EQ(Value(*views[i], Table::kMeta, "key"), seen[i]) << i;
      }
    }
    views[ended].reset();
  }
  EXPECT_EQ(Value(store(), Table::kMeta, "key"), std::nullopt);
}

TEST_P(StoreContract, CursorKeepsItsMomentThroughCommits) {
  for (const char* key : {"a", "c", "e"}) Put(store(), Table::kFeed, key, "old");
  for (const ScanOrder order : {ScanOrder::kAscending, ScanOrder::kDescending}) {
    const auto cursor = store().Scan(Table::kFeed, {}, order);
    ASSERT_TRUE(cursor->Valid());
    CommitBatch batch;
    for (const char* key : {"a", "c", "e"}) batch.Delete(Table::kFeed, key);
    for (const char* key : {"b", "d", "f"}) batch.Put(Table::kFeed, key, "new");
    ASSERT_TRUE(store().Commit(batch).ok());
    std::vector<std::string> keys;
    for (; cursor->Valid(); cursor->Next()) {
      EXPECT_EQ(cursor->value(), "old");
      keys.emplace_back(cursor->key());
    }
    EXPECT_TRUE(cursor->status().ok()) << cursor->status();
    if (order == ScanOrder::kAscending) {
      EXPECT_THAT(keys, ElementsAre("a", "c", "e"));
    } else {
      EXPECT_THAT(keys, ElementsAre("e", "c", "a"));
    }
    EXPECT_THAT(Keys(store(), Table::kFeed), ElementsAre("b", "d", "f"));
    CommitBatch undo;
    for (const char* key : {"b", "d", "f"}) undo.Delete(Table::kFeed, key);
    for (const char* key : {"a", "c", "e"}) undo.Put(Table::kFeed, key, "old");
    ASSERT_TRUE(store().Commit(undo).ok());
  }
}

TEST_P(StoreContract, CommitsSurviveReopening) {
  Put(store(), Table::kStates, "kept", "value");
  Put(store(), Table::kStates, "deleted", "value");
  CommitBatch batch;
  batch.Delete(Table::kStates, "deleted");
  batch.Put(Table::kFeed, "1", "change");
  ASSERT_TRUE(store().Commit(batch).ok());
  for (int i = 0; i < 2; ++i) {
    Reopen();
    EXPECT_THAT(Rows(store(), Table::kStates), ElementsAre(Row("kept", "value")));
    EXPECT_THAT(Rows(store(), Table::kFeed), ElementsAre(Row("1", "change")));
  }
}

// One writer gives every key of every table the same number in each batch, so a view in which two
// keys differ has seen half of a batch.
TEST_P(StoreContract, ReadersBesideTheWriterSeeWholeBatches) {
  constexpr int kCommits = 200;
  constexpr int kKeys = 8;
  const auto commit = [&](int number) {
    CommitBatch batch;
    for (const Table table : kTables) {
      for (int key = 0; key < kKeys; ++key) {
        batch.Put(table, std::to_string(key), std::to_string(number));
      }
    }
    return store().Commit(batch);
  };
  ASSERT_TRUE(commit(0).ok());

  std::atomic<bool> done = false;
  std::atomic<int> readers_started = 0;
  const auto read = [&] {
    int last = 0;
    for (bool finish = false; !finish;) {
      finish = done.load();
      const auto view = store().Snapshot();
      const int number = std::stoi(Value(*view, Table::kMeta, "0").value_or("-1"));
      EXPECT_GE(number, last);
      last = number;
      for (const Table table : kTables) {
        const std::vector<Row> rows = Rows(*view, table);
        EXPECT_EQ(rows.size(), static_cast<size_t>(kKeys));
        for (const Row& row : rows) EXPECT_EQ(row.second, std::to_string(number));
      }
      if (readers_started.load() < 3) readers_started.fetch_add(1);
      readers_started.notify_all();
    }
    EXPECT_EQ(last, kCommits);
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  for (int seen = readers_started; seen < 3; seen = readers_started) readers_started.wait(seen);
  for (int number = 1; number <= kCommits; ++number) {
    const absl::Status committed = commit(number);
    EXPECT_TRUE(committed.ok()) << committed;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace maillage::storage
