// Who may write what: at the site that writes, and at everyone else for whom it isn't enough that the author signed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "replication/rights.h"
#include "replication/sync_session.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint32_t kDepartment = v1::Actor::kDepartmentFieldNumber;

class SyncRights : public ::testing::Test {
 protected:
  SyncRights() : network(TestSeed()), random(TestSeed() + 1) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie_key);
    network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key);
    lyon.Join(network.file, network.lyon);
    savoie.Join(network.file, savoie_key);
    isere.Join(network.file, isere_key);
    there = isere.Create(NamedActor("ADOS", "38"));
    here = savoie.Create(NamedActor("Amis du Mali", "73"));
    Link(&isere, &lyon).Run();
    Link(&savoie, &lyon).Run();
  }
  absl::Status TryWrite(TestSite& site, const RecordKey& record, std::vector<Operation> operations) {
    const RecordState state = site.replica->State(record)->value_or(RecordState());
    absl::Status status = site.replica->Write({record, state.vector(), std::move(operations), "Awa", ""}).status();
    site.replica->Discard();
    return status;
  }
  static Operation InDepartment(const std::string& code) {
    return {kDepartment, v1::REGISTER, "", code, true};
  }
  static Operation Named(const std::string& name) { return {1, v1::REGISTER, "", name, false}; }
  // As a modified node of Savoie would write it.
  Change NewChange(const RecordKey& record, const VersionVector& context, std::vector<Operation> operations) {
    Change change;
    change.record = record;
    change.dot = {{savoie_key.site(), 77, ++epoch}, 1};
    change.site_sequence = epoch;
    change.time = {clock.millis << 16};
    change.context = context;
    change.operations = std::move(operations);
    return change;
  }
  absl::StatusOr<Replica::ApplyResult> Take(TestSite& site, const Change& change) {
    return site.replica->Apply(network.Signed(change, savoie_key), savoie_key.site());
  }
  VersionVector VectorOf(TestSite& site, const RecordId& id) { return site.State(kActor, id).vector(); }

  TestNetwork network;
  SeededRandom random;
  SteppedClock clock;
  uint64_t epoch = 1'000;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey isere_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite isere{"isere", 3, &clock};
  RecordId here;
  RecordId there;
};

TEST_F(SyncRights, ARelayIsToldAtOnceWhatItMayNotWrite) {
  const absl::Status created =
      TryWrite(savoie, {kActor, savoie.replica->NewRecordId()}, {Named("x"), InDepartment("38")});
  EXPECT_TRUE(absl::IsPermissionDenied(created)) << created;
  EXPECT_THAT(std::string(created.message()), HasSubstr("la fiche est dans 38, et son territoire est 73"));
  const absl::Status site = TryWrite(savoie, {kSiteKind, *RecordId::FromBytes(isere_key.site().bytes())},
                                     {{kSiteScopeField, v1::REGISTER, "", "03", false}});
  EXPECT_TRUE(absl::IsPermissionDenied(site)) << site;
  EXPECT_TRUE(TryWrite(savoie, {kActor, here}, {Named("y")}).ok());
  EXPECT_TRUE(TryWrite(savoie, {kActor, savoie.replica->NewRecordId()}, {Named("nowhere in particular")}).ok());
}

TEST_F(SyncRights, MovingARecordOutIsTheLastThingThatARelayMayDoToIt) {
  savoie.Update(here, NamedActor("", "38"), {"department"});
  EXPECT_TRUE(absl::IsPermissionDenied(TryWrite(savoie, {kActor, here}, {Named("y")})));
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(lyon.Actor(here).department(), "38");
  EXPECT_EQ(lyon.replica->progress().quarantined, 0u);
}

// Savoie hadn't heard yet that the record has moved: by what it had read, it might.
TEST_F(SyncRights, WhatWasReadDecidesAndNotWhatIs) {
  lyon.Update(here, NamedActor("", "38"), {"department"});
  savoie.Update(here, NamedActor("Amies du Mali"), {"name"});
  Link(&savoie, &lyon).Run();
  Link(&isere, &lyon).Run();
  for (TestSite* site : {&lyon, &isere}) {
    EXPECT_EQ(site->Actor(here).name(), "Amies du Mali") << site->name;
    EXPECT_EQ(site->Actor(here).department(), "38") << site->name;
    EXPECT_EQ(site->replica->progress().quarantined, 0u) << site->name;
  }
}

TEST_F(SyncRights, WhatIsBeyondItsTerritoryNobodyTakes) {
  const RecordKey foreign{kActor, there};
  const VersionVector read = VectorOf(lyon, there);
  const RecordKey made{kActor, savoie.replica->NewRecordId()};
  const RecordKey sites{kSiteKind, *RecordId::FromBytes(isere_key.site().bytes())};
  const std::map<std::string, std::function<Change()>> attacks = {
      {"an edit", [&] { return NewChange(foreign, read, {Named("forged")}); }},
      {"a move to itself", [&] { return NewChange(foreign, read, {InDepartment("73")}); }},
      {"a delete", [&] { return NewChange(foreign, read, {DeleteOperation(read)}); }},
      {"another's record as one of its own", [&] { return NewChange(foreign, {}, {InDepartment("73")}); }},
      {"a new record elsewhere", [&] { return NewChange(made, {}, {InDepartment("38")}); }},
      {"an id that it can't have made",
       [&] { return NewChange({kActor, isere.replica->NewRecordId()}, {}, {InDepartment("73")}); }},
      {"another's scope",
       [&] { return NewChange(sites, {}, {{kSiteScopeField, v1::REGISTER, "", "03", false}}); }},
  };
  const std::map<std::string, std::string> before = {{"lyon", lyon.Digest()}, {"isere", isere.Digest()}};
  size_t sent = 0;
  const uint64_t rounds = TestRounds(10'000) / attacks.size() / 2 + 1;
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const auto& [name, forge] : attacks) {
      const Change change = forge();
      for (TestSite* site : {&lyon, &isere}) {
        const auto taken = Take(*site, change);
        ASSERT_TRUE(absl::IsPermissionDenied(taken.status())) << name << " at " << site->name << ": " << taken.status();
        ASSERT_THAT(std::string(taken.status().message()), StartsWith("« savoie » n'en a pas le droit : "));
        ++sent;
      }
    }
  }
  std::cout << "figure: changes beyond their author's territory " << sent << ", taken 0" << std::endl;
  for (TestSite* site : {&lyon, &isere}) {
    ASSERT_TRUE(site->replica->Commit().ok());
    EXPECT_EQ(site->Digest(), before.at(site->name));
  }
}

