// members; and init, invite, join, revoke, rights, which need an antenna's keys and so belong to maillaged.
#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"

namespace maillage::client::commands {
namespace {

std::string RoleText(const Session& session, v1::Role role) {
  switch (role) {
    case v1::ROLE_ANTENNA:
      return session.Say("antenne", "antenna");
    case v1::ROLE_RELAY:
      return session.Say("relais", "relay");
    case v1::ROLE_READER:
      return session.Say("lecteur", "reader");
    default:
      return "?";
  }
}

std::string RoleWord(v1::Role role) {
  switch (role) {
    case v1::ROLE_ANTENNA:
      return "antenna";
    case v1::ROLE_RELAY:
      return "relay";
    case v1::ROLE_READER:
      return "reader";
    default:
      return "";
  }
}

std::string TerritoryText(const Session& session, const std::string& territory) {
  return territory == "*" ? session.Say("tout", "everything") : absl::StrReplaceAll(territory, {{",", ", "}});
}

std::string StandingText(const Session& session, const v1::MemberInfo& member) {
  if (member.revoked()) {
    return absl::StrCat(session.Say("révoqué", "revoked"), member.reason().empty() ? "" : absl::StrCat(" (", member.reason(), ")"));
  }
  if (member.revocation_pending()) {
    return session.Say("révocation demandée, il manque une seconde antenne", "revocation asked for; a second antenna is missing");
  }
  if (member.equivocated()) {
    return session.Say("membre ; a signé deux modifications contradictoires : copie de sa machine, ou faussaire",
                       "member; has signed two contradicting changes: a copy of its machine, or a forger");
  }
  return session.Say("membre", "member");
}

Json MemberJson(const v1::MemberInfo& member) {
  return {{"site", member.name()},
          {"site_id", member.site_id()},
          {"role", RoleWord(member.role())},
          {"territory", member.territory()},
          {"revoked", member.revoked()},
          {"revocation_pending", member.revocation_pending()},
          {"reason", member.reason()},
          {"equivocated", member.equivocated()},
          {"here", member.here()}};
}

absl::Status RunMembers(Session& session) {
  const absl::StatusOr<v1::ListMembersResponse> listed = session.client().connection().ListMembers({});
  if (!listed.ok()) return listed.status();
  if (session.output == Output::kJson) {
    Json members = Json::array();
    for (const v1::MemberInfo& member : listed->members()) members.push_back(MemberJson(member));
    session.env.out << Print({{"network", listed->network_name()}, {"network_id", listed->network_id()}, {"members", members}});
    return absl::OkStatus();
  }
  if (session.output == Output::kCsv) {
    session.env.out << CsvLine({"site", "site_id", "role", "territory", "revoked", "reason", "equivocated"});
    for (const v1::MemberInfo& member : listed->members()) {
      session.env.out << CsvLine({member.name(), member.site_id(), RoleWord(member.role()), member.territory(),
                                  member.revoked() ? "true" : "false", member.reason(),
                                  member.equivocated() ? "true" : "false"});
    }
    return absl::OkStatus();
  }
  if (listed->network_id().empty()) {
    session.env.out << session.Say("Ce nœud n'appartient à aucun réseau : maillage init, ou maillage join.\n",
                                   "This node belongs to no network: maillage init, or maillage join.\n");
    return absl::OkStatus();
  }
  session.env.out << session.Say("Réseau ", "Network ") << listed->network_name() << " (" << listed->network_id() << ")\n";
  TextTable table({"site", session.Say("rôle", "role"), session.Say("territoire", "territory"),
                   session.Say("état", "standing"), session.Say("identifiant", "id")});
  for (const v1::MemberInfo& member : listed->members()) {
    table.AddRow({member.here() ? absl::StrCat(member.name(), session.Say(" (ce nœud)", " (this node)")) : member.name(),
                  RoleText(session, member.role()), TerritoryText(session, member.territory()),
                  StandingText(session, member), member.site_id()});
  }
  session.env.out << table.Render(session.env.out_width);
  return absl::OkStatus();
}

// In the overview; RunMaillage hands them on before it reads the line.
void AddNodeCommand(Program& program, const std::string& name, std::string description) {
  program.Add(name, std::move(description), absl::StrCat("  maillage ", name, " --help\n"), [name] {
    return UsageError(absl::StrCat("« ", name, " » vient en premier : maillage ", name, " …"));
  });
}

}  // namespace

void AddMemberCommands(Program& program) {
  Session& session = program.session;
  program.Add("members",
              session.Say("Montre qui fait partie du réseau, avec quels droits", "Shows who belongs to the network, and with what rights"),
              "  maillage members\n  maillage members --output json\n", [&session] { return RunMembers(session); });
  AddNodeCommand(program, "init", session.Say("Fonde un réseau dont cette machine est la première antenne",
                                              "Founds a network whose first antenna is this machine"));
  AddNodeCommand(program, "invite", session.Say("À une antenne : invite une machine avec un code qui sert une fois",
                                                "At an antenna: invites a machine with a code that serves once"));
  AddNodeCommand(program, "join", session.Say("Fait de cette machine un site du réseau, avec un code d'invitation",
                                              "Makes this machine a site of the network, with an invitation's code"));
  AddNodeCommand(program, "revoke", session.Say("À deux antennes : met un site dehors", "At two antennas: puts a site out"));
  AddNodeCommand(program, "rights", session.Say("À une antenne : change le territoire ou le rôle d'un site",
                                                "At an antenna: changes a site's territory or role"));
}

bool IsNodeCommand(std::string_view name) {
  static constexpr std::string_view kNames[] = {"init", "invite", "join", "revoke", "rights"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace maillage::client::commands
