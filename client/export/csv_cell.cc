#include "client/export/csv_cell.h"

#include <csv.h>

namespace maillage::client {
namespace {

bool NeedsQuotes(std::string_view text, char separator) {
  if (text.empty()) return false;
  if (text.front() == ' ' || text.front() == '\t') return true;
  if (text.back() == ' ' || text.back() == '\t') return true;
  for (char c : text) {
    if (c == separator || c == '"' || c == '\n' || c == '\r') return true;
  }
  return false;
}

}  // namespace

void AppendCsvCell(std::string& csv, std::string_view text, char separator) {
  if (!NeedsQuotes(text, separator)) {
    csv.append(text);
  } else {
    AppendQuotedCsvCell(csv, text);
  }
}

void AppendQuotedCsvCell(std::string& csv, std::string_view text) {
  const size_t start = csv.size();
  csv.resize(start + csv_write(nullptr, 0, text.data(), text.size()));
  csv_write(csv.data() + start, csv.size() - start, text.data(), text.size());
}

}  // namespace maillage::client
