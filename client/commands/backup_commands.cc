// backup, restore.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/progress.h"

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
}

}  // namespace maillage::client::commands
