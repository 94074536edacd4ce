#include "client/import/importer.h"

#include <random>

#include "client/import/refused_file.h"
#include "client/import/report.h"
#include "gmock/gmock.h"
#include "proto/field_format.h"
#include "tests/client/import/import_fixture.h"
#include "tests/support/seed.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kEvents = "Événement;Date;Mission;Projet/Partenaire;Lieu;Participants\n";
const std::string kTowns = "Nom;Type;SIREN;Code INSEE;Département;Codes postaux;Population\n";
const std::string kProjects =
    "Titre;Sigle;Porteur;Partenaires;Départements;ODD;Début;Fin;Montant (€);Bailleurs;"
    "Description\n";

ImportOptions WithKind(const std::string& kind) {
  ImportOptions options;
  options.kind = kind;
  return options;
}

ImportOptions WithMapping(const std::string& mapping) {
  ImportOptions options;
  options.mapping = mapping;
  return options;
}

// The one refusal of the one line after the header.
Note Refusal(const std::string& header, const std::string& row) {
  const ImportPlan plan = PlanOf(header + row + "\n");
  if (plan.lines.size() != 1) {
    ADD_FAILURE() << plan.lines.size() << " lines";
    return {};
  }
  EXPECT_TRUE(plan.lines[0].refused()) << row;
  EXPECT_EQ(plan.lines[0].content, nullptr);
  for (const Note& note : plan.lines[0].notes) {
    if (note.severity == Severity::kRefused) return note;
  }
  return {};
}

void ExpectRefused(const Note& note, size_t column, std::string_view field,
                   const std::string& reason) {
  EXPECT_EQ(note.line, 2u);
  EXPECT_EQ(note.column, column);
  EXPECT_EQ(note.field, field);
  EXPECT_THAT(note.message, HasSubstr(reason));
}

TEST(ImporterTest, RefusesCellsWithTheirPlaceAndReason) {
  ExpectRefused(Refusal(kEvents, "Fête;31 février 2021;;;69;3"), 2, "dates", "n'existe pas");
  ExpectRefused(Refusal(kEvents, "Fête;;;;69;3"), 2, "dates", "ne peut pas être vide");
  ExpectRefused(Refusal(kEvents, ";1er mai 2021;;;69;3"), 1, "title", "ne peut pas être vide");
  ExpectRefused(Refusal(kEvents, "Fête;1er mai 2021;;;69;une trentaine"), 6, "participants",
                "«\u00a0une trentaine\u00a0»");
  ExpectRefused(Refusal(kEvents, "Fête;1er mai 2021;;;69;4294967296"), 6, "participants",
                "4294967295");
  ExpectRefused(Refusal(kTowns, "Ici;commune;210100013;01001;01;01400;860"), 3, "siren",
                "210100013");
  ExpectRefused(Refusal(kTowns, "Ici;commune;210100012;1001;01;01400;860"), 4, "insee_commune",
                "1001");
  ExpectRefused(Refusal(kTowns, "Ici;commune;210100012;01001;96;01400;860"), 5, "department", "96");
  ExpectRefused(Refusal(kProjects, "Puits;;;;;;;;1.500;;"), 9, "budget", "«\u00a01.500\u00a0»");
  ExpectRefused(Refusal(kProjects, "Puits;;;;;;;;;AFD=beaucoup;"), 10, "funding", "beaucoup");
  ExpectRefused(Refusal(kProjects, "Puits;;;;;;;;;AFD=1,00|AFD=2,00;"), 10, "funding", "deux");
  ExpectRefused(Refusal(kProjects, "Puits;;;;;18;;;;;"), 6, "sdgs", "18");
  ExpectRefused(Refusal(kProjects, "Puits;;A|B;;;;1 et 2 mai 2021;;;;"), 7, "planned_start",
                "une seule");
}

TEST(ImporterTest, RefusesControlCharactersInTheirCellAlone) {
  std::string bytes = kEvents + "Fête X;1er mai 2021;;;69;3\nBal;2 mai 2021;;;69;3\n";
  bytes[bytes.find('X')] = '\0';
  const ImportPlan plan = PlanOf(bytes);
  ASSERT_EQ(plan.lines.size(), 2u);
  EXPECT_THAT(Messages(plan.lines[0], Severity::kRefused), ElementsAre(HasSubstr("U+0000")));
  EXPECT_EQ(Content<v1::Event>(plan.lines[1]).title(), "Bal");
}

TEST(ImporterTest, AllFaultsOfARowAreTold) {
  const ImportPlan plan = PlanOf(kEvents + "Fête;hier;;;69;beaucoup\n");
  EXPECT_THAT(Messages(plan.lines[0], Severity::kRefused),
              ElementsAre(HasSubstr("hier"), HasSubstr("beaucoup")));
}

