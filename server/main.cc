// maillaged: the node as a program.
#include <pthread.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "grpc/support/log.h"
#include "proto/absl_view.h"
#include "server/audit_log.h"
#include "server/backup.h"
#include "server/config.h"
#include "server/machine.h"
#include "server/node.h"
#include "server/salvage.h"
#include "server/trust/credentials.h"
#include "server/trust/trust_commands.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace {

using maillage::server::Config;

constexpr int kWrongUsage = 64;
constexpr int kFailed = 1;
constexpr int kRepaired = 1;
constexpr int kDamageRemains = 2;

void StartLog(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("maillaged"));
  // journald and humans read the same line; fields are key=value.
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
}

// SIGTERM and SIGINT are taken by sigwait alone, so that no handler runs in the middle of anything.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// What gRPC says of its connections is for whoever looks for a fault in them; what it means is in our own lines.
void StartTransportLog() {
  gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("grpc {}", line->message); });
}

void DescribeOptions(CLI::App& app, Config& flags, std::string& file) {
  app.name("maillaged");
  app.description(
      "Nœud Maillage : la base d'un site, et ses liaisons avec les autres.\n"
      "A Maillage node: one site's database, and its links to the others.");
  app.add_option("--config", file, "Fichier TOML : site, data, lease, scope, listen, socket, http, peers, log_level, cache_mib")
      ->check(CLI::ExistingFile);
  app.add_option("--site", flags.site, "Nom du site : savoie");
  app.add_option("--data", flags.data, "Dossier des données, créé s'il n'existe pas");
  app.add_option("--lease", flags.lease,
                 "Fichier, hors des données, qui note quel dossier a servi en dernier (DATA.lease)");
  app.add_option("--scope", flags.scope,
                 "Départements que ce site tient, à sa première ouverture : 73 ou 73,74 (tout)");
  app.add_option("--listen", flags.listen, "HÔTE:PORT où écouter (127.0.0.1:7101 ; port 0 : un port libre)");
  app.add_option("--socket", flags.socket, "Socket Unix pour les programmes de cette machine (DATA/maillage.sock)");
  app.add_option("--peer", flags.peers, "HÔTE:PORT d'un nœud à appeler ; répétable");
  app.add_option("--http", flags.http, "Santé et mesures en HTTP, sur cette machine seulement : 127.0.0.1:7180 (rien)");
  app.add_option("--log-level", flags.log_level, "trace, debug, info, warn ou error");
  app.add_option("--cache-mib", flags.cache_mib, "Mémoire pour les lectures, en Mio");
  app.footer(
      "Exemples :\n"
      "  maillaged --site lyon --data /var/lib/maillage --listen 127.0.0.1:7101\n"
      "  maillaged --site savoie --data savoie --listen 127.0.0.1:7103 --peer 127.0.0.1:7101 --peer 127.0.0.1:7102\n"
      "  maillaged --config /etc/maillage/maillaged.toml\n\n"
      "SIGTERM l'arrête proprement.");
  app.set_version_flag("--version", MAILLAGE_VERSION);
}

// Flags win over the file.
void Override(const CLI::App& app, const Config& flags, Config& config) {
  if (app.count("--site") > 0) config.site = flags.site;
  if (app.count("--data") > 0) config.data = flags.data;
  if (app.count("--lease") > 0) config.lease = flags.lease;
  if (app.count("--scope") > 0) config.scope = flags.scope;
  if (app.count("--listen") > 0) config.listen = flags.listen;
  if (app.count("--socket") > 0) config.socket = flags.socket;
  if (app.count("--peer") > 0) config.peers = flags.peers;
  if (app.count("--http") > 0) config.http = flags.http;
  if (app.count("--log-level") > 0) config.log_level = flags.log_level;
  if (app.count("--cache-mib") > 0) config.cache_mib = flags.cache_mib;
}

