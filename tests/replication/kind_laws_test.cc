// The laws again, for every kind of proto/records.proto and every field, driven by the descriptors:
// what a kind gains tomorrow is tested tomorrow. Beside them a kind that has every type.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/edit.h"
#include "replication/state_codec.h"
#include "replication/value_codec.h"
#include "tests/replication/oracle.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"
#include "tests/replication/support/random_message.h"
#include "tests/replication/support/schema_builder.h"

namespace maillage::replication::testing {
namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// A history of messages costs about ten times as much as one of bare cells.
constexpr double kShare = 0.1;

struct KindCase {
  const Schema* schema;
  const KindSchema* kind;
};

struct FieldCase {
  const Schema* schema;
  const KindSchema* kind;
  const FieldSchema* field;
};

std::vector<KindCase> EveryKind() {
  std::vector<KindCase> cases;
  for (const Schema* schema : {&Schema::BuiltIn(), &SchemaOfEverything()}) {
    for (const KindSchema& kind : schema->kinds()) cases.push_back({schema, &kind});
  }
  return cases;
}

std::vector<FieldCase> EveryField() {
  std::vector<FieldCase> cases;
  for (const KindCase& kind : EveryKind()) {
    for (const FieldSchema& field : kind.kind->fields) {
      cases.push_back({kind.schema, kind.kind, &field});
    }
  }
  return cases;
}

class KindLaws : public ::testing::TestWithParam<KindCase> {
 protected:
  const Schema& schema() const { return *GetParam().schema; }
  const KindSchema& kind() const { return *GetParam().kind; }
};

TEST_P(KindLaws, AnyCausalOrderGivesTheSameBytesAsTheDefinitionsDo) {
  ForEachHistory(
      [&](SeededRandom& random) {
        Fleet fleet(&random, 3, EditRandomly(schema(), kind()));
        fleet.Run(16);
        Oracle oracle;
        for (const Change& change : fleet.changes()) oracle.Add(change);
        const RecordState all = StateOf(fleet.InSomeCausalOrder(fleet.All()));
        ASSERT_EQ(Disagreement(all, oracle), "");
        RecordState joined;
        for (const Copy& copy : fleet.copies()) joined.Join(copy.state);
        ASSERT_EQ(ToHex(EncodeState(joined)), ToHex(EncodeState(all)));
        ASSERT_EQ(*DecodeState(EncodeState(all)), all);
      },
      kShare);
}

TEST_P(KindLaws, ChangesSurviveTheirBytes) {
  ForEachHistory(
      [&](SeededRandom& random) {
        Fleet fleet(&random, 2, EditRandomly(schema(), kind()));
        fleet.Run(8);
        for (const Change& change : fleet.changes()) {
          const auto decoded = DecodeChange(EncodeChange(change));
          ASSERT_TRUE(decoded.ok()) << decoded.status();
          ASSERT_EQ(*decoded, change);
        }
      },
      kShare);
}

TEST_P(KindLaws, AskingForWhatIsThereSettlesConflictsAndNothingElse) {
  ForEachHistory(
      [&](SeededRandom& random) {
        Fleet fleet(&random, 3, EditRandomly(schema(), kind()));
        fleet.Run(16);
        RecordState state = StateOf(fleet.changes());
        const auto shown = schema().ToMessage(kind(), state);
        Edit edit{{}, shown.get(), nullptr, nullptr};
        for (const FieldSchema& field : kind().fields) edit.fields.push_back(&field);
        Change settling = Written("z1").Done();
        settling.context = state.vector();
        const auto operations = PlanEdit(kind(), state, settling.context, edit);
        ASSERT_TRUE(operations.ok()) << operations.status();
        for (const Operation& operation : *operations) {
          const Cell* cell = state.Find(operation.field, operation.key);
          ASSERT_TRUE(cell != nullptr && !OtherVersions(*cell).empty()) << Show(state);
        }
        settling.operations = *operations;
        state.Apply(settling);
        ASSERT_TRUE(MessageDifferencer::Equals(*schema().ToMessage(kind(), state), *shown));
        ASSERT_TRUE(PlanEdit(kind(), state, state.vector(), edit)->empty()) << Show(state);
      },
      kShare);
}

INSTANTIATE_TEST_SUITE_P(Records, KindLaws, ::testing::ValuesIn(EveryKind()),
                         [](const auto& info) { return info.param.kind->name; });

class FieldLaws : public ::testing::TestWithParam<FieldCase> {
 protected:
  const KindSchema& kind() const { return *GetParam().kind; }
  const FieldSchema& field() const { return *GetParam().field; }

