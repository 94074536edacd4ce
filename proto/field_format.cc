#include "proto/field_format.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "proto/quote.h"
#include "unicode/region.h"
#include "unicode/strenum.h"
#include "unicode/ucurr.h"
#include "unicode/unistr.h"

namespace maillage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// The number that a text of digits writes; at most nine of them.
int ToInt(std::string_view digits) {
  int number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

bool HasDateForm(std::string_view date) {
  if (date.size() != 4 && date.size() != 7 && date.size() != 10) return false;
  for (size_t i = 0; i < date.size(); ++i) {
    const bool hyphen = i == 4 || i == 7;
    if (hyphen ? date[i] != '-' : !absl::ascii_isdigit(date[i])) return false;
  }
  return true;
}

bool IsDate(std::string_view date) {
  if (!HasDateForm(date)) return false;
  const int month = date.size() >= 7 ? ToInt(date.substr(5, 2)) : 1;
  const int day = date.size() == 10 ? ToInt(date.substr(8, 2)) : 1;
  return std::chrono::year_month_day(std::chrono::year(ToInt(date.substr(0, 4))),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

// 20 was Corsica's until 1976 and is no code since.
bool IsDepartment(std::string_view code) {
  if (code == "2A" || code == "2B") return true;
  if (!AllDigits(code)) return false;
  const int number = ToInt(code.substr(0, 3));
  if (code.size() == 2) return number >= 1 && number <= 95 && number != 20;
  return code.size() == 3 && number >= 971 && number <= 976;
}

// ISO 3166-1, and XK: Kosovo has no code of its own there, and partners all the same.
bool IsCountry(std::string_view code) {
  static const auto& codes = *[] {
    auto* known = new std::set<std::string, std::less<>>;
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<icu::StringEnumeration> territories(
        icu::Region::getAvailable(URGN_TERRITORY, error));
    GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
    while (const char* territory = territories->next(nullptr, error)) {
      // Parts of a country that CLDR lists beside it, such as the Canary Islands, have no number.
      const icu::Region* region = icu::Region::getInstance(territory, error);
      GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
      if (region->getNumericCode() > 0) known->insert(territory);
    }
    return known;
  }();
  return codes.contains(code);
}

bool IsSdg(std::string_view code) {
  const std::string_view goal = code.substr(0, code.find('.'));
  if (goal.empty() || goal.size() > 2 || !AllDigits(goal) || goal.front() == '0') return false;
  if (ToInt(goal) > 17) return false;
  if (goal.size() == code.size()) return true;
  const std::string_view target = code.substr(goal.size() + 1);
  if (target.size() == 1 && target.front() >= 'a' && target.front() <= 'd') return true;
  // Goal 17 has the most targets: 19.
  return !target.empty() && target.size() <= 2 && AllDigits(target) && target.front() != '0' &&
         ToInt(target) <= 19;
}

// ISO/IEC 7812-1: the doubled digits are those at even places from the right.
bool HasLuhnKey(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[i] - '0';
    const bool doubled = (digits.size() - i) % 2 == 0;
    sum += doubled ? digit * 2 / 10 + digit * 2 % 10 : digit;
  }
  return sum % 10 == 0;
}

// Nine zeros have a right key, and are what forms are filled in with.
bool IsSiren(std::string_view number) {
  return number.size() == 9 && AllDigits(number) && number != "000000000" && HasLuhnKey(number);
}

// The key over all fourteen digits isn't held to: La Poste's establishments have none.
bool IsSiret(std::string_view number) {
  return number.size() == 14 && AllDigits(number) && IsSiren(number.substr(0, 9));
}

bool IsRna(std::string_view number) {
  return number.size() == 10 && number.front() == 'W' &&
         std::all_of(number.begin() + 1, number.end(),
                     [](char c) { return absl::ascii_isdigit(c) || absl::ascii_isupper(c); });
}

// The code of a département, or of a territory overseas (975 to 978, 984 to 989), and a number in
// it.
bool IsInseeCommune(std::string_view code) {
  if (code.size() != 5 || !AllDigits(code.substr(2))) return false;
  if (code.front() != '9' || code < "96") return IsDepartment(code.substr(0, 2));
  if (!AllDigits(code)) return false;
  const int territory = ToInt(code.substr(0, 3));
  return (territory >= 971 && territory <= 978) || (territory >= 984 && territory <= 989);
}

bool IsReference(std::string_view id) {
  if (id.size() != 36) return false;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = absl::ascii_isdigit(id[i]) || (id[i] >= 'a' && id[i] <= 'f');
    if (hyphen ? id[i] != '-' : !hex) return false;
  }
  return true;
}

// Past currencies too: a project of 1998 was paid in francs.
bool IsCurrency(std::string_view code) {
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), absl::ascii_isupper)) return false;
  const icu::UnicodeString text(code.data(), 3, US_INV);
  char16_t terminated[4] = {text[0], text[1], text[2], 0};
  // 963 and 999 stand for tests and for no currency.
  const int32_t number = ucurr_getNumericCode(terminated);
  return number > 0 && number != 963 && number != 999;
}

