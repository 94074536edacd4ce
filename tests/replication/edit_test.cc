#include "replication/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/value_codec.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/schema_builder.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kName = 1;
constexpr uint32_t kDepartment = 11;
constexpr uint32_t kDepartments = 12;
constexpr uint32_t kExternalIds = 23;
constexpr uint32_t kLastVerified = 29;

const KindSchema& ActorKind() { return *Schema::BuiltIn().FindKind("actor"); }

// The plan, which must be one.
std::vector<Operation> Plan(const RecordState& state, const VersionVector& context,
                            const Edit& edit) {
  auto operations = PlanEdit(ActorKind(), state, context, edit);
  EXPECT_TRUE(operations.ok()) << operations.status();
  return operations.ok() ? *operations : std::vector<Operation>();
}

Edit Setting(std::vector<uint32_t> numbers, const v1::Actor& content) {
  Edit edit;
  for (const uint32_t number : numbers) edit.fields.push_back(ActorKind().FindField(number));
  edit.content = &content;
  return edit;
}

Edit Adding(const v1::Actor& additions) { return {{}, nullptr, &additions, nullptr}; }
Edit Removing(const v1::Actor& removals) { return {{}, nullptr, nullptr, &removals}; }

v1::Actor InDepartments(std::vector<std::string> codes) {
  v1::Actor actor;
  for (std::string& code : codes) actor.add_departments(std::move(code));
  return actor;
}

v1::Actor WithId(const std::string& system, const std::string& id) {
  v1::Actor actor;
  v1::ExternalId* added = actor.add_external_ids();
  added->set_system(system);
  added->set_id(id);
  return actor;
}

RecordState Savoie() {
  return StateOf({Written("a1")
                      .Set(kName, "Amis du Mali")
                      .Set(kDepartment, "73")
                      .Add(kDepartments, "73")
                      .Add(kDepartments, "69")});
}

TEST(PlanEdit, WritesWhatDiffersInOrder) {
  v1::Actor content = InDepartments({"73", "38"});
  content.set_name("Les Amis du Mali");
  const auto operations = Plan(Savoie(), "a1"_vv, Setting({kDepartments, kName}, content));
  EXPECT_EQ(operations,
            (std::vector<Operation>{Put(kName, "Les Amis du Mali"),
                                    {kDepartments, v1::SET, "38", "", true},
                                    {kDepartments, v1::SET, "69", std::nullopt, true}}));
}

TEST(PlanEdit, NeedsNothingWhereAllIsAsAsked) {
  v1::Actor content = InDepartments({"69", "73"});
  content.set_name("Amis du Mali");
  EXPECT_TRUE(Plan(Savoie(), "a1"_vv, Setting({kName, kDepartments}, content)).empty());
  EXPECT_TRUE(Plan(Savoie(), {}, Adding(InDepartments({"73"}))).empty());
  EXPECT_TRUE(Plan(Savoie(), "a1"_vv, Removing(InDepartments({"38"}))).empty());
  EXPECT_TRUE(Plan(Savoie(), "a1"_vv, Edit()).empty());
}

TEST(PlanEdit, ClearsWhatTheContentDoesNotHave) {
  const v1::Actor nothing;
  EXPECT_EQ(Plan(Savoie(), "a1"_vv, Setting({kName}, nothing)),
            std::vector<Operation>{RemoveSeen(kName)});
  EXPECT_TRUE(Plan({}, {}, Setting({kName}, nothing)).empty());
}

TEST(PlanEdit, CarriesTheTerritoryWithTheField) {
  v1::Actor content;
  content.set_department("38");
  const auto operations = Plan({}, {}, Setting({kDepartment}, content));
  ASSERT_EQ(operations.size(), 1u);
  EXPECT_TRUE(operations[0].territory);
}

TEST(PlanEdit, RemovesNothingThatThePersonHasNotSeen) {
  RecordState state = Savoie();
  state.Apply(Written("b1").After("a1").Add(kDepartments, "26"));
  // The screen showed 73 and 69 when Bob added 26 elsewhere.
  const v1::Actor content = InDepartments({"73"});
  const auto operations = Plan(state, "a1"_vv, Setting({kDepartments}, content));
  EXPECT_EQ(operations,
            (std::vector<Operation>{{kDepartments, v1::SET, "69", std::nullopt, true}}));
  EXPECT_TRUE(Plan(state, "a1"_vv, Removing(InDepartments({"26"}))).empty());
  EXPECT_EQ(Plan(state, "a1 b1"_vv, Removing(InDepartments({"26"}))).size(), 1u);
  const v1::Actor nothing;
  EXPECT_TRUE(Plan(state, "b1"_vv, Setting({kName}, nothing)).empty());
}

TEST(PlanEdit, WritesTheWinnersValueAgainWhereOthersAreBeside) {
  RecordState state =
      StateOf({Written("a1").Set(kName, "x").At(1), Written("b1").Set(kName, "y").At(2)});
  v1::Actor content;
  content.set_name("y");
  const auto operations = Plan(state, "a1 b1"_vv, Setting({kName}, content));
  EXPECT_EQ(operations, std::vector<Operation>{Put(kName, "y")});
  Change settling = Written("a2").After("a1 b1");
  settling.operations = operations;
  state.Apply(settling);
  EXPECT_TRUE(BesideOf(state, kName).empty());
}

