#include "client/import/refused_file.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
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

// All rows of the refused file as they are planned again.
std::vector<std::string> RowsAgain(const std::string& bytes) {
  const ImportPlan again = PlanOf(RefusedFile(PlanOf(bytes)));
  std::vector<std::string> rows;
  for (const PlannedLine& line : again.lines) {
    EXPECT_TRUE(line.refused()) << line.raw;
    rows.push_back(line.raw);
  }
  return rows;
}

// The row between them, which stays out of the refused file, kept the two quotes apart.
TEST(RefusedFileTest, TwoStrayQuotesDontMeetInIt) {
  EXPECT_THAT(RowsAgain(kEvents + "\nA;\"1er mai 2021;;;69;3\nB;1er mai 2021;;;69;3\nC\";;;69;3\n"),
              ElementsAre("A;\"1er mai 2021;;;69;3", "C\";;;69;3"));
}

// The reason's column makes rows longer: a text's line has as many separators there.
TEST(RefusedFileTest, ATextOfSeveralLinesStaysWhole) {
  const std::string as_long_as_a_row = "A;hier;\"un\n;;;;;\ndeux\";;69;3";
  EXPECT_THAT(PlanOf(kEvents + "\n" + as_long_as_a_row + "\n").lines[0].unreadable, true);
  const std::string one_longer = "A;hier;\"un\n;;;;;;\ndeux\";;69;3";
  EXPECT_THAT(PlanOf(kEvents + "\n" + one_longer + "\n").lines[0].unreadable, true);
  const std::string text = "A;hier;\"un\n;;;;;;;\ndeux\";;69;3";
  EXPECT_THAT(RowsAgain(kEvents + "\n" + text + "\n"), ElementsAre(text));
}

TEST(RefusedFileTest, NamesWithSeparatorsDontChangeTheFiles) {
  ImportOptions options;
  options.mapping = "evenements";
  const ImportPlan plan = PlanOf(
      kEvents + ";\"un, deux, trois, quatre, cinq, six, sept, huit, neuf, dix\"\nA;hier;;;69;3;\n",
      options);
  const ImportPlan again = PlanOf(RefusedFile(plan), options);
  EXPECT_EQ(again.separator, ';');
  EXPECT_EQ(again.lines.size(), 1u);
}

// However often it is imported without a correction, no reason becomes a cell.
TEST(RefusedFileTest, IsTheSameEachTime) {
  const std::string once =
      RefusedFile(PlanOf(kEvents + "\nA;1er mai 2021;69\nB;\"1er mai 2021;;;69;3\n"
                                   "C;hier;;;69;3\n"));
  const std::string twice = RefusedFile(PlanOf(once));
  std::string file = twice;
  for (int i = 0; i < 5; ++i) {
    file = RefusedFile(PlanOf(file));
    EXPECT_EQ(file, twice);
  }
}

// As a spreadsheet writes it that quotes nothing without need.
TEST(RefusedFileTest, AReasonWithoutItsQuotesIsFoundToo) {
  std::string refused = RefusedFile(PlanOf(kEvents + "\nA;1er mai 2021;69\n"));
  refused.erase(std::remove(refused.begin(), refused.end(), '"'), refused.end());
  const ImportPlan again = PlanOf(refused);
  ASSERT_EQ(again.refused_count(), 1u);
  EXPECT_EQ(again.lines[0].raw, "A;1er mai 2021;69");
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
