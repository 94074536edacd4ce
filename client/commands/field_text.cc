#include "client/commands/field_text.h"

#include <unicode/ucurr.h>
#include <unicode/unistr.h>

#include <memory>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/import/french_date.h"
#include "client/import/number.h"
#include "client/kinds.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "proto/absl_view.h"
#include "proto/id.h"
#include "proto/quote.h"
#include "proto/records.pb.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status NotA(const FieldDescriptor& field, const std::string& text, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(field.name(), " : ", Quote(text), " n'est pas ", what));
}

v1::FieldFormat FormatOf(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::format);
}

// « actor/UUID » and « UUID » give the UUID; nothing for other texts.
std::string ReferenceIn(const std::string& text) {
  const auto [kind, id] = SplitName(text);
  const std::string& uuid = kind.empty() ? text : id;
  const std::optional<RecordId> parsed = ParseUuid(uuid);
  return parsed.has_value() ? FormatUuid(*parsed) : "";
}

std::string NormalText(const FieldDescriptor& field, const std::string& text) {
  if (FormatOf(field) == v1::REFERENCE) {
    std::string reference = ReferenceIn(text);
    if (!reference.empty()) return reference;
  }
  if (FormatOf(field) == v1::DATE) {
    const absl::StatusOr<std::vector<std::string>> dates = ParseFrenchDates(text);
    if (dates.ok() && dates->size() == 1) return dates->front();
  }
  return text;
}

// ---- Messages that have a text of their own ----

// Decimals of the currency: 2 for EUR, 0 for XOF, 3 for TND.
int FractionDigits(const std::string& currency) {
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString code = icu::UnicodeString::fromUTF8(currency);
  const int digits = ucurr_getDefaultFractionDigits(code.getTerminatedBuffer(), &error);
  return U_FAILURE(error) ? 2 : digits;
}

absl::Status SetMoney(const FieldDescriptor& field, const std::string& text, v1::Money& money) {
  std::string currency = "EUR";
  absl::string_view amount = absl::StripAsciiWhitespace(text);
  if (amount.size() > 3) {
    const absl::string_view code = amount.substr(amount.size() - 3);
    if (absl::c_all_of(code, absl::ascii_isalpha)) {
      currency = absl::AsciiStrToUpper(code);
      amount = absl::StripTrailingAsciiWhitespace(amount.substr(0, amount.size() - 3));
    }
  }
  absl::StatusOr<int64_t> units = ParseAmount(ToStd(amount));
  if (!units.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(field.name(), " : ", units.status().message()));
  }
  int64_t minor_units = *units;
  int digits = FractionDigits(currency);
  for (; digits < 2; ++digits) {
    if (minor_units % 10 != 0) return NotA(field, text, "un montant entier de cette monnaie");
    minor_units /= 10;
  }
  for (; digits > 2; --digits) {
    if (__builtin_mul_overflow(minor_units, 10, &minor_units)) {
      return NotA(field, text, "un montant de taille admise");
    }
  }
  money.set_minor_units(minor_units);
  money.set_currency(currency);
  return absl::OkStatus();
}

std::string MoneyText(const v1::Money& money) {
  const int digits = FractionDigits(money.currency());
  const bool negative = money.minor_units() < 0;
  std::string text = absl::StrCat(money.minor_units());
  if (negative) text.erase(0, 1);
  if (text.size() <= static_cast<size_t>(digits)) text.insert(0, digits + 1 - text.size(), '0');
  if (digits > 0) text.insert(text.size() - digits, ",");
  return absl::StrCat(negative ? "-" : "", text, " ", money.currency());
}

absl::Status SetLocation(const FieldDescriptor& field, const std::string& text,
                         v1::Location& location) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  double latitude = 0;
  double longitude = 0;
  if (parts.size() != 2 || !absl::SimpleAtod(parts[0], &latitude) ||
      !absl::SimpleAtod(parts[1], &longitude)) {
    return NotA(field, text, "une position : latitude, longitude (45.57, 5.92)");
  }
  location.set_latitude(latitude);
  location.set_longitude(longitude);
  return absl::OkStatus();
}

void SetParty(const std::string& text, v1::Party& party) {
  const std::string reference = ReferenceIn(text);
  if (reference.empty()) {
    party.set_text(text);
  } else {
    party.set_actor(reference);
  }
}

absl::Status SetMessage(const FieldDescriptor& field, const std::string& text, Message& value);

absl::Status SetEntry(const FieldDescriptor& key, const std::string& text, Message& entry) {
  const size_t mark = text.find_first_of(":=");
  const std::string key_text(absl::StripAsciiWhitespace(text.substr(0, mark)));
  if (key_text.empty()) return NotA(key, text, "de la forme CLÉ:VALEUR");
  absl::Status status = SetFromText(key, key_text, entry);
  if (!status.ok() || mark == std::string::npos) return status;
  const std::string value(absl::StripAsciiWhitespace(text.substr(mark + 1)));
  const Descriptor& type = *entry.GetDescriptor();
  for (int i = 0; i < type.field_count() && !value.empty(); ++i) {
    if (type.field(i) != &key) return SetFromText(*type.field(i), value, entry);
  }
  return absl::OkStatus();
}

absl::Status SetJson(const FieldDescriptor& field, const std::string& text, Message& value) {
  const auto status = google::protobuf::util::JsonStringToMessage(text, &value);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field.name(), " : JSON refusé : ", std::string(status.message())));
}

