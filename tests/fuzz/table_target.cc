// Spreadsheets as text (client/import/table.h, client/import/encoding.h): no line of the file is lost.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/export/csv_cell.h"
#include "client/import/encoding.h"
#include "client/import/table.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using client::Cell;
using client::Row;
using client::Table;

// Physical lines, with what ends them: CR LF, LF or CR.
std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && text[end] != '\r' && text[end] != '\n') ++end;
    if (end < text.size()) end += text.substr(end, 2) == "\r\n" ? 2 : 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

// The lines in the order of the rows that they belong to.
class Ledger {
 public:
  Ledger(std::vector<std::string_view> lines, char separator)
      : lines_(std::move(lines)), blanks_(std::string(" \t\r\n\"") + separator) {}

  void Take(const Row& row) {
    MAILLAGE_REQUIRE(row.line > next_ && row.line <= lines_.size());
    PassBlanksTo(row.line - 1);
    std::string_view rest = row.raw;
    while (true) {
      MAILLAGE_REQUIRE(next_ < lines_.size());
      const std::string_view line = lines_[next_++];
      const bool ends = rest.size() <= line.size();
      MAILLAGE_REQUIRE(ends ? line.starts_with(rest) : rest.starts_with(line));
      if (!ends) {
        rest.remove_prefix(line.size());
        continue;
      }
      MAILLAGE_REQUIRE(line.find_first_not_of("\r\n", rest.size()) == std::string_view::npos);
      return;
    }
  }

  // Only lines without any text are in no row.
  void PassBlanksTo(size_t index) {
    for (; next_ < index; ++next_) {
      MAILLAGE_REQUIRE(lines_[next_].find_first_not_of(blanks_) == std::string_view::npos);
    }
  }
  void End() { PassBlanksTo(lines_.size()); }
  // "sep=;", in any case.
  void PassSeparatorLine() {
    if (lines_.empty() || lines_[0].size() < 5) return;
    const std::string_view line = lines_[0];
    const bool named = (line[0] | 0x20) == 's' && (line[1] | 0x20) == 'e' &&
                       (line[2] | 0x20) == 'p' && line[3] == '=';
    const bool separates = std::string_view(";,\t").find(line[4]) != std::string_view::npos;
    const bool ends = line.find_first_not_of("\r\n", 5) == std::string_view::npos;
    if (named && separates && ends) next_ = 1;
  }

 private:
  const std::vector<std::string_view> lines_;
  const std::string blanks_;
  size_t next_ = 0;
};

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
  });
}

void AppendRow(const Row& row, char separator, std::string& text) {
  for (size_t i = 0; i < row.cells.size(); ++i) {
    if (i > 0) text.push_back(separator);
    client::AppendCsvCell(text, row.cells[i].text, separator);
  }
  text.push_back('\n');
}

bool SameCells(const Row& left, const Row& right) {
  if (left.cells.size() != right.cells.size()) return false;
  for (size_t i = 0; i < left.cells.size(); ++i) {
    if (left.cells[i].text != right.cells[i].text) return false;
  }
  return true;
}

// The sound rows, written as an export writes them, say the same again.
void RequireRoundTrip(const Table& table) {
  std::string text = std::string("sep=") + table.separator + "\n";
  AppendRow(table.header, table.separator, text);
  std::vector<const Row*> sound;
  for (const Row& row : table.rows) {
    if (!row.error.empty()) continue;
    AppendRow(row, table.separator, text);
    sound.push_back(&row);
  }
  const auto again = client::ReadTable(text);
  // Without the quotes that went, control characters may be more than a text has.
  if (!again.ok() && HasControls(text)) return;
  MAILLAGE_REQUIRE(again.ok());
  MAILLAGE_REQUIRE(SameCells(again->header, table.header));
  MAILLAGE_REQUIRE(again->rows.size() == sound.size());
  for (size_t i = 0; i < sound.size(); ++i) {
    MAILLAGE_REQUIRE(again->rows[i].error.empty() && SameCells(again->rows[i], *sound[i]));
  }
}

}  // namespace

bool FuzzTable(std::string_view bytes) {
  const auto text = client::DecodeText(bytes);
  const auto table = client::ReadTable(bytes);
  if (!text.ok()) {
    RequireRefusal(text.status(), absl::StatusCode::kInvalidArgument);
    MAILLAGE_REQUIRE(table.status() == text.status());
    return false;
  }
  MAILLAGE_REQUIRE(IsUtf8(text->text));
  if (!table.ok()) {
    RequireRefusal(table.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  const size_t width = table->header.cells.size();
  MAILLAGE_REQUIRE(width > 0 && table->header.error.empty());
  Ledger ledger(LinesOf(text->text), table->separator);
  ledger.PassSeparatorLine();
  ledger.Take(table->header);
  for (const Row& row : table->rows) {
    ledger.Take(row);
    MAILLAGE_REQUIRE(row.error.empty() ? row.cells.size() == width : row.error_column > 0);
    for (const Cell& cell : row.cells) MAILLAGE_REQUIRE(cell.line >= row.line);
  }
  ledger.End();
  RequireRoundTrip(*table);
  return true;
}

}  // namespace maillage::fuzz
