// export.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/export/export.h"
#include "client/kinds.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Descriptor;

constexpr int kPageSize = 1000;

struct ExportArguments {
  std::string kind;
  std::string format;
  std::string file;
};

// Etags and times differ between sites that hold the same data, and stay out. Ids must ascend, or
// two sites would give different bytes.
absl::StatusOr<size_t> WriteRecords(Session& session, const Descriptor& kind, bool csv,
                                    std::ostream& out) {
  if (csv) out << CsvHeader(kind);
  std::string last_name;
  size_t count = 0;
  ListOptions options;
  options.page_size = kPageSize;
  for (const absl::StatusOr<v1::Record>& record :
       session.client().ListRecords(KindOf(kind).name(), options)) {
    if (!record.ok()) return record.status();
    if (record->name() <= last_name) {
      return absl::InternalError(
          absl::StrCat("liste sans ordre : ", record->name(), " après ", last_name));
    }
    last_name = record->name();
    const auto content = Unpack(record->content());
    if (!content.ok()) return content.status();
    const std::string id = SplitName(record->name()).second;
    const absl::StatusOr<std::string> line = csv ? CsvRow(id, **content) : JsonLine(id, **content);
    if (!line.ok()) return line.status();
    out << *line;
    ++count;
  }
  return count;
}

absl::Status FileError(const Session& session, const std::string& file) {
  return absl::UnknownError(session.Say(absl::StrCat(file, " : écriture impossible"),
                                        absl::StrCat(file, ": can't be written")));
}

// The file appears complete or not at all; FILE.part stays where the node couldn't read all of it.
absl::Status ExportToFile(Session& session, const Descriptor& kind, bool csv,
                          const std::string& file) {
  const std::string partial = absl::StrCat(file, ".part");
  absl::StatusOr<size_t> count = 0;
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    count = WriteRecords(session, kind, csv, out);
    out.flush();
    if (count.ok() && !out) count = FileError(session, file);
  }
  std::error_code error;
  if (count.ok()) {
    std::filesystem::rename(partial, file, error);
    if (error) count = FileError(session, file);
  }
  if (absl::IsDataLoss(count.status())) {
    return absl::DataLossError(absl::StrCat(
        count.status().message(),
        session.Say(" ; tout ce qui a pu être lu est dans ", "; all that could be read is in "),
        partial));
  }
  if (!count.ok()) {
    std::filesystem::remove(partial, error);
    return count.status();
  }
  session.env.err << file << session.Say(" : ", ": ") << *count
                  << session.Say(*count < 2 ? " fiche\n" : " fiches\n",
                                 *count == 1 ? " record\n" : " records\n");
  return absl::OkStatus();
}

absl::Status RunExport(Session& session, const ExportArguments& arguments) {
  const absl::StatusOr<const Descriptor*> kind = RequireKind(session, arguments.kind);
  if (!kind.ok()) return kind.status();
  const bool csv =
      arguments.format.empty() ? session.output != Output::kJson : arguments.format == "csv";
  // Before the first record leaves: who reads the log later finds those that broke off, too.
  v1::NoteExportRequest note;
  note.set_person(session.person);
  note.set_what(absl::StrCat(KindOf(**kind).name(), ", ", csv ? "csv" : "jsonl"));
  note.set_where(arguments.file.empty() ? "-" : std::filesystem::absolute(arguments.file).lexically_normal().string());
  const absl::StatusOr<v1::NoteExportResponse> noted = session.client().connection().NoteExport(note);
  if (!noted.ok()) return noted.status();
  if (!arguments.file.empty()) return ExportToFile(session, **kind, csv, arguments.file);
  return WriteRecords(session, **kind, csv, session.env.out).status();
}

}  // namespace

void AddExportCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* const command =
      program.Add("export",
                  session.Say("Exporte toutes les fiches d'un type ; mêmes données, mêmes octets",
                              "Exports all records of a kind; equal data gives equal bytes"),
                  "  maillage export actor --format csv --out acteurs.csv\n"
                  "  maillage export event --format jsonl | sha256sum\n",
                  [&session, arguments] { return RunExport(session, *arguments); });
  command->add_option("KIND", arguments->kind, session.Say("Type de fiche", "Kind of record"))
      ->required();
  command->add_option("--format", arguments->format, session.Say("csv ou jsonl", "csv or jsonl"))
      ->check(CLI::IsMember({"csv", "jsonl"}));
  command->add_option(
      "--out", arguments->file,
      session.Say("Fichier ; la sortie standard par défaut", "File; standard output by default"));
}

}  // namespace maillage::client::commands
