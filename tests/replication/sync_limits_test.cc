// Records that fit into no frame, and peers that make a session remember more than it should.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/state_codec.h"
#include "replication/sync_session.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

std::string InventedId(uint64_t number) {
  std::string id(RecordId::kSize, '\xff');
  for (size_t byte = 0; byte < sizeof number; ++byte) id[byte] = static_cast<char>(number >> (8 * byte));
  return id;
}

class SyncLimits : public ::testing::Test {
 protected:
  // Both know each other, and compare when they meet.
  void SetUp() override {
    lyon.Create(NamedActor("lyonnaise"));
    savoie.Create(NamedActor("savoyarde"));
    Link(&savoie, &lyon).Run();
    storage::CommitBatch batch;
    batch.Delete(storage::Table::kMeta, storage::CursorKey(savoie.id));
    batch.Delete(storage::Table::kMeta, storage::CursorKey(lyon.id));
    ASSERT_TRUE(lyon.store->Commit(batch).ok());
    ASSERT_TRUE(savoie.store->Commit(batch).ok());
    lyon.Restart();
    savoie.Restart();
  }

  // Each end says all that it has to say before it listens, until neither has anything.
  void RunInBursts(Link& link) {
    for (bool moved = true; moved;) {
      moved = false;
      for (const bool calls : {true, false}) {
        for (const v1::SyncFrame& frame : Drain(calls ? link.caller() : link.answerer())) {
          ASSERT_TRUE((calls ? link.answerer() : link.caller()).Receive(frame).ok());
          moved = true;
        }
        ASSERT_TRUE((calls ? lyon : savoie).replica->Commit().ok());
      }
    }
  }
  // All that the session has to say.
  static std::vector<v1::SyncFrame> Drain(SyncSession& session) {
    std::vector<v1::SyncFrame> frames;
    v1::SyncFrame frame;
    while (*session.Next(&frame)) frames.push_back(frame);
    return frames;
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
};

TEST_F(SyncLimits, ALongHistoryTravelsInManyFrames) {
  const RecordId id = lyon.Create(NamedActor("Pays de Savoie Solidaires"));
  const RecordId other = lyon.Create(NamedActor("une autre"));
  v1::Actor edit;
  for (int day = 0; day < 400; ++day) {
    edit.set_description(absl::StrCat(day, std::string(kMaxValueBytes - 10, 'x')));
    lyon.Update(id, edit, {"description"});
  }
  Link link(&savoie, &lyon, /*known=*/false);
  size_t longest = 0;
  link.on_frame = [&](bool, const v1::SyncFrame& frame) { longest = std::max(longest, frame.ByteSizeLong()); };
  link.Run();
  EXPECT_EQ(link.caller().progress().reconciliation_rounds, 1u);
  EXPECT_EQ(link.answerer().progress().changes_sent, 402u);
  EXPECT_LE(longest, kFrameBytes + 2 * kMaxValueBytes);
  EXPECT_EQ(savoie.Digest(), lyon.Digest());
  EXPECT_EQ(savoie.Actor(id).description(), edit.description());
  EXPECT_EQ(savoie.Actor(other).name(), "une autre");
}

TEST_F(SyncLimits, AStateThatNoMessageHoldsHoldsUpNobody) {
  RecordState state;
  Change change;
  change.record = {kActor, *RecordId::FromBytes(InventedId(1))};
  change.dot = "b1"_dot;
  for (size_t bytes = 0; bytes <= kMaxSentStateBytes; bytes += kMaxValueBytes) {
    change.operations.push_back(
        AddElement(v1::Actor::kWebsitesFieldNumber, absl::StrCat(1'000'000 + bytes, std::string(kMaxValueBytes - 10, 'x'))));
  }
  state.Apply(change);
  ASSERT_TRUE(*lyon.replica->Merge(change.record, EncodeState(state), savoie.id));
  const RecordId other = lyon.Create(NamedActor("une autre"));
  for (const bool known : {true, false}) {
    Link link(&savoie, &lyon, known);
    link.Run();
    EXPECT_EQ(savoie.Actor(other).name(), "une autre");
    EXPECT_EQ(link.answerer().progress().unreadable, 1u);
    EXPECT_EQ(link.caller().progress().peer_unreadable, 1u);
    EXPECT_TRUE(link.caller().apart());
    EXPECT_FALSE(link.caller().closing());
  }
}

TEST_F(SyncLimits, InventedRecordsAreAwaitedUpToALimit) {
  Link link(&savoie, &lyon);
  link.Run();
  const size_t named = kMaxAwaitedRecords + 10'000;
  for (size_t number = 0; number < named;) {
    v1::SyncFrame frame;
    for (size_t end = std::min(named, number + 10'000); number < end; ++number) {
      v1::RecordVector* entry = frame.mutable_vectors()->add_record();
      entry->set_record(InventedId(number));
      entry->set_kind(kActor);
      ToProto("b1"_vv, entry->mutable_vector());
    }
    ASSERT_TRUE(link.caller().Receive(frame).ok());
  }
  size_t asked = 0;
  for (const v1::SyncFrame& frame : Drain(link.caller())) {
    asked += static_cast<size_t>(frame.vectors().record_size());
  }
  EXPECT_EQ(asked, kMaxAwaitedRecords);
  EXPECT_FALSE(link.caller().closing());
}

TEST_F(SyncLimits, LongVectorsWaitUpToALimit) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 120; ++i) ids.push_back(savoie.Create(NamedActor(absl::StrCat(i))));
  Link link(&savoie, &lyon);
  link.Run();
  VersionVector longest;
  for (uint64_t epoch = 1; epoch <= kMaxVectorEntries; ++epoch) longest.Add({{"b1"_dot.actor.site, 1, epoch}, 1});
  for (const RecordId& id : ids) {
    v1::SyncFrame frame;
    v1::RecordVector* entry = frame.mutable_vectors()->add_record();
    entry->set_record(std::string(id.bytes()));
    entry->set_kind(kActor);
    entry->set_reply(true);
    ToProto(longest, entry->mutable_vector());
    ASSERT_TRUE(link.caller().Receive(frame).ok());
  }
  size_t sent = 0;
  for (const v1::SyncFrame& frame : Drain(link.caller())) sent += static_cast<size_t>(frame.changes().change_size());
  EXPECT_EQ(sent, kMaxOutboxBytes / (kMaxVectorEntries * sizeof(VersionVector::Entry)));
}

