// backup, restore, doctor.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
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
                  << session.Say("\nGardez-la sur un autre disque, comme une clé : elle contient celle du site.\n",
                                 "\nKeep it on another disk, like a key: the site's own is in it.\n");
  return absl::OkStatus();
}

absl::Status RunDoctor(Session& session) {
  v1::ScrubReport report;
  const absl::Status examined = session.client().connection().Scrub({}, [&](const v1::ScrubProgress& progress) {
    if (progress.has_report()) report = progress.report();
    if (session.env.err_is_terminal && !progress.has_report()) {
      session.env.err << "\r" << progress.rows_done() << session.Say(" lignes lues", " rows read") << std::flush;
    }
  });
  if (session.env.err_is_terminal) session.env.err << "\r\x1b[K" << std::flush;
  if (!examined.ok()) return examined;
  if (report.damaged() > 0) session.exit_code = kCritical;
  if (session.output == Output::kJson) {
    session.env.out << Print(ToJson(report, JsonDefaults::kPrint));
    return absl::OkStatus();
  }
  TextTable tables({session.Say("table", "table"), session.Say("lignes", "rows"), session.Say("dommages", "damaged")});
  for (const v1::TableReport& table : report.tables()) {
    tables.AddRow({table.table(), absl::StrCat(table.checked()), absl::StrCat(table.damaged())});
  }
  session.env.out << tables.Render(0);
  if (report.findings().empty()) return absl::OkStatus();
  TextTable findings({session.Say("table", "table"), session.Say("fiche", "record"), session.Say("clé", "key"),
                      session.Say("constat", "finding")});
  for (const v1::Finding& finding : report.findings()) {
    findings.AddRow({finding.table(), finding.record(), finding.key(), finding.what()});
  }
  session.env.out << "\n"
                  << findings.Render(0)
                  << session.Say("\nGardez ce dossier, puis repartez d'une sauvegarde (maillage restore) ou d'un dossier vide "
                                 "que les pairs rempliront.\n",
                                 "\nKeep this folder, then start from a backup (maillage restore) or from an empty folder, "
                                 "which the peers will fill.\n");
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
  program.Add("doctor",
              session.Say("Examine toute la base du nœud en marche ; code de sortie 2 s'il y a un dommage",
                          "Examines the whole store of the running node; exit code 2 where something is damaged"),
              "  maillage doctor\n  maillage doctor --output json\n", [&session] { return RunDoctor(session); });
}

}  // namespace maillage::client::commands
