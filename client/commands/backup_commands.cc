// backup, restore, doctor.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/progress.h"
#include "client/commands/text_table.h"

namespace maillage::client::commands {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

absl::Status RunNodeProgram(Session& session, const std::vector<std::string>& arguments) {
  const absl::StatusOr<int> code = session.env.run_node_program(arguments);
  if (!code.ok()) return code.status();
  session.exit_code = *code;
  return absl::OkStatus();
}

absl::Status RunBackup(Session& session, const std::string& folder) {
  v1::BackupRequest request;
  // The node has a working folder of its own.
  request.set_person(session.person);
  request.set_folder(std::filesystem::absolute(folder).lexically_normal().string());
  std::optional<Progress> bar;
  v1::BackupSummary summary;
  const absl::Status made =
      session.client().connection().Backup(request, [&](const v1::BackupProgress& progress) {
        if (!bar.has_value()) bar.emplace(session, progress.bytes_total() / kMiB, session.Say("Mio", "MiB"));
        bar->Show(progress.bytes_done() / kMiB);
        if (progress.has_summary()) summary = progress.summary();
      });
  bar.reset();
  if (!made.ok()) return made;
  if (session.output == Output::kJson) {
    session.env.out << Print(ToJson(summary, JsonDefaults::kPrint));
    return absl::OkStatus();
  }
  session.env.out << summary.folder() << session.Say(" : ", ": ") << summary.files()
                  << session.Say(" fichiers, ", " files, ") << summary.bytes()
                  << session.Say(" octets ; empreinte ", " bytes; root ") << summary.root()
                  << session.Say("\nGardez-la sur un autre disque, comme une clé : elle contient celle du site. Elle va avec ",
                                 "\nKeep it on another disk, like a key: the site's own is in it. It goes with ")
                  << summary.personal_keys_file() << session.Say(", sans quoi les données personnelles sont illisibles.\n",
                                                                 ", without which personal data can't be read.\n");
  return absl::OkStatus();
}

void PrintFindings(Session& session, const v1::ScrubReport& report) {
  if (report.findings().empty()) return;
  TextTable findings({session.Say("table", "table"), session.Say("fiche", "record"), session.Say("clé", "key"),
                      session.Say("constat", "finding")});
  for (const v1::Finding& finding : report.findings()) {
    findings.AddRow({finding.table(), finding.record(), finding.key(), finding.what()});
  }
  session.env.out << "\n" << findings.Render(0);
}

void PrintRepair(Session& session, const v1::RepairSummary& done) {
  TextTable table({session.Say("trouvé", "found"), absl::StrCat(done.before().damaged())});
  const auto add = [&](const std::string& what, uint64_t count) {
    if (count > 0) table.AddRow({what, absl::StrCat(count)});
  };
  add(session.Say("fiches recalculées de leur histoire", "records computed from their history"), done.rebuilt_records());
  add(session.Say("fiches à reprendre d'un pair", "records to come from a peer"), done.given_up_records());
  add(session.Say("empreintes, index et nombres refaits", "fingerprints, index and counts made anew"),
      done.derived_rows());
  add(session.Say("lignes d'histoire complétées ou retirées", "rows of histories completed or taken away"),
      done.history_rows());
  add(session.Say("autres lignes retirées", "other rows taken away"), done.other_rows());
  session.env.out << table.Render(0);
  if (done.new_incarnation()) {
    session.env.out << session.Say("Le nœud a pris une nouvelle incarnation ; ce qui a été retiré est en quarantaine.\n",
                                   "The node took a new incarnation; what was taken away is in quarantine.\n");
  }
  session.env.out << "\n";
}

void PrintWhatToDo(Session& session, const v1::ScrubReport& report, bool repaired) {
  if (report.waiting_records() > 0) {
    session.env.out << "\n"
                    << report.waiting_records()
                    << session.Say(" fiches attendent un autre site qui les a : maillage peers, maillage sync PAIR\n",
                                   " records wait for another site that has them: maillage peers, maillage sync PEER\n");
  }
  if (report.damaged() == 0) return;
  session.env.out << (repaired ? session.Say("\nCe qui reste est illisible sur le disque : arrêtez le nœud, puis "
                                             "maillage doctor --salvage DOSSIER\n",
                                             "\nWhat remains can't be read from the disk: stop the node, then "
                                             "maillage doctor --salvage FOLDER\n")
                               : session.Say("\nPour réparer : maillage doctor --repair\n",
                                             "\nTo repair: maillage doctor --repair\n"));
}

absl::Status RunDoctor(Session& session, bool repair) {
  v1::ScrubRequest request;
  request.set_repair(repair);
  request.set_person(session.person);
  v1::ScrubProgress last;
  std::optional<Progress> bar;
  uint64_t shown = 0;
  const absl::Status examined =
      session.client().connection().Scrub(request, [&](const v1::ScrubProgress& progress) {
        if (progress.has_report()) {
          last = progress;
          return;
        }
        // A repair reads everything several times.
        const bool begins = progress.rows_done() < std::exchange(shown, progress.rows_done());
        if (!bar.has_value() || begins) {
          bar.emplace(session, progress.rows_total(), session.Say("lignes", "rows"));
        }
        bar->Show(progress.rows_done());
      });
  bar.reset();
  if (!examined.ok()) return examined;
  const v1::ScrubReport& report = last.report();
  const bool found = report.waiting_records() > 0 || last.repair().before().damaged() > 0;
  if (found) session.exit_code = kDegraded;
  if (report.damaged() > 0) session.exit_code = kCritical;
  if (session.output == Output::kJson) {
    session.env.out << Print(repair ? ToJson(last, JsonDefaults::kPrint) : ToJson(report, JsonDefaults::kPrint));
    return absl::OkStatus();
  }
  if (repair) PrintRepair(session, last.repair());
  TextTable tables({session.Say("table", "table"), session.Say("lignes", "rows"), session.Say("dommages", "damaged")});
  for (const v1::TableReport& table : report.tables()) {
    tables.AddRow({table.table(), absl::StrCat(table.checked()), absl::StrCat(table.damaged())});
  }
  session.env.out << tables.Render(0);
  PrintFindings(session, report);
  PrintWhatToDo(session, report, repair);
  return absl::OkStatus();
}

}  // namespace