TEST_F(SyncRights, ASessionSetsThemAsideAndGoesOn) {
  Link link(&savoie, &lyon);
  link.Run();
  const std::string bytes = network.Signed(NewChange({kActor, there}, VectorOf(lyon, there), {Named("forged")}), savoie_key);
  v1::SyncFrame frame;
  frame.mutable_changes()->add_change(bytes);
  frame.mutable_changes()->add_change(bytes);
  ASSERT_TRUE(link.answerer().Receive(frame).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(lyon.replica->progress().quarantined, 1u);
  EXPECT_EQ(lyon.Actor(there).name(), "ADOS");
  savoie.Update(here, NamedActor("later"), {"name"});
  link.Run();
  EXPECT_EQ(lyon.Actor(here).name(), "later");
}

// What a site wrote while it had the right stays, whatever it may do today.
TEST_F(SyncRights, ARightThatWasOnceGivenCoversWhatWasWritten) {
  savoie.Update(here, NamedActor("before"), {"name"});
  const v1::SignedEntry moved = network.Enrol("savoie", v1::ROLE_RELAY, "74", savoie_key, nullptr, {}, 1);
  for (TestSite* site : {&lyon, &savoie}) site->Hear(moved);
  EXPECT_TRUE(absl::IsPermissionDenied(TryWrite(savoie, {kActor, here}, {Named("after")})));
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(lyon.Actor(here).name(), "before");
}

// A move that has become void since was a move for who had read it: those who judge before the revocation and those who judge after
// it come to the same answer.
TEST_F(SyncRights, ARevocationDoesNotChangeWhatWasRead) {
  const SigningKey thief = SigningKey::Generate(network.random);
  lyon.Hear(network.Enrol("volé", v1::ROLE_RELAY, "73", thief));
  Change move = NewChange({kActor, here}, VectorOf(lyon, here), {InDepartment("38")});
  move.dot.actor.site = thief.site();
  ASSERT_TRUE(lyon.replica->Apply(network.Signed(move, thief), thief.site()).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  const std::unique_ptr<TestSite> after = lyon.Clone(7);
  after->Hear(network.Revoke(thief.site(), {}, {}, {&network.lyon_authority, &network.recovery}));
  ASSERT_EQ(after->Actor(here).department(), "73");
  const Change edit = NewChange({kActor, here}, VectorOf(lyon, here), {Named("x")});
  for (TestSite* site : {&lyon, after.get()}) EXPECT_TRUE(absl::IsPermissionDenied(Take(*site, edit).status()));
}

// A record that moves to and fro, and edits by a relay that had read anything of it: which of them count doesn't depend on
// the order of their arrival, nor on what else had arrived.
TEST_F(SyncRights, AllSitesDecideAlikeInAnyOrder) {
  uint64_t taken = 0;
  uint64_t refused = 0;
  for (uint64_t round = 0; round < TestRounds(60); ++round) {
    const RecordId id = savoie.Create(NamedActor("n", "73"));
    Link(&savoie, &lyon).Run();
    std::vector<VersionVector> read = {VectorOf(lyon, id)};
    std::vector<Change> edits;
    for (int i = 0; i < 6; ++i) {
      lyon.Update(id, NamedActor("", random.OneIn(2) ? "73" : "38"), {"department"}, "Awa",
                  random.OneIn(3) ? &read[random.Below(read.size())] : nullptr);
      read.push_back(VectorOf(lyon, id));
      edits.push_back(NewChange({kActor, id}, read[random.Below(read.size())], {Named(std::to_string(i))}));
    }
    // The same disk at two sites; what each then gets in its own order.
    std::vector<std::unique_ptr<TestSite>> copies;
    for (uint64_t i = 0; i < 2; ++i) copies.push_back(lyon.Clone(random.Next64()));
    std::vector<std::string> outcomes;
    for (const auto& copy : copies) {
      std::map<Dot, bool> ok;
      std::shuffle(edits.begin(), edits.end(), std::mt19937_64(random.Next64()));
      for (const Change& edit : edits) {
        const auto applied = Take(*copy, edit);
        ok[edit.dot] = applied.ok();
        if (random.OneIn(2)) {
          ASSERT_TRUE(copy->replica->Commit().ok());
        }
      }
      ASSERT_TRUE(copy->replica->Commit().ok());
      for (const auto& [dot, was_taken] : ok) (was_taken ? taken : refused) += 1;
      outcomes.push_back(copy->Digest());
    }
    ASSERT_EQ(outcomes[0], outcomes[1]) << "round " << round;
  }
  EXPECT_GT(taken, 0u);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace maillage::replication::testing
