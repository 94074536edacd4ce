#include "server/query/condition.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "server/query/input_error.h"
#include "server/query/text_condition.h"

namespace maillage {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What a comparison says of one value; the condition adds "any of the values", and negates it all.
struct Test {
  std::function<bool(const FieldValue&)> of_value;
  // The comparison holds where the test is of no value.
  bool negated = false;
};

bool IsOrdering(FilterComparator comparator) {
  return comparator != FilterComparator::kEqual && comparator != FilterComparator::kNotEqual &&
         comparator != FilterComparator::kHas;
}

// kEqual, kNotEqual and kHas are alike here: negation is the condition's.
template <typename Number>
bool Holds(FilterComparator comparator, Number value, Number literal) {
  switch (comparator) {
    case FilterComparator::kLess:
      return value < literal;
    case FilterComparator::kLessOrEqual:
      return value <= literal;
    case FilterComparator::kGreater:
      return value > literal;
    case FilterComparator::kGreaterOrEqual:
      return value >= literal;
    default:
      return value == literal;
  }
}

absl::Status Unordered(const FieldDescriptor* field, FilterComparator comparator) {
  return absl::InvalidArgumentError(absl::StrCat(Quote(ComparatorText(comparator)),
                                                 " ne s'applique pas à ", Quote(field->name()),
                                                 "\u00A0: écrire =, != ou :"));
}

absl::Status Expected(const FieldDescriptor* field, const FilterLiteral& literal,
                      const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat(Quote(literal.text), " n'est pas ", expected,
                                                 ", que ", Quote(field->name()), " attend"));
}

absl::StatusOr<Test> TextTest(const FieldDescriptor* field, FilterComparator comparator,
                              const FilterLiteral& literal) {
  const v1::FieldFormat format = FormatOf(field);
  const bool negated = comparator == FilterComparator::kNotEqual;
  const bool is_equality = negated || comparator == FilterComparator::kEqual;
  if (IsOrdering(comparator) && literal.HasWildcard()) {
    return absl::InvalidArgumentError(
        absl::StrCat("le joker * ne suit que = != et :, pas ", Quote(ComparatorText(comparator))));
  }
  const auto is_some_text = [](const FieldValue& value) {
    std::string scratch;
    return !value.Text(&scratch).empty();
  };
  if (is_equality && literal.text.empty() && !literal.HasWildcard()) {
    return Test{is_some_text, !negated};
  }
  const bool is_checked = is_equality || (format == v1::DATE && IsOrdering(comparator));
  if (is_checked && !literal.HasWildcard()) {
    const absl::Status status = CheckFormat(format, literal.text);
    if (!status.ok()) return status;
  }
  TextCondition condition(negated ? FilterComparator::kEqual : comparator, literal);
  return Test{[condition = std::move(condition), format](const FieldValue& value) {
                std::string scratch;
                return condition.Matches(value.Text(&scratch), format);
              },
              negated};
}

absl::StatusOr<Test> IntegerTest(const FieldDescriptor* field, FilterComparator comparator,
                                 const FilterLiteral& literal) {
  absl::int128 number;
  if (literal.HasWildcard() || !absl::SimpleAtoi(literal.text, &number)) {
    return Expected(field, literal, "un nombre entier");
  }
  const bool is_unsigned = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                           field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  return Test{[=](const FieldValue& value) {
                const absl::int128 stored =
                    is_unsigned ? absl::int128(value.Unsigned()) : absl::int128(value.Signed());
                return Holds(comparator, stored, number);
              },
              comparator == FilterComparator::kNotEqual};
}

absl::StatusOr<Test> RealTest(const FieldDescriptor* field, FilterComparator comparator,
                              const FilterLiteral& literal) {
  double number;
  if (literal.HasWildcard() || !absl::SimpleAtod(literal.text, &number)) {
    return Expected(field, literal, "un nombre, comme 45.5");
  }
  return Test{[=](const FieldValue& value) { return Holds(comparator, value.Real(), number); },
              comparator == FilterComparator::kNotEqual};
}

