#include "storage/memory_store.h"

#include <gmock/gmock.h>

#include "tests/storage/store_contract.h"

namespace maillage::storage {
namespace {

using Outcome = MemoryStore::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MemoryUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void Reopen() override { store_.Reopen(); }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         ::testing::Values(StoreFactory{
                             "Memory", [] { return std::make_unique<MemoryUnderTest>(); }}),
                         [](const auto& info) { return info.param.name; });

absl::Status PutOne(MemoryStore& store, std::string key) {
  CommitBatch batch;
  batch.Put(Table::kFeed, std::move(key), "");
  return store.Commit(batch);
}

TEST(MemoryStore, FailedCommitIsThereOrNotAndLaterOnesAreRefused) {
  for (const Outcome outcome : {Outcome::kApplied, Outcome::kLost}) {
    MemoryStore store;
    ASSERT_TRUE(PutOne(store, "1").ok());
    store.FailNextCommit(absl::InternalError("disk"), outcome);
    EXPECT_EQ(PutOne(store, "2"), absl::InternalError("disk"));
    EXPECT_EQ(PutOne(store, "3").code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(store.Commit(CommitBatch()).code(), absl::StatusCode::kFailedPrecondition);
    store.Reopen();
    EXPECT_TRUE(PutOne(store, "4").ok());
    if (outcome == Outcome::kApplied) {
      EXPECT_THAT(Keys(store, Table::kFeed), ElementsAre("1", "2", "4"));
    } else {
      EXPECT_THAT(Keys(store, Table::kFeed), ElementsAre("1", "4"));
    }
  }
}

TEST(MemoryStore, ReopeningForgetsAnInjectedError) {
  MemoryStore store;
  store.FailNextCommit(absl::InternalError("disk"), Outcome::kLost);
  store.Reopen();
  EXPECT_TRUE(PutOne(store, "1").ok());
}

TEST(MemoryStore, CloneGoesItsOwnWay) {
  MemoryStore store;
  ASSERT_TRUE(PutOne(store, "1").ok());
  ASSERT_TRUE(PutOne(store, "2").ok());
  CommitBatch batch;
  batch.Delete(Table::kFeed, "1");
  const auto view = store.Snapshot();
  ASSERT_TRUE(store.Commit(batch).ok());

  const auto clone = store.Clone();
  ASSERT_TRUE(PutOne(store, "3").ok());
  ASSERT_TRUE(PutOne(*clone, "4").ok());
  EXPECT_THAT(Keys(store, Table::kFeed), ElementsAre("2", "3"));
  EXPECT_THAT(Keys(*clone, Table::kFeed), ElementsAre("2", "4"));
  EXPECT_THAT(Keys(*clone, Table::kMeta), IsEmpty());
}

TEST(MemoryStoreDeathTest, ViewMustNotOutliveItsStore) {
  EXPECT_DEATH(
      {
        std::unique_ptr<ReadView> view;
        MemoryStore store;
        view = store.Snapshot();
      },
      "outlives its store");
}

}  // namespace
}  // namespace maillage::storage
