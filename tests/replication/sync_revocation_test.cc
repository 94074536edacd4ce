// A laptop is stolen: what it wrote before stays, what the thief writes is void everywhere, whoever forwards it, whether it
// came before the revocation or after.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "replication/record_repair.h"
#include "replication/revoked_authors.h"
#include "replication/scrub.h"
#include "replication/sync_session.h"
#include "storage/keys.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

class SyncRevocation : public ::testing::Test {
 protected:
  SyncRevocation() : network(TestSeed()), random(TestSeed() + 1) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "", savoie_key);
    network.Enrol("isere", v1::ROLE_RELAY, "", isere_key);
    lyon.Join(network.file, network.lyon);
    savoie.Join(network.file, savoie_key);
    isere.Join(network.file, isere_key);
    id = savoie.Create(NamedActor("Amis du Mali", "73"));
    Meet(savoie, lyon);
    Meet(isere, lyon);
    // The last change that anybody trusts.
    const auto known = lyon.replica->KnownOf(savoie_key.site());
    for (const auto& [incarnation, author] : known) {
      v1::LastValid last;
      last.set_incarnation(incarnation);
      last.set_site_sequence(author.site_sequence);
      last.set_hash(author.hash);
      last_valid.push_back(last);
    }
  }
  static void Meet(TestSite& a, TestSite& b) { Link(&a, &b).Run(); }
  void Settle() {
    for (int i = 0; i < 2; ++i) Meet(isere, lyon);
    ASSERT_EQ(isere.Digest(), lyon.Digest());
    for (TestSite* site : {&lyon, &isere}) {
      const auto report = Scrub(*site->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      ASSERT_TRUE(report.ok());
      EXPECT_EQ(report->damaged(), 0u) << site->name << ": " << report->findings.front().what;
    }
  }
  v1::SignedEntry Revocation() {
    return network.Revoke(savoie_key.site(), last_valid, {}, {&network.lyon_authority, &network.recovery});
  }

  TestNetwork network;
  SeededRandom random;
  SteppedClock clock;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey isere_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite isere{"isere", 3, &clock};
  RecordId id;
  std::vector<v1::LastValid> last_valid;
};

TEST_F(SyncRevocation, WhatItWroteBeforeStaysAndWhatItWroteAfterIsTakenBack) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  const RecordId made = savoie.Create(NamedActor("inventé", "73"), "le voleur");
  Meet(savoie, isere);
  ASSERT_EQ(isere.Actor(id).name(), "volé");
  const v1::SignedEntry revocation = Revocation();
  isere.Hear(revocation);
  EXPECT_EQ(isere.Actor(id).name(), "Amis du Mali");
  EXPECT_EQ(isere.State(kActor, made).life(), Life::kDeleted);
  EXPECT_EQ(isere.replica->progress().quarantined, 2u);
  lyon.Hear(revocation);
  Settle();
  EXPECT_EQ(lyon.Actor(id).name(), "Amis du Mali");
}

// "Up to date" was about what was there before.
TEST_F(SyncRevocation, ALiveSessionFindsAnewThatBothAreEqual) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, lyon);
  Link link(&isere, &lyon);
  link.Run();
  ASSERT_TRUE(link.caller().up_to_date() && link.answerer().up_to_date());
  const uint64_t agreements = link.answerer().progress().agreements;
  lyon.Hear(Revocation());
  v1::SyncFrame told;
  ASSERT_TRUE(*link.answerer().Next(&told));
  EXPECT_TRUE(told.has_membership());
  EXPECT_FALSE(link.answerer().up_to_date()) << "Isère hasn't heard of it yet";
  ASSERT_TRUE(link.caller().Receive(told).ok());
  ASSERT_TRUE(isere.replica->Commit().ok());
  link.Run();
  EXPECT_EQ(isere.Digest(), lyon.Digest());
  EXPECT_GT(link.answerer().progress().agreements, agreements);
  EXPECT_TRUE(link.caller().up_to_date() && link.answerer().up_to_date());
}

// Isère hadn't heard, and forwards; Lyon has.
TEST_F(SyncRevocation, WhoeverForwardsIt) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, isere);
  lyon.Hear(Revocation());
  Settle();
  for (TestSite* site : {&lyon, &isere}) {
    EXPECT_EQ(site->Actor(id).name(), "Amis du Mali") << site->name;
    EXPECT_GT(site->replica->progress().quarantined, 0u) << site->name;
    EXPECT_TRUE(site->replica->membership()->Find(savoie_key.site())->revoked) << site->name;
  }
}

TEST_F(SyncRevocation, WhatOthersBuiltOnItStays) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, isere);
  v1::Actor edit;
  edit.set_acronym("AM");
  isere.Update(id, edit, {"acronym"});
  lyon.Hear(Revocation());
  Settle();
  for (TestSite* site : {&lyon, &isere}) {
    EXPECT_EQ(site->Actor(id).name(), "Amis du Mali") << site->name;
    EXPECT_EQ(site->Actor(id).acronym(), "AM") << site->name;
  }
}

TEST_F(SyncRevocation, ADeletedRecordIsNotContestedByWhatIsVoid) {
  lyon.Delete(kActor, id);
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, isere);
  Meet(isere, lyon);
  ASSERT_EQ(lyon.State(kActor, id).life(), Life::kContested);
  lyon.Hear(Revocation());
  Settle();
  EXPECT_EQ(lyon.State(kActor, id).life(), Life::kDeleted);
}