int Complain(const absl::Status& status, int code) {
  std::fprintf(stderr, "maillaged : %s\n", std::string(maillage::ToStd(status.message())).c_str());
  return code;
}

constexpr uint64_t kMiB = uint64_t{1} << 20;

// One line on a terminal, drawn again; nothing elsewhere.
bool ShowBytes(uint64_t done, uint64_t total) {
  if (isatty(STDERR_FILENO) == 0) return true;
  std::fprintf(stderr, "\r%" PRIu64 "/%" PRIu64 " Mio\x1b[K", done / kMiB, total / kMiB);
  if (done >= total) std::fputs("\r\x1b[K", stderr);
  return true;
}

void DescribeBackup(const maillage::server::BackupManifest& manifest) {
  const time_t seconds = static_cast<time_t>(manifest.time_millis / 1000);
  char when[sizeof("2026-11-24 10:00 UTC")];
  struct tm parts = {};
  gmtime_r(&seconds, &parts);
  std::strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &parts);
  std::printf("site %s, sauvegardé le %s : %zu fichiers, %" PRIu64 " octets, empreinte %s\n", manifest.site.c_str(),
              when, manifest.files.size(), manifest.bytes(), manifest.root.c_str());
}

int RunVerify(const std::string& backup) {
  const auto manifest = maillage::server::VerifyBackup(backup, nullptr);
  if (!manifest.ok()) return Complain(manifest.status(), kFailed);
  std::printf("La sauvegarde est intacte. ");
  DescribeBackup(*manifest);
  return 0;
}

// In the audit log of a node that doesn't run.
void Note(const std::string& data, const char* action, const std::string& subject) {
  maillage::server::MachineClock clock;
  const maillage::server::AuditEvent event{clock.NowMillis(), maillage::server::SystemUser(), action, subject, "", ""};
  const absl::Status noted = maillage::server::AuditLog(data).Append({event});
  if (!noted.ok()) std::fprintf(stderr, "Attention : %s\n", std::string(noted.message()).c_str());
}

int RunRestore(const std::string& backup, const std::string& data) {
  const auto manifest = maillage::server::Restore(backup, data, ShowBytes);
  if (!manifest.ok()) return Complain(manifest.status(), kFailed);
  Note(data, "restored", backup);
  DescribeBackup(*manifest);
  std::printf(
      "Restauré dans %s. Démarrez maintenant le nœud avec --data %s : il prend une nouvelle incarnation, puis\n"
      "reçoit de ses pairs ce qui a été écrit depuis. L'ancien nœud ne doit plus démarrer.\n",
      data.c_str(), data.c_str());
  return 0;
}

