#include "client/commands/text_table.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace maillage::client::commands {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr size_t kGap = 2;
// Narrower columns tell nothing.
constexpr size_t kMinColumnWidth = 8;

size_t CharacterWidth(UChar32 character) {
  switch (u_charType(character)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
      return 0;
    default:
      break;
  }
  const int32_t width = u_getIntPropertyValue(character, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// The character at `offset`, which moves behind it; U+FFFD for bytes that are no UTF-8.
UChar32 NextCharacter(std::string_view utf8, int32_t& offset) {
  UChar32 character = 0;
  U8_NEXT_OR_FFFD(utf8.data(), offset, static_cast<int32_t>(utf8.size()), character);
  return character;
}

void AppendLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                std::string& out) {
  size_t end = out.size();
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = Truncate(cells[i], widths[i]);
    out += cell;
    if (!cell.empty()) end = out.size();
    out.append(widths[i] - DisplayWidth(cell) + kGap, ' ');
  }
  out.resize(end);
  out += '\n';
}

}  // namespace

size_t DisplayWidth(std::string_view utf8) {
  size_t width = 0;
  for (int32_t offset = 0; offset < static_cast<int32_t>(utf8.size());) {
    width += CharacterWidth(NextCharacter(utf8, offset));
  }
  return width;
}

std::string Truncate(std::string_view utf8, size_t width) {
  if (DisplayWidth(utf8) <= width) return std::string(utf8);
  if (width == 0) return "";
  size_t used = 0;
  int32_t kept = 0;
  for (int32_t offset = 0; offset < static_cast<int32_t>(utf8.size());) {
    used += CharacterWidth(NextCharacter(utf8, offset));
    if (used > width - 1) break;
    kept = offset;
  }
  return std::string(utf8.substr(0, kept)).append(kEllipsis);
}

std::string OneLine(std::string_view utf8) {
  std::string line;
  for (int32_t offset = 0; offset < static_cast<int32_t>(utf8.size());) {
    UChar32 character = NextCharacter(utf8, offset);
    if (character == '\n' || character == '\r' || character == '\t') character = ' ';
    if (u_charType(character) == U_CONTROL_CHAR) character = 0xFFFD;
    char bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, character);
    line.append(bytes, length);
  }
  return line;
}

std::vector<size_t> TextTable::ColumnWidths(size_t max_width) const {
  std::vector<size_t> widths;
  for (const std::string& title : header_) widths.push_back(DisplayWidth(title));
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  if (max_width == 0 || widths.empty()) return widths;
  size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  while (total > max_width) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kMinColumnWidth) break;
    --*widest;
    --total;
  }
  return widths;
}

std::string TextTable::Render(size_t max_width) const {
  const std::vector<size_t> widths = ColumnWidths(max_width);
  std::string out;
  AppendLine(header_, widths, out);
  for (const std::vector<std::string>& row : rows_) AppendLine(row, widths, out);
  return out;
}

}  // namespace maillage::client::commands
