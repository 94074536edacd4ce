// A member whose folder or key exists twice, or who lies: whoever has seen two changes that contradict each other tells all.
#include <gtest/gtest.h>

#include <string>

#include "replication/change_signature.h"
#include "replication/local_meta.h"
#include "replication/sync_session.h"
#include "storage/keys.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestSeed;

class SyncEquivocation : public ::testing::Test {
 protected:
  SyncEquivocation() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "", savoie_key);
    network.Enrol("isere", v1::ROLE_RELAY, "", isere_key);
    lyon.Join(network.file, network.lyon);
    savoie.Join(network.file, savoie_key);
    isere.Join(network.file, isere_key);
    id = savoie.Create(NamedActor("Amis du Mali", "73"));
    for (TestSite* site : {&savoie, &isere}) Link(site, &lyon).Run();
  }
  bool IsKnownAt(const TestSite& site) const { return site.replica->membership()->Find(savoie_key.site())->equivocated; }
  // As Savoie's key would sign it, on top of what it has written.
  std::string Next(const std::string& name, const std::string& previous) {
    Change change;
    for (const std::string& bytes : savoie.Feed()) {
      if (DecodeChange(bytes)->record.id == id) change = *DecodeChange(bytes);
    }
    change.context = savoie.State(kActor, id).vector();
    ++change.dot.n;
    change.site_sequence += 100;
    change.previous = previous;
    change.salt = "8 bytes!";
    change.operations = {{1, v1::REGISTER, "", name, false}};
    return network.Signed(change, savoie_key);
  }
  std::string LastHash() const { return HashOfChange(savoie.Feed().back()); }
  static absl::StatusOr<Replica::ApplyResult> Take(TestSite& site, const std::string& bytes, const SiteId& from) {
    auto taken = site.replica->Apply(bytes, from);
    EXPECT_TRUE(site.replica->Commit().ok());
    return taken;
  }

  TestNetwork network;
  SteppedClock clock;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey isere_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite isere{"isere", 3, &clock};
  RecordId id;
};

// Two changes of one commit are chained before they are signed, and "z@", 66 bytes before the end of one, is how a signature begins.
TEST_F(SyncEquivocation, WhatLooksLikeASignatureIsNone) {
  const RecordKey record{kActor, id};
  for (size_t after = 0; after <= 2 * kSignatureFieldSize; ++after) {
    for (const std::string& name : {"diaz@" + std::string(after, 'x'), std::string("b")}) {
      const VersionVector seen = (*savoie.replica->State(record))->vector();
      ASSERT_TRUE(savoie.replica->Write({record, seen, {{1, v1::REGISTER, "", name, false}}, "Awa", ""}).ok());
    }
    ASSERT_TRUE(savoie.replica->Commit().ok());
    const std::vector<std::string> feed = savoie.Feed();
    ASSERT_EQ(DecodeChange(feed.back())->previous, HashOfChange(feed[feed.size() - 2])) << after;
    for (const auto& [incarnation, known] : savoie.replica->KnownOf(savoie.id)) ASSERT_EQ(known.hash, HashOfChange(feed.back())) << after;
  }
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(savoie.Digest(), lyon.Digest());
  EXPECT_FALSE(IsKnownAt(lyon));
}

TEST_F(SyncEquivocation, HonestSitesChainWhatTheyWrite) {
  for (const char* name : {"a", "b", "c"}) savoie.Update(id, NamedActor(name), {"name"});
  const std::vector<std::string> feed = savoie.Feed();
  ASSERT_EQ(feed.size(), 4u);
  EXPECT_TRUE(DecodeChange(feed[0])->previous.empty());
  for (size_t i = 1; i < feed.size(); ++i) EXPECT_EQ(DecodeChange(feed[i])->previous, HashOfChange(feed[i - 1]));
  Link(&savoie, &lyon).Run();
  Link(&isere, &lyon).Run();
  EXPECT_EQ(isere.Actor(id).name(), "c");
  EXPECT_FALSE(IsKnownAt(lyon));
}

TEST_F(SyncEquivocation, WhatASiteRenamesItChainsAnew) {
  for (const char* name : {"a", "b", "c"}) savoie.Update(id, NamedActor(name), {"name"});
  ASSERT_TRUE(savoie.replica->Renounce(ContinuityDoubt::kStoreDamaged, {}, /*must_renew=*/true).ok());
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(lyon.Actor(id).name(), "c");
  EXPECT_EQ(lyon.replica->progress().quarantined, 0u);
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  EXPECT_FALSE(IsKnownAt(lyon));
}

