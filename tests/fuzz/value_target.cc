// Values of typed fields (replication/value_codec.h): two bytes choose the field, among those of all kinds and those of a
// kind that has every type under every rule.
#include <memory>
#include <string>
#include <vector>

#include "replication/schema.h"
#include "replication/value_codec.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"
#include "tests/replication/support/schema_builder.h"

namespace maillage::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using replication::KindSchema;
using replication::Schema;

struct Field {
  const Schema* schema;
  const KindSchema* kind;
  const FieldDescriptor* descriptor;
};

const std::vector<Field>& AllFields() {
  static const std::vector<Field>* const fields = [] {
    auto* all = new std::vector<Field>;
    for (const Schema* schema : {&Schema::BuiltIn(), &replication::testing::SchemaOfEverything()}) {
      for (const KindSchema& kind : schema->kinds()) {
        for (const auto& field : kind.fields) all->push_back({schema, &kind, field.descriptor});
      }
    }
    return all;
  }();
  return *fields;
}

std::string Encode(const Message& message, const FieldDescriptor& field) {
  return field.is_repeated() ? replication::EncodeElement(message, field, 0)
                             : replication::EncodeValue(message, field);
}

}  // namespace

bool FuzzValue(std::string_view bytes) {
  const size_t low = TakeByte(bytes);
  const Field& field = AllFields()[(low | size_t{TakeByte(bytes)} << 8) % AllFields().size()];
  const auto message = field.schema->NewMessage(*field.kind);
  if (!replication::DecodeValue(bytes, *message, *field.descriptor)) {
    MAILLAGE_REQUIRE(message->ByteSizeLong() == 0);
    return false;
  }
  // Equal values have equal bytes; a message may keep fields of later versions, in the order of their coming.
  const std::string encoded = Encode(*message, *field.descriptor);
  if (field.descriptor->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    MAILLAGE_REQUIRE(encoded == bytes);
  }
  const auto again = field.schema->NewMessage(*field.kind);
  MAILLAGE_REQUIRE(replication::DecodeValue(encoded, *again, *field.descriptor));
  MAILLAGE_REQUIRE(Encode(*again, *field.descriptor) == encoded);
  // Readers get it in a message of their own.
  MAILLAGE_REQUIRE(again->ParseFromString(message->SerializeAsString()));
  return true;
}

}  // namespace maillage::fuzz
