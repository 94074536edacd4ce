#include "server/query/field_path.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/quote.h"
#include "server/query/input_error.h"

namespace maillage {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::vector<std::string> FieldNames(const Descriptor* kind) {
  std::vector<std::string> names;
  for (int i = 0; i < kind->field_count(); ++i) names.push_back(kind->field(i)->name());
  return names;
}

bool IsSet(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    std::string scratch;
    return !reflection.GetStringReference(message, field, &scratch).empty();
  }
  if (field->has_presence()) return reflection.HasField(message, field);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return reflection.GetEnumValue(message, field) != 0;
  }
  return true;
}

bool AnyValueFrom(const Message& message, const FieldPath& path, size_t depth,
                  absl::FunctionRef<bool(const FieldValue&)> test) {
  const FieldDescriptor* field = path[depth];
  const auto reaches = [&](int index) {
    const FieldValue value(message, field, index);
    if (depth + 1 == path.size()) return test(value);
    return AnyValueFrom(value.Message(), path, depth + 1, test);
  };
  if (!field->is_repeated()) return IsSet(message, field) && reaches(-1);
  const int count = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < count; ++i) {
    if (reaches(i)) return true;
  }
  return false;
}

}  // namespace

FieldPath ResolveFieldPath(std::string_view path, const Descriptor* kind, FieldPathError* error) {
  FieldPath fields;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    error->position = begin;
    const Descriptor* below = fields.empty() ? kind : fields.back()->message_type();
    if (below == nullptr) {
      error->message = absl::StrCat(Quote(fields.back()->name()), " n'a pas de sous-champ");
      return {};
    }
    const FieldDescriptor* field = below->FindFieldByName(name);
    if (field == nullptr) {
      error->message = absl::StrCat("champ inconnu ", QuoteWithSuggestion(name, FieldNames(below)),
                                    "\u00A0; champs\u00A0: ", FieldList(below));
      return {};
    }
    fields.push_back(field);
    begin = end + 1;
  }
  return fields;
}

std::string FieldList(const Descriptor* kind) { return absl::StrJoin(FieldNames(kind), ", "); }

v1::FieldFormat FormatOf(const FieldDescriptor* field) {
  return field->options().GetExtension(v1::format);
}

const std::string& FieldValue::Text(std::string* scratch) const {
  const Reflection& reflection = *parent_.GetReflection();
  return repeated() ? reflection.GetRepeatedStringReference(parent_, field_, index_, scratch)
                    : reflection.GetStringReference(parent_, field_, scratch);
}

const Message& FieldValue::Message() const {
  const Reflection& reflection = *parent_.GetReflection();
  return repeated() ? reflection.GetRepeatedMessage(parent_, field_, index_)
                    : reflection.GetMessage(parent_, field_);
}

double FieldValue::Real() const {
  const Reflection& reflection = *parent_.GetReflection();
  if (field_->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    return repeated() ? reflection.GetRepeatedFloat(parent_, field_, index_)
                      : reflection.GetFloat(parent_, field_);
  }
  return repeated() ? reflection.GetRepeatedDouble(parent_, field_, index_)
                    : reflection.GetDouble(parent_, field_);
}

int64_t FieldValue::Signed() const {
  const Reflection& reflection = *parent_.GetReflection();
  if (field_->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    return repeated() ? reflection.GetRepeatedInt32(parent_, field_, index_)
                      : reflection.GetInt32(parent_, field_);
  }
  return repeated() ? reflection.GetRepeatedInt64(parent_, field_, index_)
                    : reflection.GetInt64(parent_, field_);
}

uint64_t FieldValue::Unsigned() const {
  const Reflection& reflection = *parent_.GetReflection();
  if (field_->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    return repeated() ? reflection.GetRepeatedUInt32(parent_, field_, index_)
                      : reflection.GetUInt32(parent_, field_);
  }
  return repeated() ? reflection.GetRepeatedUInt64(parent_, field_, index_)
                    : reflection.GetUInt64(parent_, field_);
}

bool FieldValue::Bool() const {
  const Reflection& reflection = *parent_.GetReflection();
  return repeated() ? reflection.GetRepeatedBool(parent_, field_, index_)
                    : reflection.GetBool(parent_, field_);
}

int FieldValue::EnumNumber() const {
  const Reflection& reflection = *parent_.GetReflection();
  return repeated() ? reflection.GetRepeatedEnumValue(parent_, field_, index_)
                    : reflection.GetEnumValue(parent_, field_);
}

bool AnyValue(const google::protobuf::Message& message, const FieldPath& path,
              absl::FunctionRef<bool(const FieldValue&)> test) {
  return AnyValueFrom(message, path, 0, test);
}

}  // namespace maillage
