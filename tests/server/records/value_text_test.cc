#include "server/records/value_text.h"

#include <gtest/gtest.h>

#include "replication/value_codec.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

template <typename T>
std::string TextOf(const std::string& content) {
  const replication::Schema& schema = replication::Schema::BuiltIn();
  const T message = Parse<T>(content);
  const replication::KindSchema& kind = *schema.FindKindOfMessage(message.GetTypeName());
  for (const replication::FieldSchema& field : kind.fields) {
    const bool many = field.descriptor->is_repeated();
    if (many ? message.GetReflection()->FieldSize(message, field.descriptor) == 0
             : !replication::IsSet(message, *field.descriptor)) {
      continue;
    }
    return ValueText(schema, kind, field,
                     many ? replication::EncodeElement(message, *field.descriptor, 0)
                          : replication::EncodeValue(message, *field.descriptor));
  }
  return "no field";
}

TEST(ValueText, PlainValues) {
  EXPECT_EQ(TextOf<v1::Actor>("name: 'L’eau'"), "L’eau");
  EXPECT_EQ(TextOf<v1::Actor>("population: 860"), "860");
  EXPECT_EQ(TextOf<v1::Actor>("visibility: NETWORK"), "NETWORK");
  EXPECT_EQ(TextOf<v1::Actor>("network_roles: RELAY"), "RELAY");
  EXPECT_EQ(TextOf<v1::Event>("dates: '2021-02-01'"), "2021-02-01");
}

TEST(ValueText, MessagesAreJsonWithTheNamesOfTheProto) {
  EXPECT_EQ(TextOf<v1::Project>("budget { minor_units: 6400000 currency: 'EUR' }"),
            "{\"minor_units\":\"6400000\",\"currency\":\"EUR\"}");
}

TEST(ValueText, AChoiceIsWhatWasChosen) {
  EXPECT_EQ(TextOf<v1::Project>("lead { text: 'CSI' }"), "CSI");
  EXPECT_EQ(TextOf<v1::Project>("lead { actor: '" + Uuid(1) + "' }"), Uuid(1));
}

TEST(ValueText, WhatIsNoValueIsQuoted) {
  const replication::Schema& schema = replication::Schema::BuiltIn();
  const replication::KindSchema& actor = *schema.FindKind("actor");
  EXPECT_EQ(ValueText(schema, actor, *actor.FindField("population"), "beaucoup"),
            "«\u00A0beaucoup\u00A0»");
  EXPECT_EQ(MessageOfValue(schema, actor, *actor.FindField("population"), "beaucoup"), nullptr);
}

TEST(ValueText, FieldsUnknownHereGoByTheirNumber) {
  const replication::KindSchema& actor = *replication::Schema::BuiltIn().FindKind("actor");
  EXPECT_EQ(FieldName(actor, 1), "name");
  EXPECT_EQ(FieldName(actor, 4242), "4242");
}

}  // namespace
}  // namespace maillage::server::testing
