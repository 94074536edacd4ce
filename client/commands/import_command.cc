// import.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/progress.h"
#include "client/import/importer.h"
#include "client/import/refused_file.h"
#include "client/import/report.h"
#include "client/kinds.h"
#include "proto/records.pb.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Message;

// The node takes 1000 contents in a batch, and messages of 4 MB; half of that leaves room for the
// envelope.
constexpr size_t kMaxBatchLines = 1000;
constexpr size_t kMaxBatchBytes = 2 << 20;
constexpr int kDirectoryPageSize = 1000;

struct ImportArguments {
  std::vector<std::string> files;
  std::string kind;
  std::string mapping;
  std::string refused_file;
  bool dry_run = false;
  bool details = false;
};

struct ImportResult {
  size_t created = 0;
  size_t updated = 0;
  size_t unchanged = 0;
  // Lines that repeat an earlier one of the file.
  size_t doubles = 0;
  // Where the refused lines went; empty if there are none.
  std::string refused_file;
};

absl::StatusOr<std::string> ReadFile(const Session& session, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.is_open() && !in.bad() && !std::filesystem::is_directory(file)) return bytes;
  return absl::NotFoundError(session.Say(absl::StrCat(file, " : lecture impossible"),
                                         absl::StrCat(file, ": can't be read")));
}

// A mapping by the name of one that ships with the program, or the path of a TOML file.
absl::StatusOr<ImportOptions> ReadOptions(Session& session, const ImportArguments& arguments) {
  ImportOptions options;
  if (!arguments.kind.empty()) {
    const auto kind = RequireKind(session, arguments.kind);
    if (!kind.ok()) return kind.status();
    options.kind = KindOf(**kind).name();
  }
  const std::vector<std::string> shipped = ShippedMappingNames();
  if (arguments.mapping.empty() ||
      std::find(shipped.begin(), shipped.end(), arguments.mapping) != shipped.end()) {
    options.mapping = arguments.mapping;
    return options;
  }
  absl::StatusOr<std::string> toml = ReadFile(session, arguments.mapping);
  if (!toml.ok()) {
    const std::string names = absl::StrJoin(shipped, ", ");
    return UsageError(session.Say(
        absl::StrCat(arguments.mapping, " : ni un fichier, ni une correspondance fournie (", names,
                     ")"),
        absl::StrCat(arguments.mapping, ": neither a file nor a shipped mapping (", names, ")")));
  }
  options.mapping_toml = *std::move(toml);
  options.mapping_file = arguments.mapping;
  return options;
}

absl::StatusOr<MemoryActorDirectory> ReadActors(Session& session) {
  MemoryActorDirectory directory;
  ListOptions options;
  options.read_mask = {"name", "acronym"};
  options.page_size = kDirectoryPageSize;
  for (const absl::StatusOr<Stored<v1::Actor>>& actor : session.client().List<v1::Actor>(options)) {
    if (!actor.ok()) return actor.status();
    directory.Add(SplitName(actor->name).second, actor->content.name(), actor->content.acronym());
  }
  return directory;
}

// Counts a line's outcome, or turns the line into a refused one.
void TakeResult(const v1::UpsertResult& result, size_t line, ImportPlan& plan,
                ImportResult& counts) {
  switch (result.outcome()) {
    case v1::UpsertResult::CREATED:
      ++counts.created;
      break;
    case v1::UpsertResult::UPDATED:
      ++counts.updated;
      break;
    case v1::UpsertResult::UNCHANGED:
      ++counts.unchanged;
      break;
    default:
      RefuseLine(plan, line, result.error_field(),
                 result.error().empty() ? "refusée par le nœud sans motif" : result.error());
  }
}

absl::Status SendBatch(Session& session, const std::vector<size_t>& lines, bool dry_run,
                       ImportPlan& plan, ImportResult& counts) {
  std::vector<const Message*> content;
  for (size_t line : lines) content.push_back(plan.lines[line].content.get());
  const absl::StatusOr<v1::BatchUpsertRecordsResponse> response =
      session.client().BatchUpsert(plan.kind, content, dry_run);
  if (!response.ok()) return response.status();
  if (static_cast<size_t>(response->results_size()) != lines.size()) {
    return absl::InternalError("le nœud n'a pas répondu pour chaque ligne");
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    TakeResult(response->results(static_cast<int>(i)), lines[i], plan, counts);
  }
  return absl::OkStatus();
}

