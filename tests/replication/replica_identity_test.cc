// When a site is still itself: reopening, failed commits, restored backups, cloned disks.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "replication/state_codec.h"
#include "storage/keys.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"
#include "tests/replication/support/site.h"

namespace maillage::replication::testing {
namespace {

using Outcome = storage::MemoryStore::Outcome;

const RecordKey kActor{1, IdOf(1)};
constexpr uint32_t kName = 1;

TEST(ReplicaIdentity, SurvivesARestart) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const LocalIdentity identity = alice.replica->identity();
  const LocalProgress progress = alice.replica->progress();
  const std::string digest = alice.Digest();
  alice.Restart();
  EXPECT_EQ(alice.replica->identity(), identity);
  EXPECT_EQ(alice.replica->progress(), progress);
  EXPECT_EQ(alice.Digest(), digest);
  EXPECT_EQ(DecodeChange(alice.Write(kActor, {}))->dot.n, 2u);
}

TEST(ReplicaIdentity, IsRandomFromTheFirst) {
  Site alice('a', 1);
  Site again('a', 2);
  EXPECT_NE(alice.replica->identity().incarnation, again.replica->identity().incarnation);
  EXPECT_EQ(alice.replica->identity().renewals, 0u);
}

TEST(ReplicaIdentity, TheStoreOfAnotherSiteIsRefused) {
  Site alice('a');
  alice.replica.reset();
  const auto opened =
      Replica::Open(alice.store.get(), &alice.wall, &alice.random, {Bob(), nullptr, true});
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReplicaIdentity, DamagedRowsAreDataLoss) {
  for (const std::string_view key : {storage::kIdentityKey, storage::kProgressKey}) {
    Site alice('a');
    alice.Write(kActor, {Put(kName, "x")});
    alice.replica.reset();
    storage::CommitBatch batch;
    batch.Put(storage::Table::kMeta, std::string(key), "rubbish");
    ASSERT_TRUE(alice.store->Commit(batch).ok());
    const auto opened =
        Replica::Open(alice.store.get(), &alice.wall, &alice.random, {Alice(), nullptr, true});
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << key;
  }
}

TEST(ReplicaIdentity, ADamagedStateIsDataLossAndStaysAsItIs) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  storage::CommitBatch batch;
  batch.Put(storage::Table::kStates, storage::StateKey(kActor), "rubbish");
  ASSERT_TRUE(alice.store->Commit(batch).ok());
  EXPECT_EQ(alice.replica->State(kActor).status().code(), absl::StatusCode::kDataLoss);
  const auto written = alice.replica->Write({kActor, {}, {Put(kName, "y")}, "Zoé", ""});
  EXPECT_EQ(written.status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(**alice.store->Get(storage::Table::kStates, storage::StateKey(kActor)), "rubbish");
}

TEST(ReplicaIdentity, IsNewWhereContinuityIsNotProven) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const LocalIdentity before = alice.replica->identity();
  alice.Restart(/*continuity_proven=*/false);
  EXPECT_NE(alice.replica->identity().incarnation, before.incarnation);
  EXPECT_EQ(alice.replica->identity().renewals, 1u);
  const Change change = *DecodeChange(alice.Write(kActor, {Put(kName, "y")}));
  EXPECT_EQ(change.dot.n, 1u);
  EXPECT_EQ(change.site_sequence, 1u);
  EXPECT_EQ(change.dot.actor.incarnation, alice.replica->identity().incarnation);
  EXPECT_TRUE(BesideOf(alice.State(kActor), kName).empty()) << "it had read its own past";
  alice.Restart();
  EXPECT_EQ(alice.replica->identity().renewals, 1u);
}

TEST(ReplicaIdentity, IsNewWhenAnUnknownChangeOfItsOwnArrives) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const std::unique_ptr<Site> twin = alice.Clone(9, /*continuity_proven=*/true);
  EXPECT_EQ(twin->replica->identity(), alice.replica->identity());
  // Somebody else has her first change: it keeps its dot.
  alice.replica->Witness(1);
  const std::string bytes = twin->Write(kActor, {Put(kName, "y")});
  EXPECT_EQ(alice.Receive(bytes), Replica::Applied::kApplied);
  EXPECT_NE(alice.replica->identity().incarnation, twin->replica->identity().incarnation);
  EXPECT_EQ(ValueOf(alice.State(kActor), kName), "y");
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(ReplicaIdentity, IsNewEvenWhereTheUnknownChangeCannotBeApplied) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const std::unique_ptr<Site> twin = alice.Clone(9, /*continuity_proven=*/true);
  twin->Write(kActor, {Put(kName, "y")});
  const std::string bytes = twin->Write(kActor, {Put(kName, "z")});
  EXPECT_EQ(alice.Receive(bytes), Replica::Applied::kMissingCauses);
  EXPECT_EQ(alice.replica->identity().renewals, 1u);
}

