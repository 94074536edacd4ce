#include "gmock/gmock.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using ::testing::HasSubstr;

const std::string kEvents = "Événement;Date;Mission;Projet/Partenaire;Lieu;Participants";
const std::string kEventsWithReason = kEvents + ";Motif du refus\n";

TEST(RefusedFileTest, HasTheRefusedLinesAsTheyWereAndWhy) {
  const ImportPlan plan = PlanOf(kEvents +
                                 "\nA;1er mai 2021;;;69;3\n"
                                 "B;31 février 2021;;\"a;b\";69;3\n");
  EXPECT_EQ(
      RefusedFile(plan),
      kEventsWithReason +
          "B;31 février 2021;;\"a;b\";69;3;Date : «\u00a031 février 2021\u00a0» n'est pas une "
          "date : le 2021-02-31 n'existe pas (attendu par exemple 2021-02-01, 01/02/2021 ou "
          "1er février 2021)\n");
}

TEST(RefusedFileTest, IsAHeaderIfAllWentWell) {
  EXPECT_EQ(RefusedFile(PlanOf(kEvents + "\nA;1er mai 2021;;;69;3\n")), kEventsWithReason);
}

TEST(RefusedFileTest, ComesBackAsTheSameRefusalsUntilCorrected) {
  const std::string bytes = kEvents +
                            "\n\"B\n2\";31 février 2021;;;69;3\n"
                            "C;1er mai 2021;69\n"
                            "D;1er mai 2021;;;69;3;4;5\n"
                            "E;2 mai;;;69;3;;\n"
                            "F;\"1er mai 2021;;;69;3\n"
                            "G;2 mai 2021;;;69;3\n";
  const ImportPlan first = PlanOf(bytes);
  EXPECT_EQ(first.refused_count(), 5u);
  const std::string refused = RefusedFile(first);
  const ImportPlan second = PlanOf(refused);
  EXPECT_EQ(second.lines.size(), 5u);
  EXPECT_EQ(second.refused_count(), 5u);
  EXPECT_THAT(second.notes, ::testing::IsEmpty());
  EXPECT_EQ(second.raw_header, kEvents);
  // Broken quotes come last, where they swallow nothing.
  EXPECT_TRUE(second.lines.back().broken_quotes);
}

TEST(RefusedFileTest, CorrectedLinesGoInAndAreTheRowsTheyWouldHaveBeen) {
  std::string refused = RefusedFile(PlanOf(kEvents + "\nB;31 février 2021;;;69;3\n"));
  refused.replace(refused.find("31 février"), std::string("31 février").size(), "28 février");
  const ImportPlan corrected = PlanOf(refused);
  const ImportPlan right = PlanOf(kEvents + "\nB;28 février 2021;;;69;3\n");
  EXPECT_EQ(corrected.refused_count(), 0u);
  EXPECT_EQ(corrected.lines[0].digest, right.lines[0].digest);
  EXPECT_EQ(corrected.lines[0].raw, right.lines[0].raw);
  EXPECT_EQ(Content<v1::Event>(corrected.lines[0]).SerializeAsString(),
            Content<v1::Event>(right.lines[0]).SerializeAsString());
}

TEST(RefusedFileTest, IsUtf8WithTheFilesSeparator) {
  const ImportPlan plan = PlanOf(
      "\xC9v\xE9nement\tDate\tMission\tProjet/Partenaire\tLieu\tParticipants\n"
      "F\xEAte\thier\t\t\t69\t3\n");
  EXPECT_EQ(plan.encoding, "Windows-1252");
  const std::string refused = RefusedFile(plan);
  EXPECT_THAT(refused, HasSubstr("Participants\tMotif du refus\n"));
  EXPECT_THAT(refused, HasSubstr("Fête\thier\t\t\t69\t3\tDate : "));
}

}  // namespace
}  // namespace maillage::client
