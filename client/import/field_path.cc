#include "client/import/field_path.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/import/concat.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/field_format.h"
#include "proto/quote.h"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status NotFor(std::string_view text, const FieldPath& path, std::string_view expected) {
  return absl::InvalidArgumentError(
      Concat(Quote(text), " ne convient pas au champ ", path.name, " : ", expected));
}

absl::Status FilledOtherwise(const FieldPath& path) {
  return absl::InvalidArgumentError(
      Concat("le champ ", path.name, " a déjà une autre valeur, d'une autre colonne"));
}

// Reading and writing of one scalar type through reflection.
template <typename T>
struct Access {
  T (Reflection::*get)(const Message&, const FieldDescriptor*) const;
  void (Reflection::*set)(Message*, const FieldDescriptor*, T) const;
  T (Reflection::*get_repeated)(const Message&, const FieldDescriptor*, int) const;
  void (Reflection::*add)(Message*, const FieldDescriptor*, T) const;
};

template <typename T>
absl::StatusOr<PutResult> Put(Message& owner, const FieldPath& path, T value,
                              const Access<std::type_identity_t<T>>& access) {
  const Reflection& reflection = *owner.GetReflection();
  const FieldDescriptor* field = path.leaf;
  if (field->is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(owner, field); ++i) {
      if ((reflection.*access.get_repeated)(owner, field, i) == value) {
        return PutResult::kAlreadyThere;
      }
    }
    (reflection.*access.add)(&owner, field, value);
    return PutResult::kWritten;
  }
  if (reflection.HasField(owner, field)) {
    if ((reflection.*access.get)(owner, field) == value) return PutResult::kAlreadyThere;
    return FilledOtherwise(path);
  }
  (reflection.*access.set)(&owner, field, value);
  return PutResult::kWritten;
}

template <typename T>
absl::StatusOr<PutResult> PutInteger(Message& owner, const FieldPath& path, std::string_view text,
                                     const Access<T>& access) {
  T value = 0;
  if (!absl::SimpleAtoi(ToAbsl(text), &value)) {
    return NotFor(text, path,
                  Concat("un nombre entier entre ", std::numeric_limits<T>::min(), " et ",
                         std::numeric_limits<T>::max()));
  }
  return Put(owner, path, value, access);
}

absl::StatusOr<PutResult> PutString(Message& owner, const FieldPath& path, std::string_view text) {
  if (path.format != v1::FIELD_FORMAT_UNSPECIFIED) {
    if (absl::Status format = CheckFormat(path.format, text); !format.ok()) return format;
  }
  const Reflection& reflection = *owner.GetReflection();
  const FieldDescriptor* field = path.leaf;
  std::string scratch;
  if (field->is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(owner, field); ++i) {
      if (reflection.GetRepeatedStringReference(owner, field, i, &scratch) == text) {
        return PutResult::kAlreadyThere;
      }
    }
    reflection.AddString(&owner, field, std::string(text));
    return PutResult::kWritten;
  }
  if (reflection.HasField(owner, field)) {
    if (reflection.GetStringReference(owner, field, &scratch) == text) {
      return PutResult::kAlreadyThere;
    }
    return FilledOtherwise(path);
  }
  reflection.SetString(&owner, field, std::string(text));
  return PutResult::kWritten;
}

absl::StatusOr<PutResult> PutEnum(Message& owner, const FieldPath& path, std::string_view text) {
  const EnumDescriptor& type = *path.leaf->enum_type();
  const EnumValueDescriptor* value = type.FindValueByName(std::string(text));
  if (value == nullptr) {
    std::vector<std::string> names;
    for (int i = 1; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
    return NotFor(text, path, Concat("l'un de ", absl::StrJoin(names, ", ")));
  }
  return Put(
      owner, path, value,
      Access<const EnumValueDescriptor*>{&Reflection::GetEnum, &Reflection::SetEnum,
                                         &Reflection::GetRepeatedEnum, &Reflection::AddEnum});
}

absl::StatusOr<PutResult> PutDouble(Message& owner, const FieldPath& path, std::string_view text) {
  double value = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &value) || !std::isfinite(value)) {
    return NotFor(text, path, "un nombre décimal avec un point, 45.76");
  }
  return Put(owner, path, value,
             Access<double>{&Reflection::GetDouble, &Reflection::SetDouble,
                            &Reflection::GetRepeatedDouble, &Reflection::AddDouble});
}

