#include "server/query/text_condition.h"

#include "proto/text_fold.h"
#include "server/query/collation.h"

namespace maillage {
namespace {

// `text` is `part`, with anything before or after where that is allowed.
bool Fits(std::string_view text, std::string_view part, bool any_before, bool any_after) {
  if (any_before && any_after) return text.find(part) != std::string_view::npos;
  if (any_before) return text.ends_with(part);
  if (any_after) return text.starts_with(part);
  return text == part;
}

// The code, or one that it stands above: 4 above 4.7, 2021 above 2021-02.
bool IsCodeOrAbove(std::string_view code, std::string_view other) {
  if (!other.starts_with(code)) return false;
  return other.size() == code.size() || other[code.size()] == '.' || other[code.size()] == '-';
}

}  // namespace

TextCondition::TextCondition(FilterComparator comparator, const FilterLiteral& literal)
    : comparator_(comparator), literal_(literal), folded_(FoldText(literal.text)) {}

bool TextCondition::Matches(std::string_view text, v1::FieldFormat format) const {
  switch (comparator_) {
    case FilterComparator::kHas:
      return Has(text, format);
    case FilterComparator::kEqual:
      if (format == v1::DATE && !literal_.HasWildcard()) return Compare(text, format) == 0;
      return IsEqual(text);
    case FilterComparator::kLess:
      return Compare(text, format) < 0;
    case FilterComparator::kLessOrEqual:
      return Compare(text, format) <= 0;
    case FilterComparator::kGreater:
      return Compare(text, format) > 0;
    case FilterComparator::kGreaterOrEqual:
      return Compare(text, format) >= 0;
    case FilterComparator::kNotEqual:
      break;
  }
  return false;
}

bool TextCondition::IsEqual(std::string_view text) const {
  return Fits(text, literal_.text, literal_.any_before, literal_.any_after);
}

bool TextCondition::Has(std::string_view text, v1::FieldFormat format) const {
  const std::string folded = FoldText(text);
  if (format == v1::FIELD_FORMAT_UNSPECIFIED) return folded.find(folded_) != std::string::npos;
  if (literal_.HasWildcard()) {
    return Fits(folded, folded_, literal_.any_before, literal_.any_after);
  }
  return folded_.empty() || IsCodeOrAbove(folded_, folded);
}

int TextCondition::Compare(std::string_view text, v1::FieldFormat format) const {
  if (format == v1::FIELD_FORMAT_UNSPECIFIED) return CompareFrench(text, literal_.text);
  // Dates are compared as exactly as the filter gives them: 2021-05-01 is of 2021, not after it.
  if (format == v1::DATE) text = text.substr(0, literal_.text.size());
  return text.compare(literal_.text);
}

}  // namespace maillage