TEST(PlanEdit, NeedsNoSecondWriteOfWhatTwoWroteAlike) {
  const RecordState state =
      StateOf({Written("a1").Set(kName, "x").At(1), Written("b1").Set(kName, "x").At(2)});
  v1::Actor content;
  content.set_name("x");
  EXPECT_TRUE(Plan(state, "a1 b1"_vv, Setting({kName}, content)).empty());
}

TEST(PlanEdit, ReplacesTheEntryOfAKey) {
  const auto added = Plan({}, {}, Adding(WithId("osiris", "1")));
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].key, "osiris");
  Change change = Written("a1");
  change.operations = added;
  const RecordState state = StateOf({change});
  EXPECT_TRUE(Plan(state, "a1"_vv, Adding(WithId("osiris", "1"))).empty());
  const auto replaced = Plan(state, "a1"_vv, Adding(WithId("osiris", "2")));
  ASSERT_EQ(replaced.size(), 1u);
  EXPECT_NE(replaced[0].value, added[0].value);
  // Only the key is read.
  const auto removed = Plan(state, "a1"_vv, Removing(WithId("osiris", "anything")));
  EXPECT_EQ(removed, std::vector<Operation>{RemoveSeen(kExternalIds, v1::MAP, "osiris")});
}

TEST(PlanEdit, KeepsAnElementThatTheSameEditNames) {
  const v1::Actor content = InDepartments({"73"});
  const v1::Actor additions = InDepartments({"69"});
  Edit edit = Setting({kDepartments}, content);
  edit.additions = &additions;
  EXPECT_TRUE(Plan(Savoie(), "a1"_vv, edit).empty());
  Edit contradiction{{}, nullptr, &additions, &additions};
  EXPECT_TRUE(Plan(Savoie(), "a1"_vv, contradiction).empty());
  EXPECT_EQ(Plan({}, {}, contradiction).size(), 1u);
}

TEST(PlanEdit, NeverLowersAMaximum) {
  v1::Actor content;
  content.set_last_verified("2021-02");
  const auto operations = Plan({}, {}, Setting({kLastVerified}, content));
  EXPECT_EQ(operations, std::vector<Operation>{Put(kLastVerified, "2021-02", v1::MAX)});
  const RecordState later = StateOf({Written("a1").Max(kLastVerified, "2021-03")});
  EXPECT_TRUE(Plan(later, "a1"_vv, Setting({kLastVerified}, content)).empty());
  const v1::Actor nothing;
  EXPECT_TRUE(Plan(later, "a1"_vv, Setting({kLastVerified}, nothing)).empty());
}

TEST(PlanEdit, TurnsACountersNewValueIntoWhatIsAdded) {
  const KindSchema& kind = *SchemaOfEverything().FindKind("everything");
  const FieldSchema& visits = *kind.FindField("visits");
  const auto number = static_cast<uint32_t>(visits.descriptor->number());
  const RecordState state =
      StateOf({Written("a1").Count(number, "5"), Written("b1").Count(number, "2")});
  const auto message = SchemaOfEverything().NewMessage(kind);
  const auto plan = [&](int64_t value) {
    message->GetReflection()->SetInt64(message.get(), visits.descriptor, value);
    return *PlanEdit(kind, state, state.vector(), {{&visits}, message.get(), nullptr, nullptr});
  };
  EXPECT_EQ(plan(10)[0].value, "3");
  EXPECT_EQ(plan(1)[0].value, "-6");
  EXPECT_TRUE(plan(7).empty());
  // Beyond 64 bits it wraps, as the sum will, back to what was asked for.
  EXPECT_EQ(plan(std::numeric_limits<int64_t>::min())[0].value, "9223372036854775801");
}

TEST(PlanEdit, RefusesAdditionsToSingleValues) {
  v1::Actor content;
  content.set_name("x");
  for (const Edit& edit : {Adding(content), Removing(content)}) {
    const auto operations = PlanEdit(ActorKind(), {}, {}, edit);
    EXPECT_EQ(operations.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(operations.status().message()), ::testing::HasSubstr("name"));
  }
}

TEST(PlanEdit, RefusesEmptyElementsAndEntriesWithoutKey) {
  EXPECT_EQ(PlanEdit(ActorKind(), {}, {}, Adding(InDepartments({"73", ""}))).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PlanEdit(ActorKind(), {}, {}, Adding(WithId("", "1"))).status().code(),
            absl::StatusCode::kInvalidArgument);
  v1::Project project;
  project.add_partners()->mutable_party();
  const auto operations =
      PlanEdit(*Schema::BuiltIn().FindKind("project"), {}, {}, {{}, nullptr, &project, nullptr});
  EXPECT_EQ(operations.status().code(), absl::StatusCode::kInvalidArgument)
      << "a party that names nobody";
}

TEST(SetFields, AreThoseOfACreation) {
  v1::Actor actor = InDepartments({"73"});
  actor.set_name("x");
  actor.set_population(0);
  std::vector<std::string> names;
  for (const FieldSchema* field : SetFields(ActorKind(), actor)) {
    names.push_back(field->descriptor->name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"name", "departments", "population"}));
}

}  // namespace
}  // namespace maillage::replication::testing
