// Each law of the observer, broken on purpose.
#include "tests/sim/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/edit.h"
#include "replication/state_codec.h"
#include "tests/replication/support/changes.h"

namespace maillage::sim {
namespace {

using replication::EncodeChange;
using replication::EncodeState;
using replication::testing::Written;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RegistryTest : public ::testing::Test {
 protected:
  ChangeName Saw(const Change& change) { return registry_.Saw(EncodeChange(change)); }
  void Check(const RecordKey& record, const RecordState& state) {
    registry_.CheckState(record, state, EncodeState(state));
  }

  std::vector<std::string> told_;
  Registry registry_{[this](const std::string& violation) { told_.push_back(violation); }};
  const Change first_ = Written("a1").Set(1, "x");
  const Change second_ = Written("b1").After("a1").Set(1, "y");
};

TEST_F(RegistryTest, AnHonestHistoryBreaksNoLaw) {
  registry_.Acknowledge(Saw(first_));
  Saw(second_);
  Saw(first_);
  RecordState state;
  state.Apply(first_);
  Check(first_.record, state);
  state.Apply(second_);
  Check(first_.record, state);
  registry_.CheckNothingLost([](const ChangeName&) { return true; });
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(RegistryTest, TwoContentsUnderOneDot) {
  Saw(first_);
  Saw(Written("a1").Set(1, "z"));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("two contents under one dot")));
}

TEST_F(RegistryTest, AVectorThatNamesWhatNobodyWrote) {
  Saw(second_);
  RecordState state;
  state.Apply(first_);
  Check(first_.record, state);
  EXPECT_THAT(told_, ::testing::Contains(HasSubstr("names what nobody wrote")));
}

TEST_F(RegistryTest, AnEditThatVanished) {
  Saw(first_);
  Saw(second_);
  RecordState state;
  state.Apply(first_);
  state.Apply(second_);
  Check(first_.record, RecordState::FromParts(state.vector(), {}));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("not what its changes make")));
}

TEST_F(RegistryTest, EqualChangesAndDifferentStates) {
  Saw(first_);
  RecordState state;
  state.Apply(first_);
  Check(first_.record, state);
  Check(first_.record, RecordState::FromParts(state.vector(), {}));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("equal change sets, different states")));
}

TEST_F(RegistryTest, ADeletedRecordThatReturns) {
  const Change deleting = Written("b1").After("a1").Delete();
  Saw(first_);
  Saw(deleting);
  RecordState state;
  state.Apply(first_);
  VersionVector vector = state.vector();
  vector.Add(deleting.dot);
  Check(first_.record, RecordState::FromParts(vector, state.cells()));
  EXPECT_THAT(told_, ::testing::Contains(HasSubstr("a deleted record is back")));
}

TEST_F(RegistryTest, AnAcknowledgedChangeThatIsLost) {
  registry_.Acknowledge(Saw(first_));
  registry_.CheckNothingLost([](const ChangeName&) { return false; });
  EXPECT_THAT(told_, ElementsAre(HasSubstr("an acknowledged change is lost")));
}

TEST_F(RegistryTest, WhatOnlyALostDiskHeldMayBeMissing) {
  registry_.Acknowledge(Saw(first_));
  registry_.LoseDisk([](const ChangeName&) { return false; });
  registry_.CheckNothingLost([](const ChangeName&) { return false; });
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace maillage::sim