absl::StatusOr<PutResult> PutBool(Message& owner, const FieldPath& path, std::string_view text) {
  if (text != "true" && text != "false") return NotFor(text, path, "true ou false");
  return Put(owner, path, text == "true",
             Access<bool>{&Reflection::GetBool, &Reflection::SetBool, &Reflection::GetRepeatedBool,
                          &Reflection::AddBool});
}

absl::StatusOr<PutResult> PutMessage(Message& owner, const FieldPath& path, std::string_view text) {
  const Reflection& reflection = *owner.GetReflection();
  const FieldDescriptor* field = path.leaf;
  if (!field->is_repeated() && reflection.HasField(owner, field)) return FilledOtherwise(path);
  std::unique_ptr<Message> value(
      reflection.GetMessageFactory()->GetPrototype(field->message_type())->New());
  if (!google::protobuf::util::JsonStringToMessage(std::string(text), value.get()).ok()) {
    return NotFor(text, path, Concat("un objet JSON de type ", field->message_type()->name()));
  }
  if (absl::Status formats = CheckFormats(*value); !formats.ok()) return formats;
  if (!field->is_repeated()) {
    reflection.SetAllocatedMessage(&owner, value.release(), field);
    return PutResult::kWritten;
  }
  for (int i = 0; i < reflection.FieldSize(owner, field); ++i) {
    if (google::protobuf::util::MessageDifferencer::Equals(
            reflection.GetRepeatedMessage(owner, field, i), *value)) {
      return PutResult::kAlreadyThere;
    }
  }
  reflection.AddAllocatedMessage(&owner, field, value.release());
  return PutResult::kWritten;
}

}  // namespace

absl::StatusOr<FieldPath> ResolveField(const Descriptor& kind, std::string_view path) {
  FieldPath resolved;
  resolved.name = std::string(path);
  const Descriptor* type = &kind;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(ToAbsl(path), '.'))) {
    if (resolved.leaf != nullptr) {
      if (resolved.leaf->is_repeated() ||
          resolved.leaf->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        return absl::InvalidArgumentError(
            Concat("le champ ", resolved.leaf->name(), " n'a pas de partie ", Quote(part)));
      }
      resolved.parents.push_back(resolved.leaf);
      type = resolved.leaf->message_type();
    }
    resolved.leaf = type->FindFieldByName(part);
    if (resolved.leaf == nullptr) {
      return absl::InvalidArgumentError(Concat(type->name(), " n'a pas de champ ", Quote(part)));
    }
  }
  resolved.format = resolved.leaf->options().GetExtension(v1::format);
  return resolved;
}

Message& OwnerOf(Message& record, const FieldPath& path) {
  Message* owner = &record;
  for (const FieldDescriptor* parent : path.parents) {
    owner = owner->GetReflection()->MutableMessage(owner, parent);
  }
  return *owner;
}

absl::StatusOr<PutResult> PutText(Message& record, const FieldPath& path, std::string_view text) {
  Message& owner = OwnerOf(record, path);
  switch (path.leaf->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return PutString(owner, path, text);
    case FieldDescriptor::CPPTYPE_ENUM:
      return PutEnum(owner, path, text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return PutMessage(owner, path, text);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return PutDouble(owner, path, text);
    case FieldDescriptor::CPPTYPE_BOOL:
      return PutBool(owner, path, text);
    case FieldDescriptor::CPPTYPE_UINT32:
      return PutInteger(owner, path, text,
                        Access<uint32_t>{&Reflection::GetUInt32, &Reflection::SetUInt32,
                                         &Reflection::GetRepeatedUInt32, &Reflection::AddUInt32});
    case FieldDescriptor::CPPTYPE_INT32:
      return PutInteger(owner, path, text,
                        Access<int32_t>{&Reflection::GetInt32, &Reflection::SetInt32,
                                        &Reflection::GetRepeatedInt32, &Reflection::AddInt32});
    case FieldDescriptor::CPPTYPE_UINT64:
      return PutInteger(owner, path, text,
                        Access<uint64_t>{&Reflection::GetUInt64, &Reflection::SetUInt64,
                                         &Reflection::GetRepeatedUInt64, &Reflection::AddUInt64});
    case FieldDescriptor::CPPTYPE_INT64:
      return PutInteger(owner, path, text,
                        Access<int64_t>{&Reflection::GetInt64, &Reflection::SetInt64,
                                        &Reflection::GetRepeatedInt64, &Reflection::AddInt64});
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  return absl::InvalidArgumentError(
      Concat("le champ ", path.name, " est d'un type que l'import ne remplit pas"));
}

}  // namespace maillage::client
