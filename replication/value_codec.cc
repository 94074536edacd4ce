#include "replication/value_codec.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "proto/absl_view.h"
#include "proto/merge.pb.h"
#include "proto/utf8.h"
#include "replication/byte_codec.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string EncodeDouble(double value) {
  std::string bytes;
  ByteWriter(&bytes).Fixed64(std::bit_cast<uint64_t>(value));
  return bytes;
}

template <typename Integer>
std::string Digits(Integer value, const FieldDescriptor& field) {
  if constexpr (std::is_unsigned_v<Integer>) {
    if (field.options().GetExtension(v1::merge) == v1::MAX) return absl::StrFormat("%020d", value);
  }
  return absl::StrCat(value);
}

std::string EncodeMessage(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// Reads the field's value, from a singular field where `index` is negative.
std::string Encode(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool single = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return single ? reflection.GetString(message, &field)
                    : reflection.GetRepeatedString(message, &field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat(single ? reflection.GetEnumValue(message, &field)
                                 : reflection.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (single ? reflection.GetBool(message, &field)
                     : reflection.GetRepeatedBool(message, &field, index))
                 ? "1"
                 : "0";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(single ? reflection.GetInt32(message, &field)
                                 : reflection.GetRepeatedInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(single ? reflection.GetInt64(message, &field)
                                 : reflection.GetRepeatedInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Digits(single ? reflection.GetUInt32(message, &field)
                           : reflection.GetRepeatedUInt32(message, &field, index),
                    field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Digits(single ? reflection.GetUInt64(message, &field)
                           : reflection.GetRepeatedUInt64(message, &field, index),
                    field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return EncodeDouble(single ? reflection.GetDouble(message, &field)
                                 : reflection.GetRepeatedDouble(message, &field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return EncodeDouble(static_cast<double>(
          single ? reflection.GetFloat(message, &field)
                 : reflection.GetRepeatedFloat(message, &field, index)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return EncodeMessage(single ? reflection.GetMessage(message, &field)
                                  : reflection.GetRepeatedMessage(message, &field, index));
  }
  return {};
}

// The digits that Encode writes, and no others: neither "+5" nor " 5" is a second way to say 5.
template <typename Integer, typename Setter>
bool DecodeInteger(std::string_view bytes, const FieldDescriptor& field, Setter set) {
  Integer value = 0;
  if (!absl::SimpleAtoi(ToAbsl(bytes), &value) || Digits(value, field) != bytes) return false;
  set(value);
  return true;
}

bool DecodeText(std::string_view bytes, Message& message, const FieldDescriptor& field) {
  // A message with a text that is none can't be sent to anyone.
  if (field.type() == FieldDescriptor::TYPE_STRING && !IsUtf8(bytes)) return false;
  const Reflection& reflection = *message.GetReflection();
  field.is_repeated() ? reflection.AddString(&message, &field, std::string(bytes))
                      : reflection.SetString(&message, &field, std::string(bytes));
  return true;
}

bool DecodeMessage(std::string_view bytes, Message& message, const FieldDescriptor& field,
                   google::protobuf::MessageFactory* factory) {
  const Reflection& reflection = *message.GetReflection();
  std::unique_ptr<Message> value(
      factory->GetPrototype(field.message_type())->New());
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kMaxValueDepth);
  if (!value->ParseFromCodedStream(&in) || !in.ConsumedEntireMessage()) return false;
  if (field.is_repeated()) {
    reflection.AddAllocatedMessage(&message, &field, value.release());
  } else {
    reflection.SetAllocatedMessage(&message, value.release(), &field);
  }
  return true;
}

bool DecodeDouble(std::string_view bytes, Message& message, const FieldDescriptor& field) {
  ByteReader reader(bytes);
  const double value = std::bit_cast<double>(reader.Fixed64());
  if (!reader.done()) return false;
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    field.is_repeated() ? reflection.AddDouble(&message, &field, value)
                        : reflection.SetDouble(&message, &field, value);
  } else {
    // Of a number that no float is, another site would keep another one.
    if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) return false;
    const auto narrow = static_cast<float>(value);
    if (EncodeDouble(static_cast<double>(narrow)) != bytes) return false;
    field.is_repeated() ? reflection.AddFloat(&message, &field, narrow)
                        : reflection.SetFloat(&message, &field, narrow);
  }
  return true;
}

}  // namespace

std::string EncodeValue(const Message& message, const FieldDescriptor& field) {
  return Encode(message, field, -1);
}

std::string EncodeElement(const Message& message, const FieldDescriptor& field, int index) {
  return Encode(message, field, index);
}

bool DecodeValue(std::string_view bytes, Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return DecodeText(bytes, message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return DecodeInteger<int32_t>(bytes, field, [&](int32_t v) {
        many ? r.AddEnumValue(&message, &field, v) : r.SetEnumValue(&message, &field, v);
      });
    case FieldDescriptor::CPPTYPE_BOOL:
      if (bytes != "0" && bytes != "1") return false;
      many ? r.AddBool(&message, &field, bytes == "1") : r.SetBool(&message, &field, bytes == "1");
      return true;
    case FieldDescriptor::CPPTYPE_INT32:
      return DecodeInteger<int32_t>(bytes, field, [&](int32_t v) {
        many ? r.AddInt32(&message, &field, v) : r.SetInt32(&message, &field, v);
      });
    case FieldDescriptor::CPPTYPE_INT64:
      return DecodeInteger<int64_t>(bytes, field, [&](int64_t v) {
        many ? r.AddInt64(&message, &field, v) : r.SetInt64(&message, &field, v);
      });
    case FieldDescriptor::CPPTYPE_UINT32:
      return DecodeInteger<uint32_t>(bytes, field, [&](uint32_t v) {
        many ? r.AddUInt32(&message, &field, v) : r.SetUInt32(&message, &field, v);
      });
    case FieldDescriptor::CPPTYPE_UINT64:
      return DecodeInteger<uint64_t>(bytes, field, [&](uint64_t v) {
        many ? r.AddUInt64(&message, &field, v) : r.SetUInt64(&message, &field, v);
      });
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return DecodeDouble(bytes, message, field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return DecodeMessage(bytes, message, field, r.GetMessageFactory());
  }
  return false;
}

bool IsSet(const Message& message, const FieldDescriptor& field) {
  // proto3 reflection: HasField of a field without presence says whether it differs from the default.
  return message.GetReflection()->HasField(message, &field);
}

}  // namespace maillage::replication
