// bundle, snapshot, explain.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::HasSubstr;

class BundleCommands : public CommandLine {
 protected:
  void SetUp() override {
    node_->bundle.set_data("le lot");
    node_->bundle.mutable_summary()->set_site("lyon");
    node_->bundle.mutable_summary()->set_receiver("savoie");
    node_->bundle.mutable_summary()->set_scope("73");
    node_->bundle.mutable_summary()->set_records(320);
  }
};

TEST_F(BundleCommands, ABundleIsWrittenForASite) {
  const Said said = Run({"bundle", "export", "--for", "savoie", "--whole", Path("lot")});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("lyon → savoie (73)"));
  EXPECT_THAT(said.out, HasSubstr("320 fiches"));
  EXPECT_EQ(ReadFile(Path("lot")), "le lot");
  ASSERT_EQ(node_->bundle_calls.size(), 1u);
  EXPECT_EQ(node_->bundle_calls[0].receiver(), "savoie");
  EXPECT_TRUE(node_->bundle_calls[0].whole());
}

TEST_F(BundleCommands, ASnapshotIsForNobodyInParticular) {
  EXPECT_EQ(Run({"snapshot", "save", "--scope", "73", Path("lot")}).exit_code, 0);
  EXPECT_EQ(node_->bundle_calls[0].receiver(), "");
  EXPECT_EQ(node_->bundle_calls[0].scope(), "73");
}

TEST_F(BundleCommands, WhatFailsLeavesNoFileAndNoneIsWrittenOver) {
  node_->failures = {absl::NotFoundError("ce nœud ne connaît pas de site")};
  const Said failed = Run({"bundle", "export", "--for", "chambery", Path("lot")});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("ne connaît pas"));
  EXPECT_FALSE(std::filesystem::exists(Path("lot")));
  EXPECT_FALSE(std::filesystem::exists(Path("lot.part")));
  WriteFile("lot", "un autre");
  EXPECT_THAT(Run({"bundle", "export", "--for", "savoie", Path("lot")}).err, HasSubstr("existe déjà"));
  EXPECT_EQ(ReadFile(Path("lot")), "un autre");
}

TEST_F(BundleCommands, AnImportSaysWhatToDoNext) {
  WriteFile("lot", "des octets");
  const Said said = Run({"bundle", "import", Path("lot")});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(node_->imported, "des octets");
  EXPECT_THAT(said.out, HasSubstr("maillage bundle export --for lyon"));
  node_->bundle_outcome.set_equal(true);
  EXPECT_THAT(Run({"snapshot", "load", Path("lot")}).out, HasSubstr("tiennent la même chose"));
  node_->bundle_outcome.Clear();
  node_->bundle_outcome.set_gaps(true);
  const Said gaps = Run({"bundle", "import", Path("lot")});
  EXPECT_EQ(gaps.exit_code, 1);
  EXPECT_THAT(gaps.out, HasSubstr("Il manque ce qui précède"));
  node_->bundle_outcome.set_twin(true);
  EXPECT_THAT(Run({"bundle", "import", Path("lot")}).out, HasSubstr("en double"));
}

TEST_F(BundleCommands, ADamagedFileIsTold) {
  EXPECT_THAT(Run({"bundle", "import", Path("absent")}).err, HasSubstr("illisible"));
  WriteFile("lot", "x");
  node_->failures = {absl::InvalidArgumentError("le lot est abîmé, à l'octet 9")};
  const Said said = Run({"bundle", "import", Path("lot")});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("à l'octet 9 ; ce qui a été lu avant est gardé"));
}

TEST_F(BundleCommands, ACommandWithoutItsPartIsWrongUsage) {
  EXPECT_EQ(Run({"bundle"}).exit_code, 64);
  EXPECT_EQ(Run({"bundle", "export", Path("lot")}).exit_code, 64);
  EXPECT_EQ(Run({"snapshot", "save"}).exit_code, 64);
}

TEST_F(BundleCommands, ExplainTellsWhyAndWho) {
  node_->explanation.set_presence(v1::RecordExplanation::HANDED_OVER);
  node_->explanation.set_why("elle a quitté ce site le 26/11/2026");
  v1::SiteKnowledge& site = *node_->explanation.add_sites();
  site.set_site("lyon");
  site.set_scope("*");
  site.set_state(v1::SiteKnowledge::BEHIND);
  site.set_detail("à envoyer");
  v1::QuarantinedChange& change = *node_->explanation.add_quarantined();
  change.set_from_site("isere");
  change.set_reason("règle inconnue");
  const Said said = Run({"explain", "actor", "018f0000-0000-7000-8000-000000000001"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  for (const char* text : {"actor/018f0000-0000-7000-8000-000000000001", "transmise", "a quitté ce site", "lyon",
                           "en retard", "à envoyer", "isere", "règle inconnue"}) {
    EXPECT_THAT(said.out, HasSubstr(text));
  }
  EXPECT_EQ(Ask({"explain", "018f0000-0000-7000-8000-000000000001"})["presence"], "HANDED_OVER");
}

}  // namespace
}  // namespace maillage::client::testing
