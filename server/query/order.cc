#include "server/query/order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/quote.h"
#include "server/query/collation.h"
#include "server/query/input_error.h"
#include "server/query/limits.h"
#include "unicode/utf8.h"

namespace maillage {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A sort key is, for each field, a byte that says whether the field is set, and its value; the
// bytes of a descending value are inverted. Neither value is a prefix of another.
constexpr char kSet = 1;
constexpr char kUnset = 2;

constexpr uint64_t kSignBit = uint64_t{1} << 63;

std::string BigEndian(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

// IEEE 754 bits order like sign and magnitude; inverting those below zero makes them order like
// numbers.
std::string RealKey(double number) {
  const auto bits = std::bit_cast<uint64_t>(number == 0 ? 0.0 : number);
  return BigEndian((bits & kSignBit) != 0 ? ~bits : bits | kSignBit);
}

// Zero bytes become 00 FF, and 00 01 ends the text.
std::string Terminated(std::string_view bytes) {
  std::string escaped;
  escaped.reserve(bytes.size() + 2);
  for (const char byte : bytes) {
    escaped.push_back(byte);
    if (byte == '\0') escaped.push_back('\xFF');
  }
  escaped.append("\0\1", 2);
  return escaped;
}

std::string_view FirstCharacters(std::string_view text) {
  size_t end = 0;
  for (size_t i = 0; i < kMaxSortedCharacters && end < text.size(); ++i) {
    U8_FWD_1(text.data(), end, text.size());
  }
  return text.substr(0, end);
}

std::string ValueKey(const FieldValue& value) {
  switch (value.field()->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string_view text = FirstCharacters(value.Text(&scratch));
      const bool is_code = FormatOf(value.field()) != v1::FIELD_FORMAT_UNSPECIFIED;
      return Terminated(is_code ? std::string(text) : FrenchSortKey(text));
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return RealKey(value.Real());
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return BigEndian(value.Unsigned());
    case FieldDescriptor::CPPTYPE_BOOL:
      return BigEndian(value.Bool() ? 1 : 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      return BigEndian(static_cast<uint64_t>(int64_t{value.EnumNumber()}) ^ kSignBit);
    default:
      return BigEndian(static_cast<uint64_t>(value.Signed()) ^ kSignBit);
  }
}

// Not a number is in no order, and so as good as unset.
bool IsNan(const FieldValue& value) {
  const FieldDescriptor::CppType type = value.field()->cpp_type();
  return (type == FieldDescriptor::CPPTYPE_FLOAT || type == FieldDescriptor::CPPTYPE_DOUBLE) &&
         std::isnan(value.Real());
}

// Why the values at the end of the path have no order; empty if they have.
std::string Disorder(const FieldPath& path) {
  for (const FieldDescriptor* field : path) {
    if (field->is_repeated()) {
      return absl::StrCat(Quote(field->name()), " a plusieurs valeurs et ne peut pas trier");
    }
  }
  const FieldDescriptor* last = path.back();
  if (last->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return absl::StrCat(
        Quote(last->name()),
        " est composé\u00A0; trier par un de ses champs\u00A0: ", FieldList(last->message_type()));
  }
  if (last->type() == FieldDescriptor::TYPE_BYTES) {
    return absl::StrCat(Quote(last->name()), " n'est pas un texte et ne peut pas trier");
  }
  return "";
}

struct Word {
  std::string_view text;
  size_t position;
};

std::vector<Word> WordsOf(std::string_view text, size_t begin, size_t end) {
  std::vector<Word> words;
  for (size_t i = begin; i < end;) {
    const size_t first = i;
    while (i < end && !absl::ascii_isspace(text[i])) ++i;
    if (i > first) words.push_back({text.substr(first, i - first), first});
    while (i < end && absl::ascii_isspace(text[i])) ++i;
  }
  return words;
}

absl::Status OrderError(std::string_view text, size_t position, std::string_view message) {
  return InputError("tri", text, position, message);
}

}  // namespace

std::string OrderBy::SortKey(const Message& message) const {
  std::string key;
  for (const Term& term : terms_) {
    const bool set = AnyValue(message, term.path, [&](const FieldValue& value) {
      if (IsNan(value)) return false;
      key.push_back(kSet);
      std::string bytes = ValueKey(value);
      if (term.descending) {
        std::transform(bytes.begin(), bytes.end(), bytes.begin(),
                       [](char byte) { return static_cast<char>(~byte); });
      }
      key += bytes;
      return true;
    });
    if (!set) key.push_back(kUnset);
  }
  return key;
}

absl::StatusOr<OrderBy> ParseOrderBy(std::string_view text, const Descriptor* kind) {
  OrderBy order;
  if (WordsOf(text, 0, text.size()).empty()) return order;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::vector<Word> words = WordsOf(text, begin, end);
    if (words.empty()) return OrderError(text, begin, "un nom de champ est attendu");
    if (order.terms_.size() == kMaxOrderByFields) {
      return OrderError(text, words[0].position,
                        absl::StrCat("plus de ", kMaxOrderByFields, " champs"));
    }
    FieldPathError error;
    FieldPath path = ResolveFieldPath(words[0].text, kind, &error);
    if (path.empty()) {
      return OrderError(text, words[0].position + error.position, error.message);
    }
    const std::string disorder = Disorder(path);
    if (!disorder.empty()) return OrderError(text, words[0].position, disorder);
    const bool descending = words.size() > 1 && words[1].text == "desc";
    const size_t known = words.size() > 1 && (descending || words[1].text == "asc") ? 2 : 1;
    if (words.size() > known) {
      return OrderError(text, words[known].position,
                        absl::StrCat("après un champ vient asc, desc ou une virgule, pas ",
                                     Quote(words[known].text)));
    }
    order.terms_.push_back({std::move(path), descending});
    begin = end + 1;
  }
  return order;
}

}  // namespace maillage
