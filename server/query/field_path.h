// Dotted names of fields (address.town, organisers.party.actor) and the values that they reach in a
// message.
#ifndef MAILLAGE_SERVER_QUERY_FIELD_PATH_H_
#define MAILLAGE_SERVER_QUERY_FIELD_PATH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "proto/merge.pb.h"

namespace maillage {

// At least one field; all but the last are messages.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

// Why a path leads nowhere, in French, and the byte of it where it goes wrong.
struct FieldPathError {
  std::string message;
  size_t position = 0;
};

// The path below `kind`; on failure an empty path, and why in *error.
FieldPath ResolveFieldPath(std::string_view path, const google::protobuf::Descriptor* kind,
                           FieldPathError* error);

// Names of a message's fields, with commas between them, as error messages list them.
std::string FieldList(const google::protobuf::Descriptor* kind);

v1::FieldFormat FormatOf(const google::protobuf::FieldDescriptor* field);

// A value where it lies: a singular field of a message, or one element of a repeated one. Valid as
// long as the message is, and unchanged.
class FieldValue {
 public:
  FieldValue(const google::protobuf::Message& parent,
             const google::protobuf::FieldDescriptor* field, int index)
      : parent_(parent), field_(field), index_(index) {}

  const google::protobuf::FieldDescriptor* field() const { return field_; }

  // Each for fields of its type alone. *scratch may come to hold the text.
  const std::string& Text(std::string* scratch) const;
  const google::protobuf::Message& Message() const;
  // float and double.
  double Real() const;
  int64_t Signed() const;
  uint64_t Unsigned() const;
  bool Bool() const;
  int EnumNumber() const;

 private:
  bool repeated() const { return index_ >= 0; }

  const google::protobuf::Message& parent_;
  const google::protobuf::FieldDescriptor* field_;
  // -1: singular.
  int index_;
};

// True if `test` is of any value that is set at the end of the path; of none, false. Elements of
// repeated fields are tried one by one. Unset are: empty texts, absent messages and optional
// fields, and enums of number 0. A number that is not `optional` is always set in a message that is
// there.
bool AnyValue(const google::protobuf::Message& message, const FieldPath& path,
              absl::FunctionRef<bool(const FieldValue&)> test);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_FIELD_PATH_H_
