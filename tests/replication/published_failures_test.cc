// Failures that others have published, each by name, in its shape. What needs a conversation of two
// sites besides is in the tests of the sync session.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "replication/state_codec.h"
#include "storage/keys.h"
#include "tests/replication/support/site.h"

namespace maillage::replication::testing {
namespace {

using Applied = Replica::Applied;

const RecordKey kActor{1, IdOf(1)};
constexpr uint32_t kName = 1;
constexpr uint32_t kPhone = 2;
constexpr uint32_t kGoals = 14;

// basho/riak_kv issue 679: a coordinating node that had lost its copy of a key began to count
// again, and its new write was taken for one that everybody had seen.
TEST(PublishedFailures, RiakKv679_DotReuseAfterLostLocalContext) {
  Site alice('a');
  Site bob('b');
  bob.Receive(alice.Write(kActor, {Put(kName, "before the loss")}));
  // This one record is lost on Alice's disk, and nothing else tells.
  storage::CommitBatch loss;
  loss.Delete(storage::Table::kStates, storage::StateKey(kActor));
  ASSERT_TRUE(alice.store->Commit(loss).ok());

  const std::string after = alice.Write(kActor, {Put(kName, "after the loss")});
  EXPECT_EQ(bob.Receive(after), Applied::kApplied);
  EXPECT_EQ(ValueOf(bob.State(kActor), kName), "after the loss");
  EXPECT_EQ(BesideOf(bob.State(kActor), kName), std::vector<std::string>{"before the loss"});
  alice.MergeFrom(bob, kActor);
  EXPECT_EQ(EncodeState(alice.State(kActor)), EncodeState(bob.State(kActor)));
}

// The same issue's second shape: the whole disk comes back from a backup.
TEST(PublishedFailures, RiakKv679_DotReuseAfterRestoredBackup) {
  Site alice('a');
  Site bob('b');
  bob.Receive(alice.Write(kActor, {Put(kName, "x")}));
  const std::unique_ptr<Site> backup = alice.Clone(7, /*continuity_proven=*/false);
  bob.Receive(alice.Write(kActor, {Put(kName, "after the backup")}));
  const std::string anew = backup->Write(kActor, {Put(kName, "after the restore")});
  EXPECT_EQ(bob.Receive(anew), Applied::kApplied);
  EXPECT_EQ(BesideOf(bob.State(kActor), kName).size(), 1u) << "both are kept";
}

// rust-crdt's Orswot, as its own tests record it: two replicas under one actor add different
// members with the same dot; each believes to have seen and removed the other's, and the merged set
// is empty.
TEST(PublishedFailures, RustCrdts_BothAddsOfTheSameDotVanish) {
  const RecordState one = StateOf({Written("a1").Add(kGoals, "4")});
  const RecordState other = StateOf({Written("a1").Add(kGoals, "13")});
  EXPECT_TRUE(KeysOf(Joined(one, other), kGoals).empty()) << "no merge can heal a dot used twice";

  // Hence none is: a store that can't vouch for itself takes another identity before it writes.
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const std::unique_ptr<Site> copied = alice.Clone(7, /*continuity_proven=*/false);
  const std::string first = alice.Write(kActor, {AddElement(kGoals, "4")});
  const std::string second = copied->Write(kActor, {AddElement(kGoals, "13")});
  EXPECT_NE(DecodeChange(first)->dot, DecodeChange(second)->dot);
  alice.MergeFrom(*copied, kActor);
  copied->MergeFrom(alice, kActor);
  EXPECT_EQ(KeysOf(alice.State(kActor), kGoals), (std::vector<std::string>{"13", "4"}));
  EXPECT_EQ(EncodeState(alice.State(kActor)), EncodeState(copied->State(kActor)));
}

// akkadotnet/akka.net pull request 8220: a peer that had missed a full state took the deltas after
// it, and gossiped its smaller set back; what it lacked was removed everywhere.
TEST(PublishedFailures, AkkaNet8220_GapInDeltaTakenAsRemoval) {
  Site alice('a');
  Site bob('b');
  const std::string first = alice.Write(kActor, {AddElement(kGoals, "4")});
  const std::string second = alice.Write(kActor, {AddElement(kGoals, "13")});
  EXPECT_EQ(bob.Receive(second), Applied::kMissingCauses);
  EXPECT_TRUE(bob.State(kActor).vector().empty())
      << "a refused change leaves no claim to have seen it";
  bob.Write(kActor, {AddElement(kGoals, "17")});
  alice.MergeFrom(bob, kActor);
  EXPECT_EQ(KeysOf(alice.State(kActor), kGoals), (std::vector<std::string>{"13", "17", "4"}));
  // The gap is filled by the changes in order, or by the whole state.
  EXPECT_EQ(bob.Receive(first), Applied::kApplied);
  EXPECT_EQ(bob.Receive(second), Applied::kApplied);
  EXPECT_EQ(bob.Digest(), alice.Digest());
  Site carol('c');
  EXPECT_EQ(carol.Receive(second), Applied::kMissingCauses);
  EXPECT_TRUE(carol.MergeFrom(alice, kActor));
  EXPECT_EQ(carol.Digest(), alice.Digest());
}

// automerge/automerge issue 579: the winner of a conflict was another one after saving and loading.
TEST(PublishedFailures, Automerge579_WinnerChangesAfterSaveAndLoad) {
  // With the later time on either side, and with equal ones.
  for (const uint64_t bobs_lead : {0, 1, 2}) {
    Site alice('a');
    Site bob('b');
    const std::string created = alice.Write(kActor, {Put(kName, "x")});
    bob.Receive(created);
    alice.wall.millis = kMorning + 1001;
    bob.wall.millis = kMorning + 1000 + bobs_lead;
    alice.Write(kActor, {Put(kName, "Alice's"), Put(kPhone, "1")});
    bob.Write(kActor, {Put(kName, "Bob's"), Put(kPhone, "2")});
    const std::string of_bob = bob.Feed().back();
    alice.Receive(of_bob);
    const std::string winner = ValueOf(alice.State(kActor), kName);
    EXPECT_EQ(winner, bobs_lead == 0 ? "Alice's" : "Bob's");
    const std::vector<std::string> beside = BesideOf(alice.State(kActor), kName);
    EXPECT_EQ(beside.size(), 1u);

    alice.Restart();
    EXPECT_EQ(ValueOf(alice.State(kActor), kName), winner);
    EXPECT_EQ(BesideOf(alice.State(kActor), kName), beside);
    EXPECT_EQ(ValueOf(*DecodeState(EncodeState(alice.State(kActor))), kName), winner);
    bob.MergeFrom(alice, kActor);
    bob.Restart(/*continuity_proven=*/false);
    EXPECT_EQ(ValueOf(bob.State(kActor), kName), winner);
    EXPECT_EQ(bob.Digest(), alice.Digest());
  }
}

// superfly/corrosion pull request 352: two nodes that had deleted the same row never agreed on it,
// and a third that had heard of one delete never deleted at all.
TEST(PublishedFailures, Corrosion352_TwoDeletesOfOneRowNeverConverge) {
  Site alice('a');
  Site bob('b');
  Site carol('c');
  const std::string created = alice.Write(kActor, {Put(kName, "x")});
  bob.Receive(created);
  carol.Receive(created);
  const auto erase = [](Site& site) {
    return site.Write(kActor, {{kLifeField, v1::REGISTER, "",
                                ToProto(site.State(kActor).vector()).SerializeAsString(), false}});
  };
  const std::string of_alice = erase(alice);
  const std::string of_bob = erase(bob);
  EXPECT_EQ(carol.Receive(of_bob), Applied::kApplied);
  EXPECT_EQ(carol.State(kActor).life(), Life::kDeleted);
  EXPECT_EQ(carol.Receive(of_alice), Applied::kApplied);
  EXPECT_EQ(alice.Receive(of_bob), Applied::kApplied);
  EXPECT_TRUE(bob.MergeFrom(alice, kActor));
  for (const Site* site : {&alice, &bob, &carol}) {
    EXPECT_EQ(site->State(kActor).life(), Life::kDeleted);
    EXPECT_EQ(site->Digest(), alice.Digest());
    EXPECT_EQ(site->replica->progress().kinds.at(1), (KindCounts{0, 1}));
    EXPECT_EQ(Inconsistency(*site), "");
  }
  // Meeting again brings nothing new.
  EXPECT_FALSE(alice.MergeFrom(bob, kActor));
  EXPECT_FALSE(carol.MergeFrom(alice, kActor));
}

// arul28/ADE, "sync drops changes when a changeset batch splits in the middle of a single
// db_version": the cursor moved past a version of which only the first rows had been sent. Here the
// unit of sending is what was written together, and a position never stands for half of it.
TEST(PublishedFailures, Ade403_BatchSplitInsideOneVersion) {
  Site alice('a');
  std::vector<Operation> many;
  for (uint32_t i = 0; i < 500; ++i) many.push_back(AddElement(kGoals, std::to_string(i)));
  alice.Write(kActor, many);
  alice.Write({1, IdOf(2)}, {Put(kName, "y")});
  alice.Write(kActor, {Put(kName, "x"), RemoveSeen(kGoals, v1::SET, "7")});
  const std::vector<std::string> feed = alice.Feed();
  ASSERT_EQ(feed.size(), 3u);

  for (size_t batch = 1; batch <= feed.size(); ++batch) {
    for (const auto outcome :
         {storage::MemoryStore::Outcome::kApplied, storage::MemoryStore::Outcome::kLost}) {
      Site bob('b');
      bool failed_once = false;
      while (true) {
        const auto cursor = *bob.replica->Cursor(Alice());
        const size_t from = cursor.has_value() ? cursor->position : 0;
        if (from == feed.size()) break;
        const size_t to = std::min(from + batch, feed.size());
        for (size_t i = from; i < to; ++i) ASSERT_TRUE(bob.replica->Apply(feed[i], Alice()).ok());
        bob.replica->SetCursor(Alice(), {1, to});
        if (!failed_once) bob.store->FailNextCommit(absl::InternalError("cut"), outcome);
        if (!bob.replica->Commit().ok()) {
          failed_once = true;
          bob.Restart(/*continuity_proven=*/false);
        }
        const size_t goals = KeysOf(bob.State(kActor), kGoals).size();
        EXPECT_TRUE(goals == 0 || goals >= 499) << "half of a change: " << goals;
      }
      EXPECT_TRUE(failed_once);
      EXPECT_EQ(bob.Digest(), alice.Digest());
      EXPECT_EQ(Inconsistency(bob), "");
    }
  }
}

}  // namespace
}  // namespace maillage::replication::testing
