// history.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

struct HistoryArguments {
  std::string kind;
  std::string id;
  size_t limit = 0;
};

void PrintTable(Session& session, const std::vector<v1::RecordChange>& changes) {
  TextTable table({session.Say("quand", "when"), session.Say("qui", "who"),
                   session.Say("site", "site"), session.Say("quoi", "what")});
  for (const v1::RecordChange& change : changes) {
    std::vector<std::string> row = {session.ShortTimeText(ToTime(change.time())),
                                    AuthorText(session, change.person(), ""),
                                    OneLine(change.site()), ""};
    for (const v1::FieldChange& field : change.fields()) {
      row.back() = FieldChangeText(session, field);
      if (change.is_void()) row.back() += session.Say(" (sans effet : site révoqué)", " (without effect: site revoked)");
      table.AddRow(row);
      row = {"", "", "", ""};
    }
    if (change.fields().empty()) table.AddRow(row);
  }
  session.env.out << table.Render(session.env.out_width);
}

void PrintCsv(Session& session, const std::vector<v1::RecordChange>& changes) {
  session.env.out << CsvLine({"time", "person", "site", "field", "action", "value", "dot", "is_void", "withheld"});
  for (const v1::RecordChange& change : changes) {
    for (const v1::FieldChange& field : change.fields()) {
      session.env.out << CsvLine(
          {MachineTime(ToTime(change.time())), change.person(), change.site(), field.field(),
           v1::FieldChange::Action_Name(field.action()), field.value(), change.dot(),
           change.is_void() ? "true" : "false", field.withheld() ? "true" : "false"});
    }
  }
}

// Appends the newest changes, `limit` of them at most unless it is 0. Returns how many others the
// node knows only by what they made of the record.
absl::StatusOr<int64_t> ReadHistory(Session& session, const std::string& name, size_t limit,
                                    std::vector<v1::RecordChange>& changes) {
  v1::ListRecordChangesRequest request;
  request.set_name(name);
  while (true) {
    absl::StatusOr<v1::ListRecordChangesResponse> page =
        session.client().connection().ListRecordChanges(request);
    if (!page.ok()) return page.status();
    for (v1::RecordChange& change : *page->mutable_changes()) {
      changes.push_back(std::move(change));
      if (changes.size() == limit) return page->compacted_changes();
    }
    request.set_page_token(page->next_page_token());
    if (request.page_token().empty()) return page->compacted_changes();
  }
}

absl::Status RunHistory(Session& session, const HistoryArguments& arguments) {
  const absl::StatusOr<Target> target = ResolveTarget(session, arguments.kind, arguments.id);
  if (!target.ok()) return target.status();
  std::vector<v1::RecordChange> changes;
  const absl::StatusOr<int64_t> compacted =
      ReadHistory(session, target->name, arguments.limit, changes);
  if (!compacted.ok()) return compacted.status();
  switch (session.output) {
    case Output::kJson: {
      Json array = Json::array();
      for (const v1::RecordChange& change : changes) array.push_back(ChangeJson(change));
      session.env.out << Print(array);
      break;
    }
    case Output::kCsv:
      PrintCsv(session, changes);
      break;
    case Output::kTable:
      PrintTable(session, changes);
      if (*compacted > 0) {
        const std::string count = absl::StrCat(*compacted);
        session.env.out << session.Say(
            count + " changements plus anciens, que ce nœud ne connaît que par leur résultat\n",
            count + " older changes, which this node knows only by their result\n");
      }
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void AddHistoryCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<HistoryArguments>();
  CLI::App* const history = program.Add(
      "history",
      session.Say("Raconte une fiche : qui, quel site, quand, quoi ; le plus récent d'abord",
                  "Tells a record's history: who, which site, when, what; newest first"),
      "  maillage history actor 018f3c1e-7a2b-7c3d-8e4f-0123456789ab --limit 10\n",
      [&session, arguments] { return RunHistory(session, *arguments); });
  history->add_option("KIND", arguments->kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  history->add_option("ID", arguments->id,
                      session.Say("UUID, ou ses 8 premiers chiffres ou plus",
                                  "UUID, or its first 8 digits or more"));
  history
      ->add_option("--limit", arguments->limit,
                   session.Say("Nombre de changements au plus", "Changes at most"))
      ->check(CLI::PositiveNumber);
}

}  // namespace maillage::client::commands
