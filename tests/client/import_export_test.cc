// import, export.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kActors[] =
    "Nom;Sigle;Type;Département;Rôles;Référent ODD;Site web\n"
    "RESACOOP;RESACOOP;GIP;69;;;\n"
    "Solicoop42;Solicoop42;association;42;;;\n";

class ImportExport : public CommandLine {};

TEST_F(ImportExport, AFileGoesInAndASecondTimeChangesNothing) {
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  Said said = Run({"import", file, "--person", "Camille"});
  EXPECT_EQ(said.exit_code, 0) << said.out << said.err;
  EXPECT_THAT(said.out, EndsWith("2 lignes : 2 créées, 0 modifiées, 0 inchangées, 0 refusées\n"));
  EXPECT_THAT(node_->records, SizeIs(2));
  ASSERT_THAT(node_->batches, SizeIs(1));
  EXPECT_EQ(node_->batches[0].kind(), "actor");
  EXPECT_EQ(node_->batches[0].context().person(), "Camille");
  EXPECT_FALSE(node_->batches[0].context().request_id().empty());
  said = Run({"import", file});
  EXPECT_THAT(said.out, EndsWith("2 lignes : 0 créées, 0 modifiées, 2 inchangées, 0 refusées\n"));
  EXPECT_FALSE(std::filesystem::exists(Path("acteurs-reseau.refus.csv")));
}

TEST_F(ImportExport, ADryRunOnlyValidates) {
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  const Said said = Run({"import", file, "--dry-run"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("2 créées"));
  EXPECT_THAT(said.out, HasSubstr("rien n'est écrit"));
  EXPECT_THAT(node_->records, IsEmpty());
  for (const v1::BatchUpsertRecordsRequest& batch : node_->batches) {
    EXPECT_TRUE(batch.validate_only());
  }
}

TEST_F(ImportExport, RefusedLinesComeOutToBeCorrected) {
  node_->refused_titles = {"RESACOOP"};
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  const Said said = Run({"import", file});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.out, HasSubstr("2 lignes : 1 créée, 0 modifiées, 0 inchangées, 1 refusée\n"));
  EXPECT_THAT(said.out, HasSubstr("refusé pour l'essai"));
  const std::string refused = ReadFile(Path("acteurs-reseau.refus.csv"));
  EXPECT_THAT(refused, HasSubstr("RESACOOP;RESACOOP;GIP;69"));
  EXPECT_THAT(refused, Not(HasSubstr("Solicoop42")));

  node_->refused_titles.clear();
  EXPECT_EQ(Run({"import", Path("acteurs-reseau.refus.csv")}).exit_code, 0);
  EXPECT_THAT(node_->records, SizeIs(2));
}

TEST_F(ImportExport, RefusedLinesGoWhereTheyAreWanted) {
  node_->refused_titles = {"RESACOOP"};
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  const auto said = Run({"import", file, "--refused", Path("a-corriger.csv"), "--output", "json"});
  EXPECT_EQ(said.exit_code, 1);
  const auto results = nlohmann::json::parse(said.out);
  EXPECT_EQ(results[0]["created"], 1);
  EXPECT_EQ(results[0]["refused"], 1);
  EXPECT_EQ(results[0]["refused_file"], Path("a-corriger.csv"));
  EXPECT_TRUE(results[0]["report"].is_object());
  EXPECT_THAT(ReadFile(Path("a-corriger.csv")), HasSubstr("RESACOOP"));
}

TEST_F(ImportExport, NamesBecomeReferencesToActorsOfTheNode) {
  const std::string id = Create({"actor", "name=Pays de Savoie Solidaires", "acronym=PSS"});
  const std::string file =
      WriteFile("projets-reseau.csv",
                "Titre;Sigle;Porteur;Partenaires;Départements;ODD;Début;Fin;Montant "
                "(€);Bailleurs;Description\n"
                "Eau;EAU;Pays de Savoie Solidaires;Inconnue;73;6;2021;;64 000,00;;\n");
  const Said said = Run({"import", file});
  ASSERT_EQ(said.exit_code, 0) << said.out << said.err;
  v1::Project project;
  ASSERT_TRUE(node_->batches[0].content(0).UnpackTo(&project));
  EXPECT_EQ(project.lead().actor(), id);
  EXPECT_EQ(project.partners(0).party().text(), "Inconnue");
  EXPECT_EQ(project.budget().minor_units(), 6'400'000);
}

