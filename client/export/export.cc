#include "client/export/export.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/export/csv_cell.h"
#include "client/kinds.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kSeparator = ';';

std::vector<const FieldDescriptor*> FieldsByNumber(const Descriptor& type) {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type.field_count(); ++i) fields.push_back(type.field(i));
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->number() < b->number(); });
  return fields;
}

bool IsSpreadOut(const FieldDescriptor& field) {
  return !field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

std::string DoubleText(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  return std::string(digits, end);
}

absl::StatusOr<std::string> ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(std::string(status.message()));
  return json;
}

absl::StatusOr<std::string> SingleText(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnum(message, field)->name();
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection.GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleText(reflection.GetDouble(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return DoubleText(static_cast<double>(reflection.GetFloat(message, field)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return std::string(reflection.GetBool(message, field) ? "true" : "false");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetMessage(message, field));
  }
  return absl::InternalError(absl::StrCat("champ ", field->full_name()));
}

absl::StatusOr<std::string> ElementText(const Message& message, const FieldDescriptor* field,
                                        int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetRepeatedString(message, field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetRepeatedEnum(message, field, index)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetRepeatedMessage(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection.GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleText(reflection.GetRepeatedDouble(message, field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return DoubleText(static_cast<double>(reflection.GetRepeatedFloat(message, field, index)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return std::string(reflection.GetRepeatedBool(message, field, index) ? "true" : "false");
  }
  return absl::InternalError(absl::StrCat("champ ", field->full_name()));
}

// Elements with their positions, in the order of their texts.
using Elements = std::vector<std::pair<std::string, int>>;

absl::StatusOr<Elements> SortedElements(const Message& message, const FieldDescriptor* field) {
  Elements elements;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
    absl::StatusOr<std::string> text = ElementText(message, field, i);
    if (!text.ok()) return text.status();
    elements.emplace_back(*std::move(text), i);
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

absl::StatusOr<std::string> ListText(const Message& message, const FieldDescriptor* field) {
  const absl::StatusOr<Elements> elements = SortedElements(message, field);
  if (!elements.ok()) return elements.status();
  std::string text;
  for (const auto& [element, position] : *elements) {
    if (!text.empty()) text.push_back('|');
    text += absl::StrReplaceAll(element, {{"\\", "\\\\"}, {"|", "\\|"}});
  }
  return text;
}

// A field that has no presence shows its default, except that nothing is shown for an unset field.
absl::StatusOr<std::string> FieldText(const Message& message, const FieldDescriptor* field) {
  if (field->is_repeated()) return ListText(message, field);
  if (!message.GetReflection()->HasField(message, field)) return std::string();
  return SingleText(message, field);
}

void AppendHeader(const Descriptor& type, const std::string& prefix, std::string& csv) {
  for (const FieldDescriptor* field : FieldsByNumber(type)) {
    const std::string name = prefix + field->name();
    if (IsSpreadOut(*field)) {
      AppendHeader(*field->message_type(), name + ".", csv);
    } else {
      csv.push_back(kSeparator);
      AppendCsvCell(csv, name, kSeparator);
    }
  }
}

absl::Status AppendFields(const Message& message, std::string& csv) {
  for (const FieldDescriptor* field : FieldsByNumber(*message.GetDescriptor())) {
    if (IsSpreadOut(*field)) {
      const absl::Status inner =
          AppendFields(message.GetReflection()->GetMessage(message, field), csv);
      if (!inner.ok()) return inner;
      continue;
    }
    const absl::StatusOr<std::string> text = FieldText(message, field);
    if (!text.ok()) return text.status();
    csv.push_back(kSeparator);
    AppendCsvCell(csv, *text, kSeparator);
  }
  return absl::OkStatus();
}

// Sites hold sets in whatever order they came; the export has one.
absl::Status SortLists(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) continue;
    const absl::StatusOr<Elements> elements = SortedElements(message, field);
    if (!elements.ok()) return elements.status();
    // at[i] is where the element that began at position i is by now.
    std::vector<int> at(elements->size()), origin(elements->size());
    for (size_t i = 0; i < at.size(); ++i) at[i] = origin[i] = static_cast<int>(i);
    for (size_t i = 0; i < at.size(); ++i) {
      const int wanted = elements->at(i).second;
      const int from = at[static_cast<size_t>(wanted)];
      reflection.SwapElements(&message, field, static_cast<int>(i), from);
      std::swap(origin[i], origin[static_cast<size_t>(from)]);
      at[static_cast<size_t>(origin[i])] = static_cast<int>(i);
      at[static_cast<size_t>(origin[static_cast<size_t>(from)])] = from;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string CsvHeader(const Descriptor& kind) {
  std::string csv = "id";
  AppendHeader(kind, "", csv);
  csv.push_back('\n');
  return csv;
}

absl::StatusOr<std::string> CsvRow(std::string_view id, const Message& record) {
  std::string csv;
  AppendCsvCell(csv, id, kSeparator);
  if (absl::Status fields = AppendFields(record, csv); !fields.ok()) return fields;
  csv.push_back('\n');
  return csv;
}

absl::StatusOr<std::string> JsonLine(std::string_view id, const Message& record) {
  const std::unique_ptr<Message> sorted(record.New());
  sorted->CopyFrom(record);
  if (absl::Status lists = SortLists(*sorted); !lists.ok()) return lists;
  absl::StatusOr<std::string> content = ToJson(*sorted);
  if (!content.ok()) return content;
  const nlohmann::json quoted_id = std::string(id);
  const nlohmann::json quoted_kind = KindOf(*record.GetDescriptor()).name();
  return absl::StrCat("{\"id\":", quoted_id.dump(), ",\"kind\":", quoted_kind.dump(),
                      ",\"content\":", *content, "}\n");
}

}  // namespace maillage::client