// Sends the good lines in batches, in the file's order.
absl::Status SendLines(Session& session, bool dry_run, ImportPlan& plan, ImportResult& counts) {
  Progress progress(session, plan.lines.size());
  std::vector<size_t> batch;
  size_t bytes = 0;
  const auto flush = [&](size_t done) {
    absl::Status status =
        batch.empty() ? absl::OkStatus() : SendBatch(session, batch, dry_run, plan, counts);
    batch.clear();
    bytes = 0;
    progress.Show(done);
    if (status.ok() && session.env.stopped()) status = absl::CancelledError();
    return status;
  };
  for (size_t i = 0; i < plan.lines.size(); ++i) {
    if (plan.lines[i].content == nullptr) {
      counts.doubles += plan.lines[i].duplicate_of != 0 ? 1 : 0;
      continue;
    }
    const size_t size = plan.lines[i].content->ByteSizeLong();
    if (batch.size() == kMaxBatchLines || (!batch.empty() && bytes + size > kMaxBatchBytes)) {
      const absl::Status status = flush(i);
      if (!status.ok()) return status;
    }
    batch.push_back(i);
    bytes += size;
  }
  return flush(plan.lines.size());
}

// "evenements.csv" gives "evenements.refus.csv".
std::string DefaultRefusedFile(const std::string& file) {
  const std::filesystem::path path(file);
  return (path.parent_path() / absl::StrCat(path.stem().string(), ".refus.csv")).string();
}

absl::Status WriteRefused(Session& session, const ImportPlan& plan, const std::string& file) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << RefusedFile(plan) << std::flush;
  if (out) return absl::OkStatus();
  return absl::UnknownError(session.Say(absl::StrCat(file, " : écriture impossible"),
                                        absl::StrCat(file, ": can't be written")));
}

std::string Counted(size_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count < 2 ? one : many);
}

std::string Summary(const Session& session, const ImportPlan& plan, const ImportResult& result,
                    bool dry_run) {
  const size_t lines = plan.lines.size();
  const size_t refused = plan.refused_count();
  if (session.language == Language::kEnglish) {
    std::string text = absl::StrCat(Counted(lines, lines == 0 ? "lines" : "line", "lines"), ": ",
                                    result.created, " created, ", result.updated, " updated, ",
                                    result.unchanged, " unchanged, ", refused, " refused");
    if (result.doubles > 0) absl::StrAppend(&text, ", ", result.doubles, " repeated in the file");
    return dry_run ? absl::StrCat(text, " (dry run: nothing was written)") : text;
  }
  const auto agreed = [](size_t count, const char* participle) {
    return absl::StrCat(count, " ", participle, count == 1 ? "" : "s");
  };
  std::string text =
      absl::StrCat(Counted(lines, "ligne", "lignes"), " : ", agreed(result.created, "créée"), ", ",
                   agreed(result.updated, "modifiée"), ", ", agreed(result.unchanged, "inchangée"),
                   ", ", agreed(refused, "refusée"));
  if (result.doubles > 0)
    absl::StrAppend(&text, ", ", result.doubles, " en double dans le fichier");
  return dry_run ? absl::StrCat(text, " (essai : rien n'est écrit)") : text;
}

Json ResultJson(const ImportPlan& plan, const ImportResult& result, bool dry_run) {
  return {{"file", plan.file_name},
          {"dry_run", dry_run},
          {"lines", plan.lines.size()},
          {"created", result.created},
          {"updated", result.updated},
          {"unchanged", result.unchanged},
          {"refused", plan.refused_count()},
          {"duplicates", result.doubles},
          {"refused_file", result.refused_file},
          {"report", Json::parse(ReportJson(plan), nullptr, false)}};
}

void PrintResult(Session& session, const ImportArguments& arguments, const ImportPlan& plan,
                 const ImportResult& result) {
  const std::string summary = Summary(session, plan, result, arguments.dry_run);
  switch (session.output) {
    case Output::kJson:
      return;
    case Output::kCsv:
      session.env.out << ReportCsv(plan);
      session.env.err << plan.file_name << session.Say(" : ", ": ") << summary << "\n";
      return;
    case Output::kTable:
      break;
  }
  const bool notes = arguments.dry_run || arguments.details;
  session.env.out << ReportText(plan, notes ? ReportDetail::kNotes : ReportDetail::kSummary)
                  << summary << "\n";
  if (!result.refused_file.empty()) {
    session.env.out << session.Say("Lignes refusées, à corriger puis importer : ",
                                   "Refused lines, to correct and import: ")
                    << result.refused_file << "\n";
  }
}

