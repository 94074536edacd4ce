#include "client/import/converter.h"

#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "client/import/french_date.h"
#include "client/import/number.h"
#include "client/import/party_converter.h"
#include "proto/absl_view.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

using google::protobuf::FieldDescriptor;

absl::Status ConvertText(std::string_view text, CellContext& cell) { return cell.Put(text); }

absl::Status ConvertDepartment(std::string_view text, CellContext& cell) {
  std::string code = absl::AsciiStrToUpper(ToAbsl(text));
  if (code.size() == 1 && absl::ascii_isdigit(code[0])) code = Concat("0", code);
  if (absl::Status put = cell.Put(code); !put.ok()) {
    return CheckFormat(v1::DEPARTMENT, code).ok() ? put : CheckFormat(v1::DEPARTMENT, text);
  }
  if (code != text) cell.Say(Severity::kRepaired, Concat(Quote(text), " devient ", code));
  return absl::OkStatus();
}

// Goals are numbers without zeros in front: 4, 4.7.
absl::Status ConvertSdg(std::string_view text, CellContext& cell) {
  std::string_view goal = text;
  if (goal.size() > 1 && goal[0] == '0') goal.remove_prefix(1);
  if (absl::Status put = cell.Put(goal); !put.ok()) return put;
  if (goal != text) cell.Say(Severity::kRepaired, Concat(Quote(text), " devient ", goal));
  return absl::OkStatus();
}

// Codes that people print in groups: 210 100 012.
absl::Status ConvertCode(std::string_view text, CellContext& cell) {
  std::string code = FoldText(text);
  std::erase_if(code, [](char c) { return c == ' ' || c == '.'; });
  absl::AsciiStrToUpper(&code);
  if (absl::Status put = cell.Put(code); !put.ok()) return put;
  if (code != text) cell.Say(Severity::kRepaired, Concat(Quote(text), " devient ", code));
  return absl::OkStatus();
}

absl::Status ConvertDates(std::string_view text, CellContext& cell) {
  // The format itself is taken to the letter, and most files of machines have nothing else.
  if (absl::ascii_isdigit(text[0]) && CheckFormat(v1::DATE, text).ok()) return cell.Put(text);
  absl::StatusOr<std::vector<std::string>> dates = ParseFrenchDates(text);
  if (!dates.ok()) return dates.status();
  if (dates->size() > 1 && !cell.target().field.leaf->is_repeated()) {
    return absl::InvalidArgumentError(
        Concat(Quote(text), " donne ", dates->size(), " dates où une seule a sa place"));
  }
  for (const std::string& date : *dates) {
    if (absl::Status put = cell.Put(date); !put.ok()) return put;
  }
  cell.Say(Severity::kUnderstood, Concat(Quote(text), " se lit ", absl::StrJoin(*dates, ", ")));
  return absl::OkStatus();
}

absl::Status ConvertInteger(std::string_view text, CellContext& cell) {
  const absl::StatusOr<uint64_t> number = ParseCount(text);
  if (!number.ok()) return number.status();
  const std::string digits = Concat(*number);
  if (absl::Status put = cell.Put(digits); !put.ok()) return put;
  if (digits != text) {
    cell.Say(Severity::kUnderstood, Concat(Quote(text), " se lit ", digits));
  }
  return absl::OkStatus();
}

absl::Status ConvertWebsite(std::string_view text, CellContext& cell) {
  std::string_view rest = text;
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string_view name = rest.substr(0, scheme);
    rest = name == "http" || name == "https" ? rest.substr(scheme + 3) : std::string_view();
  }
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#:"));
  const size_t dot = host.find('.');
  const bool has_dot = dot != std::string_view::npos && dot > 0 && host.back() != '.';
  if (!has_dot || text.find_first_of(" \t\n|<>\"") != std::string_view::npos) {
    return absl::InvalidArgumentError(Concat(
        Quote(text), " n'est pas une adresse de site : www.exemple.org ou https://exemple.org"));
  }
  return cell.Put(text);
}

bool IsString(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}
bool IsScalar(const FieldDescriptor& field) {
  return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE;
}
bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}
bool IsAny(const FieldDescriptor&) { return true; }

