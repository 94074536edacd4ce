// How filters compare texts.
#ifndef MAILLAGE_SERVER_QUERY_TEXT_CONDITION_H_
#define MAILLAGE_SERVER_QUERY_TEXT_CONDITION_H_

#include <string>
#include <string_view>

#include "proto/merge.pb.h"
#include "server/query/filter_syntax.h"

namespace maillage {

// A comparator and a literal, ready to be applied to many texts. Thread-safe.
class TextCondition {
 public:
  // Not kNotEqual, which is the negation of kEqual over all values.
  TextCondition(FilterComparator comparator, const FilterLiteral& literal);

  // `format` is that of the field: texts with one are codes, compared by bytes; others are prose.
  bool Matches(std::string_view text, v1::FieldFormat format) const;

 private:
  bool IsEqual(std::string_view text) const;
  bool Has(std::string_view text, v1::FieldFormat format) const;
  int Compare(std::string_view text, v1::FieldFormat format) const;

  FilterComparator comparator_;
  FilterLiteral literal_;
  // The literal's text, for kHas.
  std::string folded_;
};

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_TEXT_CONDITION_H_
