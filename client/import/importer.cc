#include "client/import/importer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "client/export/csv_cell.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "client/import/converter.h"
#include "client/import/mapping.h"
#include "client/import/mapping_choice.h"
#include "client/import/refused_file.h"
#include "client/import/row_digest.h"
#include "client/import/table.h"
#include "client/kinds.h"
#include "google/protobuf/message.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "proto/records.pb.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The kind's map from systems to ids; null if it has none.
const FieldDescriptor* ExternalIdsOf(const Descriptor& kind) {
  for (int i = 0; i < kind.field_count(); ++i) {
    const FieldDescriptor* field = kind.field(i);
    if (field->is_repeated() && field->message_type() == v1::ExternalId::descriptor()) {
      return field;
    }
  }
  return nullptr;
}

// The cells but one, each written by `append`.
template <typename Append>
std::string JoinCells(const Row& row, size_t left_out, char separator, Append append) {
  std::string joined;
  bool first = true;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (i == left_out) continue;
    if (!first) joined.push_back(separator);
    first = false;
    append(joined, row.cells[i].text);
  }
  return joined;
}

std::string DataRow(const Row& row, size_t left_out, char separator) {
  return JoinCells(row, left_out, separator,
                   [separator](std::string& joined, const std::string& text) {
                     AppendCsvCell(joined, text, separator);
                   });
}

// Names that hold any separator stand between quotes: none of them may pass for the file's.
std::string HeaderRow(const Row& header, size_t left_out, char separator) {
  return JoinCells(header, left_out, separator,
                   [separator](std::string& joined, const std::string& name) {
                     if (name.find_first_of(kSeparators) == std::string::npos) {
                       AppendCsvCell(joined, name, separator);
                     } else {
                       AppendQuotedCsvCell(joined, name);
                     }
                   });
}

Note LineNote(size_t line, Severity severity, std::string message) {
  Note note;
  note.line = line;
  note.severity = severity;
  note.message = std::move(message);
  return note;
}

// Turns the rows of one table into planned lines. Keeps what is the same for all rows.
class Planner {
 public:
  Planner(const Table& table, const Mapping& mapping, std::vector<const ColumnMapping*> columns,
          const ActorDirectory& directory, ImportPlan& plan)
      : table_(table),
        mapping_(mapping),
        columns_(std::move(columns)),
        directory_(directory),
        plan_(plan),
        digester_(plan.header),
        external_ids_(mapping.digest ? ExternalIdsOf(*mapping.descriptor) : nullptr) {
    for (size_t i = 0; i < plan.header.size(); ++i) {
      if (IsReasonHeader(plan.header[i])) reason_column_ = i;
    }
  }