// Reads, sends and reports one file. What was sent before an error stays, and the same command goes
// on from there: lines that are in change nothing.
absl::Status ImportFile(Session& session, const ImportArguments& arguments,
                        const ImportOptions& options, const std::string& file, Json& results) {
  const absl::StatusOr<std::string> bytes = ReadFile(session, file);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<MemoryActorDirectory> actors = ReadActors(session);
  if (!actors.ok()) return actors.status();
  absl::StatusOr<ImportPlan> plan = PlanImport(file, *bytes, options, *actors);
  if (!plan.ok()) return plan.status();
  ImportResult result;
  const absl::Status sent = SendLines(session, arguments.dry_run, *plan, result);
  if (!sent.ok()) {
    session.env.err << file << session.Say(" : arrêté après ", ": stopped after ")
                    << result.created + result.updated + result.unchanged
                    << session.Say(" lignes entrées ; la même commande reprend sans rien doubler\n",
                                   " lines; the same command goes on without doubling any\n");
    return sent;
  }
  const bool writes_refused = !arguments.dry_run || !arguments.refused_file.empty();
  if (plan->refused_count() > 0) {
    session.exit_code = kFailed;
    if (writes_refused) {
      result.refused_file =
          arguments.refused_file.empty() ? DefaultRefusedFile(file) : arguments.refused_file;
      const absl::Status written = WriteRefused(session, *plan, result.refused_file);
      if (!written.ok()) return written;
    }
  }
  PrintResult(session, arguments, *plan, result);
  results.push_back(ResultJson(*plan, result, arguments.dry_run));
  return absl::OkStatus();
}

absl::Status RunImport(Session& session, const ImportArguments& arguments) {
  if (arguments.files.size() > 1 && !arguments.refused_file.empty()) {
    return UsageError(session.Say("--refused va avec un seul fichier", "--refused takes one file"));
  }
  const absl::StatusOr<ImportOptions> options = ReadOptions(session, arguments);
  if (!options.ok()) return options.status();
  Json results = Json::array();
  absl::Status status;
  for (const std::string& file : arguments.files) {
    status = ImportFile(session, arguments, *options, file, results);
    if (!status.ok()) break;
  }
  if (session.output == Output::kJson) session.env.out << Print(results);
  return status;
}

}  // namespace

void AddImportCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* const command = program.Add(
      "import",
      session.Say("Importe des tableaux CSV tels quels ; réimporter ne change rien",
                  "Imports CSV tables as they are; importing again changes nothing"),
      "  maillage import evenements-2021.csv --dry-run\n"
      "  maillage import acteurs-reseau.csv projets-reseau.csv\n"
      "  maillage import liste.csv --mapping ma-correspondance.toml --refused a-corriger.csv\n",
      [&session, arguments] { return RunImport(session, *arguments); });
  command->add_option("FILE", arguments->files, session.Say("Fichiers CSV", "CSV files"))
      ->required();
  command->add_option("--kind", arguments->kind,
                      session.Say("Type attendu ; un fichier d'un autre type est refusé",
                                  "Expected kind; a file of another one is refused"));
  command->add_option("--mapping", arguments->mapping,
                      session.Say("Correspondance des colonnes : ", "Mapping of the columns: ") +
                          absl::StrJoin(ShippedMappingNames(), ", ") +
                          session.Say(", ou un fichier TOML", ", or a TOML file"));
  command->add_flag("--dry-run", arguments->dry_run,
                    session.Say("Montre ce qui serait compris, sans rien écrire",
                                "Shows what would be understood, writes nothing"));
  command->add_flag("--details", arguments->details,
                    session.Say("Montre chaque valeur réparée ou laissée en texte",
                                "Shows each value that was repaired or left as text"));
  command->add_option("--refused", arguments->refused_file,
                      session.Say("Où vont les lignes refusées ; FICHIER.refus.csv par défaut",
                                  "Where refused lines go; FILE.refus.csv by default"));
}

}  // namespace maillage::client::commands
