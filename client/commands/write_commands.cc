// create, edit, delete, undelete.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "client/commands/assignment.h"
#include "client/commands/commands.h"
#include "client/commands/record_output.h"
#include "client/kinds.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

struct WriteArguments {
  std::string kind;
  std::string id;
  std::string etag;
  std::vector<std::string> assignments;
};

absl::Status PrintIfOk(Session& session, const absl::StatusOr<v1::Record>& record) {
  return record.ok() ? PrintRecord(session, *record) : record.status();
}

absl::Status RunCreate(Session& session, const WriteArguments& arguments) {
  const absl::StatusOr<const Descriptor*> kind = RequireKind(session, arguments.kind);
  if (!kind.ok()) return kind.status();
  const auto assignments = ParseAssignments(**kind, arguments.assignments);
  if (!assignments.ok()) return AsUsageError(assignments.status());
  const auto content = BuildContent(**kind, *assignments);
  if (!content.ok()) return AsUsageError(content.status());
  return PrintIfOk(session, session.client().CreateRecord(**content));
}

// The update with the etag that the person gave or, where members of a message are set, of the
// record from which the other members are taken.
absl::StatusOr<v1::Record> SendEdit(Session& session, const Target& target, std::string etag,
                                    const std::vector<Assignment>& assignments) {
  std::unique_ptr<Message> current = NewMessage(*target.kind);
  if (NeedsCurrent(assignments)) {
    const absl::StatusOr<v1::Record> record = session.client().GetRecord(target.name);
    if (!record.ok()) return record.status();
    absl::StatusOr<std::unique_ptr<Message>> content = Unpack(record->content());
    if (!content.ok()) return content.status();
    current = *std::move(content);
    if (etag.empty()) etag = record->etag();
  }
  const absl::StatusOr<Edit> edit = BuildEdit(assignments, *current);
  if (!edit.ok()) return AsUsageError(edit.status());
  return session.client().UpdateRecord(target.name, *edit->content,
                                       {.mask = edit->mask,
                                        .etag = std::move(etag),
                                        .additions = edit->additions.get(),
                                        .removals = edit->removals.get()});
}

absl::Status RunEdit(Session& session, WriteArguments arguments) {
  // `edit actor/018f… name=X`: what was taken for the id is the first assignment.
  if (absl::StrContains(arguments.kind, '/')) {
    if (!arguments.id.empty()) {
      arguments.assignments.insert(arguments.assignments.begin(), arguments.id);
    }
    arguments.id.clear();
  }
  if (arguments.assignments.empty()) {
    return UsageError(session.Say("il manque ce qui change : champ=valeur, champ+=valeur, …",
                                  "what changes is missing: field=value, field+=value, …"));
  }
  const std::string kind_name =
      arguments.id.empty() ? SplitName(arguments.kind).first : arguments.kind;
  const absl::StatusOr<const Descriptor*> kind = RequireKind(session, kind_name);
  if (!kind.ok()) return kind.status();
  const auto assignments = ParseAssignments(**kind, arguments.assignments);
  if (!assignments.ok()) return AsUsageError(assignments.status());
  const absl::StatusOr<Target> target = ResolveTarget(session, arguments.kind, arguments.id);
  if (!target.ok()) return target.status();
  return PrintIfOk(session, SendEdit(session, *target, arguments.etag, *assignments));
}

absl::Status RunDelete(Session& session, const WriteArguments& arguments, bool deletes) {
  const absl::StatusOr<Target> target = ResolveTarget(session, arguments.kind, arguments.id);
  if (!target.ok()) return target.status();
  Client& client = session.client();
  return PrintIfOk(session, deletes ? client.Delete(target->name, arguments.etag)
                                    : client.Undelete(target->name, arguments.etag));
}

void AddTarget(CLI::App& command, const Session& session, WriteArguments& arguments) {
  command.add_option("KIND", arguments.kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  command.add_option("ID", arguments.id,
                     session.Say("UUID, ou ses 8 premiers chiffres ou plus",
                                 "UUID, or its first 8 digits or more"));
  command.add_option("--etag", arguments.etag,
                     session.Say("Etag de la fiche telle qu'elle a été lue : ce qui a été écrit "
                                 "depuis est gardé à côté",
                                 "Etag of the record as it was read: what was written since is "
                                 "kept beside"));
}

}  // namespace

void AddWriteCommands(Program& program) {
  Session& session = program.session;
  const std::string what =
      session.Say("champ=valeur, champ+=élément", "field=value, field+=element");

  auto created = std::make_shared<WriteArguments>();
  CLI::App* const create = program.Add(
      "create", session.Say("Crée une fiche", "Creates a record"),
      "  maillage create actor name=\"Amis du Mali\" departments+=73 departments+=74\n"
      "  maillage create event title=\"Repas solidaire\" dates+=2026-11-23 mode=on_site\n"
      "  maillage create project title=\"Eau\" budget=\"64 000,00 EUR\" funding+=\"AFD=32000\"\n",
      [&session, created] { return RunCreate(session, *created); });
  create->add_option("KIND", created->kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  create->add_option("ASSIGNMENT", created->assignments, what)->required();

  auto edited = std::make_shared<WriteArguments>();
  CLI::App* const edit = program.Add(
      "edit", session.Say("Modifie une fiche", "Edits a record"),
      "  maillage edit actor ID phone_numbers+=\"+33 4 79 00 00 00\" sdgs-=4\n"
      "  maillage edit actor ID address.town=Chambéry description=\n"
      "  maillage edit event ID organisers+=\"CSI:co-organisateur\" audience+=jeunes:12\n",
      [&session, edited] { return RunEdit(session, *edited); });
  AddTarget(*edit, session, *edited);
  edit->add_option("ASSIGNMENT", edited->assignments,
                   what + session.Say(", champ-=élément, champ= pour vider",
                                      ", field-=element, field= to clear"));

  auto deleted = std::make_shared<WriteArguments>();
  AddTarget(*program.Add("delete", session.Say("Supprime une fiche", "Deletes a record"),
                         "  maillage delete actor 018f3c1e-7a2b-7c3d-8e4f-0123456789ab\n",
                         [&session, deleted] { return RunDelete(session, *deleted, true); }),
            session, *deleted);

  auto restored = std::make_shared<WriteArguments>();
  AddTarget(*program.Add("undelete",
                         session.Say("Rétablit une fiche supprimée", "Restores a deleted record"),
                         "  maillage undelete actor 018f3c1e-7a2b-7c3d-8e4f-0123456789ab\n",
                         [&session, restored] { return RunDelete(session, *restored, false); }),
            session, *restored);
}

}  // namespace maillage::client::commands
