// conflicts, resolve: versions that were written without knowing of each other, for a person to
// compare.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/assignment.h"
#include "client/commands/commands.h"
#include "client/commands/field_text.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"
#include "client/kinds.h"
#include "proto/quote.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kDeletedField[] = "deleted";

struct ResolveArguments {
  std::string kind;
  std::string id;
  std::string field;
  std::string key;
  std::string etag;
  size_t keep = 0;
  std::optional<std::string> value;
};

// What the node calls the version of the person who deleted the record; the others are of those who
// edited it.
constexpr char kDeletedVersion[] = "supprimé";

bool IsDeletion(const v1::Version& version) { return version.value() == kDeletedVersion; }

// The value as `edit` would take it.
std::string VersionValue(const Session& session, const v1::FieldConflict& conflict,
                         const v1::Version& version) {
  if (conflict.field() == kDeletedField) {
    return IsDeletion(version) ? session.Say("fiche supprimée", "record deleted")
                               : session.Say("fiche modifiée", "record edited");
  }
  const auto content = Unpack(version.content());
  const FieldDescriptor* const field =
      content.ok() ? (*content)->GetDescriptor()->FindFieldByName(conflict.field()) : nullptr;
  std::string text = field != nullptr ? FieldText(**content, *field) : version.value();
  if (text.empty()) text = session.Say("(vide)", "(empty)");
  return OneLine(text);
}

std::string VersionText(const Session& session, const v1::FieldConflict& conflict, int index) {
  const v1::Version& version = conflict.versions(index);
  return absl::StrCat("version ", index + 1, session.Say(" : ", ": "),
                      VersionValue(session, conflict, version), " (",
                      AuthorText(session, version.person(), version.site()), ", ",
                      session.LongTimeText(ToTime(version.time())), ")");
}

std::string FieldTitle(const v1::FieldConflict& conflict) {
  return conflict.key().empty() ? conflict.field()
                                : absl::StrCat(conflict.field(), "[", conflict.key(), "]");
}

std::string Count(const Session& session, int versions) {
  if (versions == 2) return session.Say("deux versions à comparer", "two versions to compare");
  return absl::StrCat(versions, session.Say(" versions à comparer", " versions to compare"));
}

void PrintText(Session& session, const std::vector<v1::RecordConflict>& conflicts) {
  std::ostream& out = session.env.out;
  if (conflicts.empty()) {
    out << session.Say("Aucune version à comparer.\n", "No versions to compare.\n");
    return;
  }
  for (const v1::RecordConflict& conflict : conflicts) {
    const auto [kind, id] = SplitName(conflict.record().name());
    out << OneLine(TitleOf(conflict.record())) << "  " << conflict.record().name() << "\n";
    for (const v1::FieldConflict& field : conflict.fields()) {
      std::vector<std::string> versions;
      for (int i = 0; i < field.versions_size(); ++i) {
        versions.push_back(VersionText(session, field, i));
      }
      const std::string key = field.key().empty() ? "" : absl::StrCat(" --key '", field.key(), "'");
      out << "  " << FieldTitle(field) << session.Say(" : ", ": ")
          << Count(session, field.versions_size()) << "\n    " << absl::StrJoin(versions, " | ")
          << "\n    maillage resolve " << kind << " " << id << " " << field.field() << key
          << " --keep 1\n";
    }
  }
  out << session.Say("La version 1 est celle que tout le monde voit en attendant un choix.\n",
                     "Version 1 is what everyone sees until somebody chooses.\n");
}

Json ConflictJson(const Session& session, const v1::RecordConflict& conflict) {
  const auto [kind, id] = SplitName(conflict.record().name());
  Json fields = Json::array();
  for (const v1::FieldConflict& field : conflict.fields()) {
    Json versions = Json::array();
    for (int i = 0; i < field.versions_size(); ++i) {
      const v1::Version& version = field.versions(i);
      versions.push_back({{"version", i + 1},
                          {"value", version.value()},
                          {"text", VersionValue(session, field, version)},
                          {"person", version.person()},
                          {"site", version.site()},
                          {"time", MachineTime(ToTime(version.time()))}});
    }
    fields.push_back({{"field", field.field()}, {"key", field.key()}, {"versions", versions}});
  }
  return {{"name", conflict.record().name()},
          {"kind", kind},
          {"id", id},
          {"title", TitleOf(conflict.record())},
          {"etag", conflict.record().etag()},
          {"fields", fields}};
}

void PrintCsv(Session& session, const std::vector<v1::RecordConflict>& conflicts) {
  session.env.out << CsvLine(
      {"record", "title", "field", "key", "version", "value", "person", "site", "time", "etag"});
  for (const v1::RecordConflict& conflict : conflicts) {
    for (const v1::FieldConflict& field : conflict.fields()) {
      for (int i = 0; i < field.versions_size(); ++i) {
        const v1::Version& version = field.versions(i);
        session.env.out << CsvLine({conflict.record().name(), TitleOf(conflict.record()),
                                    field.field(), field.key(), absl::StrCat(i + 1),
                                    version.value(), version.person(), version.site(),
                                    MachineTime(ToTime(version.time())), conflict.record().etag()});
      }
    }
  }
}