TEST(ReplicaIdentity, IsNewWhenAStateHoldsAnUnknownChangeOfItsOwn) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const std::unique_ptr<Site> twin = alice.Clone(9, /*continuity_proven=*/true);
  twin->Write(kActor, {Put(kName, "y")});
  EXPECT_TRUE(alice.MergeFrom(*twin, kActor));
  EXPECT_EQ(alice.replica->identity().renewals, 1u);
  EXPECT_NE(DecodeChange(alice.Write(kActor, {}))->dot.actor.incarnation,
            twin->replica->identity().incarnation);
}

TEST(ReplicaIdentity, StaysWhereItsOwnChangesComeBack) {
  Site alice('a');
  const std::string bytes = alice.Write(kActor, {Put(kName, "x")});
  EXPECT_EQ(alice.Receive(bytes), Replica::Applied::kDuplicate);
  EXPECT_EQ(alice.replica->identity().renewals, 0u);
}

TEST(ReplicaIdentity, ItsOldIncarnationsChangesAreNoTwin) {
  Site alice('a');
  Site bob('b');
  const std::unique_ptr<Site> backup = alice.Clone(9, /*continuity_proven=*/false);
  const std::string lost = alice.Write(kActor, {Put(kName, "x")});
  bob.Receive(lost);
  backup->Write(kActor, {Put(kName, "y")});
  EXPECT_EQ(backup->Receive(bob.Feed()[0]), Replica::Applied::kApplied);
  EXPECT_EQ(backup->replica->identity().renewals, 1u);
}

class FailedCommit : public ::testing::TestWithParam<Outcome> {};

