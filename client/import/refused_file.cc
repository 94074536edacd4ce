#include "client/import/refused_file.h"

#include "client/export/csv_cell.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "client/import/importer.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

// Before the reason of a row whose cells couldn't be told apart. With the quote before it, it ends
// a quote that the row left open in an error on the row's own line: no row swallows the next one.
constexpr std::string_view kUnreadable = "ligne illisible : ";

std::string ReasonOf(const PlannedLine& line) {
  std::string reason;
  for (const Note& note : line.notes) {
    if (note.severity != Severity::kRefused) continue;
    if (!reason.empty()) reason += " ; ";
    if (!note.column_name.empty()) reason += Concat(note.column_name, " : ");
    reason += note.message;
  }
  return reason;
}

void AppendLine(std::string& file, const PlannedLine& line, char separator) {
  file += line.raw;
  file.push_back(separator);
  if (line.unreadable) {
    AppendQuotedCsvCell(file, Concat(kUnreadable, ReasonOf(line)));
  } else {
    AppendCsvCell(file, ReasonOf(line), separator);
  }
  file.push_back('\n');
}

}  // namespace

bool IsReasonHeader(std::string_view cell) {
  return FoldText(CleanText(cell, LineBreaks::kToSpace).text) == FoldText(kReasonHeader);
}

std::string_view WithoutReason(std::string_view raw, char separator) {
  size_t end = raw.rfind(kUnreadable);
  if (end == std::string_view::npos) return raw;
  // A spreadsheet that saved the file may have left the quote out.
  if (end > 0 && raw[end - 1] == '"') --end;
  return end > 0 && raw[end - 1] == separator ? raw.substr(0, end - 1) : raw;
}

std::string RefusedFile(const ImportPlan& plan) {
  std::string file = plan.raw_header;
  file.push_back(plan.separator);
  AppendCsvCell(file, kReasonHeader, plan.separator);
  file.push_back('\n');
  const auto append = [&](bool broken_quotes) {
    for (const PlannedLine& line : plan.lines) {
      if (line.broken_quotes != broken_quotes || !line.refused()) continue;
      AppendLine(file, line, plan.separator);
    }
  };
  append(false);
  append(true);
  return file;
}

}  // namespace maillage::client