TEST_F(ImportExport, LargeFilesGoInBatchesOfAThousand) {
  std::string bytes = "Nom;Sigle;Type;Département;Rôles;Référent ODD;Site web\n";
  for (int i = 0; i < 2001; ++i) absl::StrAppend(&bytes, "Acteur ", i, ";;association;73;;;\n");
  // Records that are compared with each other would take this test seconds.
  const std::string file = WriteFile("acteurs-reseau.csv", bytes);
  const Said said = Run({"import", file, "--dry-run", "--output", "json"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  ASSERT_THAT(node_->batches, SizeIs(3));
  EXPECT_EQ(node_->batches[0].content_size(), 1000);
  EXPECT_EQ(node_->batches[2].content_size(), 1);
  EXPECT_NE(node_->batches[0].context().request_id(), node_->batches[1].context().request_id());
}

TEST_F(ImportExport, ProgressIsForTerminals) {
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  EXPECT_THAT(Run({"import", file}).err, IsEmpty());
  err_is_terminal_ = true;
  EXPECT_THAT(Run({"import", file}).err, HasSubstr("2/2"));
}

TEST_F(ImportExport, AnInterruptedImportSaysHowToGoOn) {
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  node_->failures = {absl::OkStatus(), absl::UnavailableError("gone")};
  const Said said = Run({"import", file});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("la même commande reprend"));
}

TEST_F(ImportExport, WrongFilesAndMappings) {
  EXPECT_EQ(Run({"import", Path("absent.csv")}).exit_code, 1);
  const std::string file = WriteFile("acteurs-reseau.csv", kActors);
  EXPECT_EQ(Run({"import", file, "--kind", "event"}).exit_code, 1);
  EXPECT_EQ(Run({"import", file, "--kind", "evenements"}).exit_code, 64);
  EXPECT_EQ(Run({"import", file, "--mapping", "rien"}).exit_code, 64);
  EXPECT_EQ(Run({"import", file, file, "--refused", "x"}).exit_code, 64);
  EXPECT_THAT(node_->batches, IsEmpty());
}

TEST_F(ImportExport, ExportIsSortedCompleteAndTheSameTwice) {
  for (const char* name : {"Zèbre", "Amis", "Mali"}) Create({"actor", absl::StrCat("name=", name)});
  Run({"delete", "actor", "018f0002"});
  node_->max_page_size = 1;
  const Said csv = Run({"export", "actor", "--format", "csv"});
  EXPECT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_THAT(csv.out, HasSubstr("018f0001-0000-7000-8000-000000000000;Zèbre;"));
  EXPECT_THAT(csv.out, Not(HasSubstr("Amis")));
  EXPECT_LT(csv.out.find("Zèbre"), csv.out.find("Mali"));
  EXPECT_EQ(csv.out, Run({"export", "actor"}).out);
  const Said lines = Run({"export", "actor", "--format", "jsonl"});
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2);
  EXPECT_THAT(lines.out, Not(HasSubstr("etag"))) << "what differs between sites stays out";
}

TEST_F(ImportExport, AnExportedFileIsCompleteOrAbsent) {
  Create({"actor", "name=ADOS"});
  EXPECT_EQ(Run({"export", "actor", "--out", Path("acteurs.csv")}).exit_code, 0);
  EXPECT_EQ(ReadFile(Path("acteurs.csv")), Run({"export", "actor"}).out);
  // The first call notes that somebody exports.
  node_->failures = {absl::OkStatus(), absl::InternalError("disk")};
  EXPECT_EQ(Run({"export", "actor", "--out", Path("autre.csv")}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(Path("autre.csv")));
  EXPECT_FALSE(std::filesystem::exists(Path("autre.csv.part")));
  // Of damaged data all that can be read is kept, under a name that says that it isn't all.
  node_->failures = {absl::OkStatus(), absl::DataLossError("disk")};
  const auto damaged = Run({"export", "actor", "--out", Path("autre.csv")});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_NE(damaged.err.find("autre.csv.part"), std::string::npos) << damaged.err;
  EXPECT_FALSE(std::filesystem::exists(Path("autre.csv")));
  EXPECT_TRUE(std::filesystem::exists(Path("autre.csv.part")));
}

TEST_F(ImportExport, AnExportIsNotedBeforeAnythingLeaves) {
  Create({"actor", "name=ADOS"});
  EXPECT_EQ(Run({"export", "actor", "--out", Path("acteurs.csv"), "--person", "Camille"}).exit_code, 0);
  EXPECT_EQ(Run({"export", "actor", "--format", "jsonl"}).exit_code, 0);
  ASSERT_THAT(node_->exports, SizeIs(2));
  EXPECT_EQ(node_->exports[0].person(), "Camille");
  EXPECT_EQ(node_->exports[0].what(), "actor, csv");
  EXPECT_EQ(node_->exports[0].where(), Path("acteurs.csv"));
  EXPECT_EQ(node_->exports[1].where(), "-");
  node_->failures = {absl::PermissionDeniedError("no")};
  EXPECT_EQ(Run({"export", "actor", "--out", Path("autre.csv")}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(Path("autre.csv.part")));
}

}  // namespace
}  // namespace maillage::client::testing
