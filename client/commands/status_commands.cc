// status, peers.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/commands/fleet_text.h"
#include "client/commands/json.h"
#include "client/commands/peer_state.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

Json PeerJson(const Session& session, const v1::PeerStatus& peer) {
  Json json = ToJson(peer, JsonDefaults::kPrint);
  json["pending"] = PendingChanges(peer);
  json["text"] = StateText(session, peer);
  return json;
}

void PrintPeersCsv(Session& session,
                   const google::protobuf::RepeatedPtrField<v1::PeerStatus>& peers) {
  session.env.out << CsvLine({"site", "address", "state", "text", "pending", "last_contact_time",
                              "last_agreement_time", "last_error"});
  for (const v1::PeerStatus& peer : peers) {
    session.env.out << CsvLine(
        {peer.site(), peer.address(), v1::PeerStatus::State_Name(peer.state()),
         StateText(session, peer), absl::StrCat(PendingChanges(peer)),
         MachineTime(ToTime(peer.last_contact_time())),
         MachineTime(ToTime(peer.last_agreement_time())), peer.last_error()});
  }
}

absl::Status RunPeers(Session& session) {
  const absl::StatusOr<v1::ListPeersResponse> response =
      session.client().connection().ListPeers({});
  if (!response.ok()) return response.status();
  switch (session.output) {
    case Output::kJson: {
      Json array = Json::array();
      for (const v1::PeerStatus& peer : response->peers()) {
        array.push_back(PeerJson(session, peer));
      }
      session.env.out << Print(array);
      break;
    }
    case Output::kCsv:
      PrintPeersCsv(session, response->peers());
      break;
    case Output::kTable:
      session.env.out << PeersTable(session, response->peers());
      break;
  }
  return absl::OkStatus();
}

std::string KindsText(const Session& session, const v1::NodeStatus& status) {
  std::vector<std::string> counts;
  for (const v1::KindCount& kind : status.kinds()) {
    counts.push_back(absl::StrCat(kind.records(), " ", kind.kind()));
  }
  return counts.empty() ? session.Say("aucune", "none") : absl::StrJoin(counts, ", ");
}

std::string WriteStateText(const Session& session, const v1::NodeStatus& status) {
  switch (status.write_state()) {
    case v1::NodeStatus::READ_ONLY_DISK_FULL:
      return session.Say("lecture seule, disque plein", "read-only, disk full");
    case v1::NodeStatus::READ_ONLY_STORE_ERROR:
      return session.Say("lecture seule, disque en erreur", "read-only, disk error");
    default:
      return session.Say("lecture seule", "read-only");
  }
}

void AddDamage(const Session& session, const v1::NodeStatus& status, TextTable& table) {
  if (status.unreadable_records() > 0) {
    table.AddRow(
        {session.Say("illisibles", "unreadable"),
         absl::StrCat(status.unreadable_records(),
                      session.Say(" (maillage doctor --repair)", " (maillage doctor --repair)"))});
  }
  if (!status.scope().empty() && status.scope() != "*") {
    const std::string complete =
        status.has_territory_complete_time()
            ? absl::StrCat(session.Say(" (complet depuis le ", " (complete since "),
                           session.ShortTimeText(ToTime(status.territory_complete_time())), ")")
            : session.Say(" (pas encore complet : à comparer avec un site qui tient tout cela)",
                          " (not complete yet: to be compared with a site that holds all of it)");
    table.AddRow({session.Say("tient", "holds"), absl::StrCat(status.scope(), complete)});
  }
  if (status.leaving_records() > 0) {
    table.AddRow({session.Say("à remettre à un autre site", "to hand over to another site"),
                  absl::StrCat(status.leaving_records())});
  }
  if (status.waiting_records() > 0) {
    table.AddRow({session.Say("en attente d'un pair", "waiting for a peer"), absl::StrCat(status.waiting_records())});
  }
  if (!status.store_damage().empty()) {
    table.AddRow({session.Say("base", "store"), OneLine(status.store_damage())});
  }
}

