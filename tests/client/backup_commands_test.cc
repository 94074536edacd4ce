// backup, restore, doctor.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using BackupCommands = CommandLine;

TEST_F(BackupCommands, TellsTheNodeAWholePath) {
  EXPECT_EQ(Ask({"backup", "/srv/x/../copie"})["folder"], "/srv/copie");
  const Said said = Run({"backup", "copie"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out[0], '/');
}

TEST_F(BackupCommands, SaysWhyTheNodeRefuses) {
  node_->failures = {absl::ResourceExhaustedError("il en faut 12")};
  const Said said = Run({"backup", "copie"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("il en faut 12"));
}

TEST_F(BackupCommands, LeavesFilesToTheNodeProgram) {
  EXPECT_EQ(Run({"backup", "--verify", "copie"}).exit_code, 7);
  EXPECT_EQ(Run({"restore", "copie", "--data", "neuf"}).exit_code, 7);
  EXPECT_THAT(node_program_, ElementsAre(ElementsAre("verify", "copie"),
                                         ElementsAre("restore", "copie", "--data", "neuf")));
  EXPECT_THAT(connected_, IsEmpty());
}

TEST_F(BackupCommands, DoctorTellsWhatItFoundByItsExitCode) {
  EXPECT_EQ(Run({"doctor"}).exit_code, 0);
  v1::Finding& finding = *node_->scrub.add_findings();
  finding.set_table("states");
  finding.set_record("actor/0190");
  finding.set_what("fiche illisible");
  node_->scrub.set_damaged(1);
  const Said said = Run({"doctor"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.out, HasSubstr("fiche illisible"));
  EXPECT_THAT(said.out, HasSubstr("actor/0190"));
}

TEST_F(BackupCommands, DoctorShowsHowFarItIs) {
  EXPECT_EQ(Run({"doctor"}).err, "");
  err_is_terminal_ = true;
  const std::string said = Run({"doctor"}).err;
  EXPECT_THAT(said, HasSubstr("1000/4000"));
  EXPECT_THAT(said, HasSubstr("4000/4000"));
  EXPECT_THAT(said, EndsWith("\r\x1b[K"));
}

}  // namespace
}  // namespace maillage::client::testing
