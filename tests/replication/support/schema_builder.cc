#include "tests/replication/support/schema_builder.h"

#include "replication/check.h"

namespace maillage::replication::testing {

using google::protobuf::DescriptorProto;

SchemaBuilder::SchemaBuilder() : pool_(google::protobuf::DescriptorPool::generated_pool()) {
  // The options must be those of the program, hence the pool beneath.
  MAILLAGE_CHECK(v1::Kind::descriptor() != nullptr);
  file_.set_name("test.proto");
  file_.set_package("maillage.test");
  file_.set_syntax("proto3");
  file_.add_dependency("proto/merge.proto");
}

DescriptorProto* SchemaBuilder::AddMessage(const std::string& message) {
  DescriptorProto* added = file_.add_message_type();
  added->set_name(message);
  return added;
}

DescriptorProto* SchemaBuilder::AddKind(const std::string& message, uint32_t number,
                                        const std::string& name) {
  DescriptorProto* added = AddMessage(message);
  v1::Kind* kind = added->mutable_options()->MutableExtension(v1::kind);
  kind->set_number(number);
  kind->set_name(name);
  FieldDescriptorProto* title =
      AddField(added, "name", 1, FieldDescriptorProto::TYPE_STRING, v1::REGISTER);
  title->mutable_options()->SetExtension(v1::names_record, true);
  return added;
}

FieldDescriptorProto* SchemaBuilder::AddField(DescriptorProto* message, const std::string& name,
                                              int number, FieldDescriptorProto::Type type,
                                              v1::MergeRule rule, bool repeated) {
  FieldDescriptorProto* field = message->add_field();
  field->set_name(name);
  field->set_number(number);
  field->set_type(type);
  field->set_label(repeated ? FieldDescriptorProto::LABEL_REPEATED
                            : FieldDescriptorProto::LABEL_OPTIONAL);
  if (rule != v1::MERGE_RULE_UNSPECIFIED) field->mutable_options()->SetExtension(v1::merge, rule);
  return field;
}

absl::StatusOr<std::unique_ptr<Schema>> SchemaBuilder::Build() {
  const google::protobuf::FileDescriptor* file = pool_.BuildFile(file_);
  MAILLAGE_CHECK(file != nullptr);
  return Schema::FromFile(file, &factory_);
}

namespace {

void AddEntryMessage(SchemaBuilder& builder) {
  DescriptorProto* entry = builder.AddMessage("Entry");
  builder.AddField(entry, "key", 1, FieldDescriptorProto::TYPE_UINT32, v1::MERGE_RULE_UNSPECIFIED)
      ->mutable_options()
      ->SetExtension(v1::key, true);
  builder.AddField(entry, "value", 2, FieldDescriptorProto::TYPE_BYTES, v1::MERGE_RULE_UNSPECIFIED);
}

}  // namespace

const Schema& SchemaOfEverything() {
  static const Schema* const schema = [] {
    static SchemaBuilder builder;
    AddEntryMessage(builder);
    DescriptorProto* kind = builder.AddKind("Everything", 7, "everything");
    int number = 2;
    for (int type = 1; type <= FieldDescriptorProto::Type_MAX; ++type) {
      const auto field_type = static_cast<FieldDescriptorProto::Type>(type);
      if (field_type == FieldDescriptorProto::TYPE_GROUP) continue;
      const bool message = field_type == FieldDescriptorProto::TYPE_MESSAGE;
      for (const bool repeated : {false, true}) {
        const std::string name = (repeated ? "set_" : "register_") + std::to_string(type);
        FieldDescriptorProto* field = builder.AddField(kind, name, number++, field_type,
                                                       repeated ? v1::SET : v1::REGISTER, repeated);
        if (message) field->set_type_name(".maillage.test.Entry");
        if (field_type == FieldDescriptorProto::TYPE_ENUM) {
          field->set_type_name(".maillage.v1.FieldFormat");
        }
      }
    }
    builder.AddField(kind, "map", number++, FieldDescriptorProto::TYPE_MESSAGE, v1::MAP, true)
        ->set_type_name(".maillage.test.Entry");
    builder.AddField(kind, "latest", number++, FieldDescriptorProto::TYPE_STRING, v1::MAX);
    builder.AddField(kind, "peak", number++, FieldDescriptorProto::TYPE_UINT32, v1::MAX);
    builder.AddField(kind, "long_peak", number++, FieldDescriptorProto::TYPE_UINT64, v1::MAX);
    builder.AddField(kind, "visits", number++, FieldDescriptorProto::TYPE_SINT64, v1::COUNTER);
    auto built = builder.Build();
    MAILLAGE_CHECK(built.ok());
    return built->release();
  }();
  return *schema;
}

}  // namespace maillage::replication::testing