bool ShowRows(uint64_t rows) {
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r%" PRIu64 " lignes\x1b[K", rows);
  return true;
}

// 0: nothing was damaged; 1: all that was is repaired, or waits for a peer; 2: damage remains.
int RunSalvage(const std::string& data) {
  const auto report = maillage::server::Salvage(data, ShowRows);
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\x1b[K", stderr);
  if (!report.ok()) return Complain(report.status(), kDamageRemains);
  Note(data, "salvage", data);
  if (!report->manifest_damage.empty()) std::printf("Inventaire refait : %s\n", report->manifest_damage.c_str());
  for (size_t table = 0; table < maillage::storage::kTableCount; ++table) {
    const auto& counts = report->counts.tables[table];
    std::printf("%-13s %10" PRIu64 " lignes sauvées, %" PRIu64 " endroits illisibles, %" PRIu64
                " lignes retrouvées par leur nom\n",
                std::string(TableName(static_cast<maillage::storage::Table>(table))).c_str(), counts.copied,
                counts.places, counts.by_name);
  }
  const auto& repair = report->repair;
  std::printf("Dommages trouvés : %" PRIu64 ". Fiches recalculées : %" PRIu64 ", à reprendre d'un autre site : %" PRIu64
              ". Ce qui reste : %" PRIu64 ".\n",
              repair.before.damaged(), repair.done.rebuilt, repair.after.waiting, repair.after.damaged());
  std::printf("La base endommagée est gardée dans %s/%s. Démarrez le nœud : il a une nouvelle incarnation, et ses pairs\n"
              "lui rendent ce qui manque.\n",
              data.c_str(), report->kept.c_str());
  if (repair.after.damaged() > 0) return kDamageRemains;
  const bool found = report->counts.places() > 0 || repair.done.anything() || !report->manifest_damage.empty();
  return found ? kRepaired : 0;
}

// Commands for a node that doesn't run; none chosen: the node itself.
struct OfflineCommands {
  CLI::App* verify = nullptr;
  CLI::App* restore = nullptr;
  CLI::App* salvage = nullptr;
  std::string backup;
  std::string data;

  void Describe(CLI::App& app) {
    verify = app.add_subcommand("verify", "Vérifie une sauvegarde / checks a backup");
    restore = app.add_subcommand("restore", "Restaure une sauvegarde / restores a backup");
    for (CLI::App* command : {verify, restore}) {
      command->add_option("BACKUP", backup, "Dossier d'une sauvegarde / a backup's folder")->required();
    }
    restore->add_option("--data", data, "Dossier des données, nouveau ou vide / new or empty data folder")
        ->required();
    salvage = app.add_subcommand("salvage",
                                 "Sauve tout ce qui se lit encore d'une base endommagée / salvages what can still be "
                                 "read of a damaged store");
    salvage->add_option("DATA", data, "Dossier des données du nœud arrêté / data folder of the stopped node")->required();
    salvage->footer("Exemple :\n  maillaged salvage /var/lib/maillage");
    verify->footer("Exemple :\n  maillaged verify /srv/copies/savoie-2026-11-24");
    restore->footer(
        "Exemple :\n  maillaged restore /srv/copies/savoie-2026-11-24 --data /var/lib/maillage\n"
        "Interrompue, la même commande recommence. / Interrupted, the same command starts over.");
  }
  // The exit code, or nothing where none was chosen.
  std::optional<int> Run() const {
    if (verify->parsed()) return RunVerify(backup);
    if (restore->parsed()) return RunRestore(backup, data);
    if (salvage->parsed()) return RunSalvage(data);
    return std::nullopt;
  }
};

}  // namespace

int main(int argc, char** argv) {
  maillage::server::AllowTls13Alone();
  CLI::App app;
  Config flags;
  std::string file;
  DescribeOptions(app, flags, file);
  OfflineCommands offline;
  offline.Describe(app);
  maillage::server::TrustCommands trust;
  trust.Describe(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kWrongUsage;
  }
  if (const std::optional<int> code = offline.Run()) return *code;
  // The commands say by themselves what went wrong.
  gpr_set_log_function([](gpr_log_func_args*) {});
  if (const std::optional<absl::Status> done = trust.Run()) return done->ok() ? 0 : Complain(*done, kFailed);
  Config config;
  if (!file.empty()) {
    absl::Status read = maillage::server::ReadConfigFile(file, config);
    if (!read.ok()) return Complain(read, kWrongUsage);
  }
  Override(app, flags, config);
  if (absl::Status status = CheckConfig(config); !status.ok()) return Complain(status, kWrongUsage);

  const sigset_t stop_signals = BlockStopSignals();
  StartLog(config.log_level);
  StartTransportLog();
  auto node = maillage::server::Node::Start(config);
  if (!node.ok()) return Complain(node.status(), kFailed);
  spdlog::info("node ready site={} address={} http={} data={}", config.site, (*node)->address(), (*node)->http_address(),
               config.data.string());
  int signal = 0;
  sigwait(&stop_signals, &signal);
  spdlog::info("node stopping signal={}", signal);
  (*node)->Shutdown();
  spdlog::info("node stopped");
  return 0;
}