absl::Status SetMessage(const FieldDescriptor& field, const std::string& text, Message& value) {
  if (absl::StartsWith(text, "{")) return SetJson(field, text, value);
  if (auto* money = dynamic_cast<v1::Money*>(&value)) return SetMoney(field, text, *money);
  if (auto* location = dynamic_cast<v1::Location*>(&value)) {
    return SetLocation(field, text, *location);
  }
  if (auto* party = dynamic_cast<v1::Party*>(&value)) {
    SetParty(text, *party);
    return absl::OkStatus();
  }
  const FieldDescriptor* const key = KeyField(*value.GetDescriptor());
  if (key != nullptr) return SetEntry(*key, text, value);
  const Descriptor& type = *value.GetDescriptor();
  return absl::InvalidArgumentError(
      absl::StrCat(field.name(), " : à écrire membre par membre (", field.name(), ".",
                   type.field(0)->name(), "=…) ou en JSON ({\"", type.field(0)->name(), "\": …})"));
}

// ---- Enums and scalars ----

const EnumValueDescriptor* FindValue(const EnumDescriptor& type, const std::string& text) {
  const std::string name = absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}});
  return type.FindValueByName(name);
}

absl::Status SetEnum(const FieldDescriptor& field, const std::string& text, Message& message) {
  const EnumDescriptor& type = *field.enum_type();
  const EnumValueDescriptor* const value = FindValue(type, text);
  if (value == nullptr || value->number() == 0) {
    std::vector<std::string> names;
    for (int i = 1; i < type.value_count(); ++i) {
      names.push_back(absl::AsciiStrToLower(type.value(i)->name()));
    }
    return NotA(field, text, absl::StrCat("une valeur admise : ", absl::StrJoin(names, ", ")));
  }
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddEnum(&message, &field, value);
  } else {
    reflection.SetEnum(&message, &field, value);
  }
  return absl::OkStatus();
}

absl::Status SetScalar(const FieldDescriptor& field, const std::string& text, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const auto number = [&](auto value, auto set, auto add, const std::string& what) {
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      if (!absl::SimpleAtod(text, &value)) return NotA(field, text, what);
    } else {
      if (!absl::SimpleAtoi(text, &value)) return NotA(field, text, what);
    }
    (reflection.*(repeated ? add : set))(&message, &field, value);
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      (reflection.*(repeated ? &Reflection::AddString : &Reflection::SetString))(
          &message, &field, NormalText(field, text));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT32:
      return number(int32_t{}, &Reflection::SetInt32, &Reflection::AddInt32, "un nombre entier");
    case FieldDescriptor::CPPTYPE_INT64:
      return number(int64_t{}, &Reflection::SetInt64, &Reflection::AddInt64, "un nombre entier");
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(uint32_t{}, &Reflection::SetUInt32, &Reflection::AddUInt32,
                    "un nombre entier positif");
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(uint64_t{}, &Reflection::SetUInt64, &Reflection::AddUInt64,
                    "un nombre entier positif");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number(double{}, &Reflection::SetDouble, &Reflection::AddDouble, "un nombre");
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      if (!absl::SimpleAtob(text, &value)) return NotA(field, text, "true ou false");
      (reflection.*(repeated ? &Reflection::AddBool : &Reflection::SetBool))(&message, &field,
                                                                             value);
      return absl::OkStatus();
    }
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(field.name(), " : type de champ sans forme écrite"));
  }
}

// ---- To text ----

std::string MessageText(const Message& message) {
  if (const auto* money = dynamic_cast<const v1::Money*>(&message)) return MoneyText(*money);
  const FieldDescriptor* const key = KeyField(*message.GetDescriptor());
  std::vector<std::string> parts;
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    for (std::string& text : FieldTexts(message, *type.field(i))) parts.push_back(std::move(text));
  }
  return absl::StrJoin(parts, key != nullptr ? ":" : ", ");
}

std::string ElementText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageText(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, index)
                                             : reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower((field.is_repeated()
                                        ? reflection.GetRepeatedEnum(message, &field, index)
                                        : reflection.GetEnum(message, &field))
                                       ->name());
    case FieldDescriptor::CPPTYPE_STRING:
      return field.is_repeated() ? reflection.GetRepeatedString(message, &field, index)
                                 : reflection.GetString(message, &field);
    default: {
      std::string text;
      google::protobuf::TextFormat::PrintFieldValueToString(
          message, &field, field.is_repeated() ? index : -1, &text);
      return text;
    }
  }
}

}  // namespace

const FieldDescriptor* KeyField(const Descriptor& entry) {
  for (int i = 0; i < entry.field_count(); ++i) {
    if (entry.field(i)->options().GetExtension(v1::key)) return entry.field(i);
  }
  return nullptr;
}

absl::Status SetFromText(const FieldDescriptor& field, const std::string& text, Message& message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) return SetEnum(field, text, message);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return SetScalar(field, text, message);
  const Reflection& reflection = *message.GetReflection();
  const std::unique_ptr<Message> value = NewMessage(*field.message_type());
  absl::Status status = SetMessage(field, std::string(absl::StripAsciiWhitespace(text)), *value);
  if (!status.ok()) return status;
  Message* const target = field.is_repeated() ? reflection.AddMessage(&message, &field)
                                              : reflection.MutableMessage(&message, &field);
  target->CopyFrom(*value);
  return absl::OkStatus();
}

std::vector<std::string> FieldTexts(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<std::string> texts;
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      texts.push_back(ElementText(message, field, i));
    }
  } else if (reflection.HasField(message, &field)) {
    texts.push_back(ElementText(message, field, -1));
  }
  return texts;
}

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  return absl::StrJoin(FieldTexts(message, field), ", ");
}

}  // namespace maillage::client::commands
