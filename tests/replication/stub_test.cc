// Stubs: parts of states, and what the replica keeps of them.
#include "replication/stub.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "replication/scrub.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"
#include "tests/replication/support/site.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {
namespace {

using storage::PartitionKey;
using storage::Table;

constexpr uint16_t kProject = 2;

// Whatever field is the title, and whatever cells a history has.
class SomeTitle : public IndexSource {
 public:
  explicit SomeTitle(uint32_t field) : field_(field) {}
  std::vector<std::string> IndexKeys(const RecordKey&, const RecordState&) const override { return {}; }
  uint32_t TitleField(uint16_t) const override { return field_; }

 private:
  const uint32_t field_;
};

TEST(Stub, APartOfAJoinIsTheJoinOfTheParts) {
  ForEachHistory([](SeededRandom& random) {
    Fleet fleet(&random, 2 + random.Below(3));
    fleet.Run(8 + random.Below(12));
    const SomeTitle index(static_cast<uint32_t>(1 + random.Below(6)));
    const RecordState& a = fleet.copies()[random.Below(fleet.copies().size())].state;
    const RecordState& b = fleet.copies()[random.Below(fleet.copies().size())].state;
    RecordState joined = a;
    joined.Join(b);
    const Stub whole = StubOf(kKind, joined, index);
    ASSERT_EQ(JoinStubs(StubOf(kKind, a, index), StubOf(kKind, b, index)), whole);
    ASSERT_EQ(JoinStubs(StubOf(kKind, b, index), StubOf(kKind, a, index)), whole);
    ASSERT_EQ(whole.state.life(), joined.life());
    ASSERT_EQ(whole.state.Territories(), joined.Territories());
    ASSERT_EQ(*DecodeStub(EncodeStub(whole)), whole);
  }, 0.25);
}

TEST(Stub, OfTwoKindsUnderOneIdTheLowerStandsForIt) {
  const Stub actor{1, RecordState()};
  const Stub project{2, RecordState()};
  EXPECT_EQ(JoinStubs(actor, project).kind, 1);
  EXPECT_EQ(JoinStubs(project, actor).kind, 1);
}

TEST(Stub, BytesThatNobodyWroteAreRefused) {
  const std::string good = EncodeStub({1, RecordState()});
  EXPECT_TRUE(DecodeStub(good).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeStub("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeStub(good + "x").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeStub(good.substr(0, good.size() - 1)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeStub(EncodeStub({0, RecordState()})).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeStub(EncodeStub({0x8001, RecordState()})).status()));
}

class ReplicaStubs : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(Inconsistency(*lyon.store, *lyon.replica), "");
    const auto scrubbed = Scrub(*lyon.store, &Schema::BuiltIn(), [](uint64_t) { return true; });
    EXPECT_EQ(scrubbed->damaged(), 0u) << scrubbed->findings.front().what;
    const std::string before = lyon.replica->stub_tree().Digest();
    ASSERT_TRUE(lyon.replica->RebuildStubs().ok());
    EXPECT_EQ(lyon.replica->stub_tree().Digest(), before);
    EXPECT_EQ(Inconsistency(*lyon.store, *lyon.replica), "");
  }

  RecordId CreateProject(const RecordId& lead, const std::string& department = "73") {
    return lyon.Create(ProjectLedBy(lead, department));
  }
  // What stands in the partition of stubs beside projects of a territory.
  uint64_t Stubs(const std::string& department) const {
    return lyon.replica->stub_tree().Root(StubPartitionOf({kProject, department})).count;
  }
  std::string ShownName(const RecordId& id) const {
    const auto stub = lyon.replica->FindShown(id);
    if (!stub.ok() || !stub->has_value()) return "";
    return Winner((*stub)->state.Find(1)->versions).value;
  }
  static Stub ShownBy(const TestSite& site, const RecordId& id) { return **site.replica->FindShown(id); }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite isere{"isere", maillage::testing::TestSeed() + 1, &clock};
};

TEST_F(ReplicaStubs, StandWhereTheyAreReferredFrom) {
  const RecordId actor = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  EXPECT_EQ(Stubs("73"), 0u);
  const RecordId first = CreateProject(actor);
  const RecordId second = CreateProject(actor);
  EXPECT_EQ(Stubs("73"), 1u);
  EXPECT_EQ(*ReferredFrom(*lyon.store, actor), (std::set<PartitionKey>{{kProject, "73"}}));
  v1::Project moved;
  moved.add_departments("01");
  lyon.Add(second, moved);
  EXPECT_EQ(Stubs("01"), 1u);
  lyon.Delete(kProject, second);
  EXPECT_EQ(Stubs("01"), 0u);
  EXPECT_EQ(Stubs("73"), 1u);
  v1::Project nobody;
  lyon.Update(first, nobody, {"lead"});
  EXPECT_EQ(Stubs("73"), 0u);
}

TEST_F(ReplicaStubs, OfTheWholeRegionStandThere) {
  const RecordId actor = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(actor, "");
  EXPECT_EQ(Stubs(""), 1u);
}

TEST_F(ReplicaStubs, ChangeWithWhatTheyShowAndNotWithTheRest) {
  const RecordId actor = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(actor);
  const uint64_t version = lyon.replica->stub_version();
  v1::Actor described;
  described.set_description("longue");
  lyon.Update(actor, described, {"description"});
  EXPECT_EQ(lyon.replica->stub_version(), version);
  lyon.Update(actor, NamedActor("Grenoble", "38"), {"name"});
  EXPECT_EQ(lyon.replica->stub_version(), version + 1);
  lyon.Delete(kActor, actor);
  EXPECT_EQ(lyon.replica->stub_version(), version + 2);
  EXPECT_EQ(Stubs("73"), 1u);
}

TEST_F(ReplicaStubs, WhatAPeerShowsIsKeptWhereItIsReferredToAndUntilTheRecordComes) {
  const RecordId actor = isere.Create(NamedActor("Ville de Grenoble", "38"));
  v1::Project project;
  project.mutable_lead()->set_actor(FormatUuid(actor));
  isere.Create(project);
  const Stub early = ShownBy(isere, actor);
  EXPECT_EQ(*lyon.replica->MergeStub(actor, early), false);
  CreateProject(actor);
  EXPECT_EQ(ShownName(actor), "");
  EXPECT_EQ(Stubs("73"), 0u);
  EXPECT_EQ(*lyon.replica->MergeStub(actor, early), true);
  EXPECT_EQ(*lyon.replica->MergeStub(actor, early), false);
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(ShownName(actor), "Ville de Grenoble");
  EXPECT_EQ(Stubs("73"), 1u);
  EXPECT_EQ(lyon.replica->progress().kinds.at(kProject).alive, 1u);
  EXPECT_FALSE(lyon.replica->progress().kinds.contains(kActor));
  isere.Update(actor, NamedActor("Grenoble", "38"), {"name"});
  EXPECT_EQ(*lyon.replica->MergeStub(actor, ShownBy(isere, actor)), true);
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(*lyon.replica->MergeStub(actor, early), false);
  EXPECT_EQ(ShownName(actor), "Grenoble");
  lyon.Restart();
  EXPECT_EQ(ShownName(actor), "Grenoble");
  for (const std::string& change : isere.Feed()) {
    ASSERT_TRUE(lyon.replica->Apply(change, isere.id).ok());
  }
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(lyon.store->Get(Table::kMeta, storage::StubKey(actor))->has_value(), false);
  EXPECT_EQ(ShownName(actor), "Grenoble");
}

TEST_F(ReplicaStubs, WhatNobodyRefersToAnyMoreIsForgotten) {
  const RecordId actor = isere.Create(NamedActor("Ville de Grenoble", "38"));
  const RecordId project = CreateProject(actor);
  EXPECT_EQ(*lyon.replica->MergeStub(actor, ShownBy(isere, actor)), true);
  ASSERT_TRUE(lyon.replica->Commit().ok());
  lyon.Delete(kProject, project);
  EXPECT_EQ(lyon.store->Get(Table::kMeta, storage::StubKey(actor))->has_value(), false);
  EXPECT_EQ(Stubs("73"), 0u);
}

// A store that was written before there were stubs, or in which they are damaged.
TEST_F(ReplicaStubs, AreToldAnewFromAStoreThatLacksThem) {
  const RecordId actor = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  const RecordId away = isere.Create(NamedActor("Ville de Vienne", "38"));
  CreateProject(actor);
  CreateProject(away);
  EXPECT_EQ(*lyon.replica->MergeStub(away, ShownBy(isere, away)), true);
  ASSERT_TRUE(lyon.replica->Commit().ok());
  const std::string digest = lyon.replica->stub_tree().Digest();
  for (const bool version_known : {false, true}) {
    storage::CommitBatch batch;
    for (const auto& [key, value] : Rows(*lyon.store, Table::kFingerprints)) {
      if (storage::ParseFingerprintKey(key)->partition.kind < storage::kStubPartition) continue;
      version_known ? batch.Put(Table::kFingerprints, key, "short") : batch.Delete(Table::kFingerprints, key);
    }
    if (!version_known) {
      batch.Delete(Table::kMeta, std::string(storage::kStubsKey));
      for (const auto& [key, value] : Rows(*lyon.store, Table::kIndex)) {
        if (storage::ParseReferenceKey(key).has_value()) batch.Delete(Table::kIndex, key);
      }
    }
    ASSERT_TRUE(lyon.store->Commit(batch).ok());
    lyon.Restart();
    EXPECT_EQ(lyon.replica->stub_tree().Digest(), digest);
    EXPECT_EQ(lyon.replica->damage(), "");
  }
}

TEST_F(ReplicaStubs, AScrubTellsWhatIsWrongWithThem) {
  const RecordId actor = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(actor);
  const PartitionKey partition = StubPartitionOf({kProject, "73"});
  const std::string row = storage::FingerprintKey(partition, StubPosition(actor), actor);
  const std::string stray = storage::FingerprintKey(partition, 7, RecordId());
  const std::string good = **lyon.store->Get(Table::kFingerprints, row);
  const auto damaged_by = [&](const std::string& key, std::optional<std::string> value) {
    storage::CommitBatch batch;
    value.has_value() ? batch.Put(Table::kFingerprints, key, *value) : batch.Delete(Table::kFingerprints, key);
    EXPECT_TRUE(lyon.store->Commit(batch).ok());
    return Scrub(*lyon.store, &Schema::BuiltIn(), [](uint64_t) { return true; })->damaged();
  };
  EXPECT_EQ(damaged_by(row, std::string(32, 'x')), 1u);
  EXPECT_EQ(damaged_by(row, std::nullopt), 1u);
  EXPECT_EQ(damaged_by(row, good), 0u);
  EXPECT_EQ(damaged_by(stray, good), 1u);
  EXPECT_EQ(damaged_by(stray, std::nullopt), 0u);
}

}  // namespace
}  // namespace maillage::replication::testing
