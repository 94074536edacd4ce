#include "client/commands/fleet_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/peer_state.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

// A site that lives tells of itself every ten minutes, and its word passes a site or two on the way.
constexpr absl::Duration kSilence = absl::Minutes(15);

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

bool IsUp(const v1::SiteLink& link) {
  return link.state() == v1::PeerStatus::SYNCING || link.state() == v1::PeerStatus::UP_TO_DATE ||
         link.state() == v1::PeerStatus::BEHIND;
}

const v1::PeerStatus* PeerOf(const v1::NodeStatus& status, const v1::SiteStanding& standing) {
  const auto& peers = status.peers();
  const auto found = std::find_if(peers.begin(), peers.end(), [&](const v1::PeerStatus& peer) {
    return peer.site_id() == standing.site_id();
  });
  return found == peers.end() ? nullptr : &*found;
}

std::string LinksText(const Session& session, const v1::SiteStanding& standing) {
  std::vector<std::string> up;
  for (const v1::SiteLink& link : standing.links()) {
    if (IsUp(link)) up.push_back(OneLine(link.site()));
  }
  if (up.empty()) return session.Say("relié à personne", "linked to nobody");
  return absl::StrCat(session.Say("relié à ", "linked to "), absl::StrJoin(up, ", "));
}

std::string CompleteText(const Session& session, const v1::SiteStanding& standing) {
  if (!standing.has_complete_time()) return session.Say("inconnu", "unknown");
  std::string text = session.ShortTimeText(ToTime(standing.complete_time()));
  if (!standing.complete_up_to_site().empty()) absl::StrAppend(&text, " (", OneLine(standing.complete_up_to_site()), ")");
  return text;
}

std::string LackText(const Session& session, const v1::SiteStanding& standing) {
  if (standing.here()) return "-";
  if (!standing.has_lacking_changes()) return session.Say("inconnu", "unknown");
  if (standing.lacking_changes() == 0) return "0";
  std::string text = absl::StrCat(standing.lacking_changes());
  if (standing.has_lacking_since_time()) {
    absl::StrAppend(&text, session.Say(", depuis le ", ", since "), session.ShortTimeText(ToTime(standing.lacking_since_time())));
  }
  return text;
}

std::string StandingNote(const Session& session, const v1::SiteStanding& standing) {
  std::vector<std::string> notes;
  const auto count = [&](int64_t number, const std::string& what) {
    if (number > 0) notes.push_back(absl::StrCat(number, what));
  };
  if (!standing.read_only_reason().empty()) notes.push_back(OneLine(standing.read_only_reason()));
  count(standing.conflicts(), session.Say(" à comparer", " to compare"));
  count(standing.quarantined(), session.Say(" en quarantaine", " in quarantine"));
  count(static_cast<int64_t>(standing.waiting_records()), session.Say(" fiches perdues, en attente", " records lost, waiting"));
  count(static_cast<int64_t>(standing.leaving_records()), session.Say(" fiches à remettre", " records to hand over"));
  return absl::StrJoin(notes, " ; ");
}

}  // namespace

std::string EverywhereText(const Session& session, const v1::NodeStatus& status) {
  if (status.has_everywhere_time()) {
    return absl::StrCat(session.Say("tout ce qui a été écrit avant le ", "all that was written before "),
                        session.ShortTimeText(ToTime(status.everywhere_time())), session.Say(" est partout", " is everywhere"));
  }
  std::vector<std::string> silent;
  std::vector<std::string> incomplete;
  for (const v1::SiteStanding& standing : status.fleet()) {
    if (standing.has_complete_time()) continue;
    (standing.has_report_time() ? incomplete : silent).push_back(OneLine(standing.site()));
  }
  const std::vector<std::string>& named = silent.empty() ? incomplete : silent;
  return absl::StrCat(session.Say("inconnu : ", "unknown: "), absl::StrJoin(named, ", "),
                      silent.empty() ? session.Say(" n'a pas encore tout ce que d'autres ont écrit", " lacks what others wrote")
                                     : session.Say(" n'a encore rien dit", " has told nothing yet"));
}

std::string StandingText(const Session& session, const v1::NodeStatus& status, const v1::SiteStanding& standing) {
  if (standing.here()) return session.Say("ce nœud", "this node");
  const v1::PeerStatus* const peer = PeerOf(status, standing);
  if (peer != nullptr && peer->state() != v1::PeerStatus::UNKNOWN) return StateText(session, *peer);
  if (!standing.has_report_time()) return session.Say("inconnu : n'a encore rien dit", "unknown: has told nothing yet");
  const absl::Duration age = session.env.now() - ToTime(standing.report_time());
  if (age < kSilence) return LinksText(session, standing);
  return absl::StrCat(session.Say("sans nouvelles depuis ", "not heard of for "), DurationWords(age, session.language));
}

std::string FleetTable(const Session& session, const v1::NodeStatus& status) {
  if (status.fleet().empty()) return "";
  TextTable table({"site", session.Say("rôle", "role"), session.Say("état", "state"), session.Say("dit le", "told at"),
                   session.Say("a tout jusqu'au", "has all until"), session.Say("lui manque d'ici", "lacks of this node's"),
                   session.Say("à savoir", "note")});
  for (const v1::SiteStanding& standing : status.fleet()) {
    table.AddRow({OneLine(standing.site()), RoleText(session, standing.role()), StandingText(session, status, standing),
                  session.ShortTimeText(ToTime(standing.report_time())), CompleteText(session, standing),
                  LackText(session, standing), StandingNote(session, standing)});
  }
  return table.Render(session.env.out_width);
}

}  // namespace maillage::client::commands
