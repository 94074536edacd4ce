// Columns on a terminal: accents, wide and combining characters take the room that they have on the
// screen.
#ifndef MAILLAGE_CLIENT_COMMANDS_TEXT_TABLE_H_
#define MAILLAGE_CLIENT_COMMANDS_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maillage::client::commands {

// Terminal cells that the text takes: 2 for wide characters (UAX 11), 0 for combining marks.
size_t DisplayWidth(std::string_view utf8);

// At most `width` cells of the text, the last one "…" where something was cut. Never splits a
// character from its combining marks.
std::string Truncate(std::string_view utf8, size_t width);

// The text on one line: line ends and tabs become spaces; other control characters, which could
// steer the terminal, become U+FFFD, as do bytes that are no UTF-8.
std::string OneLine(std::string_view utf8);

// Rows under a header, columns aligned to the left, two spaces apart.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}

  // As many cells as the header has.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  // Lines of at most `max_width` cells, the widest columns giving way first; 0 means no limit.
  std::string Render(size_t max_width) const;

 private:
  std::vector<size_t> ColumnWidths(size_t max_width) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_TEXT_TABLE_H_
