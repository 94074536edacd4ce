// Help, wrong usage, languages.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kCommands[] = {
    "create", "get",    "list",   "edit",   "delete", "undelete", "history", "conflicts", "resolve",
    "watch",  "import", "export", "status", "peers",  "pause",    "resume",  "sync",      "kinds"};

class Help : public CommandLine {};

TEST_F(Help, EveryCommandHasExamples) {
  const std::string overview = Run({"--help"}).out;
  for (const std::string command : kCommands) {
    EXPECT_THAT(overview, HasSubstr("\n  " + command + " "));
    const Said said = Run({command, "--help"});
    EXPECT_EQ(said.exit_code, 0);
    EXPECT_THAT(said.out, HasSubstr("Exemples :\n  maillage " + command));
    EXPECT_THAT(said.err, IsEmpty());
  }
  EXPECT_THAT(connected_, IsEmpty());
}

TEST_F(Help, IsInTheLanguageThatIsAskedFor) {
  EXPECT_THAT(Run({"get", "--help"}).out, HasSubstr("Montre une fiche"));
  EXPECT_THAT(Run({"get", "--help", "--lang", "en"}).out, HasSubstr("Shows one record"));
  variables_["LANG"] = "en_GB.UTF-8";
  EXPECT_THAT(Run({"get", "--help"}).out, HasSubstr("Shows one record"));
  EXPECT_THAT(Run({"--lang=fr", "get", "--help"}).out, HasSubstr("Montre une fiche"));
  variables_["LC_ALL"] = "C.UTF-8";
  EXPECT_THAT(Run({"get", "--help"}).out, HasSubstr("Montre une fiche"));
}

TEST_F(Help, WrongUsageIs64AndSaysWhereToRead) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"crate", "actor"},
      {"get"},
      {"get", "acteurs", "018f0001-0000-7000-8000-000000000000"},
      {"get", "actor", "ADOS"},
      {"get", "actor", "event/018f0001-0000-7000-8000-000000000000"},
      {"list", "actor", "--page-size", "5000"},
      {"list", "actor", "--output", "xml"},
      {"list", "actor", "--nodes", "x"},
      {"list", "actor", "--lang", "de"},
      {"create", "actor"},
      {"create", "actor", "name"},
      {"export", "actor", "--format", "pdf"},
      {"sync"},
  };
  for (const std::vector<std::string>& arguments : wrong) {
    const Said said = Run(arguments);
    EXPECT_EQ(said.exit_code, 64) << ::testing::PrintToString(arguments);
    EXPECT_THAT(said.err, HasSubstr("--help")) << ::testing::PrintToString(arguments);
    EXPECT_THAT(said.out, IsEmpty());
  }
  EXPECT_THAT(connected_, IsEmpty());
}

TEST_F(Help, AnErrorOfTheNodeIsToldAsItIs) {
  node_->failures = {
      absl::InvalidArgumentError("departments[0] : « 7300 » n'est pas un département")};
  const Said said = Run({"create", "actor", "departments+=7300"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.err, "maillage : departments[0] : « 7300 » n'est pas un département\n");
}

TEST_F(Help, ANodeThatIsNotThereIsNamed) {
  node_->failures = {absl::UnavailableError("Connection refused")};
  const Said said = Run({"list", "actor", "--node", "savoie:7103"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("le nœud savoie:7103 ne répond pas"));
}

TEST_F(Help, KindsComeFromTheDescriptors) {
  const std::string out = Run({"kinds"}).out;
  EXPECT_THAT(out, HasSubstr("event (événement)\n"));
  EXPECT_THAT(out, HasSubstr("  mode          REGISTER  on_site|online|hybrid\n"));
  EXPECT_THAT(out, Not(HasSubstr("site (site)"))) << "the system's kinds are not for people";
  const auto kinds = Ask({"kinds", "projet"});
  EXPECT_EQ(kinds[0]["kind"], "project");
  EXPECT_EQ(kinds[0]["fields"][0]["field"], "title");
  EXPECT_THAT(connected_, IsEmpty());
}

}  // namespace
}  // namespace maillage::client::testing