absl::StatusOr<Test> BoolTest(const FieldDescriptor* field, FilterComparator comparator,
                              const FilterLiteral& literal) {
  if (IsOrdering(comparator)) return Unordered(field, comparator);
  const bool wanted = literal.text == "true";
  if (literal.HasWildcard() || (!wanted && literal.text != "false")) {
    return Expected(field, literal, "true ou false");
  }
  return Test{[wanted](const FieldValue& value) { return value.Bool() == wanted; },
              comparator == FilterComparator::kNotEqual};
}

std::vector<std::string> ValueNames(const EnumDescriptor* type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->value_count(); ++i) names.push_back(type->value(i)->name());
  return names;
}

// By name, in any case; or by number, which is all that is known of a value of a later version.
std::optional<int> EnumNumber(const EnumDescriptor* type, const FilterLiteral& literal) {
  if (literal.HasWildcard()) return std::nullopt;
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (absl::EqualsIgnoreCase(value->name(), literal.text)) return value->number();
  }
  int number;
  if (absl::SimpleAtoi(literal.text, &number)) return number;
  return std::nullopt;
}

absl::StatusOr<Test> EnumTest(const FieldDescriptor* field, FilterComparator comparator,
                              const FilterLiteral& literal) {
  if (IsOrdering(comparator)) return Unordered(field, comparator);
  const std::optional<int> number = EnumNumber(field->enum_type(), literal);
  if (!number.has_value()) {
    const std::vector<std::string> names = ValueNames(field->enum_type());
    return absl::InvalidArgumentError(
        absl::StrCat("valeur inconnue ", QuoteWithSuggestion(literal.text, names), " de ",
                     Quote(field->name()), "\u00A0; valeurs\u00A0: ", absl::StrJoin(names, ", ")));
  }
  const bool negated = comparator == FilterComparator::kNotEqual;
  if (*number == 0) {
    return Test{[](const FieldValue& value) { return value.EnumNumber() != 0; }, !negated};
  }
  return Test{[wanted = *number](const FieldValue& value) { return value.EnumNumber() == wanted; },
              negated};
}

// Any text in the message or below it.
bool AnyText(const Message& message, const TextCondition& condition) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool found = AnyValue(message, {field}, [&](const FieldValue& value) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        return AnyText(value.Message(), condition);
      }
      if (field->type() != FieldDescriptor::TYPE_STRING) return false;
      std::string scratch;
      return condition.Matches(value.Text(&scratch), FormatOf(field));
    });
    if (found) return true;
  }
  return false;
}

absl::StatusOr<Test> MessageTest(const FieldDescriptor* field, FilterComparator comparator,
                                 const FilterLiteral& literal) {
  if (comparator != FilterComparator::kHas) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quote(field->name()), " est composé\u00A0; comparer un de ses champs (",
        FieldList(field->message_type()), ") ou chercher un texte dans tous avec «\u00A0:\u00A0»"));
  }
  return Test{[condition = TextCondition(comparator, literal)](const FieldValue& value) {
    return AnyText(value.Message(), condition);
  }};
}

absl::StatusOr<Test> TestOf(const FieldDescriptor* field, FilterComparator comparator,
                            const FilterLiteral& literal) {
  const bool negated = comparator == FilterComparator::kNotEqual;
  if (literal.IsAny() && !IsOrdering(comparator)) {
    return Test{[](const FieldValue&) { return true; }, negated};
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_STRING) {
        return TextTest(field, comparator, literal);
      }
      return absl::InvalidArgumentError(absl::StrCat(
          Quote(field->name()), " n'est pas un texte\u00A0; seul «\u00A0:*\u00A0» s'y applique"));
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return IntegerTest(field, comparator, literal);
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return RealTest(field, comparator, literal);
    case FieldDescriptor::CPPTYPE_BOOL:
      return BoolTest(field, comparator, literal);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumTest(field, comparator, literal);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageTest(field, comparator, literal);
  }
  return absl::InternalError(field->full_name());
}

}  // namespace

absl::StatusOr<Condition> Condition::Make(const FieldPath& path, FilterComparator comparator,
                                          const FilterLiteral& literal) {
  absl::StatusOr<Test> test = TestOf(path.back(), comparator, literal);
  if (!test.ok()) return test.status();
  return Condition(path, std::move(test->of_value), test->negated);
}

}  // namespace maillage