void AddBackupCommands(Program& program) {
  Session& session = program.session;
  auto folder = std::make_shared<std::string>();
  auto verify = std::make_shared<bool>(false);
  CLI::App* const backup = program.Add(
      "backup",
      session.Say("Copie le nœud en marche dans un nouveau dossier de sa machine",
                  "Copies the running node into a new folder of its machine"),
      "  maillage backup /srv/copies/savoie-2026-11-24\n  maillage backup --verify /srv/copies/savoie-2026-11-24\n",
      [&session, folder, verify] {
        return *verify ? RunNodeProgram(session, {"verify", *folder}) : RunBackup(session, *folder);
      });
  backup->add_option("FOLDER", *folder, session.Say("Dossier de la sauvegarde", "The backup's folder"))->required();
  backup->add_flag("--verify", *verify,
                   session.Say("Vérifie une sauvegarde faite, sans nœud", "Checks one that was made, without a node"));
  auto source = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>();
  CLI::App* const restore = program.Add(
      "restore",
      session.Say("Restaure une sauvegarde dans un dossier vide, nœud arrêté",
                  "Restores a backup into an empty folder; no node needed"),
      "  maillage restore /srv/copies/savoie-2026-11-24 --data /var/lib/maillage\n", [&session, source, data] {
        return RunNodeProgram(session, {"restore", *source, "--data", *data});
      });
  restore->add_option("BACKUP", *source, session.Say("Dossier de la sauvegarde", "The backup's folder"))->required();
  restore
      ->add_option("--data", *data,
                   session.Say("Dossier des données du nœud, nouveau ou vide", "The node's data folder, new or empty"))
      ->required();
  auto repair = std::make_shared<bool>(false);
  auto salvage = std::make_shared<std::string>();
  CLI::App* const doctor = program.Add(
      "doctor",
      session.Say("Examine toute la base du nœud, et la répare ; code de sortie 0 : intacte, 1 : réparée ou en attente "
                  "d'un pair, 2 : il reste un dommage",
                  "Examines the node's whole store, and repairs it; exit code 0: whole, 1: repaired or waiting for a "
                  "peer, 2: damage remains"),
      "  maillage doctor\n  maillage doctor --repair\n  maillage doctor --salvage /var/lib/maillage\n",
      [&session, repair, salvage] {
        return salvage->empty() ? RunDoctor(session, *repair) : RunNodeProgram(session, {"salvage", *salvage});
      });
  CLI::Option* const repairs = doctor->add_flag(
      "--repair", *repair,
      session.Say("Répare le nœud en marche, et reprend de ses pairs ce qui ne se répare pas ici",
                  "Repairs the running node, and fetches from its peers what can't be repaired here"));
  doctor
      ->add_option("--salvage", *salvage,
                   session.Say("Sauve, nœud arrêté, tout ce qui se lit encore dans ce dossier de données",
                               "Salvages, with the node stopped, all that can be read in this data folder"))
      ->excludes(repairs);
}

}  // namespace maillage::client::commands
