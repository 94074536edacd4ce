#include "replication/record_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/replication/support/site.h"

namespace maillage::replication::testing {
namespace {

const RecordKey kActor{1, IdOf(1)};
const RecordKey kOther{1, IdOf(2)};
constexpr uint32_t kName = 1;

TEST(RecordReader, ReadsHistoryInTheOrderOfItsArrival) {
  Site alice('a');
  Site bob('b');
  const std::string of_bob = bob.Write(kActor, {Put(kName, "y")});
  alice.Write(kActor, {Put(kName, "x")});
  alice.Write(kOther, {Put(kName, "other")});
  alice.Receive(of_bob);
  const auto rows = ReadHistory(*alice.store, kActor);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].position, 1u);
  EXPECT_EQ((*rows)[0].dot.actor.site, Alice());
  EXPECT_EQ((*rows)[1].position, 3u);
  EXPECT_EQ((*rows)[1].dot.actor.site, Bob());
  EXPECT_EQ(ReadFeedEntry(*alice.store, 3)->change, of_bob);
  EXPECT_EQ(ReadFeedEntry(*alice.store, 3)->source, SiteOf('z'));
  EXPECT_EQ(ReadFeedEntry(*alice.store, 4).status().code(), absl::StatusCode::kDataLoss);
}

TEST(RecordReader, GivesTheChangesBeyondWhatIsKnown) {
  Site alice('a');
  const std::string first = alice.Write(kActor, {Put(kName, "x")});
  const VersionVector after_first = alice.State(kActor).vector();
  const std::string second = alice.Write(kActor, {Put(kName, "y")});
  const VersionVector all = alice.State(kActor).vector();
  const auto beyond = [&](VersionVector known) {
    return *TakeChangesBeyond(*alice.store, kActor, all, kMaxChangeBytes, known);
  };
  EXPECT_EQ(beyond({}), (std::vector<std::string>{first, second}));
  EXPECT_EQ(beyond(after_first), std::vector<std::string>{second});
  EXPECT_EQ(beyond(all), std::vector<std::string>());
  VersionVector more = after_first;
  more.Add("b3"_dot);
  EXPECT_EQ(beyond(more), std::vector<std::string>{second}) << "who knows more still lacks this";
}

TEST(RecordReader, GivesALongHistoryPartByPart) {
  Site alice('a');
  const std::string first = alice.Write(kActor, {Put(kName, "x")});
  const std::string second = alice.Write(kActor, {Put(kName, "y")});
  const VersionVector all = alice.State(kActor).vector();
  VersionVector known;
  EXPECT_EQ(*TakeChangesBeyond(*alice.store, kActor, all, 1, known), std::vector<std::string>{first});
  EXPECT_EQ(*TakeChangesBeyond(*alice.store, kActor, all, 1, known), std::vector<std::string>{second});
  EXPECT_EQ(known, all);
  EXPECT_EQ(*TakeChangesBeyond(*alice.store, kActor, all, 1, known), std::vector<std::string>());
}

TEST(RecordReader, HasNoChangesWhereHistoryDoesNotReach) {
  Site alice('a');
  Site bob('b');
  alice.Write(kActor, {Put(kName, "x")});
  const VersionVector of_alice = alice.State(kActor).vector();
  bob.MergeFrom(alice, kActor);
  const std::string of_bob = bob.Write(kActor, {Put(kName, "y")});
  const VersionVector all = bob.State(kActor).vector();
  VersionVector nothing;
  EXPECT_EQ(*TakeChangesBeyond(*bob.store, kActor, all, kMaxChangeBytes, nothing), std::nullopt);
  VersionVector known = of_alice;
  EXPECT_EQ(*TakeChangesBeyond(*bob.store, kActor, all, kMaxChangeBytes, known), std::vector<std::string>{of_bob});
}

TEST(RecordReader, ScansStatesOfOneKindById) {
  Site alice('a');
  for (const uint64_t id : {3, 1, 2}) alice.Write({1, IdOf(id)}, {Put(kName, "x")});
  alice.Write({2, IdOf(1)}, {Put(kName, "x")});
  const auto scan = [&](std::optional<RecordId> after, size_t limit) {
    std::vector<RecordId> ids;
    EXPECT_TRUE(ScanStates(*alice.store, 1, after, [&](const RecordKey& record, std::string_view) {
                  ids.push_back(record.id);
                  return ids.size() < limit;
                }).ok());
    return ids;
  };
  EXPECT_EQ(scan(std::nullopt, 9), (std::vector<RecordId>{IdOf(1), IdOf(2), IdOf(3)}));
  EXPECT_EQ(scan(IdOf(1), 9), (std::vector<RecordId>{IdOf(2), IdOf(3)}));
  EXPECT_EQ(scan(IdOf(3), 9), std::vector<RecordId>());
  EXPECT_EQ(scan(std::nullopt, 1), std::vector<RecordId>{IdOf(1)});
}

TEST(RecordReader, ScansTheFeedAfterAPosition) {
  Site alice('a');
  Site bob('b');
  bob.Write(kOther, {Put(kName, "y")});
  alice.Write(kActor, {Put(kName, "x")});
  alice.MergeFrom(bob, kOther);
  std::vector<uint64_t> positions;
  std::vector<FeedEntry::Type> types;
  ASSERT_TRUE(ScanFeed(*alice.store, 0, [&](uint64_t position, FeedEntry entry) {
                positions.push_back(position);
                types.push_back(entry.type);
                return true;
              }).ok());
  EXPECT_EQ(positions, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(types,
            (std::vector<FeedEntry::Type>{FeedEntry::Type::kChange, FeedEntry::Type::kState}));
  int seen = 0;
  ASSERT_TRUE(ScanFeed(*alice.store, 1, [&](uint64_t, FeedEntry) { return ++seen < 0; }).ok());
  EXPECT_EQ(seen, 1);
}

TEST(RecordReader, DamageIsDataLoss) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  storage::CommitBatch batch;
  batch.Put(storage::Table::kStates, storage::StateKey(kActor), "rubbish");
  batch.Put(storage::Table::kChanges, storage::ChangeKey(kActor, 1), "rubbish");
  batch.Put(storage::Table::kFeed, storage::FeedKey(1), "rubbish");
  ASSERT_TRUE(alice.store->Commit(batch).ok());
  EXPECT_EQ(ReadState(*alice.store, kActor).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadHistory(*alice.store, kActor).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadFeedEntry(*alice.store, 1).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ScanFeed(*alice.store, 0, [](uint64_t, FeedEntry) { return true; }).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace maillage::replication::testing
