// sites, sites set-scope.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::HasSubstr;

class SiteCommands : public CommandLine {
 protected:
  SiteCommands() {
    Add("lyon", "*").set_here(true);
    Add("savoie", "73,74");
    Add("portable", "73|actor,event");
    *node_->scope_change.mutable_before() = node_->sites.sites(1);
    *node_->scope_change.mutable_after() = node_->sites.sites(1);
    node_->scope_change.mutable_after()->set_scope("73");
    node_->scope_change.set_records_out(120);
  }

  v1::SiteEntry& Add(const std::string& name, const std::string& scope) {
    v1::SiteEntry& site = *node_->sites.add_sites();
    site.set_name(name);
    site.set_site_id("id-of-" + name);
    site.set_scope(scope);
    return site;
  }
};

TEST_F(SiteCommands, ShowsWhoHoldsWhat) {
  const Said said = Run({"sites"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out,
            "site            tient              identifiant\n"
            "lyon (ce nœud)  tout               id-of-lyon\n"
            "savoie          73, 74             id-of-savoie\n"
            "portable        73 (actor, event)  id-of-portable\n");
}

TEST_F(SiteCommands, JsonHasTheListsOwnText) {
  const auto sites = Ask({"sites"});
  EXPECT_EQ(sites[2]["scope"], "73|actor,event");
  EXPECT_EQ(sites[0]["here"], true);
  EXPECT_THAT(Run({"sites", "--output", "csv"}).out, HasSubstr("savoie;id-of-savoie;73,74;false"));
}

TEST_F(SiteCommands, SaysWhatASiteHolds) {
  const Said said = Run({"sites", "set-scope", "savoie", "73"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  ASSERT_EQ(node_->scope_calls.size(), 1u);
  EXPECT_EQ(node_->scope_calls[0].site(), "savoie");
  EXPECT_EQ(node_->scope_calls[0].scope(), "73");
  EXPECT_FALSE(node_->scope_calls[0].validate_only());
  EXPECT_THAT(said.out, HasSubstr("savoie : 73, 74 → 73\n"));
  EXPECT_THAT(said.out, HasSubstr("qui sortent : 120"));
  EXPECT_THAT(said.out, HasSubstr("ait toutes ses modifications"));
  EXPECT_THAT(said.out, HasSubstr("lancée là-bas"));
  node_->scope_change.set_unsent_edits(3);
  EXPECT_THAT(Run({"sites", "set-scope", "savoie", "73", "--dry-run"}).out, HasSubstr("que personne n'a encore : 3\n"));
  EXPECT_EQ(Ask({"sites", "set-scope", "savoie", "73", "--dry-run"})["unsent_edits"], 3);
}

TEST_F(SiteCommands, ADryRunWritesNothingAndSaysSo) {
  const Said said = Run({"sites", "set-scope", "savoie", "73", "--dry-run"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  ASSERT_EQ(node_->scope_calls.size(), 1u);
  EXPECT_TRUE(node_->scope_calls[0].validate_only());
  EXPECT_THAT(said.out, HasSubstr("Rien n'a été écrit"));
  EXPECT_EQ(Ask({"sites", "set-scope", "savoie", "73", "--dry-run"})["dry_run"], true);
}

TEST_F(SiteCommands, WithoutASiteOrAScopeItIsWrongUsage) {
  EXPECT_EQ(Run({"sites", "set-scope", "savoie"}).exit_code, 64);
  EXPECT_TRUE(node_->scope_calls.empty());
}

}  // namespace
}  // namespace maillage::client::testing