  void Run() {
    NoteFile();
    plan_.raw_header = HeaderRow(table_.header, reason_column_, table_.separator);
    plan_.lines.reserve(table_.rows.size());
    for (const Row& row : table_.rows) plan_.lines.push_back(Plan(row));
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  void NoteFile() {
    const size_t line = table_.header.line;
    if (table_.composed) {
      plan_.notes.push_back(LineNote(line, Severity::kRepaired,
                                     "accents décomposés (lettre, puis accent) recomposés"));
    }
    if (table_.damaged) {
      plan_.notes.push_back(LineNote(
          line, Severity::kRepaired,
          "le fichier est en UTF-8, sauf quelques octets : les cellules touchées sont refusées"));
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] != nullptr || i == reason_column_) continue;
      Note note = LineNote(line, Severity::kUnderstood,
                           Concat("colonne laissée de côté : la correspondance ",
                                  Quote(mapping_.name), " ne la lit pas"));
      note.column = i + 1;
      note.column_name = plan_.header[i];
      plan_.notes.push_back(std::move(note));
    }
  }

  PlannedLine Plan(const Row& row) {
    PlannedLine line;
    line.line = row.line;
    if (!row.error.empty()) {
      line.raw = reason_column_ == kNone ? std::string_view(row.raw)
                                         : WithoutReason(row.raw, table_.separator);
      line.unreadable = true;
      line.broken_quotes = row.broken_quotes;
      line.notes.push_back(LineNote(row.line, Severity::kRefused, row.error));
      line.notes.back().column = row.error_column;
      if (row.error_column > 0 && row.error_column <= plan_.header.size()) {
        line.notes.back().column_name = plan_.header[row.error_column - 1];
      }
      return line;
    }
    const bool rebuilt = row.surplus_dropped || reason_column_ != kNone;
    line.raw = rebuilt ? DataRow(row, reason_column_, table_.separator) : row.raw;
    line.digest = digester_.Digest(row);
    const auto [first, inserted] = seen_.emplace(line.digest, plan_.lines.size());
    if (inserted) {
      Fill(row, line);
    } else {
      Repeat(plan_.lines[first->second], line);
    }
    return line;
  }

  // An equal row can only say the same again; it shares the fate of the first.
  static void Repeat(const PlannedLine& first, PlannedLine& line) {
    line.duplicate_of = first.line;
    line.notes.push_back(LineNote(line.line,
                                  first.refused() ? Severity::kRefused : Severity::kUnderstood,
                                  Concat("identique à la ligne ", first.line)));
  }

  void Fill(const Row& row, PlannedLine& line) {
    std::unique_ptr<Message> record = NewMessage(*mapping_.descriptor);
    if (row.surplus_dropped) {
      line.notes.push_back(LineNote(row.line, Severity::kRepaired,
                                    "cellules vides au-delà de la dernière colonne retirées"));
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] != nullptr && !columns_[i]->ignored) FillCell(row, i, *record, line);
    }
    Complete(*record, line);
    if (!line.refused()) line.content = std::move(record);
  }

  void FillCell(const Row& row, size_t i, Message& record, PlannedLine& line) {
    place_.line = row.cells[i].line;
    place_.column = i + 1;
    place_.column_name.assign(plan_.header[i]);
    CellContext cell(record, directory_, line.notes, place_);
    const absl::Status converted = ConvertCell(row.cells[i].text, *columns_[i], cell);
    if (converted.ok()) return;
    const auto& cases = columns_[i]->cases;
    cell.SayOfField(Severity::kRefused, cases.empty() ? "" : cases.back().field.name,
                    ToStd(converted.message()));
  }

  // What no column gives: the mapping's constants and the digest.
  void Complete(Message& record, PlannedLine& line) {
    for (const auto& [field, value] : mapping_.set) {
      if (auto put = PutText(record, field, value); !put.ok()) {
        line.notes.push_back(
            LineNote(line.line, Severity::kRefused, std::string(put.status().message())));
      }
    }
    if (external_ids_ != nullptr) {
      auto& id = *DynamicCastToGenerated<v1::ExternalId>(
          record.GetReflection()->AddMessage(&record, external_ids_));
      id.set_system(mapping_.name);
      id.set_id(line.digest);
    }
    if (absl::Status formats = CheckFormats(record); !formats.ok()) {
      line.notes.push_back(LineNote(line.line, Severity::kRefused, std::string(formats.message())));
    }
  }

  const Table& table_;
  const Mapping& mapping_;
  // For each column of the header; null where nothing reads it.
  std::vector<const ColumnMapping*> columns_;
  const ActorDirectory& directory_;
  ImportPlan& plan_;
  RowDigester digester_;
  const FieldDescriptor* external_ids_;
  size_t reason_column_ = kNone;
  // Index of the first row of each digest.
  absl::flat_hash_map<std::string, size_t> seen_;
  Note place_;
};

}  // namespace

bool PlannedLine::refused() const {
  return std::any_of(notes.begin(), notes.end(),
                     [](const Note& note) { return note.severity == Severity::kRefused; });
}

size_t ImportPlan::refused_count() const {
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(),
                                           [](const PlannedLine& line) { return line.refused(); }));
}

absl::StatusOr<ImportPlan> PlanImport(std::string_view file_name, std::string_view bytes,
                                      const ImportOptions& options,
                                      const ActorDirectory& directory) {
  const auto about_file = [&](const absl::Status& status) {
    return absl::Status(status.code(), Concat(file_name, " : ", status.message()));
  };
  absl::StatusOr<Table> table = ReadTable(bytes);
  if (!table.ok()) return about_file(table.status());
  ImportPlan plan;
  for (const Cell& cell : table->header.cells) {
    if (absl::Status characters = CheckCharacters(cell.text); !characters.ok()) {
      return about_file(characters);
    }
    plan.header.push_back(CleanText(cell.text, LineBreaks::kToSpace).text);
  }
  const absl::StatusOr<Mapping> mapping = ChooseMapping(options, plan.header);
  if (!mapping.ok()) return about_file(mapping.status());
  absl::StatusOr<std::vector<const ColumnMapping*>> columns = BindColumns(*mapping, plan.header);
  if (!columns.ok()) return about_file(columns.status());
  plan.file_name = std::string(file_name);
  plan.encoding = table->encoding;
  plan.separator = table->separator;
  plan.mapping = mapping->name;
  plan.kind = mapping->kind;
  plan.descriptor = mapping->descriptor;
  Planner(*table, *mapping, *std::move(columns), directory, plan).Run();
  return plan;
}

void RefuseLine(ImportPlan& plan, size_t index, std::string_view field, std::string_view reason) {
  PlannedLine& line = plan.lines[index];
  Note note = LineNote(line.line, Severity::kRefused, std::string(reason));
  note.field = std::string(field);
  line.notes.push_back(std::move(note));
  line.content = nullptr;
}

}  // namespace maillage::client
