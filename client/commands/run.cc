#include "client/commands/run.h"

#include <map>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/commands/commands.h"

namespace maillage::client::commands {
namespace {

constexpr char kDefaultNode[] = "127.0.0.1:7101";

// The language is needed to write the help that parsing may print, hence before parsing.
Language ChosenLanguage(const std::vector<std::string>& arguments, const Environment& environment) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view value = arguments[i];
    if (absl::ConsumePrefix(&value, "--lang=")) return LanguageOfLocale(std::string(value));
    if (value == "--lang" && i + 1 < arguments.size()) return LanguageOfLocale(arguments[i + 1]);
  }
  for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const std::string locale = environment.variable(variable);
    if (!locale.empty()) return LanguageOfLocale(locale);
  }
  return Language::kFrench;
}

std::string FirstOf(std::string value, std::string otherwise) {
  return value.empty() ? std::move(otherwise) : std::move(value);
}

void TranslateHelp(CLI::App& app, const Session& session) {
  auto formatter = std::make_shared<CLI::Formatter>();
  if (session.language == Language::kFrench) {
    formatter->label("Usage", "Utilisation");
    formatter->label("Positionals", "Arguments");
    formatter->label("SUBCOMMAND", "COMMANDE");
    formatter->label("Subcommands", "Commandes");
    formatter->label("REQUIRED", "(obligatoire)");
    formatter->label("TEXT", "TEXTE");
    formatter->label("UINT", "NOMBRE");
    formatter->label("INT", "NOMBRE");
  }
  app.formatter(formatter);
  app.set_help_flag("-h,--help", session.Say("Affiche cette aide", "Shows this help"));
}

void AddGlobalOptions(CLI::App& app, Session& session) {
  static const std::map<std::string, Output> kOutputs = {
      {"table", Output::kTable}, {"json", Output::kJson}, {"csv", Output::kCsv}};
  app.add_option("--node", session.node,
                 session.Say("Adresse du nœud, HÔTE:PORT ou unix:SOCKET ; sinon MAILLAGE_NODE, sinon ",
                             "The node's HOST:PORT or unix:SOCKET; else MAILLAGE_NODE, else ") +
                     kDefaultNode);
  app.add_option("--output", session.output,
                 session.Say("table, json ou csv", "table, json or csv"))
      ->transform(CLI::CheckedTransformer(kOutputs).description(""));
  app.add_option("--person", session.person,
                 session.Say("Qui écrit, pour l'historique ; sinon MAILLAGE_PERSON, sinon "
                             "l'utilisateur du système",
                             "Who writes, for the history; else MAILLAGE_PERSON, else the system's "
                             "user"));
  // Read by ChosenLanguage.
  const std::string about_language =
      session.Say("fr ou en ; sinon selon LANG", "fr or en; else by LANG");
  app.add_option("--lang", about_language)->check(CLI::IsMember({"fr", "en"}).description(""));
  app.set_version_flag("--version", "maillage " MAILLAGE_VERSION,
                       session.Say("Affiche la version", "Shows the version"));
}

void AddCommands(Program& program) {
  AddReadCommands(program);
  AddWriteCommands(program);
  AddHistoryCommand(program);
  AddExplainCommand(program);
  AddConflictCommands(program);
  AddWatchCommand(program);
  AddImportCommand(program);
  AddExportCommand(program);
  AddStatusCommands(program);
  AddPeerCommands(program);
  AddSiteCommands(program);
  AddMemberCommands(program);
  AddAuditCommand(program);
  AddQuarantineCommand(program);
  AddBackupCommands(program);
  AddBundleCommands(program);
  AddKindsCommand(program);
}

// The library's messages are English; the two that people meet most are told in French.
std::string ParseErrorText(const Session& session, const CLI::ParseError& error) {
  const std::string what = error.what();
  if (session.language == Language::kEnglish) return what;
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    absl::string_view missing = what;
    if (!absl::ConsumeSuffix(&missing, " is required") || missing == "A subcommand") {
      return "il manque une commande connue";
    }
    return absl::StrCat("il manque ", missing);
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return absl::StrCat("argument inattendu : ", what.substr(what.find(": ") + 2));
  }
  return absl::StrCat("ligne de commande refusée : ", what);
}

