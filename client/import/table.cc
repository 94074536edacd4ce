#include "client/import/table.h"

#include <csv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "client/import/concat.h"
#include "client/import/encoding.h"
#include "client/import/refused_file.h"

namespace maillage::client {
namespace {

// A row that goes on longer is taken for a quote that was never closed: it bounds the work that a
// hostile file can cause, since reading starts again after the row's first line.
constexpr size_t kMaxLinesPerRow = 200;

// Physical lines with their line ends. A last line without one counts.
std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) {
      end = text.size();
    } else {
      end += text.substr(end, 2) == "\r\n" ? 2 : 1;
    }
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string_view WithoutLineEnd(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool AllBlank(const Row& row, size_t from) {
  return std::all_of(row.cells.begin() + static_cast<std::ptrdiff_t>(from), row.cells.end(),
                     [](const Cell& cell) { return IsBlank(cell.text); });
}

// Feeds libcsv one physical line at a time, which tells where each cell and row begins.
class RowReader {
 public:
  RowReader(std::vector<std::string_view> lines, char separator)
      : lines_(std::move(lines)), separator_(separator) {
    Open();
  }
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  ~RowReader() { csv_free(&parser_); }

  // False at the end of the file. Rows without cells are passed over.
  bool Next(Row& row) {
    while (next_ < lines_.size()) {
      if (WithoutLineEnd(lines_[next_]).empty()) {
        ++next_;
        continue;
      }
      row = Row();
      ReadFrom(next_, row);
      if (row.error.empty() && AllBlank(row, 0)) continue;
      return true;
    }
    return false;
  }

  // Reads on after the first line of the row that began at physical line `line`.
  void ReadAgainAfter(size_t line) { next_ = line; }

 private:
  void Open() {
    csv_init(&parser_, CSV_STRICT);
    csv_set_delim(&parser_, static_cast<unsigned char>(separator_));
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
  }

  static void OnCell(void* text, size_t size, void* self) {
    auto& reader = *static_cast<RowReader*>(self);
    const auto* chars = static_cast<const char*>(text);
    reader.row_->cells.push_back({std::string(chars, chars + size), reader.cell_line_});
    reader.cell_line_ = reader.line_;
  }
  static void OnRow(int, void* self) { static_cast<RowReader*>(self)->row_done_ = true; }

  // True unless the quotes are broken.
  bool Feed(std::string_view text) {
    return csv_parse(&parser_, text.data(), text.size(), OnCell, OnRow, this) == text.size();
  }

  void ReadFrom(size_t first, Row& row) {
    row_ = &row;
    row_done_ = false;
    row.line = cell_line_ = first + 1;
    bool sound = true;
    for (next_ = first; sound && !row_done_ && next_ < lines_.size(); ++next_) {
      if (next_ - first >= kMaxLinesPerRow) break;
      line_ = next_ + 1;
      sound = Feed(lines_[next_]);
      if (sound && !row_done_ && WithoutLineEnd(lines_[next_]) == lines_[next_]) sound = Feed("\n");
    }
    if (sound && row_done_) {
      const std::string_view last = lines_[next_ - 1];
      row.raw.assign(lines_[first].data(), last.data() + last.size());
      row.raw.resize(WithoutLineEnd(row.raw).size());
      return;
    }
    BreakOff(first, sound, row);
  }

  void BreakOff(size_t first, bool unclosed, Row& row) {
    row.error_column = row.cells.size() + 1;
    row.error = unclosed ? "un guillemet \" ouvert n'est jamais refermé"
                         : "guillemet \" mal placé : entourez la cellule de guillemets et doublez "
                           "ceux du texte (\"\")";
    row.broken_quotes = true;
    row.raw = std::string(WithoutLineEnd(lines_[first]));
    csv_free(&parser_);
    Open();
    next_ = first + 1;
  }

  std::vector<std::string_view> lines_;
  char separator_;
  csv_parser parser_;
  size_t next_ = 0;
  Row* row_ = nullptr;
  bool row_done_ = false;
  size_t line_ = 0;
  size_t cell_line_ = 0;
};

char DetectSeparator(std::string_view text) {
  std::array<size_t, kSeparators.size()> counts = {};
  bool quoted = false;
  bool seen_text = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if ((c == '\n' || c == '\r') && seen_text) break;
    if (c != '\n' && c != '\r') seen_text = true;
    for (size_t i = 0; i < kSeparators.size(); ++i) counts[i] += c == kSeparators[i] ? 1 : 0;
  }
  return kSeparators[std::max_element(counts.begin(), counts.end()) - counts.begin()];
}

// The separator of a first line "sep=;", which is then not part of the table.
bool TakeSeparatorLine(std::string_view line, char& separator) {
  line = WithoutLineEnd(line);
  if (line.size() != 5 || !absl::StartsWithIgnoreCase(ToAbsl(line), "sep=")) return false;
  if (kSeparators.find(line[4]) == std::string_view::npos) return false;
  separator = line[4];
  return true;
}

void CheckWidth(size_t width, Row& row) {
  if (row.cells.size() > width && AllBlank(row, width)) {
    row.cells.resize(width);
    row.surplus_dropped = true;
  }
  if (row.cells.size() == width) return;
  row.error = Concat(row.cells.size(), " cellules au lieu de ", width);
  row.error_column = std::min(row.cells.size(), width) + 1;
  if (row.cells.size() > width) {
    absl::StrAppend(&row.error, " : un texte qui contient le séparateur va entre guillemets");
  }
}

// The header's columns without that of a refused file.
size_t DataWidth(const Row& header) {
  return static_cast<size_t>(
      std::count_if(header.cells.begin(), header.cells.end(),
                    [](const Cell& cell) { return !IsReasonHeader(cell.text); }));
}

// Whether a cell holds whole lines that are rows themselves, by their number of separators: then a
// stray quote opened it and the next one closed it. Such a row may have a reason behind it, in
// whatever file: a row must not be split in the refused file that was whole in the first. Needs
// three columns of data; a text may well have one separator in a line. Returns the column, from 1;
// 0 if there is none such.
size_t SwallowingColumn(const Row& row, size_t data_width, char separator) {
  if (data_width < 3) return 0;
  for (size_t column = 0; column < row.cells.size(); ++column) {
    const std::vector<std::string_view> lines = SplitLines(row.cells[column].text);
    for (size_t i = 1; i + 1 < lines.size(); ++i) {
      const auto separators = std::count(lines[i].begin(), lines[i].end(), separator);
      const auto cells = static_cast<size_t>(separators) + 1;
      if (cells == data_width || cells == data_width + 1) return column + 1;
    }
  }
  return 0;
}

absl::Status ReadHeader(RowReader& reader, Table& table) {
  if (!reader.Next(table.header)) {
    return absl::InvalidArgumentError("ce fichier est vide : il lui faut une ligne d'en-tête");
  }
  if (!table.header.error.empty()) {
    return absl::InvalidArgumentError(Concat("ligne ", table.header.line, ", colonne ",
                                             table.header.error_column,
                                             " de l'en-tête : ", table.header.error));
  }
  std::vector<Cell>& cells = table.header.cells;
  while (!cells.empty() && IsBlank(cells.back().text)) cells.pop_back();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Table> ReadTable(std::string_view bytes) {
  absl::StatusOr<DecodedText> decoded = DecodeText(bytes);
  if (!decoded.ok()) return decoded.status();
  Table table;
  table.encoding = decoded->encoding;
  table.composed = decoded->composed;
  table.damaged = decoded->damaged;
  table.separator = DetectSeparator(decoded->text);
  std::vector<std::string_view> lines = SplitLines(decoded->text);
  if (!lines.empty() && TakeSeparatorLine(lines[0], table.separator)) {
    lines[0] = lines[0].substr(0, 0);
  }
  RowReader reader(std::move(lines), table.separator);
  if (absl::Status header = ReadHeader(reader, table); !header.ok()) return header;
  const size_t width = table.header.cells.size();
  const size_t data_width = DataWidth(table.header);
  for (Row row; reader.Next(row); table.rows.push_back(std::move(row))) {
    if (!row.error.empty()) continue;
    CheckWidth(width, row);
    const size_t first_line_end = row.raw.find_first_of("\r\n");
    if (first_line_end == std::string::npos) continue;
    const size_t swallowing =
        row.error.empty() ? SwallowingColumn(row, data_width, table.separator) : 0;
    if (swallowing > 0) {
      row.error_column = swallowing;
      row.error =
          "un guillemet \" semble avoir avalé les lignes suivantes : doublez-le (\"\") ou "
          "retirez-le";
    }
    if (row.error.empty()) continue;
    row.raw.resize(first_line_end);
    row.broken_quotes = true;
    reader.ReadAgainAfter(row.line);
  }
  return table;
}

}  // namespace maillage::client
