#include "client/import/number.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Digits without the spaces between groups of three; nothing where the groups aren't such.
std::optional<std::string> JoinGroups(std::string_view folded) {
  std::string digits;
  size_t group = 0;
  bool grouped = false;
  for (char c : folded) {
    if (c == ' ') {
      if (group == 0 || group > 3 || (grouped && group != 3)) return std::nullopt;
      grouped = true;
      group = 0;
    } else if (absl::ascii_isdigit(c)) {
      digits.push_back(c);
      ++group;
    } else {
      return std::nullopt;
    }
  }
  if (digits.empty() || (grouped && group != 3)) return std::nullopt;
  return digits;
}

std::string_view StripEuro(std::string_view folded) {
  for (std::string_view suffix : {"€", "euros", "euro", "eur"}) {
    if (!folded.ends_with(suffix)) continue;
    folded.remove_suffix(suffix.size());
    return Trimmed(folded);
  }
  return folded;
}

}  // namespace

absl::StatusOr<uint64_t> ParseCount(std::string_view text) {
  std::string folded;
  if (!AllDigits(text)) {
    folded = FoldText(text);
    std::optional<std::string> joined = JoinGroups(folded);
    if (!joined) {
      return absl::InvalidArgumentError(
          Concat(Quote(text), " n'est pas un nombre entier : des chiffres seulement"));
    }
    folded = *std::move(joined);
    text = folded;
  }
  uint64_t number = 0;
  if (!absl::SimpleAtoi(ToAbsl(text), &number)) {
    return absl::InvalidArgumentError(Concat(Quote(text), " est un nombre trop grand"));
  }
  return number;
}

absl::StatusOr<int64_t> ParseAmount(std::string_view text) {
  const auto refuse = [&] {
    return absl::InvalidArgumentError(
        Concat(Quote(text),
               " n'est pas un montant : des chiffres, puis au plus une virgule et deux "
               "décimales (64 000,00)"));
  };
  const std::string folded = FoldText(text);
  std::string_view units = StripEuro(folded);
  std::string cents = "00";
  if (size_t mark = units.find_first_of(",."); mark != std::string_view::npos) {
    cents = std::string(units.substr(mark + 1));
    units = units.substr(0, mark);
    if (!AllDigits(cents) || cents.size() > 2) return refuse();
    cents.resize(2, '0');
  }
  const std::optional<std::string> digits = JoinGroups(units);
  if (!digits) return refuse();
  int64_t minor_units = 0;
  if (!absl::SimpleAtoi(Concat(*digits, cents), &minor_units)) {
    return absl::InvalidArgumentError(Concat(Quote(text), " est un montant trop grand"));
  }
  return minor_units;
}

}  // namespace maillage::client
