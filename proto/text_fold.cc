#include "proto/text_fold.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "google/protobuf/stubs/logging.h"
#include "unicode/normalizer2.h"
#include "unicode/uchar.h"
#include "unicode/unistr.h"
#include "unicode/utf8.h"

namespace maillage {
namespace {

// Accents, and signs that enclose a letter. Marks of combining class 0 are letters of their own,
// such as the vowels of Indic scripts.
bool IsAccent(UChar32 c) {
  return u_getCombiningClass(c) != 0 || u_charType(c) == U_ENCLOSING_MARK;
}

bool IsApostrophe(UChar32 c) {
  switch (c) {
    case U'\'':
    case U'`':
    case U'\u00B4':  // acute accent
    case U'\u02B9':  // modifier prime
    case U'\u02BB':  // modifier turned comma
    case U'\u02BC':  // modifier apostrophe
    case U'\u02BD':  // modifier reversed comma
    case U'\u2018':
    case U'\u2019':
    case U'\u201B':
    case U'\u2032':  // prime
      return true;
    default:
      return false;
  }
}

void AppendCodePoint(UChar32 c, std::string* out) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  out->append(bytes, static_cast<size_t>(length));
}

// True if c is a punctuation or a ligature that folds to what was appended.
bool AppendEquivalent(UChar32 c, std::string* out) {
  if (IsApostrophe(c)) {
    out->push_back('\'');
  } else if (u_hasBinaryProperty(c, UCHAR_DASH)) {
    out->push_back('-');
  } else if (u_isUWhiteSpace(c)) {
    out->push_back(' ');
  } else if (c == U'œ') {
    out->append("oe");
  } else if (c == U'æ') {
    out->append("ae");
  } else {
    return false;
  }
  return true;
}

// Folding is a function of single code points: canonical order only moves marks, and those go.
std::string FoldCodePoint(UChar32 c) {
  struct Normalizers {
    Normalizers() {
      UErrorCode error = U_ZERO_ERROR;
      fold_case = icu::Normalizer2::getNFKCCasefoldInstance(error);
      decompose = icu::Normalizer2::getNFKDInstance(error);
      GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
    }
    const icu::Normalizer2* fold_case;
    const icu::Normalizer2* decompose;
  };
  static const Normalizers normalizers;

  std::string folded;
  // Before decomposition, which makes a space and a mark of the acute accent.
  if (AppendEquivalent(c, &folded)) return folded;
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString text = normalizers.decompose->normalize(
      normalizers.fold_case->normalize(icu::UnicodeString(c), error), error);
  GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 part = text.char32At(i);
    if (!IsAccent(part) && !AppendEquivalent(part, &folded)) AppendCodePoint(part, &folded);
  }
  return folded;
}

// The code points of European names and their punctuation, folded once.
class FoldTable {
 public:
  FoldTable() {
    for (size_t i = 0; i < kLatin; ++i) latin_[i] = FoldCodePoint(static_cast<UChar32>(i));
    for (size_t i = 0; i < kPunctuation; ++i) {
      punctuation_[i] = FoldCodePoint(static_cast<UChar32>(kPunctuationBegin + i));
    }
  }

  // Null: not in the table.
  const std::string* Find(UChar32 c) const {
    const auto index = static_cast<size_t>(c);
    if (index < kLatin) return &latin_[index];
    if (index >= kPunctuationBegin && index < kPunctuationBegin + kPunctuation) {
      return &punctuation_[index - kPunctuationBegin];
    }
    return nullptr;
  }

 private:
  // Up to the combining diacritical marks, included.
  static constexpr size_t kLatin = 0x370;
  static constexpr size_t kPunctuationBegin = 0x2000;
  static constexpr size_t kPunctuation = 0x70;

  std::array<std::string, kLatin> latin_;
  std::array<std::string, kPunctuation> punctuation_;
};

// Appends folded characters, with runs of spaces as one and none at the ends.
class SpaceCollapser {
 public:
  explicit SpaceCollapser(size_t size_hint) { out_.reserve(size_hint); }

  void Append(char byte) {
    if (byte == ' ') {
      pending_ = !out_.empty();
      return;
    }
    if (pending_) out_.push_back(' ');
    pending_ = false;
    out_.push_back(byte);
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
  bool pending_ = false;
};

}  // namespace

std::string FoldText(std::string_view utf8) {
  static const FoldTable& table = *new FoldTable;
  SpaceCollapser out(utf8.size());
  for (size_t i = 0; i < utf8.size();) {
    UChar32 c;
    U8_NEXT_OR_FFFD(utf8.data(), i, utf8.size(), c);
    if (const std::string* folded = table.Find(c); folded != nullptr) {
      for (const char byte : *folded) out.Append(byte);
    } else {
      for (const char byte : FoldCodePoint(c)) out.Append(byte);
    }
  }
  return out.Take();
}

std::vector<std::string> FoldedWords(std::string_view utf8) {
  // Marks that folding keeps are vowels inside of words.
  constexpr uint32_t kWordMask = U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK;
  const std::string folded = FoldText(utf8);
  std::vector<std::string> words;
  bool in_word = false;
  for (size_t i = 0; i < folded.size();) {
    const size_t begin = i;
    UChar32 c;
    U8_NEXT_OR_FFFD(folded.data(), i, folded.size(), c);
    const bool belongs = (U_GET_GC_MASK(c) & kWordMask) != 0;
    if (belongs && !in_word) words.emplace_back();
    if (belongs) words.back().append(folded, begin, i - begin);
    in_word = belongs;
  }
  return words;
}

}  // namespace maillage
