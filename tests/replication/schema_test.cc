#include "replication/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/schema_builder.h"

namespace maillage::replication::testing {
namespace {

using google::protobuf::DescriptorProto;
using Type = FieldDescriptorProto;

TEST(Schema, ReadsTheKindsOfTheProgram) {
  const Schema& schema = Schema::BuiltIn();
  const KindSchema* actor = schema.FindKind("actor");
  ASSERT_NE(actor, nullptr);
  EXPECT_EQ(actor->number, 1);
  EXPECT_EQ(schema.FindKind(uint16_t{1}), actor);
  EXPECT_EQ(schema.FindKindOfMessage("maillage.v1.Actor"), actor);
  EXPECT_EQ(actor->title->name(), "name");
  EXPECT_EQ(actor->FindField("departments")->rule, v1::SET);
  EXPECT_TRUE(actor->FindField("departments")->territory);
  EXPECT_EQ(actor->FindField(23u)->key->name(), "system");
  EXPECT_EQ(schema.FindKind("nothing"), nullptr);
  EXPECT_EQ(schema.FindKind(uint16_t{999}), nullptr);
  EXPECT_EQ(actor->FindField("nothing"), nullptr);
  EXPECT_EQ(actor->FindField(9999u), nullptr);
}

TEST(Schema, KindsComeByNumber) {
  std::vector<uint16_t> numbers;
  for (const KindSchema& kind : Schema::BuiltIn().kinds()) numbers.push_back(kind.number);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_GE(numbers.size(), 4u);
}

TEST(Schema, TakesAKindThatTheProgramDoesNotKnow) {
  const KindSchema* kind = SchemaOfEverything().FindKind("everything");
  ASSERT_NE(kind, nullptr);
  const RecordState state = StateOf({Written("a1").Set(1, "un nom")});
  EXPECT_EQ(SchemaOfEverything().ToMessage(*kind, state)->ShortDebugString(), "name: \"un nom\"");
}

TEST(Schema, LeavesOutWhatItCannotRead) {
  const KindSchema* actor = Schema::BuiltIn().FindKind("actor");
  const RecordState state = StateOf({Written("a1")
                                         .Set(1, "Amis du Mali")
                                         .Set(25, "no number")
                                         .Set(9999, "later")
                                         .Set(9, "\xff")});
  EXPECT_EQ(Schema::BuiltIn().ToMessage(*actor, state)->ShortDebugString(),
            "name: \"Amis du Mali\"");
}

struct Breach {
  const char* law;
  // What the error has to name.
  const char* named;
  std::function<void(SchemaBuilder&, DescriptorProto*)> commit;
};

class SchemaLaws : public ::testing::TestWithParam<Breach> {};

TEST_P(SchemaLaws, ABreachIsAnErrorThatNamesIt) {
  SchemaBuilder builder;
  DescriptorProto* entry = builder.AddMessage("Entry");
  builder.AddField(entry, "text", 1, Type::TYPE_STRING, v1::MERGE_RULE_UNSPECIFIED);
  DescriptorProto* kind = builder.AddKind("Meeting", 50, "meeting");
  GetParam().commit(builder, kind);
  const auto schema = builder.Build();
  ASSERT_EQ(schema.status().code(), absl::StatusCode::kFailedPrecondition) << schema.status();
  EXPECT_THAT(std::string(schema.status().message()), ::testing::HasSubstr(GetParam().named));
}

// A field "f" of the kind.
auto Field(Type::Type type, v1::MergeRule rule, bool repeated = false) {
  return [=](SchemaBuilder& builder, DescriptorProto* kind) {
    FieldDescriptorProto* field = builder.AddField(kind, "f", 2, type, rule, repeated);
    if (type == Type::TYPE_MESSAGE) field->set_type_name(".maillage.test.Entry");
    if (type == Type::TYPE_ENUM) field->set_type_name(".maillage.v1.MergeRule");
  };
}

// The same with an option that it can't have.
template <typename Extension>
auto FieldWith(const Extension& extension, v1::MergeRule rule, bool repeated = false, bool searchable = false) {
  return [=](SchemaBuilder& builder, DescriptorProto* kind) {
    FieldDescriptorProto* field = builder.AddField(kind, "f", 2, Type::TYPE_STRING, rule, repeated);
    field->mutable_options()->SetExtension(extension, true);
    if (searchable) field->mutable_options()->SetExtension(v1::searchable, true);
  };
}

auto Options(std::function<void(v1::Kind&)> change) {
  return [change](SchemaBuilder&, DescriptorProto* kind) {
    change(*kind->mutable_options()->MutableExtension(v1::kind));
  };
}

constexpr const char* kField = "maillage.test.Meeting.f";
constexpr const char* kKindName = "maillage.test.Meeting";

INSTANTIATE_TEST_SUITE_P(
    Fields, SchemaLaws,
    ::testing::Values(
        Breach{"no_rule", kField, Field(Type::TYPE_STRING, v1::MERGE_RULE_UNSPECIFIED)},
        Breach{"register_of_many", kField, Field(Type::TYPE_STRING, v1::REGISTER, true)},
        Breach{"set_of_one", kField, Field(Type::TYPE_STRING, v1::SET)},
        Breach{"map_of_one", kField, Field(Type::TYPE_MESSAGE, v1::MAP)},
        Breach{"map_of_texts", kField, Field(Type::TYPE_STRING, v1::MAP, true)},
        Breach{"map_without_key", kField, Field(Type::TYPE_MESSAGE, v1::MAP, true)},
        Breach{"max_of_message", kField, Field(Type::TYPE_MESSAGE, v1::MAX)},
        Breach{"max_of_signed", kField, Field(Type::TYPE_INT64, v1::MAX)},
        Breach{"max_of_bytes", kField, Field(Type::TYPE_BYTES, v1::MAX)},
        Breach{"max_of_enum", kField, Field(Type::TYPE_ENUM, v1::MAX)},
        Breach{"max_of_many", kField, Field(Type::TYPE_STRING, v1::MAX, true)},
        Breach{"counter_of_unsigned", kField, Field(Type::TYPE_UINT64, v1::COUNTER)},
        Breach{"counter_of_many", kField, Field(Type::TYPE_SINT64, v1::COUNTER, true)},
        Breach{"territory_of_numbers", kField,
               [](SchemaBuilder& builder, DescriptorProto* kind) {
                 builder.AddField(kind, "f", 2, Type::TYPE_INT32, v1::REGISTER)
                     ->mutable_options()
                     ->SetExtension(v1::territory, true);
               }},
        Breach{"map_with_many_keys", kField,
               [](SchemaBuilder& builder, DescriptorProto* kind) {
                 DescriptorProto* entry = builder.AddMessage("Many");
                 builder
                     .AddField(entry, "keys", 1, Type::TYPE_STRING, v1::MERGE_RULE_UNSPECIFIED,
                               true)
                     ->mutable_options()
                     ->SetExtension(v1::key, true);
                 builder.AddField(kind, "f", 2, Type::TYPE_MESSAGE, v1::MAP, true)
                     ->set_type_name(".maillage.test.Many");
               }},
        Breach{"internal_set", kField, FieldWith(v1::internal, v1::SET, true)},
        Breach{"internal_max", kField, FieldWith(v1::internal, v1::MAX)},
        Breach{"internal_and_found", kField, FieldWith(v1::internal, v1::REGISTER, false, true)},
        Breach{"personal_max", kField, FieldWith(v1::personal, v1::MAX)},
        Breach{"personal_and_found", kField, FieldWith(v1::personal, v1::SET, true, true)},
        Breach{"personal_natural_key", kField,
               [](SchemaBuilder& builder, DescriptorProto* kind) {
                 FieldWith(v1::personal, v1::REGISTER)(builder, kind);
                 kind->mutable_options()->MutableExtension(v1::kind)->add_natural_key()->add_field("f");
               }},
        Breach{"two_names", kField,
               [](SchemaBuilder& builder, DescriptorProto* kind) {
                 builder.AddField(kind, "f", 2, Type::TYPE_STRING, v1::REGISTER)
                     ->mutable_options()
                     ->SetExtension(v1::names_record, true);
               }}),
    [](const auto& info) { return info.param.law; });

INSTANTIATE_TEST_SUITE_P(
    Kinds, SchemaLaws,
    ::testing::Values(
        Breach{"no_number", kKindName, Options([](v1::Kind& kind) { kind.clear_number(); })},
        Breach{"number_beyond_16_bits", kKindName,
               Options([](v1::Kind& kind) { kind.set_number(65536); })},
        Breach{"no_name", kKindName, Options([](v1::Kind& kind) { kind.clear_name(); })},
        Breach{"key_without_fields", kKindName,
               Options([](v1::Kind& kind) { kind.add_natural_key(); })},
        Breach{"key_over_nothing", "nobody",
               Options([](v1::Kind& kind) { kind.add_natural_key()->add_field("nobody"); })},
        Breach{"no_title", kKindName,
               [](SchemaBuilder&, DescriptorProto* kind) {
                 kind->mutable_field(0)->mutable_options()->ClearExtension(v1::names_record);
               }},
        Breach{"number_twice", "maillage.test.Other",
               [](SchemaBuilder& builder, DescriptorProto*) {
                 builder.AddKind("Other", 50, "other");
               }},
        Breach{"name_twice", "maillage.test.Other",
               [](SchemaBuilder& builder, DescriptorProto*) {
                 builder.AddKind("Other", 51, "meeting");
               }}),
    [](const auto& info) { return info.param.law; });

v1::Actor ActorNamed(const std::string& name) {
  v1::Actor actor;
  actor.set_name(name);
  return actor;
}

std::vector<std::string> Digests(const std::string& kind,
                                 const google::protobuf::Message& message) {
  const KindSchema* schema = Schema::BuiltIn().FindKind(kind);
  std::vector<std::string> digests;
  for (const NaturalKeyValue& key : Schema::BuiltIn().NaturalKeys(*schema, message)) {
    digests.push_back(std::to_string(key.rule) + ":" + key.digest);
  }
  return digests;
}

TEST(NaturalKeys, DoNotSeeAccentsCaseOrApostrophes) {
  EXPECT_EQ(Digests("actor", ActorNamed("Fédération de l'Œuvre")),
            Digests("actor", ActorNamed("  FEDERATION de l’oeuvre ")));
  EXPECT_NE(Digests("actor", ActorNamed("Fédération")),
            Digests("actor", ActorNamed("Fédérations")));
}

TEST(NaturalKeys, TakeTheDepartmentIntoTheNamesKey) {
  v1::Actor savoie = ActorNamed("Amis du Mali");
  savoie.set_department("73");
  EXPECT_NE(Digests("actor", savoie), Digests("actor", ActorNamed("Amis du Mali")));
  EXPECT_TRUE(Digests("actor", v1::Actor()).empty());
  v1::Actor nameless;
  nameless.set_department("73");
  EXPECT_TRUE(Digests("actor", nameless).empty());
}

TEST(NaturalKeys, ComeStrongestFirst) {
  v1::Actor actor = ActorNamed("Amis du Mali");
  actor.set_siren("732829320");
  actor.set_rna("W691234567");
  const auto keys = Schema::BuiltIn().NaturalKeys(*Schema::BuiltIn().FindKind("actor"), actor);
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_FALSE(keys[0].weak);
  EXPECT_FALSE(keys[1].weak);
  EXPECT_TRUE(keys[2].weak);
  EXPECT_LT(keys[0].rule, keys[1].rule);
  for (const NaturalKeyValue& key : keys) EXPECT_EQ(key.digest.size(), 16u);
}

TEST(NaturalKeys, OfASetDoNotSeeItsOrder) {
  v1::Event one;
  one.set_title("Réunion");
  one.add_dates("2021-02-01");
  one.add_dates("2021-03-01");
  v1::Event other;
  other.set_title("réunion");
  other.add_dates("2021-03-01");
  other.add_dates("2021-02-01");
  EXPECT_EQ(Digests("event", one), Digests("event", other));
  other.add_dates("2021-04-01");
  EXPECT_NE(Digests("event", one), Digests("event", other));
}

TEST(NaturalKeys, DoNotTakeOneFieldForTheNext) {
  v1::Event place;
  place.set_title("Réunion");
  place.set_place("73");
  v1::Event department;
  department.set_title("Réunion");
  department.set_department("73");
  EXPECT_NE(Digests("event", place), Digests("event", department));
}

TEST(NaturalKeys, AreOnePerElementWhereASetStandsAlone) {
  v1::Actor actor;
  for (const char* system : {"a", "b"}) {
    v1::ExternalId* id = actor.add_external_ids();
    id->set_system(system);
    id->set_id("1");
  }
  EXPECT_EQ(Digests("actor", actor).size(), 2u);
}

TEST(IndexKeys, HoldWordsAndNaturalKeys) {
  const RecordKey record{1, IdOf(1)};
  const RecordState state = StateOf({Written("a1").Set(1, "Amis de l'Été").Set(2, "ADE")});
  const auto keys = Schema::BuiltIn().IndexKeys(record, state);
  for (const char* word : {"amis", "de", "l", "ete", "ade"}) {
    EXPECT_THAT(keys, ::testing::Contains(storage::WordKey(1, word, record.id)));
  }
  const auto natural = Schema::BuiltIn().NaturalKeys(
      *Schema::BuiltIn().FindKind("actor"),
      *Schema::BuiltIn().ToMessage(*Schema::BuiltIn().FindKind("actor"), state));
  ASSERT_EQ(natural.size(), 1u);
  EXPECT_THAT(keys, ::testing::Contains(
                        storage::NaturalKeyKey(1, natural[0].rule, natural[0].digest, record.id)));
  EXPECT_TRUE(Schema::BuiltIn().IndexKeys({999, IdOf(1)}, state).empty());
}

}  // namespace
}  // namespace maillage::replication::testing