absl::Status RunConflicts(Session& session, const std::string& kind_name) {
  std::string kind_filter;
  if (!kind_name.empty()) {
    const auto kind = RequireKind(session, kind_name);
    if (!kind.ok()) return kind.status();
    kind_filter = KindOf(**kind).name();
  }
  std::vector<v1::RecordConflict> conflicts;
  for (absl::StatusOr<v1::RecordConflict>& conflict : session.client().Conflicts(kind_filter)) {
    if (!conflict.ok()) return conflict.status();
    conflicts.push_back(*std::move(conflict));
  }
  switch (session.output) {
    case Output::kJson: {
      Json array = Json::array();
      for (const v1::RecordConflict& conflict : conflicts) {
        array.push_back(ConflictJson(session, conflict));
      }
      session.env.out << Print(array);
      break;
    }
    case Output::kCsv:
      PrintCsv(session, conflicts);
      break;
    case Output::kTable:
      PrintText(session, conflicts);
      break;
  }
  return absl::OkStatus();
}

// ---- resolve ----

absl::StatusOr<v1::RecordConflict> FindRecord(Session& session, const Target& target) {
  for (absl::StatusOr<v1::RecordConflict>& conflict :
       session.client().Conflicts(KindOf(*target.kind).name())) {
    if (!conflict.ok()) return conflict.status();
    if (conflict->record().name() == target.name) return *std::move(conflict);
  }
  return absl::NotFoundError(
      session.Say(target.name + " : aucune version à comparer (déjà réglé, peut-être)",
                  target.name + ": no versions to compare (settled already, perhaps)"));
}

absl::StatusOr<v1::FieldConflict> FindFieldConflict(const Session& session,
                                                    const v1::RecordConflict& conflict,
                                                    const ResolveArguments& arguments) {
  std::vector<std::string> titles;
  std::vector<const v1::FieldConflict*> found;
  for (const v1::FieldConflict& field : conflict.fields()) {
    titles.push_back(FieldTitle(field));
    if (field.field() == arguments.field &&
        (arguments.key.empty() || field.key() == arguments.key)) {
      found.push_back(&field);
    }
  }
  const std::string list = absl::StrJoin(titles, ", ");
  if (found.empty()) {
    return absl::NotFoundError(
        session.Say(absl::StrCat(arguments.field, " : rien à comparer ; à comparer : ", list),
                    absl::StrCat(arguments.field, ": nothing to compare; to compare: ", list)));
  }
  if (found.size() > 1) {
    return UsageError(
        session.Say(absl::StrCat(arguments.field, " : plusieurs éléments à comparer (", list,
                                 ") ; choisissez-en un avec --key"),
                    absl::StrCat(arguments.field, ": several elements to compare (", list,
                                 "); choose one with --key")));
  }
  return *found.front();
}

absl::StatusOr<v1::Record> SettleDeletion(Session& session, const Target& target,
                                          const std::string& etag,
                                          const v1::FieldConflict& conflict, size_t keep) {
  if (keep == 0) {
    return UsageError(session.Say("deleted se règle avec --keep, pas avec --value",
                                  "deleted is settled by --keep, not by --value"));
  }
  const bool deletes = IsDeletion(conflict.versions(static_cast<int>(keep) - 1));
  return deletes ? session.client().Delete(target.name, etag)
                 : session.client().Undelete(target.name, etag);
}

// The chosen value, alone in a message of the kind.
absl::StatusOr<std::unique_ptr<Message>> ChosenContent(const Target& target,
                                                       const FieldDescriptor& field,
                                                       const v1::FieldConflict& conflict,
                                                       const ResolveArguments& arguments) {
  if (!arguments.value.has_value()) {
    const v1::Version& version = conflict.versions(static_cast<int>(arguments.keep) - 1);
    if (!version.has_content()) return NewMessage(*target.kind);
    return Unpack(version.content());
  }
  std::unique_ptr<Message> content = NewMessage(*target.kind);
  if (!arguments.value->empty()) {
    const absl::Status status = SetFromText(field, *arguments.value, *content);
    if (!status.ok()) return AsUsageError(status);
  }
  return content;
}