TEST(ImporterTest, GoodLinesGoInBesideBrokenOnes) {
  const ImportPlan plan = PlanOf(kEvents +
                                 "A;1er mai 2021;;;69;3\n"
                                 "B;1er mai 2021;69\n"
                                 "C;1er mai 2021;;\"le \"Grand\" Lyon;69;3\n"
                                 "D;\"2 mai\n2021\";;;38;4\n"
                                 "E;1er mai 2021;;;69;x\n");
  ASSERT_EQ(plan.lines.size(), 5u);
  EXPECT_EQ(plan.refused_count(), 3u);
  EXPECT_EQ(Content<v1::Event>(plan.lines[0]).title(), "A");
  EXPECT_EQ(plan.lines[1].notes[0].column, 4u);
  EXPECT_EQ(plan.lines[1].notes[0].column_name, "Projet/Partenaire");
  EXPECT_EQ(plan.lines[2].notes[0].line, 4u);
  EXPECT_THAT(Content<v1::Event>(plan.lines[3]).dates(), ElementsAre("2021-05-02"));
  EXPECT_EQ(plan.lines[4].line, 7u);
}

TEST(ImporterTest, UnderstandsPlaces) {
  const ImportPlan plan = PlanOf(kEvents +
                                 "A;1er mai 2021;;;EN LIGNE;\n"
                                 "B;1er mai 2021;;;1;\n"
                                 "C;1er mai 2021;;;2a;\n"
                                 "D;1er mai 2021;;;Salle des fêtes;0\n"
                                 "E;1er mai 2021;;;;\n");
  ASSERT_EQ(plan.refused_count(), 0u);
  EXPECT_EQ(Content<v1::Event>(plan.lines[0]).mode(), v1::ONLINE);
  EXPECT_FALSE(Content<v1::Event>(plan.lines[0]).has_participants());
  EXPECT_EQ(Content<v1::Event>(plan.lines[1]).department(), "01");
  EXPECT_THAT(Messages(plan.lines[1], Severity::kRepaired), ElementsAre(HasSubstr("devient 01")));
  EXPECT_EQ(Content<v1::Event>(plan.lines[2]).department(), "2A");
  const auto& hall = Content<v1::Event>(plan.lines[3]);
  EXPECT_EQ(hall.place(), "Salle des fêtes");
  EXPECT_EQ(hall.mode(), v1::EVENT_MODE_UNSPECIFIED);
  EXPECT_TRUE(hall.has_participants());
  EXPECT_EQ(hall.participants(), 0u);
  EXPECT_THAT(Messages(plan.lines[3], Severity::kLeftAsText),
              ElementsAre(HasSubstr("Salle des fêtes")));
  EXPECT_EQ(Content<v1::Event>(plan.lines[4]).mode(), v1::EVENT_MODE_UNSPECIFIED);
}

TEST(ImporterTest, AnEqualRowIsTheSameRow) {
  const ImportPlan plan = PlanOf(kEvents +
                                 "A;1er mai 2021;;;69;\n"
                                 "A;1er mai 2021;;;69;\n"
                                 "A;1er mai 2021;;;69;1\n"
                                 "B;hier;;;69;\n"
                                 "B;hier;;;69;\n");
  ASSERT_EQ(plan.lines.size(), 5u);
  EXPECT_EQ(plan.lines[1].content, nullptr);
  EXPECT_EQ(plan.lines[1].duplicate_of, 2u);
  EXPECT_FALSE(plan.lines[1].refused());
  EXPECT_THAT(Messages(plan.lines[1], Severity::kUnderstood),
              ElementsAre("identique à la ligne 2"));
  EXPECT_NE(plan.lines[2].content, nullptr);
  EXPECT_NE(plan.lines[2].digest, plan.lines[0].digest);
  EXPECT_TRUE(plan.lines[4].refused());
}

TEST(ImporterTest, TheOrderOfColumnsDoesNotCount) {
  const ImportPlan plan = PlanOf(kEvents + "A;1er mai 2021;;CSI;69;3\n");
  const ImportPlan turned = PlanOf(
      "Participants;LIEU;projet/partenaire;Mission;date;Evenement\n"
      "3;69;CSI;;1er mai 2021;A\n");
  EXPECT_EQ(turned.mapping, "evenements");
  EXPECT_EQ(turned.lines[0].digest, plan.lines[0].digest);
  EXPECT_EQ(Content<v1::Event>(turned.lines[0]).SerializeAsString(),
            Content<v1::Event>(plan.lines[0]).SerializeAsString());
}

TEST(ImporterTest, AmbiguousNamesStayText) {
  MemoryActorDirectory directory;
  directory.Add(ActorUuid(1), "Métropole de Lyon", "");
  directory.Add(ActorUuid(2), "METROPOLE DE LYON", "");
  const ImportPlan plan =
      PlanOf(kEvents + "A;1er mai 2021;;Métropole de Lyon;69;3\n", {}, directory);
  EXPECT_EQ(Content<v1::Event>(plan.lines[0]).organisers(0).party().text(), "Métropole de Lyon");
  EXPECT_THAT(Messages(plan.lines[0], Severity::kLeftAsText), ElementsAre(HasSubstr("2 acteurs")));
}

