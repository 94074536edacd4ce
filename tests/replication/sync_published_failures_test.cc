// Published failures of other systems whose shape needs a conversation. Those of one site alone are in
// published_failures_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/record_state.h"
#include "storage/keys.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

class SyncPublishedFailures : public ::testing::Test {
 protected:
  SteppedClock clock;
  const uint64_t seed = maillage::testing::TestSeed();
  TestSite alice{"alice", seed, &clock};
  TestSite bob{"bob", seed + 1, &clock};
  TestSite carol{"carol", seed + 2, &clock};

  static v1::Actor Named(const std::string& name) {
    v1::Actor actor;
    actor.set_name(name);
    return actor;
  }
};

// corrosion#352: two sites delete one row, and those who hear of one delete only, or of both in another order, never
// agree again.
TEST_F(SyncPublishedFailures, Corrosion352_AThirdSiteThatHearsOfOneDeleteOnly) {
  const RecordId id = alice.Create(Named("éphémère"));
  Link(&bob, &alice).Run();
  Link(&carol, &alice).Run();
  alice.Delete(kActor, id);
  clock.millis += 1000;
  bob.Delete(kActor, id);
  Link(&carol, &bob).Run();
  EXPECT_EQ(carol.State(kActor, id).life(), Life::kDeleted);
  EXPECT_EQ(carol.Digest(), bob.Digest());
  Link(&carol, &alice).Run();
  Link(&bob, &alice).Run();
  Link(&carol, &bob).Run();
  EXPECT_EQ(carol.Digest(), alice.Digest());
  EXPECT_EQ(carol.Digest(), bob.Digest());
  EXPECT_EQ(alice.State(kActor, id).life(), Life::kDeleted);
}

// akka.net#8220: a delta arrives after a gap, and what the gap held is taken for removed.
TEST_F(SyncPublishedFailures, AkkaNet8220_AGapIsFilledOverTheWire) {
  const RecordId id = alice.Create(Named("a"));
  Link live(&bob, &alice);
  live.Run();
  v1::Actor goal;
  goal.add_sdgs("4");
  alice.Add(id, goal);
  v1::SyncFrame lost;
  ASSERT_TRUE(*live.answerer().Next(&lost));
  goal.clear_sdgs();
  goal.add_sdgs("13");
  alice.Add(id, goal);
  live.Run();
  EXPECT_EQ(bob.Actor(id).sdgs_size(), 2);
  EXPECT_EQ(bob.Digest(), alice.Digest());
}

// The same, where the history of the gap is gone and the whole state has to travel.
TEST_F(SyncPublishedFailures, AkkaNet8220_AGapIsFilledByTheWholeState) {
  const RecordId id = alice.Create(Named("a"));
  Link live(&bob, &alice);
  live.Run();
  v1::Actor goal;
  goal.add_sdgs("4");
  alice.Add(id, goal);
  v1::SyncFrame lost;
  ASSERT_TRUE(*live.answerer().Next(&lost));
  storage::CommitBatch compaction;
  compaction.Delete(storage::Table::kChanges, storage::ChangeKey({kActor, id}, 2));
  ASSERT_TRUE(alice.store->Commit(compaction).ok());
  goal.clear_sdgs();
  goal.add_sdgs("13");
  alice.Add(id, goal);
  live.Run();
  EXPECT_EQ(bob.Actor(id).sdgs_size(), 2);
  EXPECT_EQ(bob.Digest(), alice.Digest());
  EXPECT_EQ(live.caller().progress().states_received, 1u);
}

// ADE#403: a batch is cut inside one version, and the receiver goes on from the middle as if it had the whole.
TEST_F(SyncPublishedFailures, Ade403_ACutBetweenTheFramesOfOneFeedResumesWithoutAHole) {
  // A change is the smallest thing that travels, so the nearest cut is between changes of one record that lie in
  // different frames.
  const RecordId id = alice.Create(Named("a"));
  v1::Actor edit;
  for (int i = 0; i < 300; ++i) {
    edit.set_description(std::string(1000, static_cast<char>('a' + i % 26)) + absl::StrCat(i));
    alice.Update(id, edit, {"description"});
  }
  size_t whole = 0;
  {
    TestSite other("other", seed + 3, &clock);
    whole = Link(&other, &alice).Run();
  }
  ASSERT_GT(whole, 6u) << "the history should take several frames";
  for (size_t cut = 0; cut < whole; ++cut) {
    TestSite receiver("receiver", seed + 10 + cut, &clock);
    Link(&receiver, &alice).RunUntilCut(cut);
    receiver.Restart();
    Link(&receiver, &alice).Run();
    ASSERT_EQ(receiver.Digest(), alice.Digest()) << "cut before frame " << cut;
    ASSERT_EQ(receiver.Actor(id).description(), edit.description()) << "cut before frame " << cut;
  }
}

}  // namespace
}  // namespace maillage::replication::testing
