// kinds.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/commands/field_text.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/kinds.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// What the field takes: "DATE", "on_site|online|hybrid", "party:role", "street, postcode, town",
// "string".
std::string TypeText(const FieldDescriptor& field) {
  const v1::FieldFormat format = field.options().GetExtension(v1::format);
  if (format != v1::FIELD_FORMAT_UNSPECIFIED) return v1::FieldFormat_Name(format);
  std::vector<std::string> names;
  if (field.enum_type() != nullptr) {
    for (int i = 1; i < field.enum_type()->value_count(); ++i) {
      names.push_back(absl::AsciiStrToLower(field.enum_type()->value(i)->name()));
    }
    return absl::StrJoin(names, "|");
  }
  if (field.message_type() == nullptr) return field.type_name();
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    names.push_back(field.message_type()->field(i)->name());
  }
  return absl::StrJoin(names, KeyField(*field.message_type()) != nullptr ? ":" : ", ");
}

Json KindJson(const Descriptor& kind) {
  Json fields = Json::array();
  for (int i = 0; i < kind.field_count(); ++i) {
    const FieldDescriptor& field = *kind.field(i);
    fields.push_back({{"field", field.name()},
                      {"rule", v1::MergeRule_Name(RuleOf(field))},
                      {"type", TypeText(field)},
                      {"repeated", field.is_repeated()},
                      {"territory", field.options().GetExtension(v1::territory)},
                      {"searchable", field.options().GetExtension(v1::searchable)}});
  }
  return {{"kind", KindOf(kind).name()},
          {"name_fr", KindOf(kind).name_fr()},
          {"message_type", kind.full_name()},
          {"fields", fields}};
}

void PrintKind(Session& session, const Descriptor& kind) {
  if (session.output == Output::kTable) {
    session.env.out << KindOf(kind).name()
                    << session.Say(absl::StrCat(" (", KindOf(kind).name_fr(), ")"), "") << "\n";
  }
  TextTable table({session.Say("  champ", "  field"), session.Say("règle", "rule"),
                   session.Say("valeur", "value")});
  for (int i = 0; i < kind.field_count(); ++i) {
    const FieldDescriptor& field = *kind.field(i);
    const std::string rule = v1::MergeRule_Name(RuleOf(field));
    if (session.output == Output::kCsv) {
      session.env.out << CsvLine({KindOf(kind).name(), field.name(), rule, TypeText(field)});
    } else {
      table.AddRow({"  " + field.name(), rule, TypeText(field)});
    }
  }
  if (session.output == Output::kTable) session.env.out << table.Render(session.env.out_width);
}

absl::Status RunKinds(Session& session, const std::string& name) {
  std::vector<const Descriptor*> kinds;
  if (!name.empty()) {
    const auto kind = RequireKind(session, name);
    if (!kind.ok()) return kind.status();
    kinds.push_back(*kind);
  } else {
    for (const Descriptor* kind : AllKinds()) {
      if (!KindOf(*kind).system()) kinds.push_back(kind);
    }
  }
  if (session.output == Output::kJson) {
    Json array = Json::array();
    for (const Descriptor* kind : kinds) array.push_back(KindJson(*kind));
    session.env.out << Print(array);
    return absl::OkStatus();
  }
  if (session.output == Output::kCsv) {
    session.env.out << CsvLine({"kind", "field", "rule", "type"});
  }
  for (const Descriptor* kind : kinds) PrintKind(session, *kind);
  return absl::OkStatus();
}

}  // namespace

void AddKindsCommand(Program& program) {
  Session& session = program.session;
  auto kind = std::make_shared<std::string>();
  CLI::App* const kinds = program.Add(
      "kinds",
      session.Say("Montre les types de fiches et leurs champs", "Shows the kinds and their fields"),
      "  maillage kinds\n  maillage kinds event\n",
      [&session, kind] { return RunKinds(session, *kind); });
  kinds->add_option(
      "KIND", *kind,
      session.Say("Type de fiche ; tous par défaut", "Kind of record; all by default"));
}

}  // namespace maillage::client::commands
