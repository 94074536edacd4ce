// Fields of a record by name ("address.postcode"), and writing texts into them as their type and
// format allow.
#ifndef MAILLAGE_CLIENT_IMPORT_FIELD_PATH_H_
#define MAILLAGE_CLIENT_IMPORT_FIELD_PATH_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "proto/merge.pb.h"

namespace maillage::client {

struct FieldPath {
  // As written: "address.postcode".
  std::string name;
  // Singular messages that lead to the field, outermost first.
  std::vector<const google::protobuf::FieldDescriptor*> parents;
  const google::protobuf::FieldDescriptor* leaf = nullptr;
  v1::FieldFormat format = v1::FIELD_FORMAT_UNSPECIFIED;
};

// InvalidArgument, in French, if the kind has no such field.
absl::StatusOr<FieldPath> ResolveField(const google::protobuf::Descriptor& kind,
                                       std::string_view path);

// The message that holds the leaf, made if need be.
google::protobuf::Message& OwnerOf(google::protobuf::Message& record, const FieldPath& path);

enum class PutResult {
  kWritten,
  // The repeated field has the element, or the singular field the value, already.
  kAlreadyThere,
};

// Sets a singular field or adds to a repeated one. Texts, whole numbers, decimal numbers with a
// point, true and false, and names of enum values are read to the letter; a message is read from
// JSON. InvalidArgument, in French: not of the field's type or format, or the singular field has
// another value already.
absl::StatusOr<PutResult> PutText(google::protobuf::Message& record, const FieldPath& path,
                                  std::string_view text);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_FIELD_PATH_H_
