#include "client/import/report.h"

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ImportPlan Mixed() {
  return PlanOf(
      "Événement;Date;Mission;Projet/Partenaire;Lieu;Participants\n"
      "A;2021-05-01;;;en ligne;3\n"
      "B  b;2021-05-01;;Inconnu;;3\n"
      "C;hier;;;;\n"
      "A;2021-05-01;;;en ligne;3\n");
}

TEST(ReportTest, TellsEachNoteInFrenchWithItsPlace) {
  const std::string text = ReportText(Mixed(), ReportDetail::kNotes);
  EXPECT_THAT(text, HasSubstr("essai.csv:2: colonne 5 «\u00a0Lieu\u00a0» : compris : "
                              "«\u00a0en ligne\u00a0» se lit ONLINE\n"));
  EXPECT_THAT(text, HasSubstr("essai.csv:3: colonne 1 «\u00a0Événement\u00a0» : réparé : "
                              "espaces en trop retirés : «\u00a0B b\u00a0»\n"));
  EXPECT_THAT(text, HasSubstr("essai.csv:3: colonne 4 «\u00a0Projet/Partenaire\u00a0» : laissé en "
                              "texte : «\u00a0Inconnu\u00a0»"));
  EXPECT_THAT(text, HasSubstr("essai.csv:4: colonne 2 «\u00a0Date\u00a0» : refusé : "));
  EXPECT_THAT(text, HasSubstr("essai.csv:5: compris : identique à la ligne 2\n"));
  EXPECT_THAT(text, HasSubstr("4 lignes : 2 prêtes, 1 en double, 1 refusée\n"));
  EXPECT_THAT(text, HasSubstr("2 valeurs comprises par une règle, 1 réparée, 1 laissée en texte, "
                              "1 refusée\n"));
}

TEST(ReportTest, SummaryHasTheRefusalsAlone) {
  const std::string text = ReportText(Mixed(), ReportDetail::kSummary);
  EXPECT_THAT(text, HasSubstr("essai.csv:4: "));
  EXPECT_THAT(text, Not(HasSubstr("essai.csv:3: ")));
  EXPECT_THAT(text, HasSubstr("UTF-8, séparateur point-virgule, correspondance evenements"));
}

TEST(ReportTest, JsonSaysTheSame) {
  const auto json = nlohmann::json::parse(ReportJson(Mixed()));
  EXPECT_EQ(json["mapping"], "evenements");
  EXPECT_EQ(json["counts"]["lines"], 4);
  EXPECT_EQ(json["counts"]["ready"], 2);
  EXPECT_EQ(json["counts"]["doubles"], 1);
  EXPECT_EQ(json["counts"]["refused"], 1);
  ASSERT_EQ(json["lines"].size(), 4u);
  EXPECT_EQ(json["lines"][2]["line"], 4);
  EXPECT_EQ(json["lines"][2]["refused"], true);
  EXPECT_EQ(json["lines"][2]["notes"][0]["column_name"], "Date");
  EXPECT_EQ(json["lines"][2]["notes"][0]["field"], "dates");
  EXPECT_EQ(json["lines"][2]["notes"][0]["severity"], "refusé");
}

TEST(ReportTest, CsvHasOneRowPerNote) {
  const std::string csv = ReportCsv(Mixed());
  EXPECT_THAT(csv, HasSubstr("ligne;colonne;nom de colonne;champ;gravité;message\n"));
  EXPECT_THAT(csv, HasSubstr("\n2;5;Lieu;mode;compris;«\u00a0en ligne\u00a0» se lit ONLINE\n"));
  EXPECT_THAT(csv, HasSubstr("\n5;;;;compris;identique à la ligne 2\n"));
}

}  // namespace
}  // namespace maillage::client
