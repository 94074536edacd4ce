#include "client/commands/json.h"

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "client/commands/time_text.h"
#include "client/kinds.h"
#include "google/protobuf/util/json_util.h"

namespace maillage::client::commands {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

void NumberIntegers(const FieldDescriptor& field, Json& value);

// Turns the texts of 64-bit integers into numbers, throughout the object of a message of this type.
void NumberIntegers(const Descriptor& type, Json& object) {
  if (!object.is_object()) return;
  for (auto& [name, value] : object.items()) {
    const FieldDescriptor* const field = type.FindFieldByName(name);
    if (field == nullptr) continue;
    if (!field->is_repeated()) {
      NumberIntegers(*field, value);
    } else {
      for (Json& element : value) NumberIntegers(*field, element);
    }
  }
}

void NumberIntegers(const FieldDescriptor& field, Json& value) {
  int64_t number = 0;
  uint64_t magnitude = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      NumberIntegers(*field.message_type(), value);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      if (absl::SimpleAtoi(value.get<std::string>(), &number)) value = number;
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (absl::SimpleAtoi(value.get<std::string>(), &magnitude)) value = magnitude;
      break;
    default:
      break;
  }
}

}  // namespace

Json ToJson(const google::protobuf::Message& message, JsonDefaults defaults) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = defaults == JsonDefaults::kPrint;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    return Json::object();
  }
  Json json = Json::parse(text);
  NumberIntegers(*message.GetDescriptor(), json);
  return json;
}

Json RecordJson(const v1::Record& record) {
  const auto [kind, id] = SplitName(record.name());
  Json json = {{"name", record.name()},
               {"kind", kind},
               {"id", id},
               {"etag", record.etag()},
               {"create_time", MachineTime(ToTime(record.create_time()))},
               {"update_time", MachineTime(ToTime(record.update_time()))},
               {"deleted", record.deleted()},
               {"conflicting_fields", Json::array()}};
  if (record.stub()) json.update({{"stub", true}, {"absence", record.absence()}});
  for (const v1::Reference& reference : record.references()) {
    json["references"].push_back(ToJson(reference, JsonDefaults::kOmit));
  }
  for (const std::string& field : record.conflicting_fields()) {
    json["conflicting_fields"].push_back(field);
  }
  const auto content = Unpack(record.content());
  json["content"] =
      content.ok() ? ToJson(**content) : Json::object({{"@type", record.content().type_url()}});
  return json;
}

Json ChangeJson(const v1::RecordChange& change) {
  Json fields = Json::array();
  for (const v1::FieldChange& field : change.fields()) {
    fields.push_back({{"field", field.field()},
                      {"action", v1::FieldChange::Action_Name(field.action())},
                      {"value", field.value()},
                      {"withheld", field.withheld()}});
  }
  return {{"time", MachineTime(ToTime(change.time()))},
          {"person", change.person()},
          {"site", change.site()},
          {"fields", std::move(fields)},
          {"dot", change.dot()},
          {"is_void", change.is_void()}};
}

std::string Print(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string PrintLine(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace maillage::client::commands