TEST(ImporterTest, FilesThatAreNoTableAreErrorsWithTheirName) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("essai.csv : ce fichier est vide"));
  EXPECT_THAT(ErrorOf(std::string("\x89PNG\r\n\x1a\n\0", 9)), HasSubstr("binaire"));
  EXPECT_THAT(ErrorOf("PK\x03\x04"), HasSubstr("CSV UTF-8"));
  EXPECT_THAT(ErrorOf("Événement;Date;\"Mission\n"), HasSubstr("guillemet"));
}

TEST(ImporterTest, AnUnknownHeaderListsWhatIsKnownAndHowToWriteMore) {
  const auto plan = PlanImport("essai.csv", "Prénom;Âge\nAmina;7\n", {}, MemoryActorDirectory());
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kNotFound);
  const std::string message(plan.status().message());
  EXPECT_THAT(message, HasSubstr("Prénom ; Âge"));
  EXPECT_THAT(message, HasSubstr("evenements (event) : Événement ; Date"));
  EXPECT_THAT(message, HasSubstr("[[column]]"));
  EXPECT_THAT(ErrorOf("Nom;Nom\n"), HasSubstr("aucune correspondance"));
}

TEST(ImporterTest, AKindThatTheFileDoesNotGiveIsAnError) {
  EXPECT_THAT(ErrorOf(kEvents, WithKind("actor")), HasSubstr("«\u00a0event\u00a0»"));
  EXPECT_THAT(ErrorOf(kEvents, WithKind("bateau")), HasSubstr("«\u00a0bateau\u00a0»"));
  EXPECT_THAT(PlanOf(kEvents, WithKind("événement")).lines, IsEmpty());
}

TEST(ImporterTest, ANamedMappingPassesOverOtherColumnsAndSaysSo) {
  const std::string bytes =
      "Événement;Date;Mission;Projet/Partenaire;Lieu;Participants;Traiteur\n"
      "A;1er mai 2021;;;69;3;Chez Paul\n";
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("Traiteur"));
  const ImportPlan plan = PlanOf(bytes, WithMapping("evenements"));
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_EQ(plan.notes[0].column, 7u);
  EXPECT_EQ(plan.notes[0].column_name, "Traiteur");
  EXPECT_EQ(Content<v1::Event>(plan.lines[0]).title(), "A");
  EXPECT_THAT(ErrorOf("Événement\nA\n", WithMapping("evenements")),
              HasSubstr("«\u00a0Date\u00a0»"));
  EXPECT_THAT(ErrorOf(bytes, WithMapping("rien")), HasSubstr("acteurs, collectivites"));
}

TEST(ImporterTest, MoreValuesThanACellMayHaveAreRefused) {
  std::string names = "A0";
  for (int i = 1; i <= 1000; ++i) names += ",A" + std::to_string(i);
  ExpectRefused(Refusal(kEvents, "Fête;1er mai 2021;;" + names + ";69;3"), 4, "organisers",
                "1001 noms");
}

TEST(ImporterTest, WhatTheNodeRefusesIsRefusedHereToo) {
  ImportPlan plan = PlanOf(kEvents + "A;1er mai 2021;;;69;3\n");
  RefuseLine(plan, 0, "title", "le nœud n'en veut pas");
  EXPECT_EQ(plan.refused_count(), 1u);
  EXPECT_EQ(plan.lines[0].content, nullptr);
  EXPECT_THAT(RefusedFile(plan), HasSubstr("le nœud n'en veut pas"));
}

// Whatever happens to the bytes of a real file: each row goes in sound, or is refused, or is a
// double.
TEST(ImporterTest, DamagedFilesLeaveNoRowInBetween) {
  std::mt19937_64 random(testing::TestSeed());
  const MemoryActorDirectory directory = NetworkDirectory();
  constexpr std::string_view kBytes = ";\"\n\r|=,/ \t0a\xC3\xA9\xFF\0";
  for (const char* name : {"acteurs-reseau.csv", "projets-reseau.csv", "evenements-2021.csv"}) {
    const std::string file = TestFile(name);
    const size_t body = file.find('\n') + 1;
    for (uint64_t round = testing::TestRounds(50); round > 0; --round) {
      std::string bytes = file;
      for (size_t damages = 1 + random() % 20; damages > 0; --damages) {
        bytes[body + random() % (bytes.size() - body)] = kBytes[random() % kBytes.size()];
      }
      const auto plan = PlanImport(name, bytes, {}, directory);
      if (!plan.ok()) continue;
      for (const PlannedLine& line : plan->lines) {
        EXPECT_EQ(
            (line.content != nullptr) + line.refused() + (line.duplicate_of > 0 && !line.refused()),
            1);
        EXPECT_TRUE(line.content == nullptr || CheckFormats(*line.content).ok());
      }
      EXPECT_FALSE(ReportText(*plan, ReportDetail::kNotes).empty());
      EXPECT_FALSE(ReportJson(*plan).empty());
      EXPECT_FALSE(RefusedFile(*plan).empty());
    }
  }
}

}  // namespace
}  // namespace maillage::client