void AddWriteState(const Session& session, const v1::NodeStatus& status, TextTable& table) {
  if (status.free_disk_bytes() > 0) {
    table.AddRow({session.Say("place libre", "free space"),
                  absl::StrCat(status.free_disk_bytes() >> 20, session.Say(" Mio", " MiB"))});
  }
  if (!status.read_only_reason().empty()) {
    const std::string since = session.ShortTimeText(ToTime(status.write_state_time()));
    const bool told = status.has_write_state_time();
    table.AddRow({session.Say("écriture", "writing"),
                  absl::StrCat(WriteStateText(session, status),
                               told ? session.Say(" depuis le ", " since ") + since : "",
                               session.Say(" : ", ": "), OneLine(status.read_only_reason()))});
  }
  if (status.failed_commits() > 0) {
    table.AddRow({session.Say("erreurs d'écriture", "failed writes"),
                  absl::StrCat(status.failed_commits(), session.Say(", base rouverte ", ", store reopened "),
                               status.store_reopenings(), session.Say(" fois", " times"))});
  }
  if (status.waiting_sessions() > 0) {
    table.AddRow({session.Say("sites en attente", "sites waiting"),
                  absl::StrCat(status.waiting_sessions(), session.Say(" (comparaisons en cours : ", " (comparing: "),
                               status.reconciling_sessions(), ")")});
  }
}

void AddUpkeep(const Session& session, const v1::NodeStatus& status, TextTable& table) {
  uint64_t stored = 0;
  for (const v1::TableSize& size : status.tables()) stored += size.bytes();
  table.AddRow({session.Say("base et mémoire", "store and memory"),
                absl::StrCat(stored >> 20, session.Say(" Mio, ", " MiB, "), status.memory_bytes() >> 20, session.Say(" Mio", " MiB"))});
  table.AddRow({session.Say("dernière sauvegarde", "last backup"),
                status.has_backup_time() ? session.ShortTimeText(ToTime(status.backup_time()))
                                         : session.Say("aucune (maillage backup DOSSIER)", "none (maillage backup FOLDER)")});
}

void AddRenewals(const Session& session, const v1::NodeStatus& status, TextTable& table) {
  if (status.renewals() == 0) return;
  std::string text = absl::StrCat(status.renewals());
  if (status.has_renewal_time()) {
    absl::StrAppend(&text, session.Say(", la dernière le ", ", the last on "),
                    session.ShortTimeText(ToTime(status.renewal_time())));
  }
  if (!status.renewal_reason().empty()) {
    absl::StrAppend(&text, session.Say(" : ", ": "), OneLine(status.renewal_reason()));
  }
  if (status.renamed_changes() > 0) {
    absl::StrAppend(&text, session.Say(" ; modifications gardées sous un nouveau numéro : ",
                                       "; changes kept under a new number: "),
                    status.renamed_changes());
  }
  table.AddRow({session.Say("nouvelles incarnations", "new incarnations"), text});
}

void PrintNode(Session& session, const v1::NodeStatus& status) {
  TextTable table({"site", OneLine(status.site())});
  table.AddRow({session.Say("nœud", "node"),
                absl::StrCat(session.node, ", maillaged ", status.version(),
                             session.Say(", démarré le ", ", started "),
                             session.ShortTimeText(ToTime(status.start_time())))});
  if (!status.network().empty()) {
    table.AddRow({session.Say("réseau", "network"),
                  absl::StrCat(status.network(), session.Say(", certificat valable jusqu'au ", ", certificate valid until "),
                               session.ShortTimeText(ToTime(status.certificate_expire_time())))});
  }
  table.AddRow({session.Say("fiches", "records"), KindsText(session, status)});
  table.AddRow({session.Say("empreinte", "root"), status.root()});
  table.AddRow({session.Say("versions à comparer", "versions to compare"),
                absl::StrCat(status.conflicts())});
  table.AddRow(
      {session.Say("en quarantaine", "in quarantine"), absl::StrCat(status.quarantined())});
  if (status.changes_from_the_future() > 0) {
    table.AddRow({session.Say("datés dans le futur", "from the future"),
                  absl::StrCat(status.changes_from_the_future())});
  }
  AddRenewals(session, status, table);
  AddDamage(session, status, table);
  AddWriteState(session, status, table);
  AddUpkeep(session, status, table);
  if (!status.fleet().empty()) table.AddRow({session.Say("partout", "everywhere"), EverywhereText(session, status)});
  session.env.out << table.Render(0) << "\n";
  // A member sees its peers among all sites; those that aren't members, or were never reached, only here.
  if (!status.fleet().empty()) session.env.out << FleetTable(session, status) << "\n";
  session.env.out << PeersTable(session, status.peers());
}

