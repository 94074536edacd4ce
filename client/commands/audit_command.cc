// audit.
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

constexpr uint32_t kUsualEntries = 50;
// As `status --check` has it.
constexpr int kCritical = 2;

// The node's words for what was done; an unknown one is of a newer node, and stays as it is.
std::string ActionText(const Session& session, const std::string& action) {
  static const std::map<std::string, std::pair<const char*, const char*>> kWords = {
      {"founded", {"réseau fondé", "network founded"}},
      {"enrolled", {"site admis", "site let in"}},
      {"rights", {"droits changés", "rights changed"}},
      {"revocation", {"révocation", "revocation"}},
      {"equivocation", {"contradiction prouvée", "contradiction proven"}},
      {"scope", {"périmètre changé", "scope changed"}},
      {"backup", {"sauvegarde", "backup"}},
      {"restored", {"restauration", "restored"}},
      {"repair", {"réparation", "repair"}},
      {"salvage", {"sauvetage", "salvage"}},
      {"bundle-export", {"lot exporté", "bundle exported"}},
      {"bundle-import", {"lot importé", "bundle imported"}},
      {"snapshot", {"instantané exporté", "snapshot exported"}},
      {"export", {"fiches exportées", "records exported"}},
      {"adopted", {"modification reprise", "change taken over"}},
      {"dropped", {"quarantaine vidée", "taken out of quarantine"}},
      {"new-incarnation", {"nouvelle incarnation", "new incarnation"}},
  };
  const auto word = kWords.find(action);
  return word == kWords.end() ? action : session.Say(word->second.first, word->second.second);
}

Json EntryJson(const v1::AuditLogEntry& entry) {
  return {{"n", entry.number()},
          {"time", MachineTime(ToTime(entry.time()))},
          {"person", entry.person()},
          {"action", entry.action()},
          {"subject", entry.subject()},
          {"detail", entry.detail()},
          {"hash", entry.hash()}};
}

void PrintTable(Session& session, const v1::ListAuditEntriesResponse& log) {
  if (log.total() > static_cast<uint64_t>(log.entries_size())) {
    session.env.out << session.Say(absl::StrCat("Les ", log.entries_size(), " dernières de ", log.total(), " lignes (--all : toutes)\n"),
                                   absl::StrCat("The last ", log.entries_size(), " of ", log.total(), " lines (--all: all of them)\n"));
  }
  TextTable table({session.Say("quand", "when"), session.Say("qui", "who"), session.Say("quoi", "what"),
                   session.Say("sur quoi", "on what"), session.Say("détail", "detail")});
  for (const v1::AuditLogEntry& entry : log.entries()) {
    table.AddRow({session.ShortTimeText(ToTime(entry.time())),
                  entry.person().empty() ? session.Say("le nœud", "the node") : OneLine(entry.person()),
                  ActionText(session, entry.action()), OneLine(entry.subject()), OneLine(entry.detail())});
  }
  session.env.out << table.Render(session.env.out_width);
}

void PrintCsv(Session& session, const v1::ListAuditEntriesResponse& log) {
  session.env.out << CsvLine({"n", "time", "person", "action", "subject", "detail", "hash"});
  for (const v1::AuditLogEntry& entry : log.entries()) {
    session.env.out << CsvLine({absl::StrCat(entry.number()), MachineTime(ToTime(entry.time())), entry.person(), entry.action(),
                                entry.subject(), entry.detail(), entry.hash()});
  }
}

absl::Status RunAudit(Session& session, bool all) {
  v1::ListAuditEntriesRequest request;
  request.set_last(all ? 0 : kUsualEntries);
  const absl::StatusOr<v1::ListAuditEntriesResponse> log = session.client().connection().ListAuditEntries(request);
  if (!log.ok()) return log.status();
  switch (session.output) {
    case Output::kJson: {
      Json entries = Json::array();
      for (const v1::AuditLogEntry& entry : log->entries()) entries.push_back(EntryJson(entry));
      session.env.out << Print({{"entries", std::move(entries)}, {"total", log->total()}, {"damage", log->damage()}});
      break;
    }
    case Output::kCsv:
      PrintCsv(session, *log);
      break;
    case Output::kTable:
      PrintTable(session, *log);
      break;
  }
  if (log->damage().empty()) return absl::OkStatus();
  session.exit_code = kCritical;
  session.env.err << session.Say("Le journal d'audit n'est pas intact : ", "The audit log isn't whole: ") << log->damage() << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAuditCommand(Program& program) {
  Session& session = program.session;
  auto all = std::make_shared<bool>(false);
  CLI::App* const audit = program.Add(
      "audit",
      session.Say("Montre qui a admis, révoqué, restauré, réparé, exporté ; chaque ligne répond de celles d'avant (2 : journal altéré)",
                  "Shows who let in, revoked, restored, repaired, exported; each line vouches for those before it (2: log altered)"),
      "  maillage audit\n  maillage audit --all --output csv\n", [&session, all] { return RunAudit(session, *all); });
  audit->add_flag("--all", *all, session.Say("Toutes les lignes, et non les 50 dernières", "All lines, not the last 50"));
}

}  // namespace maillage::client::commands