TEST_F(SyncRevocation, AVoidDeleteDeletesNothing) {
  savoie.Delete(kActor, id, "le voleur");
  Meet(savoie, isere);
  lyon.Hear(Revocation());
  Settle();
  EXPECT_EQ(lyon.State(kActor, id).life(), Life::kAlive);
}

// A store that was stopped before the commit, with a log that its file knows of.
TEST_F(SyncRevocation, AStartFollowsWhatTheStoreDoesNot) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, isere);
  const v1::SignedEntry revocation = Revocation();
  isere.network = network.file;
  isere.Restart();
  EXPECT_EQ(isere.Actor(id).name(), "Amis du Mali");
  isere.Restart();
  lyon.Hear(revocation);
  Settle();
}

// A store that is salvaged is opened by somebody who doesn't know its network.
TEST_F(SyncRevocation, WhoOpensTheStoreWithoutItsNetworkGoesByWhatItFollows) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, lyon);
  lyon.Hear(Revocation());
  const std::string digest = lyon.Digest();
  lyon.network.Clear();
  lyon.Restart();
  EXPECT_FALSE(lyon.replica->revoked().empty());
  const auto report = Scrub(*lyon.store, &Schema::BuiltIn(), [](uint64_t) { return true; });
  EXPECT_EQ(report->damaged(), 0u);
  EXPECT_EQ(lyon.Digest(), digest);
}

TEST_F(SyncRevocation, AnotherChangeUnderTheLastValidNumberIsVoid) {
  const auto state = lyon.State(kActor, id);
  Change change;
  change.record = {kActor, id};
  change.dot = {{savoie_key.site(), last_valid.front().incarnation(), last_valid.front().site_sequence() + 7}, 1};
  change.site_sequence = last_valid.front().site_sequence();
  change.context = state.vector();
  change.operations = {{1, v1::REGISTER, "", "volé", false}};
  ASSERT_TRUE(isere.replica->Apply(network.Signed(change, savoie_key), savoie_key.site()).ok());
  ASSERT_TRUE(isere.replica->Commit().ok());
  ASSERT_EQ(isere.Actor(id).name(), "volé");
  isere.Hear(Revocation());
  EXPECT_EQ(isere.Actor(id).name(), "Amis du Mali");
}

TEST_F(SyncRevocation, ARepairKnowsWhatIsVoid) {
  savoie.Update(id, NamedActor("volé"), {"name"}, "le voleur");
  Meet(savoie, lyon);
  lyon.Hear(Revocation());
  const std::string digest = lyon.Digest();
  storage::CommitBatch batch;
  batch.Put(storage::Table::kStates, storage::StateKey({kActor, id}), "rubbish");
  ASSERT_TRUE(lyon.store->Commit(batch).ok());
  lyon.Restart(false);
  RepairTally tally;
  const RecordRepairer::StrayFingerprints no_strays;
  RecordRepairer repairer(lyon.replica.get(), &Schema::BuiltIn(), &no_strays, &tally);
  ASSERT_TRUE(repairer.FixRecord({kActor, id}, true).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  ASSERT_TRUE(lyon.replica->ReloadTree().ok());
  EXPECT_EQ(tally.rebuilt, 1u);
  EXPECT_EQ(lyon.Digest(), digest);
}

// The thief's node writes on, others edit what they see, all meet at random, and hear of the revocation at any time.
TEST_F(SyncRevocation, AllEndAlikeWheneverTheyHearOfIt) {
  std::vector<RecordId> ids = {id};
  for (int i = 0; i < 3; ++i) ids.push_back(lyon.Create(NamedActor("n", "73")));
  for (TestSite* site : {&savoie, &isere}) Meet(*site, lyon);
  uint64_t voided = 0;
  for (uint64_t round = 0; round < TestRounds(40); ++round) {
    std::vector<std::unique_ptr<TestSite>> sites;
    for (TestSite* site : {&lyon, &isere, &savoie}) sites.push_back(site->Clone(random.Next64()));
    const v1::SignedEntry revocation = Revocation();
    std::set<size_t> told;
    for (int step = 0; step < 40; ++step) {
      const size_t at = random.Below(sites.size());
      TestSite& site = *sites[at];
      const RecordId& record = ids[random.Below(ids.size())];
      const size_t other = random.Below(2);
      switch (random.Below(4)) {
        case 0:
          if (!told.contains(at)) {
            if (random.OneIn(5)) {
              site.Delete(kActor, record, site.name);
            } else {
              site.Update(record, NamedActor(site.name + std::to_string(step)), {"name"}, site.name);
            }
          }
          break;
        case 1:
          if (at < 2 && random.OneIn(4)) {
            site.Hear(revocation);
            told.insert(at);
          }
          break;
        default:
          if (other != at) Meet(site, *sites[other]);
      }
    }
    for (size_t i = 0; i < 2; ++i) sites[i]->Hear(revocation);
    for (int i = 0; i < 3; ++i) Meet(*sites[1], *sites[0]);
    ASSERT_EQ(sites[0]->Digest(), sites[1]->Digest()) << "round " << round;
    for (size_t i = 0; i < 2; ++i) {
      const auto report = Scrub(*sites[i]->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      ASSERT_EQ(report->damaged(), 0u) << "round " << round << ": " << report->findings.front().what;
    }
    for (const RecordId& record : ids) voided += VoidChanges(sites[0]->State(kActor, record)) != nullptr ? 1 : 0;
  }
  EXPECT_GT(voided, 0u);
}

}  // namespace
}  // namespace maillage::replication::testing
