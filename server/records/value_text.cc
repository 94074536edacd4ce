#include "server/records/value_text.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "proto/quote.h"
#include "replication/value_codec.h"

namespace maillage::server {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Schema;

namespace {

// The set member of a message that is nothing but one oneof; null otherwise, or where none is set.
// Oneofs that a person wrote come before those of optional fields.
const FieldDescriptor* OnlyChoice(const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (type.real_oneof_decl_count() != 1) return nullptr;
  const google::protobuf::OneofDescriptor* choice = type.oneof_decl(0);
  if (choice->field_count() != type.field_count()) return nullptr;
  return message.GetReflection()->GetOneofFieldDescriptor(message, choice);
}

std::string Text(const Message& message, const FieldDescriptor& field, int index);

std::string MessageText(const Message& message) {
  const FieldDescriptor* choice = OnlyChoice(message);
  if (choice != nullptr) return Text(message, *choice, -1);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  return google::protobuf::util::MessageToJsonString(message, &json, options).ok()
             ? json
             : message.ShortDebugString();
}

// Of a singular field where `index` is negative.
std::string Text(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool single = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageText(single ? reflection.GetMessage(message, &field)
                                : reflection.GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = single ? reflection.GetEnumValue(message, &field)
                                : reflection.GetRepeatedEnumValue(message, &field, index);
      const auto* value = field.enum_type()->FindValueByNumber(number);
      return value == nullptr ? absl::StrCat(number) : value->name();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = single ? reflection.GetString(message, &field)
                                      : reflection.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES ? Quote(text) : text;
    }
    default: {
      std::string text;
      google::protobuf::TextFormat::PrintFieldValueToString(message, &field, index, &text);
      return text;
    }
  }
}

}  // namespace

std::unique_ptr<Message> MessageOfValue(const Schema& schema, const KindSchema& kind,
                                        const FieldSchema& field, std::string_view bytes) {
  std::unique_ptr<Message> message = schema.NewMessage(kind);
  if (!replication::DecodeValue(bytes, *message, *field.descriptor)) return nullptr;
  return message;
}

std::string ValueText(const Schema& schema, const KindSchema& kind, const FieldSchema& field,
                      std::string_view bytes) {
  const std::unique_ptr<Message> message = MessageOfValue(schema, kind, field, bytes);
  if (message == nullptr) return Quote(bytes);
  return Text(*message, *field.descriptor, field.descriptor->is_repeated() ? 0 : -1);
}

std::string KeyText(const Schema& schema, const KindSchema& kind, const FieldSchema& field,
                    std::string_view key_bytes) {
  if (field.key == nullptr) return ValueText(schema, kind, field, key_bytes);
  const std::unique_ptr<Message> message = schema.NewMessage(kind);
  Message& entry = *message->GetReflection()->AddMessage(message.get(), field.descriptor);
  if (!replication::DecodeValue(key_bytes, entry, *field.key)) return Quote(key_bytes);
  return Text(entry, *field.key, -1);
}

std::string FieldName(const KindSchema& kind, uint32_t number) {
  const FieldSchema* field = kind.FindField(number);
  return field == nullptr ? absl::StrCat(number) : field->descriptor->name();
}

}  // namespace maillage::server