TEST_F(SyncEquivocation, TwoChangesUnderOneNumberAreToldToAll) {
  ASSERT_TRUE(Take(lyon, Next("one", LastHash()), savoie_key.site()).ok());
  ASSERT_TRUE(Take(isere, Next("two", LastHash()), savoie_key.site()).ok());
  EXPECT_FALSE(IsKnownAt(lyon));
  // Isère forwards its own to Lyon, who holds another.
  ASSERT_TRUE(Take(lyon, Next("two", LastHash()), isere_key.site()).ok());
  EXPECT_TRUE(IsKnownAt(lyon));
  // Both are kept, the second one apart.
  EXPECT_EQ(lyon.Actor(id).name(), "one");
  EXPECT_EQ(lyon.replica->progress().quarantined, 1u);
  auto row = lyon.store->Scan(storage::Table::kMeta, storage::KeyRange::Prefix(storage::kQuarantinePrefix));
  EXPECT_EQ(DecodeChange(DecodeQuarantineEntry(row->value())->bytes)->operations.front().value, "two");
  Link(&isere, &lyon).Run();
  EXPECT_TRUE(IsKnownAt(isere));
  lyon.Restart();
  EXPECT_TRUE(IsKnownAt(lyon));
  EXPECT_EQ(lyon.replica->membership()->digest(), isere.replica->membership()->digest());
}

TEST_F(SyncEquivocation, AChangeThatFollowsWhatNobodyHoldsIsToldToAll) {
  ASSERT_TRUE(Take(lyon, Next("one", "another sixteen!"), isere_key.site()).ok());
  EXPECT_TRUE(IsKnownAt(lyon));
  EXPECT_EQ(lyon.Actor(id).name(), "one") << "who is right antennas decide, not the one who saw it";
}

TEST_F(SyncEquivocation, EachSiteMayHaveAnotherProof) {
  ASSERT_TRUE(Take(lyon, Next("one", "another sixteen!"), savoie_key.site()).ok());
  ASSERT_TRUE(Take(isere, Next("two", "further sixteen!"), savoie_key.site()).ok());
  EXPECT_TRUE(IsKnownAt(lyon) && IsKnownAt(isere));
  EXPECT_EQ(lyon.replica->membership()->digest(), isere.replica->membership()->digest());
}

TEST_F(SyncEquivocation, WhoDoesNotSayWhatTheyFollowIsNotTaken) {
  const auto taken = Take(lyon, Next("one", ""), savoie_key.site());
  EXPECT_TRUE(absl::IsInvalidArgument(taken.status())) << taken.status();
}

TEST_F(SyncEquivocation, NobodyIsAccusedWithoutProof) {
  v1::MembershipEntry entry;
  entry.set_network(network.file.network());
  const std::string honest = savoie.Feed().front();
  *entry.mutable_equivocation() = v1::Equivocation();
  entry.mutable_equivocation()->set_key(savoie_key.public_key());
  entry.mutable_equivocation()->set_first(honest);
  entry.mutable_equivocation()->set_second(honest);
  v1::MembershipLog log;
  log.add_entry()->set_entry(entry.SerializeAsString());
  EXPECT_TRUE(absl::IsInvalidArgument(lyon.replica->AddMembership(log).status()));
  EXPECT_FALSE(IsKnownAt(lyon));
}

// A folder that was copied and runs twice is found like that, too, and mended as ever (README.md, "A site that exists twice").
TEST_F(SyncEquivocation, ACloneIsToldAndMended) {
  const std::unique_ptr<TestSite> clone = savoie.Clone(77);
  savoie.Update(id, NamedActor("original"), {"name"});
  v1::Actor edit;
  edit.set_acronym("AM");
  clone->Update(id, edit, {"acronym"});
  Link(&savoie, &lyon).Run();
  Link(clone.get(), &isere).Run();
  for (int i = 0; i < 2; ++i) {
    Link(&isere, &lyon).Run();
    Link(clone.get(), &lyon).Run();
    Link(&savoie, &lyon).Run();
  }
  EXPECT_TRUE(IsKnownAt(lyon));
}

}  // namespace
}  // namespace maillage::replication::testing
