// A spreadsheet exported as text, read into rows of cells that know where they stand.
#ifndef MAILLAGE_CLIENT_IMPORT_TABLE_H_
#define MAILLAGE_CLIENT_IMPORT_TABLE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace maillage::client {

// What may stand between cells; the first is meant where a header has none.
inline constexpr std::string_view kSeparators = ";\t,";

struct Cell {
  std::string text;
  // Physical line on which the cell begins, from 1.
  size_t line = 0;
};

struct Row {
  // First physical line, from 1.
  size_t line = 0;
  std::vector<Cell> cells;
  // Without the line end; of a row with broken quotes, its first physical line.
  std::string raw;
  // Why the row can't be read, in French, and the column where; empty for a sound row, which has as
  // many cells as the header.
  std::string error;
  size_t error_column = 0;
  // The quotes are broken, so that the raw text would swallow what follows it.
  bool broken_quotes = false;
  // Empty cells beyond the header's last column were dropped.
  bool surplus_dropped = false;
};

struct Table {
  std::string encoding;
  bool composed = false;
  bool damaged = false;
  char separator = ';';
  Row header;
  // In the file's order; rows without any text are left out.
  std::vector<Row> rows;
};

// Reads RFC 4180 with the separator, among ; , and tab, that the header uses most outside quotes (a
// first line "sep=;" as spreadsheets write it decides). Lines end in CR LF, LF or CR. A row with
// broken quotes costs its first line only: reading goes on with the next. InvalidArgument, in
// French, where there is no header or the bytes are no text.
absl::StatusOr<Table> ReadTable(std::string_view bytes);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_TABLE_H_