int Report(const Session& session, const absl::Status& status, const std::string& command) {
  std::ostream& err = session.env.err;
  err << "maillage" << session.Say(" : ", ": ");
  // What the node itself said begins so; the rest is the transport's, in English.
  const bool said_by_node = absl::StartsWith(status.message(), "le nœud ");
  if (absl::IsUnavailable(status) && !said_by_node) {
    err << session.Say(absl::StrCat("le nœud ", session.node,
                                    " ne répond pas. Est-il démarré ? "
                                    "Une autre adresse se donne avec --node. ("),
                       absl::StrCat("the node ", session.node,
                                    " doesn't answer. Is it running? "
                                    "--node gives another address. ("))
        << status.message() << ")\n";
    if (!absl::StartsWith(session.node, "unix:")) {
      err << session.Say("S'il est membre d'un réseau, il ne répond aux programmes de sa machine que par sa socket : "
                         "--node unix:DOSSIER/maillage.sock\n",
                         "If it belongs to a network, it answers programs of its machine over its socket alone: "
                         "--node unix:FOLDER/maillage.sock\n");
    }
  } else if (absl::IsDeadlineExceeded(status)) {
    err << session.Say(absl::StrCat("le nœud ", session.node,
                                    " n'a pas répondu à temps ; "
                                    "réessayez, ou voyez son journal\n"),
                       absl::StrCat("the node ", session.node,
                                    " didn't answer in time; try "
                                    "again, or see its log\n"));
  } else if (absl::IsCancelled(status)) {
    err << session.Say("arrêté\n", "stopped\n");
  } else {
    err << status.message() << "\n";
  }
  if (IsUsageError(status)) {
    err << session.Say("Aide : maillage ", "Help: maillage ") << command << " --help\n";
    return kUsage;
  }
  return session.exit_code == kFine ? kFailed : session.exit_code;
}

int Parse(CLI::App& app, const Session& session, const std::vector<std::string>& arguments) {
  try {
    // The library takes the words from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted, session.env.out, session.env.err);
  } catch (const CLI::ParseError& error) {
    session.env.err << "maillage" << session.Say(" : ", ": ") << ParseErrorText(session, error)
                    << session.Say("\nAide : maillage --help, maillage COMMANDE --help\n",
                                   "\nHelp: maillage --help, maillage COMMAND --help\n");
    return kUsage;
  }
  return -1;
}

}  // namespace

CLI::App* Program::Add(std::string name, std::string description, std::string examples,
                       std::function<absl::Status()> run) {
  CLI::App* const command = app.add_subcommand(std::move(name), std::move(description));
  command->group(session.Say("Commandes", "Commands"));
  command->footer(
      session.Say("Exemples :\n", "Examples:\n") + std::move(examples) +
      session.Say("Options générales (--node, --output, --person, --lang) : maillage --help",
                  "General options (--node, --output, --person, --lang): maillage --help"));
  command->callback([this, run = std::move(run)] { action = run; });
  return command;
}

int RunMaillage(const std::vector<std::string>& arguments, Environment& environment) {
  Session session(environment, ChosenLanguage(arguments, environment));
  if (!arguments.empty() && IsNodeCommand(arguments.front())) {
    const absl::StatusOr<int> code = environment.run_node_program(arguments);
    return code.ok() ? *code : Report(session, code.status(), arguments.front());
  }
  CLI::App app(session.Say("Maillage : les fiches du réseau, avec ou sans connexion",
                           "Maillage: the network's records, online or offline"),
               "maillage");
  TranslateHelp(app, session);
  AddGlobalOptions(app, session);
  app.fallthrough();
  app.require_subcommand(1);
  Program program{app, session, nullptr};
  AddCommands(program);
  app.footer(session.Say(
      "Délais d'attente : 30 s par lecture ou écriture, 2 min par envoi de 1000 fiches, 30 min pour sync ;\n"
      "watch n'en a pas, et voit une liaison morte en 40 s. Ce qui échoue en route est retenté 4 fois.",
      "Deadlines: 30 s for a read or a write, 2 min for a batch of 1000 records, 30 min for sync;\n"
      "watch has none, and notices a dead link within 40 s. What fails on the way is tried 4 times more."));
  const int parsed = Parse(app, session, arguments);
  if (parsed >= 0) return parsed;

  session.node =
      FirstOf(session.node, FirstOf(environment.variable("MAILLAGE_NODE"), kDefaultNode));
  session.person = FirstOf(
      session.person, FirstOf(environment.variable("MAILLAGE_PERSON"), environment.default_person));
  const absl::Status status = program.action();
  environment.out.flush();
  if (!status.ok()) return Report(session, status, app.get_subcommands().front()->get_name());
  if (!environment.out.good()) {
    environment.err << session.Say("maillage : sortie interrompue\n", "maillage: output was cut\n");
    return kFailed;
  }
  return session.exit_code;
}

}  // namespace maillage::client::commands