void PrintCheck(Session& session, const Check& check) {
  static constexpr const char* kMachineWords[] = {"OK", "DEGRADED", "CRITICAL"};
  const std::string reasons = absl::StrJoin(check.reasons, " ; ");
  if (session.output == Output::kJson) {
    session.env.out << Print({{"state", kMachineWords[check.exit_code]},
                              {"exit_code", check.exit_code},
                              {"reasons", check.reasons}});
    return;
  }
  const std::string words[] = {session.Say("tout va bien", "fine"),
                               session.Say("dégradé", "degraded"),
                               session.Say("critique", "critical")};
  session.env.out << words[check.exit_code];
  if (!reasons.empty()) session.env.out << session.Say(" : ", ": ") << reasons;
  session.env.out << "\n";
}

Json StatusJson(const Session& session, const v1::NodeStatus& status) {
  Json json = ToJson(status, JsonDefaults::kPrint);
  json["peers"] = Json::array();
  for (const v1::PeerStatus& peer : status.peers()) json["peers"].push_back(PeerJson(session, peer));
  for (int i = 0; i < status.fleet_size(); ++i) {
    json["fleet"][static_cast<size_t>(i)]["text"] = StandingText(session, status, status.fleet(i));
  }
  return json;
}

void PrintStatus(Session& session, const v1::NodeStatus& status) {
  switch (session.output) {
    case Output::kJson:
      session.env.out << Print(StatusJson(session, status));
      break;
    case Output::kCsv:
      PrintPeersCsv(session, status.peers());
      break;
    case Output::kTable:
      PrintNode(session, status);
      break;
  }
}

absl::Status RunStatusCheck(Session& session) {
  const absl::StatusOr<v1::NodeStatus> status = session.client().connection().GetStatus({});
  if (!status.ok()) {
    session.exit_code = kUnknown;
    return status.status();
  }
  const Check check = CheckNode(session, *status);
  PrintCheck(session, check);
  session.exit_code = check.exit_code;
  return absl::OkStatus();
}

// A node that doesn't answer for a while is told, and asked again: who watches wants to see it come back.
absl::Status WatchStatus(Session& session) {
  constexpr absl::Duration kPause = absl::Seconds(2);
  const bool redraws = session.output == Output::kTable && session.env.out_width > 0;
  while (!session.env.stopped() && session.env.out.good()) {
    const absl::StatusOr<v1::NodeStatus> status = session.client().connection().GetStatus({});
    if (absl::IsCancelled(status.status())) break;
    // Home, and all that is below is cleared.
    if (redraws) session.env.out << "\x1b[H\x1b[2J";
    if (status.ok() && session.output == Output::kJson) {
      session.env.out << PrintLine(StatusJson(session, *status));
    } else if (status.ok()) {
      PrintStatus(session, *status);
    } else {
      session.env.err << OneLine(std::string(status.status().message())) << "\n";
    }
    session.env.out << std::flush;
    session.env.wait(kPause);
  }
  return absl::OkStatus();
}

absl::Status RunStatus(Session& session) {
  const absl::StatusOr<v1::NodeStatus> status = session.client().connection().GetStatus({});
  if (!status.ok()) return status.status();
  PrintStatus(session, *status);
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommands(Program& program) {
  Session& session = program.session;
  auto check = std::make_shared<bool>(false);
  auto watch = std::make_shared<bool>(false);
  CLI::App* const status = program.Add(
      "status",
      session.Say("Montre le nœud, et où en sont tous les sites du réseau", "Shows the node, and how all sites of the network are doing"),
      "  maillage status\n  maillage status --watch\n  maillage status --check; echo $?\n",
      [&session, check, watch] {
        if (*check) return RunStatusCheck(session);
        return *watch ? WatchStatus(session) : RunStatus(session);
      });
  status
      ->add_flag("--watch", *watch,
                 session.Say("Recommence toutes les 2 secondes, jusqu'à Ctrl-C", "Again every 2 seconds, until Ctrl-C"));
  status->add_flag("--check", *check,
                   session.Say("Une ligne, et le code de sortie : 0 bien, 1 dégradé, 2 critique, "
                               "3 inconnu",
                               "One line, and the exit code: 0 fine, 1 degraded, 2 critical, "
                               "3 unknown"));
  program.Add("peers", session.Say("Montre les pairs du nœud", "Shows the node's peers"),
              "  maillage peers --output csv\n", [&session] { return RunPeers(session); });
}

}  // namespace maillage::client::commands