TEST_F(SyncLimits, WhatWasForgottenIsFoundByTheNextComparison) {
  VersionVector longest;
  for (uint64_t epoch = 10; epoch <= kMaxVectorEntries; ++epoch) longest.Add({{"b1"_dot.actor.site, 1, epoch}, 1});
  const std::string state = EncodeState(RecordState::FromParts(longest, {}));
  // More than an outbox holds with their vectors.
  for (uint64_t number = 0; number < 90; ++number) {
    const RecordKey record{kActor, *RecordId::FromBytes(InventedId(number))};
    for (TestSite* site : {&lyon, &savoie}) {
      ASSERT_TRUE(*site->replica->Merge(record, state, SiteId()));
      ASSERT_TRUE(site->replica->Commit().ok());
    }
  }
  ASSERT_EQ(lyon.Digest(), savoie.Digest());
  for (uint64_t number = 0; number < 90; ++number) {
    savoie.Update(*RecordId::FromBytes(InventedId(number)), NamedActor(absl::StrCat(number)), {"name"});
  }
  Link link(&savoie, &lyon, /*known=*/false);
  RunInBursts(link);
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  EXPECT_GT(link.caller().progress().reconciliation_rounds, 1u) << "nothing was forgotten";
  EXPECT_TRUE(link.caller().up_to_date());
}

TEST_F(SyncLimits, WhoAsksWithoutReadingIsSentAway) {
  Link link(&savoie, &lyon);
  link.Run();
  v1::SyncFrame frame;
  for (int i = 0; i < 50'000; ++i) {
    v1::Range* range = frame.mutable_ranges()->add_range();
    range->set_kind(kActor);
    range->set_territory("73");
    range->mutable_node()->set_count(1);
  }
  size_t taken = 0;
  for (; !link.caller().closing() && taken < 1000; ++taken) ASSERT_TRUE(link.caller().Receive(frame).ok());
  // What is moved or copied takes no more, and perhaps less, than what was received.
  EXPECT_GE(taken, kMaxQuestionMemory / frame.ranges().SpaceUsedLong());
  EXPECT_LT(taken, 2 * kMaxQuestionMemory / frame.ranges().SpaceUsedLong());
  EXPECT_EQ(Drain(link.caller()).back().goodbye().reason(), v1::Goodbye::MALFORMED);
}

}  // namespace
}  // namespace maillage::replication::testing