struct NamedConverter {
  std::string_view name;
  Converter convert;
  // Which fields it can fill.
  bool (*fits)(const FieldDescriptor&);
};

constexpr std::array<NamedConverter, 12> kConverters = {{
    {"amount", ConvertAmount, IsMoneyField},
    {"code", ConvertCode, IsString},
    {"dates", ConvertDates, IsString},
    {"department", ConvertDepartment, IsString},
    {"funding", ConvertFunding, IsFundingField},
    {"integer", ConvertInteger, IsNumber},
    {"literal", ConvertText, IsAny},
    {"parties", ConvertParties, IsPartyField},
    {"party", ConvertParties, IsPartyField},
    {"sdg", ConvertSdg, IsString},
    {"text", ConvertText, IsScalar},
    {"website", ConvertWebsite, IsString},
}};

absl::Status PutConstants(std::string_view text, CellContext& cell) {
  for (const auto& [field, value] : cell.target().set) {
    if (auto put = PutText(cell.record(), field, value); !put.ok()) return put.status();
    cell.SayOfField(Severity::kUnderstood, field.name,
                    Concat(Quote(text), " donne aussi ", field.name, " ", value));
  }
  return absl::OkStatus();
}

// Takes a first word of the prefix dictionary off the text and writes its value.
absl::Status TakePrefix(std::string_view& text, CellContext& cell) {
  const Target& target = cell.target();
  if (target.prefixes.empty()) return absl::OkStatus();
  const auto [word, rest] = SplitFirstWord(text);
  const auto found = target.prefixes.find(FoldText(word));
  if (found == target.prefixes.end() || rest.empty()) return absl::OkStatus();
  auto put = PutText(cell.record(), target.prefix_field, found->second);
  if (!put.ok()) return put.status();
  cell.Say(Severity::kUnderstood, Concat(Quote(text), " se lit ", target.prefix_field.name, " ",
                                         found->second, ", ", target.field.name, " ", Quote(rest)));
  text = rest;
  return absl::OkStatus();
}

void StripFirstWord(std::string_view& text, CellContext& cell) {
  if (cell.target().strip.empty()) return;
  const auto [word, rest] = SplitFirstWord(text);
  if (rest.empty() || !cell.target().strip.contains(FoldText(word))) return;
  cell.Say(Severity::kUnderstood, Concat(Quote(text), " se lit ", Quote(rest)));
  text = rest;
}

// Whether the dictionary has the text, which is then written.
absl::StatusOr<bool> TakeFromDictionary(std::string_view text, CellContext& cell) {
  const Target& target = cell.target();
  if (target.values.empty()) return false;
  const auto found = target.values.find(FoldText(text));
  if (found == target.values.end()) return false;
  if (absl::Status put = cell.Put(found->second); !put.ok()) return put;
  cell.Say(Severity::kUnderstood, Concat(Quote(text), " se lit ", found->second));
  return true;
}

absl::Status NoSuchWord(std::string_view text, const Target& target) {
  return absl::InvalidArgumentError(Concat(
      Quote(text), " n'est pas l'un des mots attendus : ",
      absl::StrJoin(target.value_names, ", ",
                    [](std::string* out, const auto& name) { *out += Concat(Quote(name)); })));
}

absl::Status ConvertByTarget(std::string_view text, CellContext& cell) {
  const Target& target = cell.target();
  absl::StatusOr<bool> taken = TakeFromDictionary(text, cell);
  if (!taken.ok()) return taken.status();
  if (!*taken) {
    if (target.convert == nullptr) return NoSuchWord(text, target);
    const std::string_view whole = text;
    StripFirstWord(text, cell);
    if (absl::Status prefix = TakePrefix(text, cell); !prefix.ok()) return prefix;
    if (absl::Status converted = target.convert(text, cell); !converted.ok()) return converted;
    if (target.left_as_text) {
      cell.Say(Severity::kLeftAsText, Concat(Quote(whole), " reste un texte"));
    }
  }
  return PutConstants(text, cell);
}

absl::Status ConvertByCases(std::string_view text, const ColumnMapping& column, CellContext& cell) {
  absl::Status last;
  for (const Target& target : column.cases) {
    cell.set_target(target);
    last = ConvertByTarget(text, cell);
    if (last.ok()) return last;
  }
  return last;
}

