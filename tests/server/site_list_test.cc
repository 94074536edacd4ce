#include "server/site_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "proto/records.pb.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using replication::Schema;
using replication::Scope;
using replication::testing::Link;
using replication::testing::NamedActor;
using replication::testing::SteppedClock;
using replication::testing::TestSite;
using ::testing::HasSubstr;

const Schema& BuiltIn() { return Schema::BuiltIn(); }

std::string Canonical(const std::string& text) {
  const auto scope = ParseScope(BuiltIn(), text);
  return scope.ok() ? ScopeText(BuiltIn(), *scope) : std::string(scope.status().message());
}

TEST(ScopeTextTest, IsWhatPeopleWrite) {
  EXPECT_EQ(Canonical("*"), "*");
  EXPECT_EQ(Canonical("74,73"), "73,74");
  EXPECT_EQ(Canonical("2a"), "2A");
  EXPECT_EQ(Canonical("73|event,actor"), "73|actor,event");
  EXPECT_EQ(Canonical("-"), "-");
  EXPECT_THAT(Canonical("7x"), HasSubstr("7X"));
  EXPECT_THAT(Canonical("Savoie"), HasSubstr("n'est pas"));
  EXPECT_THAT(Canonical("73|acteur"), HasSubstr("type de fiche inconnu"));
  EXPECT_THAT(Canonical("73,"), HasSubstr("n'est pas"));
}

class SiteListTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EXPECT_EQ(Publish(lyon, ""), "*");
    EXPECT_EQ(Publish(savoie, "73"), "73");
    Link(&savoie, &lyon).Run();
  }

  static std::string Publish(TestSite& site, const std::string& scope) {
    const auto published = PublishSite(BuiltIn(), *site.replica, site.name, scope);
    EXPECT_TRUE(published.ok()) << published.status();
    EXPECT_TRUE(site.replica->Commit().ok());
    return published.ok() ? published->ToText() : "";
  }
  absl::StatusOr<v1::SetSiteScopeResponse> Set(const std::string& site, const std::string& scope,
                                               bool only_look = false) {
    v1::SetSiteScopeRequest request;
    request.set_site(site);
    request.set_scope(scope);
    request.set_validate_only(only_look);
    request.set_person("Awa");
    auto set = SetSiteScope(BuiltIn(), *lyon.replica, request);
    EXPECT_TRUE(lyon.replica->Commit().ok());
    return set;
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
};

TEST_F(SiteListTest, EverySiteIsThereWithWhatItHolds) {
  const v1::ListSitesResponse sites = *ListSites(BuiltIn(), *lyon.replica);
  ASSERT_EQ(sites.sites_size(), 2);
  EXPECT_EQ(sites.sites(0).name(), "lyon");
  EXPECT_TRUE(sites.sites(0).here());
  EXPECT_EQ(sites.sites(0).scope(), "*");
  EXPECT_EQ(sites.sites(1).name(), "savoie");
  EXPECT_FALSE(sites.sites(1).here());
  EXPECT_EQ(sites.sites(1).scope(), "73");
}

TEST_F(SiteListTest, SayingWhatASiteHoldsWritesItIntoTheList) {
  lyon.Create(NamedActor("savoyarde", "73"));
  lyon.Create(NamedActor("iséroise", "38"));
  lyon.Create(NamedActor("régionale", ""));
  const auto preview = Set("savoie", "38", /*only_look=*/true);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->before().scope(), "73");
  EXPECT_EQ(preview->after().scope(), "38");
  EXPECT_EQ(preview->records_in(), 1);
  EXPECT_EQ(preview->records_out(), 1);
  EXPECT_EQ(lyon.replica->ScopeOf(savoie.id).ToText(), "73");
  ASSERT_TRUE(Set("savoie", "38").ok());
  EXPECT_EQ(lyon.replica->ScopeOf(savoie.id).ToText(), "38");
  ASSERT_TRUE(Set(FormatSiteId(savoie.id), "*").ok());
  EXPECT_TRUE(lyon.replica->ScopeOf(savoie.id).everything());
  Link(&savoie, &lyon).Run();
  EXPECT_TRUE(savoie.replica->scope().everything());
}

// One of several territories stays as long as one of them does, and is counted once where all of
// them come.
TEST_F(SiteListTest, ARecordOfSeveralTerritoriesCountsOnce) {
  v1::Project project;
  project.set_title("Puits au Sahel");
  for (const char* department : {"01", "38", "73"}) project.add_departments(department);
  lyon.Create(project);
  EXPECT_EQ(Set("savoie", "38,73", /*only_look=*/true)->records_in(), 0);
  EXPECT_EQ(Set("savoie", "38", /*only_look=*/true)->records_out(), 0);
  EXPECT_EQ(Set("savoie", "74", /*only_look=*/true)->records_out(), 1);
  ASSERT_TRUE(Set("savoie", "74").ok());
  EXPECT_EQ(Set("savoie", "01,38,73", /*only_look=*/true)->records_in(), 1);
}

// What its people wrote last leaves with the records, and is told at the site itself.
TEST_F(SiteListTest, UnsentEditsAreKnownWhereTheyWereWritten) {
  const RecordId id = savoie.Create(NamedActor("savoyarde", "73"));
  v1::Actor described;
  described.set_description("écrite hors ligne");
  savoie.Update(id, described, {"description"});
  savoie.Create(NamedActor("régionale", ""));
  v1::SetSiteScopeRequest request;
  request.set_site("savoie");
  request.set_scope("38");
  request.set_validate_only(true);
  const auto there = SetSiteScope(BuiltIn(), *savoie.replica, request);
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_EQ(there->records_out(), 1);
  EXPECT_EQ(there->unsent_edits(), 2);
  EXPECT_FALSE(Set("savoie", "38", /*only_look=*/true)->has_unsent_edits());
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(SetSiteScope(BuiltIn(), *savoie.replica, request)->unsent_edits(), 0);
}

TEST_F(SiteListTest, TheSameScopeAgainIsNoChange) {
  const uint64_t head = lyon.replica->progress().feed_head;
  ASSERT_TRUE(Set("savoie", "73").ok());
  EXPECT_EQ(lyon.replica->progress().feed_head, head);
}

TEST_F(SiteListTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(std::string(Set("chambery", "73").status().message()),
              HasSubstr("il connaît lyon, savoie"));
  EXPECT_TRUE(absl::IsNotFound(Set("chambery", "73").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Set("savoie", "7x").status()));
}

TEST_F(SiteListTest, WhatTheListSaysWinsOverAStartsWish) {
  ASSERT_TRUE(Set("savoie", "38").ok());
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Publish(savoie, "73"), "38");
  EXPECT_EQ(savoie.replica->scope().ToText(), "38");
}

}  // namespace
}  // namespace maillage::server