  std::unique_ptr<Message> Empty() const { return GetParam().schema->NewMessage(kind()); }
  // Only this field is set.
  std::unique_ptr<Message> Filled(SeededRandom& random) const {
    auto message = Empty();
    FillField(random, field(), *message);
    return message;
  }
  std::unique_ptr<Message> Shown(const RecordState& state) const {
    return GetParam().schema->ToMessage(kind(), state);
  }
  // The state after `dot` made the field what the content has.
  RecordState Edited(const RecordState& state, const char* dot, const Message& content) const {
    Change change = Written(dot).Done();
    change.context = state.vector();
    const auto operations =
        PlanEdit(kind(), state, change.context, {{&field()}, &content, nullptr, nullptr});
    EXPECT_TRUE(operations.ok()) << operations.status();
    change.operations = *operations;
    RecordState edited = state;
    edited.Apply(change);
    return edited;
  }
  bool IsEmptyShown(const RecordState& state) const {
    return MessageDifferencer::Equals(*Shown(state), *Empty());
  }
};

// The order of elements is the merge's own.
bool SameElements(const Message& a, const Message& b) {
  MessageDifferencer differencer;
  differencer.set_repeated_field_comparison(MessageDifferencer::AS_SET);
  return differencer.Compare(a, b);
}

TEST_P(FieldLaws, WhatIsWrittenIsReadAndNeedsNoSecondWrite) {
  SeededRandom random(maillage::testing::TestSeed());
  for (int i = 0; i < 20; ++i) {
    const auto content = Filled(random);
    const RecordState state = Edited({}, "a1", *content);
    ASSERT_TRUE(SameElements(*Shown(state), *content))
        << Shown(state)->DebugString() << " is not " << content->DebugString();
    const Edit again{{&field()}, content.get(), nullptr, nullptr};
    ASSERT_TRUE(PlanEdit(kind(), state, state.vector(), again)->empty());
    // Nobody who saw nothing takes anything away.
    const auto empty = Empty();
    const Edit clearing{{&field()}, empty.get(), nullptr, nullptr};
    ASSERT_TRUE(PlanEdit(kind(), state, {}, clearing)->empty());
    const bool grows_only = field().rule == v1::MAX || field().rule == v1::COUNTER;
    ASSERT_EQ(IsEmptyShown(Edited(state, "a2", *empty)), !grows_only);
  }
}

TEST_P(FieldLaws, ConcurrentWritesMergeByTheRule) {
  SeededRandom random(maillage::testing::TestSeed());
  const auto number = static_cast<uint32_t>(field().descriptor->number());
  for (int i = 0; i < 20; ++i) {
    const auto of_alice = Filled(random);
    const auto of_bob = Filled(random);
    const RecordState left = Edited({}, "a1", *of_alice);
    const RecordState right = Edited({}, "b1", *of_bob);
    const RecordState both = Joined(left, right);
    std::set<std::string> keys;
    for (const RecordState* state : {&left, &right}) {
      for (const std::string& key : KeysOf(*state, number)) keys.insert(key);
    }
    const auto joined_keys = KeysOf(both, number);
    ASSERT_EQ(std::set<std::string>(joined_keys.begin(), joined_keys.end()), keys);
    for (const std::string& key : keys) {
      const std::string alice = ValueOf(left, number, key);
      const std::string bob = ValueOf(right, number, key);
      const bool differ = left.Find(number, key) && right.Find(number, key) && alice != bob;
      const bool compared = field().rule == v1::REGISTER || field().rule == v1::MAP;
      ASSERT_EQ(BesideOf(both, number, key).size(), differ && compared ? 1u : 0u);
      if (field().rule == v1::MAX) {
        ASSERT_EQ(ValueOf(both, number, key), std::max(alice, bob));
      }
      if (field().rule == v1::COUNTER) {
        const uint64_t sum = static_cast<uint64_t>(CounterSum(*left.Find(number, key))) +
                             static_cast<uint64_t>(CounterSum(*right.Find(number, key)));
        ASSERT_EQ(CounterSum(*both.Find(number, key)), static_cast<int64_t>(sum));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Records, FieldLaws, ::testing::ValuesIn(EveryField()),
                         [](const auto& info) {
                           return absl::StrCat(info.param.kind->name, "_",
                                               info.param.field->descriptor->name());
                         });

}  // namespace
}  // namespace maillage::replication::testing
