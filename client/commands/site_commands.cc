// sites.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"

namespace maillage::client::commands {
namespace {

// "tout", "73, 74", "73 (actor, event)".
std::string ScopeText(const Session& session, const std::string& scope) {
  const size_t bar = scope.find('|');
  const std::string territories = scope.substr(0, bar);
  std::string text = territories == "*" ? session.Say("tout", "everything")
                     : territories == "-"
                         ? session.Say("région entière seule", "the whole region alone")
                         : absl::StrReplaceAll(territories, {{",", ", "}});
  if (bar == std::string::npos) return text;
  return absl::StrCat(text, " (", absl::StrReplaceAll(scope.substr(bar + 1), {{",", ", "}}), ")");
}

Json SiteJson(const v1::SiteEntry& site) {
  return {{"site", site.name()},
          {"site_id", site.site_id()},
          {"scope", site.scope()},
          {"here", site.here()}};
}

absl::Status RunSites(Session& session) {
  const absl::StatusOr<v1::ListSitesResponse> sites = session.client().connection().ListSites({});
  if (!sites.ok()) return sites.status();
  if (session.output == Output::kJson) {
    Json array = Json::array();
    for (const v1::SiteEntry& site : sites->sites()) array.push_back(SiteJson(site));
    session.env.out << Print(array);
    return absl::OkStatus();
  }
  if (session.output == Output::kCsv) {
    session.env.out << CsvLine({"site", "site_id", "scope", "here"});
    for (const v1::SiteEntry& site : sites->sites()) {
      session.env.out << CsvLine(
          {site.name(), site.site_id(), site.scope(), site.here() ? "true" : "false"});
    }
    return absl::OkStatus();
  }
  TextTable table({"site", session.Say("tient", "holds"), session.Say("identifiant", "id")});
  for (const v1::SiteEntry& site : sites->sites()) {
    table.AddRow({site.here() ? absl::StrCat(site.name(), session.Say(" (ce nœud)", " (this node)"))
                              : site.name(),
                  ScopeText(session, site.scope()), site.site_id()});
  }
  session.env.out << table.Render(session.env.out_width);
  return absl::OkStatus();
}

struct ScopeArguments {
  std::string site;
  std::string scope;
  bool dry_run = false;
};

// Whoever narrows a scope asks what its people wrote last.
std::string UnsentText(const Session& session, const v1::SetSiteScopeResponse& set) {
  if (set.has_unsent_edits()) {
    return absl::StrCat(session.Say("Modifications de ce site qui sortent, et que personne n'a encore : ",
                                    "Changes of this site that leave, and that nobody has yet: "),
                        set.unsent_edits(), "\n");
  }
  if (set.records_out() == 0) return "";
  return absl::StrCat(session.Say("Ce que ce site a écrit et pas encore envoyé, lui seul le sait : la même commande "
                                  "avec --dry-run, lancée là-bas, le dit.\n",
                                  "What that site wrote and has not sent, it alone knows: the same command with "
                                  "--dry-run, run there, tells.\n"));
}

absl::Status RunSetScope(Session& session, const ScopeArguments& arguments) {
  v1::SetSiteScopeRequest request;
  request.set_site(arguments.site);
  request.set_scope(arguments.scope);
  request.set_validate_only(arguments.dry_run);
  request.set_person(session.person);
  const absl::StatusOr<v1::SetSiteScopeResponse> set =
      session.client().connection().SetSiteScope(request);
  if (!set.ok()) return set.status();
  if (session.output == Output::kJson) {
    Json json{{"before", SiteJson(set->before())},
              {"after", SiteJson(set->after())},
              {"records_in", set->records_in()},
              {"records_out", set->records_out()},
              {"dry_run", arguments.dry_run}};
    if (set->has_unsent_edits()) json["unsent_edits"] = set->unsent_edits();
    session.env.out << Print(json);
    return absl::OkStatus();
  }
  const std::string colon = session.Say(" : ", ": ");
  session.env.out << set->after().name() << colon << ScopeText(session, set->before().scope())
                  << " → " << ScopeText(session, set->after().scope()) << "\n"
                  << session.Say("Fiches de ce nœud qui entrent : ",
                                 "Records of this node that enter: ")
                  << set->records_in() << session.Say(", qui sortent : ", ", that leave: ")
                  << set->records_out() << "\n"
                  << UnsentText(session, *set);
  if (arguments.dry_run) {
    session.env.out << session.Say("Rien n'a été écrit (--dry-run).\n",
                                   "Nothing was written (--dry-run).\n");
  } else if (set->records_out() > 0) {
    session.env.out << session.Say(
        "Ce qui sort reste chez ce site jusqu'à ce qu'un autre, qui le tient, ait toutes ses "
        "modifications.\n",
        "What leaves stays at the site until another one that holds it has all its changes.\n");
  }
  return absl::OkStatus();
}

}  // namespace

void AddSiteCommands(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<ScopeArguments>();
  auto set_scope = std::make_shared<CLI::App*>(nullptr);
  CLI::App* const sites = program.Add(
      "sites",
      session.Say("Montre les sites, et ce que chacun tient",
                  "Shows the sites and what each of them holds"),
      "  maillage sites\n"
      "  maillage sites set-scope savoie 73\n"
      "  maillage sites set-scope savoie 73,74 --dry-run\n"
      "  maillage sites set-scope lyon '*'\n"
      "  maillage sites set-scope laptop '73|actor,event'\n",
      [&session, arguments, set_scope] {
        return (*set_scope)->parsed() ? RunSetScope(session, *arguments) : RunSites(session);
      });
  *set_scope = sites->add_subcommand(
      "set-scope",
      session.Say(
          "Dit ce qu'un site tient : des départements, * pour tout, - pour la région entière seule",
          "Says what a site holds: départements, * for everything, - for the whole region alone"));
  (*set_scope)
      ->add_option("SITE", arguments->site,
                   session.Say("Nom du site, ou son identifiant", "The site's name, or its id"))
      ->required();
  (*set_scope)
      ->add_option(
          "SCOPE", arguments->scope,
          session.Say("73, 73,74, *, - ; suivi peut-être de |actor,event : ces types seuls",
                      "73, 73,74, *, -; perhaps followed by |actor,event: these kinds alone"))
      ->required();
  (*set_scope)
      ->add_flag("--dry-run", arguments->dry_run,
                 session.Say("Montre ce qui entrerait et sortirait, sans rien écrire",
                             "Shows what would enter and leave, and writes nothing"));
}

}  // namespace maillage::client::commands
