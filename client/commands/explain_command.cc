// explain.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

using v1::RecordExplanation;

std::string PresenceText(const Session& session, RecordExplanation::Presence presence) {
  switch (presence) {
    case RecordExplanation::HERE:
      return session.Say("ici", "here");
    case RecordExplanation::LEAVING:
      return session.Say("ici, et sur le départ", "here, and leaving");
    case RecordExplanation::HANDED_OVER:
      return session.Say("transmise à un autre site", "handed over to another site");
    case RecordExplanation::STUB:
      return session.Say("ailleurs ; ici, son abrégé", "elsewhere; its stub is here");
    case RecordExplanation::WAITING:
      return session.Say("attendue d'un autre site", "expected from another site");
    case RecordExplanation::UNREADABLE:
      return session.Say("illisible ici", "unreadable here");
    default:
      return session.Say("inconnue ici", "unknown here");
  }
}

std::string KnowledgeText(const Session& session, v1::SiteKnowledge::State state) {
  switch (state) {
    case v1::SiteKnowledge::HAS_IT:
      return session.Say("à jour", "up to date");
    case v1::SiteKnowledge::BEHIND:
      return session.Say("en retard", "behind");
    case v1::SiteKnowledge::NOT_CONCERNED:
      return session.Say("pas concerné", "not concerned");
    default:
      return session.Say("inconnu", "unknown");
  }
}

void PrintSites(Session& session, const RecordExplanation& told) {
  if (told.sites().empty()) return;
  TextTable table({session.Say("site", "site"), session.Say("tient", "holds"),
                   session.Say("dernière modification", "last change"), session.Say("précision", "detail")});
  for (const v1::SiteKnowledge& site : told.sites()) {
    table.AddRow({OneLine(site.site()), site.scope(), KnowledgeText(session, site.state()), OneLine(site.detail())});
  }
  session.env.out << "\n" << table.Render(session.env.out_width);
}

absl::Status RunExplain(Session& session, const std::string& kind, const std::string& id) {
  v1::ExplainRecordRequest request;
  // A record that isn't here has no place in the lists by which short ids are looked up.
  request.set_name(id.empty() ? kind : absl::StrCat(kind, "/", id));
  const absl::StatusOr<RecordExplanation> told = session.client().connection().ExplainRecord(request);
  if (!told.ok()) return told.status();
  if (session.output == Output::kJson) {
    session.env.out << Print(ToJson(*told, JsonDefaults::kPrint));
    return absl::OkStatus();
  }
  TextTable table({session.Say("fiche", "record"), told->name()});
  if (!told->title().empty()) table.AddRow({session.Say("titre", "title"), OneLine(told->title())});
  table.AddRow({session.Say("présence", "presence"), PresenceText(session, told->presence())});
  table.AddRow({session.Say("pourquoi", "why"), OneLine(told->why())});
  if (told->has_last_time()) {
    table.AddRow({session.Say("modifiée le", "last change"),
                  absl::StrCat(session.ShortTimeText(ToTime(told->last_time())), session.Say(", par ", ", by "),
                               AuthorText(session, told->last_person(), told->last_site()))});
  }
  for (const v1::QuarantinedChange& change : told->quarantined()) {
    table.AddRow({session.Say("en quarantaine", "quarantined"),
                  OneLine(absl::StrCat(session.Say("une modification venue de ", "a change from "), change.from_site(),
                                       session.Say(" : ", ": "), change.reason()))});
  }
  session.env.out << table.Render(0);
  PrintSites(session, *told);
  return absl::OkStatus();
}

}  // namespace

void AddExplainCommand(Program& program) {
  Session& session = program.session;
  auto target = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* const explain = program.Add(
      "explain",
      session.Say("Dit pourquoi une fiche est ici ou n'y est pas, et qui a vu sa dernière modification",
                  "Says why a record is here or isn't, and who has seen its last change"),
      "  maillage explain actor/018f3c1e-7a2b-7c3d-8e4f-0123456789ab\n"
      "  maillage explain 018f3c1e-7a2b-7c3d-8e4f-0123456789ab --output json\n",
      [&session, target] { return RunExplain(session, target->first, target->second); });
  explain->add_option("KIND", target->first, session.Say("Type de fiche, ou sa fiche entière, ou son UUID",
                                                         "Kind of record, or its whole name, or its UUID"))
      ->required();
  explain->add_option("ID", target->second, session.Say("UUID", "UUID"));
}

}  // namespace maillage::client::commands
