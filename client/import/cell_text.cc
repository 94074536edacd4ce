#include "client/import/cell_text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/absl_view.h"

namespace maillage::client {
namespace {

constexpr UChar32 kNoBreakSpace = 0xA0;
constexpr UChar32 kNarrowNoBreakSpace = 0x202F;
constexpr UChar32 kReplacement = 0xFFFD;

bool IsInvisible(UChar32 c) { return c == 0x200B || c == 0xFEFF; }
bool IsBreak(UChar32 c) { return c == '\n' || c == '\r'; }
bool IsNoBreak(UChar32 c) { return c == kNoBreakSpace || c == kNarrowNoBreakSpace; }

// Most cells are clean: this finds out without decoding anything.
bool IsPlainlyClean(std::string_view text) {
  char previous = ' ';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0xC2 || byte == 0xE2 || byte == 0xE3 || byte == 0xEF) return false;
    if (c == ' ' && previous == ' ') return false;
    previous = c;
  }
  return text.empty() || previous != ' ';
}

// The blanks between two words, boiled down.
struct Gap {
  bool any = false;
  UChar32 kept = ' ';
  size_t count = 0;
  bool altered = false;

  void Add(UChar32 c, LineBreaks breaks) {
    any = true;
    ++count;
    if (IsBreak(c)) {
      if (breaks == LineBreaks::kKeep) kept = '\n';
      altered = altered || breaks == LineBreaks::kToSpace;
    } else if (IsNoBreak(c) && kept == ' ') {
      kept = c;
    } else if (c != ' ' && !IsNoBreak(c)) {
      altered = true;
    }
  }
};

void Append(std::string& text, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  text.append(bytes, static_cast<size_t>(length));
}

// Without the carriage returns of line ends, which aren't blanks of their own.
bool SkipsCarriageReturn(std::string_view text, int32_t next, UChar32 c) {
  return c == '\r' && next < static_cast<int32_t>(text.size()) &&
         text[static_cast<size_t>(next)] == '\n';
}

}  // namespace

CleanedText CleanText(std::string_view utf8, LineBreaks breaks) {
  if (IsPlainlyClean(utf8)) return {std::string(utf8), false};
  CleanedText cleaned;
  Gap gap;
  const auto size = static_cast<int32_t>(utf8.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c;
    U8_NEXT_OR_FFFD(utf8.data(), at, size, c);
    if (SkipsCarriageReturn(utf8, at, c)) continue;
    if (IsInvisible(c)) {
      cleaned.repaired = true;
      continue;
    }
    if (c < 0x80 ? absl::ascii_isspace(static_cast<unsigned char>(c)) : u_isUWhiteSpace(c) != 0) {
      gap.Add(c, breaks);
      continue;
    }
    if (gap.any) {
      const bool keeps = !cleaned.text.empty();
      if (keeps) Append(cleaned.text, gap.kept);
      const bool paragraph = gap.kept == '\n';
      cleaned.repaired |= !keeps || gap.altered || (gap.count > 1 && !paragraph);
      gap = Gap();
    }
    Append(cleaned.text, c);
  }
  cleaned.repaired |= gap.any;
  return cleaned;
}

absl::Status CheckCharacters(std::string_view utf8) {
  const auto size = static_cast<int32_t>(utf8.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c;
    U8_NEXT_OR_FFFD(utf8.data(), at, size, c);
    if (c == kReplacement) {
      return absl::InvalidArgumentError(
          "des octets de cette cellule ne sont pas de l'UTF-8 : ressaisissez les caractères "
          "abîmés");
    }
    const bool control = c < 0x20 ? (c != '\t' && !IsBreak(c)) : (c >= 0x7F && c < 0xA0);
    if (control) {
      return absl::InvalidArgumentError(
          absl::StrFormat("caractère de contrôle U+%04X : effacez-le", static_cast<int>(c)));
    }
  }
  return absl::OkStatus();
}

std::string_view Trimmed(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

std::vector<std::string> SplitList(std::string_view text, char separator, bool escaped) {
  std::vector<std::string> pieces;
  std::string piece;
  const auto finish = [&] {
    const std::string_view trimmed = Trimmed(piece);
    if (!trimmed.empty()) pieces.emplace_back(trimmed);
    piece.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (escaped && text[i] == '\\' && i + 1 < text.size()) {
      piece.push_back(text[++i]);
    } else if (text[i] == separator) {
      finish();
    } else {
      piece.push_back(text[i]);
    }
  }
  finish();
  return pieces;
}

std::pair<std::string_view, std::string_view> SplitFirstWord(std::string_view text) {
  size_t end = 0;
  const auto separator_at = [&](size_t at) -> size_t {
    for (std::string_view separator : {" ", "-", "\u2013", "\u2014", "\u00a0", "\u202f", ":"}) {
      if (text.substr(at, separator.size()) == separator) return separator.size();
    }
    return 0;
  };
  while (end < text.size() && separator_at(end) == 0) ++end;
  size_t rest = end;
  while (rest < text.size() && separator_at(rest) > 0) rest += separator_at(rest);
  return {text.substr(0, end), text.substr(rest)};
}

}  // namespace maillage::client
