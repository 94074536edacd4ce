// The syntax of filters: AIP-160 (aip.dev/160), without functions. Knows nothing of kinds and
// fields; filter.h gives the tree its meaning.
#ifndef MAILLAGE_SERVER_QUERY_FILTER_SYNTAX_H_
#define MAILLAGE_SERVER_QUERY_FILTER_SYNTAX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage {

enum class FilterComparator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kHas,
};

// As it is written: "<=".
std::string_view ComparatorText(FilterComparator comparator);

struct FilterLiteral {
  // Without quotes, escapes and the wildcards at its ends.
  std::string text;
  // Anything may stand before, or after: an unescaped * was written there. A lone * sets both.
  bool any_before = false;
  bool any_after = false;
  // Byte of the filter at which it begins.
  size_t position = 0;

  bool IsAny() const { return any_before && any_after && text.empty(); }
  bool HasWildcard() const { return any_before || any_after; }
};

struct FilterSyntax {
  enum class Kind : uint8_t {
    // All operands; of none, everything matches.
    kAnd,
    // Any of at least two operands.
    kOr,
    // Not its one operand.
    kNot,
    // `literal` alone.
    kLiteral,
    // path comparator literal
    kRestriction,
  };

  Kind kind = Kind::kAnd;
  std::vector<FilterSyntax> operands;

  // Names with dots between them, as written, and the byte of the filter at which they begin.
  std::string path;
  size_t position = 0;
  FilterComparator comparator = FilterComparator::kEqual;
  FilterLiteral literal;
};

// The tree of a filter of at most kMaxFilterBytes and kMaxFilterDepth parentheses inside of each
// other. Blank text is kAnd of nothing. InvalidArgument with column and reason, in French.
absl::StatusOr<FilterSyntax> ParseFilterSyntax(std::string_view filter);

// InvalidArgument: « filtre, colonne 9 : … » for a byte of the filter.
absl::Status FilterError(std::string_view filter, size_t position, std::string_view message);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_FILTER_SYNTAX_H_
