// Single cells: cleaning, lists, dates and numbers (client/import/), and how texts are folded (proto/text_fold.h).
#include <string>

#include "absl/strings/str_cat.h"
#include "client/import/cell_text.h"
#include "client/import/french_date.h"
#include "client/import/number.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "proto/text_fold.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

void RequireCleans(std::string_view text) {
  for (const auto breaks : {client::LineBreaks::kToSpace, client::LineBreaks::kKeep}) {
    const client::CleanedText cleaned = client::CleanText(text, breaks);
    const client::CleanedText again = client::CleanText(cleaned.text, breaks);
    MAILLAGE_REQUIRE(again.text == cleaned.text && !again.repaired);
    // A cell that is fit to be read stays so.
    if (!client::CheckCharacters(text).ok()) continue;
    MAILLAGE_REQUIRE(IsUtf8(cleaned.text) && client::CheckCharacters(cleaned.text).ok());
  }
}

void RequireFolds(std::string_view text) {
  const std::string folded = FoldText(text);
  MAILLAGE_REQUIRE(IsUtf8(folded));
  MAILLAGE_REQUIRE(FoldText(folded) == folded);
  for (const std::string& word : FoldedWords(text)) {
    MAILLAGE_REQUIRE(!word.empty() && word.find('\0') == std::string::npos);
  }
  MAILLAGE_REQUIRE(IsUtf8(Quote(text)));
}

void RequireSplits(std::string_view text) {
  for (const bool escaped : {false, true}) {
    size_t bytes = 0;
    for (const std::string& piece : client::SplitList(text, '|', escaped)) {
      MAILLAGE_REQUIRE(!piece.empty() && client::Trimmed(piece) == piece);
      bytes += piece.size();
    }
    MAILLAGE_REQUIRE(bytes <= text.size());
  }
  const auto [first, rest] = client::SplitFirstWord(text);
  MAILLAGE_REQUIRE(text.starts_with(first) && text.ends_with(rest));
}

bool RequireDates(std::string_view text) {
  const auto dates = client::ParseFrenchDates(text);
  if (!dates.ok()) {
    RequireRefusal(dates.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  MAILLAGE_REQUIRE(!dates->empty());
  for (const std::string& date : *dates) {
    MAILLAGE_REQUIRE(CheckFormat(v1::DATE, date).ok());
    const auto again = client::ParseFrenchDates(date);
    MAILLAGE_REQUIRE(again.ok() && *again == std::vector<std::string>{date});
  }
  return true;
}

bool RequireNumbers(std::string_view text) {
  const auto count = client::ParseCount(text);
  if (count.ok()) {
    const auto again = client::ParseCount(absl::StrCat(*count));
    MAILLAGE_REQUIRE(again.ok() && *again == *count);
  } else {
    RequireRefusal(count.status(), absl::StatusCode::kInvalidArgument);
  }
  const auto amount = client::ParseAmount(text);
  if (amount.ok()) {
    MAILLAGE_REQUIRE(*amount >= 0);
    const std::string written = absl::StrCat(*amount / 100, ",", *amount / 10 % 10, *amount % 10);
    const auto again = client::ParseAmount(written);
    MAILLAGE_REQUIRE(again.ok() && *again == *amount);
  } else {
    RequireRefusal(amount.status(), absl::StatusCode::kInvalidArgument);
  }
  return count.ok() || amount.ok();
}

}  // namespace

bool FuzzCell(std::string_view bytes) {
  RequireCleans(bytes);
  RequireFolds(bytes);
  RequireSplits(bytes);
  const bool is_date = RequireDates(bytes);
  const bool is_number = RequireNumbers(bytes);
  return is_date || is_number;
}

}  // namespace maillage::fuzz