struct Rule {
  bool (*check)(std::string_view);
  // Ends the sentence « value » n'est pas …
  const char* expected;
};

// Null check: the format holds nothing to check.
Rule RuleOf(v1::FieldFormat format) {
  switch (format) {
    case v1::DATE:
      return {IsDate, "une date\u00A0: AAAA, AAAA-MM ou AAAA-MM-JJ"};
    case v1::DEPARTMENT:
      return {IsDepartment, "un département\u00A0: 01 à 95, 2A, 2B ou 971 à 976"};
    case v1::COUNTRY:
      return {IsCountry, "un code de pays\u00A0: deux majuscules (ISO 3166), comme FR, ML ou SN"};
    case v1::SDG:
      return {IsSdg, "un ODD\u00A0: 1 à 17, ou une de ses cibles, comme 4.7 ou 6.a"};
    case v1::SIREN:
      return {IsSiren, "un SIREN\u00A0: neuf chiffres sans espaces, dont le dernier est la clé"};
    case v1::SIRET:
      return {
          IsSiret,
          "un SIRET\u00A0: quatorze chiffres sans espaces, dont les neuf premiers sont un SIREN"};
    case v1::RNA:
      return {IsRna, "un numéro RNA\u00A0: W et neuf chiffres ou majuscules, comme W691234567"};
    case v1::INSEE_COMMUNE:
      return {IsInseeCommune,
              "un code INSEE de commune\u00A0: cinq caractères, comme 73065 ou 2A004"};
    case v1::REFERENCE:
      return {IsReference,
              "l'identifiant d'une fiche\u00A0: un UUID en minuscules, comme "
              "018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f"};
    case v1::CURRENCY:
      return {IsCurrency, "une devise\u00A0: trois majuscules (ISO 4217), comme EUR ou XOF"};
    default:
      return {nullptr, nullptr};
  }
}

absl::Status CheckAt(const std::string& path, v1::FieldFormat format, std::string_view value) {
  const absl::Status status = CheckFormat(format, value);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(path, "\u00A0: ", status.message()));
}

absl::Status CheckMessage(const Message& message, const std::string& prefix);

absl::Status CheckField(const Message& message, const FieldDescriptor* field, std::string path) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
  if (!is_message && !is_text) return absl::OkStatus();
  const v1::FieldFormat format = field->options().GetExtension(v1::format);
  std::string scratch;
  if (!field->is_repeated()) {
    if (is_message) return CheckMessage(reflection.GetMessage(message, field), path + ".");
    const std::string& value = reflection.GetStringReference(message, field, &scratch);
    return value.empty() ? absl::OkStatus() : CheckAt(path, format, value);
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const std::string element = absl::StrCat(path, "[", i, "]");
    const absl::Status status =
        is_message ? CheckMessage(reflection.GetRepeatedMessage(message, field, i), element + ".")
                   : CheckAt(element, format,
                             reflection.GetRepeatedStringReference(message, field, i, &scratch));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckMessage(const Message& message, const std::string& prefix) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const absl::Status status = CheckField(message, field, prefix + field->name());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFormat(v1::FieldFormat format, std::string_view value) {
  const Rule rule = RuleOf(format);
  if (rule.check == nullptr || rule.check(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(Quote(value), " n'est pas ", rule.expected));
}

absl::Status CheckFormats(const Message& message) { return CheckMessage(message, ""); }

}  // namespace maillage