TEST_P(FailedCommit, StopsAllWritingUntilReopened) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const LocalIdentity before = alice.replica->identity();
  alice.store->FailNextCommit(absl::InternalError("disk"), GetParam());
  const Dot unknown = alice.Stage(kActor, alice.State(kActor).vector(), {Put(kName, "y")});
  EXPECT_EQ(alice.replica->Commit().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(alice.replica->failed());
  EXPECT_EQ(alice.replica->Commit().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alice.replica->Write({kActor, {}, {}, "Zoé", ""}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alice.replica->Apply(EncodeChange(Written("b1").Of(kActor)), Bob()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alice.replica->Merge(kActor, EncodeState({}), Bob()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  alice.replica->Discard();
  EXPECT_EQ(alice.replica->Commit().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alice.replica->progress().feed_head, 1u);

  alice.Restart(/*continuity_proven=*/false);
  EXPECT_EQ(alice.replica->progress().feed_head, GetParam() == Outcome::kApplied ? 2u : 1u);
  EXPECT_EQ(Inconsistency(alice), "");
  const Change next = *DecodeChange(alice.Write(kActor, {Put(kName, "z")}));
  EXPECT_NE(next.dot.actor.incarnation, before.incarnation);
  EXPECT_NE(next.dot, unknown);
}

TEST_P(FailedCommit, ReloadsInPlaceAsANewIncarnation) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const LocalIdentity before = alice.replica->identity();
  alice.store->FailNextCommit(absl::InternalError("disk"), GetParam());
  const Dot unknown = alice.Stage(kActor, alice.State(kActor).vector(), {Put(kName, "y")}, "request");
  EXPECT_FALSE(alice.replica->Commit().ok());
  // The store isn't open yet.
  EXPECT_FALSE(alice.replica->Reload(/*continuity_proven=*/false).ok());
  EXPECT_TRUE(alice.replica->failed());
  alice.store->Reopen();
  ASSERT_TRUE(alice.replica->Reload(/*continuity_proven=*/false).ok());
  EXPECT_FALSE(alice.replica->failed());
  EXPECT_EQ(alice.replica->progress().feed_head, GetParam() == Outcome::kApplied ? 2u : 1u);
  EXPECT_EQ(alice.replica->FindRequest("request")->has_value(), GetParam() == Outcome::kApplied);
  EXPECT_EQ(Inconsistency(alice), "");
  const Change next = *DecodeChange(alice.Write(kActor, {Put(kName, "z")}));
  EXPECT_NE(next.dot.actor.incarnation, before.incarnation);
  EXPECT_NE(next.dot, unknown);
  EXPECT_EQ(Inconsistency(alice), "");
  alice.Restart();
  EXPECT_EQ(ValueOf(alice.State(kActor), kName), "z");
}

INSTANTIATE_TEST_SUITE_P(Replica, FailedCommit,
                         ::testing::Values(Outcome::kApplied, Outcome::kLost),
                         [](const auto& info) {
                           return info.param == Outcome::kApplied ? "ThatIsThere" : "ThatIsLost";
                         });

// A network of sites that write, meet, restart, lose commits and restore backups.
class Network {
 public:
  explicit Network(SeededRandom* random) : random_(random) {
    for (const char letter : {'a', 'b', 'c'}) {
      sites_.push_back(std::make_unique<Site>(letter, random->engine()));
    }
  }

  void Step() {
    std::unique_ptr<Site>& site = sites_[random_->Below(sites_.size())];
    switch (random_->Below(12)) {
      case 0:
        return site->Restart();
      case 1:
        return Fail(*site);
      case 2:
        site = site->Clone(random_->engine(), /*continuity_proven=*/false);
        return;
      case 3:
      case 4:
      case 5:
        return Meet(*sites_[random_->Below(sites_.size())], *site);
      default:
        return Write(*site);
    }
  }

  void MeetAll() {
    for (int round = 0; round < 2; ++round) {
      for (const auto& from : sites_) {
        for (const auto& to : sites_) Meet(*from, *to);
      }
    }
  }

  const std::vector<std::unique_ptr<Site>>& sites() const { return sites_; }

 private:
  static RecordKey RecordOf(uint64_t number) {
    return {static_cast<uint16_t>(1 + number % 2), IdOf(number)};
  }

  void StageSome(Site& site) {
    for (uint64_t i = 1 + random_->Below(3); i > 0; --i) {
      const RecordKey record = RecordOf(random_->Below(4));
      const VersionVector context =
          random_->OneIn(3) ? VersionVector() : site.State(record).vector();
      site.Stage(record, context, WriteAnyCells(*random_, {}, context));
    }
  }

  void Write(Site& site) {
    site.wall.millis += random_->Below(5);
    StageSome(site);
    if (random_->OneIn(5)) {
      site.replica->Discard();
    } else {
      ASSERT_TRUE(site.replica->Commit().ok());
    }
  }

  void Fail(Site& site) {
    StageSome(site);
    site.store->FailNextCommit(absl::InternalError("disk"),
                               random_->OneIn(2) ? Outcome::kApplied : Outcome::kLost);
    ASSERT_FALSE(site.replica->Commit().ok());
    site.Restart(/*continuity_proven=*/false);
  }

  void Meet(const Site& from, Site& to) {
    if (&from == &to) return;
    for (uint64_t number = 0; number < 4; ++number) {
      const RecordKey record = RecordOf(number);
      if (from.State(record).vector().empty() || random_->OneIn(4)) continue;
      to.MergeFrom(from, record);
    }
    for (const std::string& change : from.Feed()) to.Receive(change);
  }

  SeededRandom* const random_;
  std::vector<std::unique_ptr<Site>> sites_;
};

TEST(ReplicaHistories, EverySiteAgreesWithItselfAndInTheEndWithTheOthers) {
  ForEachHistory(
      [](SeededRandom& random) {
        Network network(&random);
        for (int i = 0; i < 20; ++i) network.Step();
        for (const auto& site : network.sites()) ASSERT_EQ(Inconsistency(*site), "");
        network.MeetAll();
        for (const auto& site : network.sites()) {
          ASSERT_EQ(Inconsistency(*site), "");
          ASSERT_EQ(site->Digest(), network.sites()[0]->Digest());
          ASSERT_EQ(Rows(*site->store, storage::Table::kStates),
                    Rows(*network.sites()[0]->store, storage::Table::kStates));
        }
      },
      0.1);
}

TEST(ReplicaHistories, NoDotIsEverUsedTwice) {
  ForEachHistory(
      [](SeededRandom& random) {
        Network network(&random);
        std::map<std::pair<RecordKey, Dot>, std::string> written;
        for (int i = 0; i < 20; ++i) {
          network.Step();
          for (const auto& site : network.sites()) {
            for (const std::string& bytes : site->Feed()) {
              const Change change = *DecodeChange(bytes);
              const auto [place, first] =
                  written.emplace(std::make_pair(change.record, change.dot), bytes);
              ASSERT_EQ(ToHex(place->second), ToHex(bytes))
                  << Show(change.dot) << " is two changes";
            }
          }
        }
      },
      0.05);
}

}  // namespace
}  // namespace maillage::replication::testing
