// get, list.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/commands/assignment.h"
#include "client/commands/commands.h"
#include "client/commands/record_output.h"
#include "client/kinds.h"

namespace maillage::client::commands {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

struct ListArguments {
  std::string kind;
  ListOptions options;
  std::string fields;
  size_t limit = 0;
};

absl::Status RunGet(Session& session, const std::string& kind, const std::string& id) {
  const absl::StatusOr<Target> target = ResolveTarget(session, kind, id);
  if (!target.ok()) return target.status();
  const absl::StatusOr<v1::Record> record = session.client().GetRecord(target->name);
  if (!record.ok()) return record.status();
  return PrintRecord(session, *record);
}

absl::StatusOr<std::vector<const FieldDescriptor*>> ChosenColumns(const Descriptor& kind,
                                                                  const std::string& fields) {
  std::vector<const FieldDescriptor*> columns;
  const std::vector<std::string> names = absl::StrSplit(fields, ',', absl::SkipWhitespace());
  for (const std::string& name : names) {
    const absl::StatusOr<const FieldDescriptor*> field = FindField(kind, name);
    if (!field.ok()) return AsUsageError(field.status());
    columns.push_back(*field);
  }
  return columns;
}

absl::Status RunList(Session& session, const ListArguments& arguments) {
  const absl::StatusOr<const Descriptor*> kind = RequireKind(session, arguments.kind);
  if (!kind.ok()) return kind.status();
  absl::StatusOr<std::vector<const FieldDescriptor*>> columns =
      ChosenColumns(**kind, arguments.fields);
  if (!columns.ok()) return columns.status();
  const bool chosen = !columns->empty();
  if (!chosen) columns = DefaultColumns(**kind);
  ListOptions options = arguments.options;
  if (chosen || session.output == Output::kTable) {
    for (const FieldDescriptor* column : *columns) options.read_mask.push_back(column->name());
  }
  std::vector<v1::Record> records;
  absl::Status damage;
  for (absl::StatusOr<v1::Record>& record :
       session.client().ListRecords(KindOf(**kind).name(), options)) {
    // What could be read is shown all the same.
    if (absl::IsDataLoss(record.status()) && !records.empty()) {
      damage = record.status();
      break;
    }
    if (!record.ok()) return record.status();
    records.push_back(*std::move(record));
    if (records.size() == arguments.limit) break;
  }
  const absl::Status printed = PrintRecords(session, **kind, records, *columns, chosen);
  return printed.ok() ? damage : printed;
}

void AddListOptions(CLI::App& list, const Session& session, ListArguments& arguments) {
  list.add_option("KIND", arguments.kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  list.add_option("--filter", arguments.options.filter,
                  session.Say("Condition (AIP-160) sur les champs", "Condition (AIP-160)"));
  list.add_option("--search", arguments.options.search,
                  session.Say("Mots à trouver, sans accents ni casse",
                              "Words to find, without accents and case"));
  list.add_option("--order-by", arguments.options.order_by,
                  session.Say("Champs de tri : name, population desc",
                              "Fields to order by: name, population desc"));
  list.add_option(
          "--page-size", arguments.options.page_size,
          session.Say("Fiches demandées à la fois, 1000 au plus (la liste est lue en entier)",
                      "Records per request, 1000 at most (the whole list is read)"))
      ->check(CLI::Range(1, 1000))
      ->default_val(1000);
  list.add_option("--limit", arguments.limit,
                  session.Say("Nombre de fiches au plus", "Records at most"))
      ->check(CLI::PositiveNumber);
  list.add_option("--fields", arguments.fields,
                  session.Say("Champs à montrer, séparés par des virgules",
                              "Fields to show, separated by commas"));
  list.add_flag("--deleted", arguments.options.show_deleted,
                session.Say("Montre aussi les fiches supprimées", "Shows deleted records too"));
}

}  // namespace

void AddReadCommands(Program& program) {
  Session& session = program.session;
  auto target = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* const get =
      program.Add("get", session.Say("Montre une fiche", "Shows one record"),
                  "  maillage get actor 018f3c1e-7a2b-7c3d-8e4f-0123456789ab\n"
                  "  maillage get actor/018f3c1e-7a2b-7c3d-8e4f-0123456789ab --output json\n",
                  [&session, target] { return RunGet(session, target->first, target->second); });
  get->add_option("KIND", target->first, session.Say("Type de fiche", "Kind of record"))
      ->required();
  get->add_option("ID", target->second,
                  session.Say("UUID, ou ses 8 premiers chiffres ou plus",
                              "UUID, or its first 8 digits or more"));

  auto arguments = std::make_shared<ListArguments>();
  CLI::App* const list = program.Add(
      "list", session.Say("Liste les fiches d'un type", "Lists the records of a kind"),
      "  maillage list actor --search \"savoie solidaires\"\n"
      "  maillage list actor --filter 'acronym=\"PSS\"'\n"
      "  maillage list event --filter 'department=\"69\"' --order-by title --fields title,dates\n",
      [&session, arguments] { return RunList(session, *arguments); });
  AddListOptions(*list, session, *arguments);
}

}  // namespace maillage::client::commands
