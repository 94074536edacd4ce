#include "server/quarantine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/scrub.h"
#include "replication/tuning.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;
using replication::Change;
using replication::Schema;
using replication::SigningKey;
using replication::testing::kActor;
using replication::testing::NamedActor;
using replication::testing::SteppedClock;
using replication::testing::TestNetwork;
using replication::testing::TestSite;

class QuarantineTest : public ::testing::Test {
 protected:
  QuarantineTest() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie_key);
    network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key);
    lyon.Join(network.file, network.lyon);
    isere.Join(network.file, isere_key);
    id = lyon.Create(NamedActor("ADOS", "38"));
  }
  // As Savoie would write to a record that isn't its own, having read it.
  void Receive(TestSite& site, std::vector<replication::Operation> operations) {
    Change change;
    change.record = {kActor, id};
    change.dot = {{savoie_key.site(), 77, ++sequence}, 1};
    change.site_sequence = sequence;
    change.person = "Dora";
    change.context = lyon.State(kActor, id).vector();
    change.operations = std::move(operations);
    change.salt = "8 bytes!";
    const std::string bytes = network.Signed(change, savoie_key);
    const auto taken = site.replica->Apply(bytes, savoie_key.site());
    ASSERT_TRUE(absl::IsPermissionDenied(taken.status())) << taken.status();
    Keep(site, std::string(taken.status().message()), bytes);
  }
  void Keep(TestSite& site, const std::string& reason, const std::string& bytes) {
    ASSERT_TRUE(site.replica->Quarantine({savoie_key.site(), reason, bytes}).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  static v1::ListQuarantinedResponse List(const TestSite& site) {
    return *ListQuarantined(Schema::BuiltIn(), *site.store, v1::ListQuarantinedRequest());
  }
  absl::StatusOr<v1::AdoptQuarantinedResponse> Adopt(TestSite& site, const std::string& row) {
    v1::AdoptQuarantinedRequest request;
    request.set_id(row);
    request.set_person("Zoé");
    auto adopted = AdoptQuarantined(Schema::BuiltIn(), *site.replica, request);
    if (adopted.ok()) {
      EXPECT_TRUE(site.replica->Commit().ok());
    } else {
      site.replica->Discard();
    }
    return adopted;
  }
  static replication::Operation Named(const std::string& name) { return {1, v1::REGISTER, "", name, false}; }

  TestNetwork network;
  SteppedClock clock;
  uint64_t sequence = 1'000;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey isere_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite isere{"isere", 2, &clock};
  RecordId id;
};

TEST_F(QuarantineTest, TellsWhatItIsAndWhy) {
  Receive(lyon, {Named("ADOS 38")});
  Keep(lyon, "illisible", "rubbish");
  const v1::ListQuarantinedResponse listed = List(lyon);
  ASSERT_EQ(listed.items_size(), 2);
  const v1::QuarantinedItem& change = listed.items(listed.items(0).has_change() ? 0 : 1);
  EXPECT_EQ(change.record(), "actor/" + FormatUuid(id));
  EXPECT_EQ(change.change().person(), "Dora");
  EXPECT_EQ(change.change().fields(0).value(), "ADOS 38");
  EXPECT_THAT(change.reason(), HasSubstr("« savoie » n'en a pas le droit"));
  EXPECT_EQ(change.id().size(), 32u);
}

TEST_F(QuarantineTest, WhoHasTheRightTakesItOver) {
  Receive(lyon, {Named("ADOS 38")});
  const auto adopted = Adopt(lyon, List(lyon).items(0).id());
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(lyon.Actor(id).name(), "ADOS 38");
  const replication::Version version = lyon.State(kActor, id).Find(1)->versions.front();
  EXPECT_EQ(version.dot.actor.site, network.lyon.site());
  EXPECT_EQ(version.person, "Zoé");
  EXPECT_EQ(List(lyon).items_size(), 0);
  EXPECT_EQ(lyon.replica->progress().quarantined, 0u);
  EXPECT_EQ(replication::Scrub(*lyon.store, &Schema::BuiltIn(), [](uint64_t) { return true; })->damaged(), 0u);
}

TEST_F(QuarantineTest, WhatWasWrittenSinceStaysBeside) {
  Receive(lyon, {Named("ADOS 38")});
  lyon.Update(id, NamedActor("ADOS Isère"), {"name"});
  ASSERT_TRUE(Adopt(lyon, List(lyon).items(0).id()).ok());
  const replication::RecordState state = lyon.State(kActor, id);
  ASSERT_EQ(state.Find(1)->versions.size(), 2u);
  EXPECT_EQ(OtherVersions(*state.Find(1)).front()->value, "ADOS Isère");
}

TEST_F(QuarantineTest, ADeleteDeletesWhatItsAuthorHadRead) {
  Receive(lyon, {replication::DeleteOperation(lyon.State(kActor, id).vector())});
  ASSERT_TRUE(Adopt(lyon, List(lyon).items(0).id()).ok());
  EXPECT_EQ(lyon.State(kActor, id).life(), replication::Life::kDeleted);
}

TEST_F(QuarantineTest, WhoHasNoRightEitherDoesNot) {
  // In the Isère's hands is what the Savoie may write, and the Isère may not.
  const RecordId savoies = lyon.Create(NamedActor("Amis du Mali", "73"));
  Change change;
  change.record = {kActor, savoies};
  change.dot = {{savoie_key.site(), 77, 5}, 1};
  change.operations = {Named("x"), {v1::Actor::kDepartmentFieldNumber, v1::REGISTER, "", "73", true}};
  Keep(isere, "mis de côté", replication::EncodeChange(change));
  const auto adopted = Adopt(isere, List(isere).items(0).id());
  EXPECT_TRUE(absl::IsPermissionDenied(adopted.status())) << adopted.status();
  EXPECT_EQ(List(isere).items_size(), 1) << "nothing is lost";
}

TEST_F(QuarantineTest, BadRequestsSayWhatTheyAre) {
  Keep(lyon, "illisible", "rubbish");
  EXPECT_TRUE(absl::IsInvalidArgument(Adopt(lyon, List(lyon).items(0).id()).status()));
  EXPECT_TRUE(absl::IsNotFound(Adopt(lyon, std::string(32, '0')).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Adopt(lyon, "zz").status()));
  EXPECT_TRUE(absl::IsNotFound(DropQuarantined(*lyon.replica, std::string(32, '0'))));
  ASSERT_TRUE(DropQuarantined(*lyon.replica, List(lyon).items(0).id()).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(List(lyon).items_size(), 0);
}

TEST_F(QuarantineTest, ComesInPages) {
  for (int i = 0; i < 5; ++i) Keep(lyon, "illisible", "rubbish " + std::to_string(i));
  v1::ListQuarantinedRequest request;
  request.set_page_size(2);
  std::set<std::string> seen;
  do {
    const auto page = ListQuarantined(Schema::BuiltIn(), *lyon.store, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::QuarantinedItem& item : page->items()) EXPECT_TRUE(seen.insert(item.id()).second);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(seen.size(), 5u);
}

// Whoever floods a site with what can't be taken fills no disk.
TEST_F(QuarantineTest, HasAnEnd) {
  for (uint64_t i = 0; i < replication::kMaxQuarantined + 100; ++i) {
    ASSERT_TRUE(lyon.replica->Quarantine({savoie_key.site(), "faux", std::to_string(i)}).ok());
  }
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(lyon.replica->progress().quarantined, replication::kMaxQuarantined);
  // What a repair takes away is this site's own, and isn't lost.
  Keep(lyon, "réparation", std::string(2 * replication::kShortQuarantinedBytes, 'x'));
  EXPECT_EQ(lyon.replica->progress().quarantined, replication::kMaxQuarantined) << "from somebody else";
  ASSERT_TRUE(lyon.replica->Quarantine({lyon.id, "réparation", std::string(2 * replication::kShortQuarantinedBytes, 'y')}).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(lyon.replica->progress().quarantined, replication::kMaxQuarantined + 1);
}

}  // namespace
}  // namespace maillage::server
