#include "server/query/input_error.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage {
namespace {

// Levenshtein's edit distance of bytes: insertions, deletions and substitutions.
size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t substituted = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

size_t CharacterCount(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & '\xC0') != '\x80'; }));
}

}  // namespace

absl::Status InputError(std::string_view what, std::string_view input, size_t position,
                        std::string_view message) {
  const size_t column = CharacterCount(input.substr(0, position)) + 1;
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), ", colonne ", column, "\u00A0: ", std::string(message)));
}

std::string Nearest(std::string_view typed, const std::vector<std::string>& names) {
  // Longer than any name, and the distance takes time with the product of the lengths.
  constexpr size_t kMaxTypedBytes = 64;
  if (typed.size() > kMaxTypedBytes) return "";
  const std::string folded = FoldText(typed);
  size_t best_distance = (folded.size() + 2) / 3 + 1;
  std::string best;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(folded, FoldText(name));
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = name;
  }
  return best;
}

std::string QuoteWithSuggestion(std::string_view typed, const std::vector<std::string>& names) {
  const std::string nearest = Nearest(typed, names);
  if (nearest.empty()) return Quote(typed);
  return absl::StrCat(Quote(typed), " (", Quote(nearest), "\u00A0?)");
}

}  // namespace maillage
