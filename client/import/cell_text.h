// What every cell goes through before its meaning is looked for.
#ifndef MAILLAGE_CLIENT_IMPORT_CELL_TEXT_H_
#define MAILLAGE_CLIENT_IMPORT_CELL_TEXT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace maillage::client {

enum class LineBreaks { kToSpace, kKeep };

struct CleanedText {
  std::string text;
  // Blanks were taken out: around the text, or several in a row (the no-break space of a run
  // stays).
  bool repaired = false;
};

CleanedText CleanText(std::string_view utf8, LineBreaks breaks);

// InvalidArgument for NUL and other control characters, and for U+FFFD, which stands for damaged
// bytes.
absl::Status CheckCharacters(std::string_view utf8);

// Without the spaces around it.
std::string_view Trimmed(std::string_view text);

// Cuts at `separator`; with `escaped`, \ takes the next character to the letter. Each piece is
// trimmed of spaces, and empty pieces are left out.
std::vector<std::string> SplitList(std::string_view text, char separator, bool escaped);

// "SI - Formations" gives SI and Formations; "Information" gives Information and nothing. The first
// word ends at a space or a dash, and the spaces and dashes after it belong to neither.
std::pair<std::string_view, std::string_view> SplitFirstWord(std::string_view text);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_CELL_TEXT_H_