// A register is written through the mask, so that an empty version clears it; of a MAP, one entry
// is added over those that the etag covers, or removed where the chosen version has none.
absl::StatusOr<v1::Record> SettleValue(Session& session, const Target& target,
                                       const std::string& etag, const v1::FieldConflict& conflict,
                                       const ResolveArguments& arguments) {
  const absl::StatusOr<const FieldDescriptor*> field = FindField(*target.kind, conflict.field());
  if (!field.ok()) return AsUsageError(field.status());
  const auto content = ChosenContent(target, **field, conflict, arguments);
  if (!content.ok()) return content.status();
  if (!(*field)->is_repeated()) {
    return session.client().UpdateRecord(target.name, **content,
                                         {.mask = {(*field)->name()}, .etag = etag});
  }
  const std::unique_ptr<Message> nothing = NewMessage(*target.kind);
  if (FieldTexts(**content, **field).empty()) {
    return UsageError(session.Say("pour retirer l'élément : maillage edit … champ-=clé",
                                  "to remove the element: maillage edit … field-=key"));
  }
  return session.client().UpdateRecord(target.name, *nothing,
                                       {.mask = {}, .etag = etag, .additions = content->get()});
}

absl::Status RunResolve(Session& session, const ResolveArguments& arguments) {
  if ((arguments.keep == 0) == !arguments.value.has_value()) {
    return UsageError(session.Say("il faut --keep N ou bien --value V",
                                  "either --keep N or --value V is needed"));
  }
  const absl::StatusOr<Target> target = ResolveTarget(session, arguments.kind, arguments.id);
  if (!target.ok()) return target.status();
  const absl::StatusOr<v1::RecordConflict> conflict = FindRecord(session, *target);
  if (!conflict.ok()) return conflict.status();
  const std::string& etag = conflict->record().etag();
  if (!arguments.etag.empty() && arguments.etag != etag) {
    return absl::AbortedError(
        session.Say("la fiche a changé depuis cette lecture : relancez maillage conflicts",
                    "the record has changed since it was read: run maillage conflicts again"));
  }
  const auto field = FindFieldConflict(session, *conflict, arguments);
  if (!field.ok()) return field.status();
  if (arguments.keep > static_cast<size_t>(field->versions_size())) {
    return UsageError(session.Say(
        absl::StrCat("--keep va de 1 à ", field->versions_size(), " pour ", FieldTitle(*field)),
        absl::StrCat("--keep goes from 1 to ", field->versions_size(), " for ",
                     FieldTitle(*field))));
  }
  const absl::StatusOr<v1::Record> record =
      field->field() == kDeletedField
          ? SettleDeletion(session, *target, etag, *field, arguments.keep)
          : SettleValue(session, *target, etag, *field, arguments);
  return record.ok() ? PrintRecord(session, *record) : record.status();
}

void AddResolve(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<ResolveArguments>();
  CLI::App* const resolve =
      program.Add("resolve",
                  session.Say("Choisit entre des versions : en garde une, ou en écrit une nouvelle",
                              "Chooses between versions: keeps one, or writes a new one"),
                  "  maillage resolve actor ID description --keep 2\n"
                  "  maillage resolve actor ID description --value \"Accueil le mardi\"\n"
                  "  maillage resolve project ID partners --key CSI --keep 1\n"
                  "  maillage resolve event ID deleted --keep 1\n",
                  [&session, arguments] { return RunResolve(session, *arguments); });
  resolve->add_option("KIND", arguments->kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  resolve
      ->add_option("ID", arguments->id,
                   session.Say("UUID, ou ses 8 premiers chiffres ou plus",
                               "UUID, or its first 8 digits or more"))
      ->required();
  resolve
      ->add_option("FIELD", arguments->field,
                   session.Say("Champ à régler ; deleted pour une suppression",
                               "Field to settle; deleted for a deletion"))
      ->required();
  resolve
      ->add_option("--keep", arguments->keep,
                   session.Say("Numéro de la version gardée", "Number of the version to keep"))
      ->check(CLI::PositiveNumber);
  resolve->add_option("--value", arguments->value,
                      session.Say("Nouvelle valeur ; vide pour vider le champ",
                                  "New value; empty to clear the field"));
  resolve->add_option("--key", arguments->key,
                      session.Say("Élément d'une liste à clés, tel que conflicts le montre",
                                  "Element of a keyed list, as conflicts shows it"));
  resolve->add_option("--etag", arguments->etag,
                      session.Say("Etag montré par conflicts : refuse si la fiche a changé depuis",
                                  "Etag shown by conflicts: refuses if the record has changed"));
}

}  // namespace

void AddConflictCommands(Program& program) {
  Session& session = program.session;
  auto kind = std::make_shared<std::string>();
  CLI::App* const conflicts =
      program.Add("conflicts",
                  session.Say("Montre côte à côte les versions qui attendent un choix",
                              "Shows side by side the versions that wait for a choice"),
                  "  maillage conflicts\n  maillage conflicts actor --output csv\n",
                  [&session, kind] { return RunConflicts(session, *kind); });
  conflicts->add_option(
      "KIND", *kind,
      session.Say("Type de fiche ; tous par défaut", "Kind of record; all by default"));
  AddResolve(program);
}

}  // namespace maillage::client::commands