// Several values where the field has place for one.
absl::Status ConvertSeveral(std::string_view text, const std::vector<std::string>& items,
                            const ColumnMapping& column, CellContext& cell) {
  cell.set_target(column.several);
  const std::string found = Concat(Quote(text), " : ", items.size(), " valeurs où le champ ",
                                   column.cases.front().field.name, " n'en a qu'une ; ");
  if (!column.several.field.leaf->is_repeated()) {
    cell.Say(Severity::kLeftAsText, found + "gardées en texte");
    return cell.Put(Concat(column.header, "\u00a0: ", text));
  }
  cell.Say(Severity::kUnderstood, Concat(found, "mises dans ", column.several.field.name));
  for (const std::string& item : items) {
    if (absl::Status converted = ConvertByTarget(item, cell); !converted.ok()) return converted;
  }
  return absl::OkStatus();
}

}  // namespace

void CellContext::Say(Severity severity, std::string_view message) {
  SayOfField(severity, target_ == nullptr ? std::string_view() : target_->field.name, message);
}

void CellContext::SayOfField(Severity severity, std::string_view field, std::string_view message) {
  Note note = place_;
  note.severity = severity;
  note.field = std::string(field);
  note.message = std::string(message);
  notes_.push_back(std::move(note));
}

absl::Status CellContext::Put(std::string_view value) {
  const absl::StatusOr<PutResult> put = PutText(record_, target_->field, value);
  if (!put.ok()) return put.status();
  if (*put == PutResult::kAlreadyThere && target_->field.leaf->is_repeated()) {
    Say(Severity::kRepaired, Concat(Quote(value), " y est déjà, gardé une fois"));
  }
  return absl::OkStatus();
}

Converter FindConverter(std::string_view name) {
  for (const NamedConverter& converter : kConverters) {
    if (converter.name == name) return converter.convert;
  }
  return nullptr;
}

std::vector<std::string_view> ConverterNames() {
  std::vector<std::string_view> names;
  for (const NamedConverter& converter : kConverters) names.push_back(converter.name);
  return names;
}

absl::Status CheckTarget(std::string_view converter, const Target& target) {
  for (const NamedConverter& known : kConverters) {
    if (known.name != converter || known.fits(*target.field.leaf)) continue;
    return absl::InvalidArgumentError(Concat("le convertisseur ", Quote(converter),
                                             " ne remplit pas le champ ", target.field.name));
  }
  return absl::OkStatus();
}

absl::Status ConvertCell(std::string_view text, const ColumnMapping& column, CellContext& cell) {
  if (absl::Status characters = CheckCharacters(text); !characters.ok()) return characters;
  const CleanedText cleaned =
      CleanText(text, column.multiline ? LineBreaks::kKeep : LineBreaks::kToSpace);
  const std::string_view field =
      column.cases.empty() ? std::string_view() : column.cases.front().field.name;
  if (!column.blank.empty() && column.blank.contains(FoldText(cleaned.text))) {
    cell.SayOfField(Severity::kUnderstood, field,
                    Concat(Quote(cleaned.text), " se lit comme une cellule vide"));
    return absl::OkStatus();
  }
  if (cleaned.text.empty()) {
    if (!column.required) return absl::OkStatus();
    return absl::InvalidArgumentError("cette cellule ne peut pas être vide");
  }
  if (cleaned.repaired) {
    cell.SayOfField(Severity::kRepaired, field,
                    Concat("espaces en trop retirés : ", Quote(cleaned.text)));
  }
  if (column.list == 0) return ConvertByCases(cleaned.text, column, cell);
  const std::vector<std::string> items = SplitList(cleaned.text, column.list, column.escaped);
  if (items.size() > kMaxListItems) {
    return absl::InvalidArgumentError(
        Concat(items.size(), " valeurs dans une cellule : ", kMaxListItems, " au plus"));
  }
  if (items.size() > 1 && column.several.field.leaf != nullptr) {
    return ConvertSeveral(cleaned.text, items, column, cell);
  }
  for (const std::string& item : items) {
    if (absl::Status converted = ConvertByCases(item, column, cell); !converted.ok()) {
      return converted;
    }
  }
  return absl::OkStatus();
}

}  // namespace maillage::client
