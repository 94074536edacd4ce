// Schemas that exist in a test only: descriptors built at run time, as a fourth kind would come to
// an old site.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_SCHEMA_BUILDER_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_SCHEMA_BUILDER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "proto/merge.pb.h"
#include "replication/schema.h"

namespace maillage::replication::testing {

using google::protobuf::FieldDescriptorProto;

// Must outlive the schemas that it builds, and their messages.
class SchemaBuilder {
 public:
  SchemaBuilder();

  // A kind with a `name` field (number 1) that names its records.
  google::protobuf::DescriptorProto* AddKind(const std::string& message, uint32_t number,
                                             const std::string& name);
  // A message that other fields may be of: AddField(…, TYPE_MESSAGE) and then set_type_name.
  google::protobuf::DescriptorProto* AddMessage(const std::string& message);
  FieldDescriptorProto* AddField(google::protobuf::DescriptorProto* message,
                                 const std::string& name, int number,
                                 FieldDescriptorProto::Type type, v1::MergeRule rule,
                                 bool repeated = false);

  // The file as it is built so far; once.
  absl::StatusOr<std::unique_ptr<Schema>> Build();

 private:
  google::protobuf::FileDescriptorProto file_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
};

// A kind "everything" with a field of every type under every rule that takes it.
const Schema& SchemaOfEverything();

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_SCHEMA_BUILDER_H_
