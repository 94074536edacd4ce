// Records that can't be read on one site's disk: told, never absent, and no obstacle to the others.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "storage/keys.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using storage::Table;

class SyncUnreadableTest : public ::testing::Test {
 protected:
  SyncUnreadableTest() {
    savoie.damaged = std::make_unique<DamagedStore>(savoie.store.get());
    for (int i = 0; i < 300; ++i)
      ids.push_back(lyon.Create(NamedActor(absl::StrCat("Association ", i))));
    savoie.Restart();
    Link(&savoie, &lyon).Run();
    EXPECT_EQ(lyon.Digest(), savoie.Digest());
  }
  void DamageState(const RecordId& id) {
    savoie.damaged->Damage(Table::kStates, storage::StateKey({kActor, id}));
  }
  void Rename(TestSite& site, const RecordId& id, const std::string& name) {
    site.Update(id, NamedActor(name), {"name"});
  }
  // Once, and again after the second in which nothing is compared twice.
  void Settle(Link& link) {
    for (int second = 0; second < 5; ++second) {
      link.Run();
      clock.millis += 2'000;
    }
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
  std::vector<RecordId> ids;
};

TEST_F(SyncUnreadableTest, IsDataLossAndNeverAbsent) {
  DamageState(ids[7]);
  const auto state = ReadState(*savoie.damaged, {kActor, ids[7]});
  EXPECT_EQ(state.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(state.status().message().find(FormatUuid(ids[7])), std::string::npos) << state.status();
  EXPECT_NE(state.status().message().find("doctor --repair"), std::string::npos) << state.status();

  Unread unread;
  size_t visited = 0;
  const auto visit = [&](const RecordKey&, std::string_view) { return ++visited < 1'000; };
  EXPECT_TRUE(ScanStates(*savoie.damaged, kActor, std::nullopt, visit, &unread).ok());
  EXPECT_EQ(visited, 299u);
  EXPECT_EQ(unread.rows, 1u);
  EXPECT_EQ(ScanStates(*savoie.damaged, kActor, std::nullopt, visit).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SyncUnreadableTest, TheOthersFlowBothWaysAndTheSessionLives) {
  for (const bool damaged_calls : {true, false}) {
    const int base = damaged_calls ? 0 : 100;
    DamageState(ids[base]);
    Rename(lyon, ids[base], "celle qu'on ne lit plus");
    for (int i = base + 1; i < base + 20; ++i) Rename(lyon, ids[i], absl::StrCat("à Lyon ", i));
    for (int i = base + 20; i < base + 40; ++i)
      Rename(savoie, ids[i], absl::StrCat("en Savoie ", i));
    Link link(damaged_calls ? &savoie : &lyon, damaged_calls ? &lyon : &savoie);
    Settle(link);
    const SyncProgress& here =
        damaged_calls ? link.caller().progress() : link.answerer().progress();
    const SyncProgress& there =
        damaged_calls ? link.answerer().progress() : link.caller().progress();
    EXPECT_EQ(here.unreadable, 1u);
    EXPECT_EQ(there.peer_unreadable, 1u);
    EXPECT_EQ(here.goodbye, v1::Goodbye::REASON_UNSPECIFIED);
    EXPECT_EQ(here.state, SyncState::kLive);
    EXPECT_EQ(there.state, SyncState::kLive);
    EXPECT_FALSE(link.caller().up_to_date());
    EXPECT_FALSE(link.answerer().up_to_date());
    for (int i = base + 1; i < base + 40; ++i)
      EXPECT_EQ(savoie.Actor(ids[i]).name(), lyon.Actor(ids[i]).name());

    // Whoever asks is told again.
    for (SyncSession* session : {&link.caller(), &link.answerer()}) {
      const uint64_t separations = session->progress().separations;
      EXPECT_GE(separations, 1u);
      session->RequestCheck();
      Settle(link);
      EXPECT_GT(session->progress().separations, separations);
    }

    // What is written while it lives still passes, both ways.
    Rename(lyon, ids[base + 50], "pendant, à Lyon");
    Rename(savoie, ids[base + 51], "pendant, en Savoie");
    Settle(link);
    EXPECT_EQ(savoie.Actor(ids[base + 50]).name(), "pendant, à Lyon");
    EXPECT_EQ(lyon.Actor(ids[base + 51]).name(), "pendant, en Savoie");
    // No more is said while nothing moves.
    EXPECT_EQ(link.Run(), 0u);

    // Whole again: the record comes by itself.
    storage::CommitBatch rewritten;
    const std::string key = storage::StateKey({kActor, ids[base]});
    rewritten.Put(Table::kStates, key, **savoie.store->Get(Table::kStates, key));
    ASSERT_TRUE(savoie.damaged->Commit(rewritten).ok());
    (damaged_calls ? link.caller() : link.answerer()).ForgetUnreadable();
    Settle(link);
    EXPECT_EQ(lyon.Digest(), savoie.Digest());
    EXPECT_TRUE(link.caller().up_to_date());
    EXPECT_TRUE(link.answerer().up_to_date());
  }
}

TEST_F(SyncUnreadableTest, AFeedThatCantBeReadIsComparedInstead) {
  const uint64_t head = savoie.replica->progress().feed_head;
  Link link(&savoie, &lyon);
  link.Run();
  Rename(savoie, ids[3], "trois");
  Rename(savoie, ids[4], "quatre");
  savoie.damaged->Damage(Table::kFeed, storage::FeedKey(head + 1));
  Settle(link);
  EXPECT_EQ(lyon.Actor(ids[3]).name(), "trois");
  EXPECT_EQ(lyon.Actor(ids[4]).name(), "quatre");
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  // The last of the feed, too.
  Rename(savoie, ids[5], "cinq");
  savoie.damaged->Damage(Table::kFeed, storage::FeedKey(head + 3));
  Settle(link);
  EXPECT_EQ(lyon.Actor(ids[5]).name(), "cinq");
  EXPECT_TRUE(link.caller().up_to_date());
}

TEST_F(SyncUnreadableTest, StartsWithoutItsFingerprintsAndSaysSo) {
  const std::string digest = savoie.Digest();
  EXPECT_EQ(savoie.replica->damage(), "");
  auto rows = savoie.store->Scan(Table::kFingerprints, {});
  savoie.damaged->Damage(Table::kFingerprints, std::string(rows->key()));
  rows.reset();
  savoie.Restart();
  EXPECT_EQ(savoie.Digest(), digest);
  EXPECT_NE(savoie.replica->damage().find("doctor --repair"), std::string::npos)
      << savoie.replica->damage();
  Rename(lyon, ids[1], "un");
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
}

}  // namespace
}  // namespace maillage::replication::testing
