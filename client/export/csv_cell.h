// One cell of a CSV file, written after RFC 4180.
#ifndef MAILLAGE_CLIENT_EXPORT_CSV_CELL_H_
#define MAILLAGE_CLIENT_EXPORT_CSV_CELL_H_

#include <string>
#include <string_view>

namespace maillage::client {

// Appends the text, between quotes where it holds the separator, a quote, a line end, or outer
// blanks.
void AppendCsvCell(std::string& csv, std::string_view text, char separator);

// Appends the text between quotes, needed or not.
void AppendQuotedCsvCell(std::string& csv, std::string_view text);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_EXPORT_CSV_CELL_H_
