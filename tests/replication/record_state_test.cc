// What states make of bytes that no honest site writes; how honest ones merge is told by merge_laws_test and
// truth_tables_test.
#include "replication/record_state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "tests/replication/support/changes.h"

namespace maillage::replication::testing {
namespace {

Operation InTerritory(Operation operation) {
  operation.territory = true;
  return operation;
}

TEST(Territories, AreTextsThatCanNameAPartition) {
  const std::string longest(kMaxTerritoryBytes, 'x');
  const RecordState state = StateOf({Written("a1")
                                         .Do(InTerritory(Put(11, "73")))
                                         .Do(InTerritory(AddElement(12, "69")))
                                         .Do(InTerritory(AddElement(12, "\xff")))
                                         .Do(InTerritory(AddElement(12, longest)))
                                         .Do(InTerritory(AddElement(12, longest + "x")))
                                         .Do(InTerritory(AddElement(12, std::string("7\0", 2))))
                                         .Do(InTerritory(AddElement(12, "")))});
  EXPECT_EQ(state.Territories(), (std::vector<std::string>{"69", "73", longest}));
}

// Many versions of one cell, half of which the other site has, too.
RecordState ManyVersions(uint64_t first, uint64_t count) {
  VersionVector vector;
  Cell cell{1, "", {}};
  for (uint64_t i = first; i < first + count; ++i) {
    const Dot dot{{SiteOf('a'), i, 1}, 1};
    vector.Add(dot);
    cell.versions.push_back({dot, {i}, "Zoé", std::to_string(i), v1::REGISTER, false});
  }
  return RecordState::FromParts(vector, {cell});
}

TEST(ManyVersions, JoinWithoutComparingEachWithEach) {
  constexpr uint64_t kMany = 100'000;
  const RecordState left = ManyVersions(1, kMany);
  const RecordState right = ManyVersions(1 + kMany / 2, kMany);
  const RecordState joined = Joined(left, right);
  EXPECT_EQ(joined, ManyVersions(1, kMany + kMany / 2));
  EXPECT_EQ(OtherVersions(joined.cells()[0]).size(), kMany + kMany / 2 - 1);
  EXPECT_EQ(Joined(right, left), joined);
}

TEST(ManyDeletes, AreOneLookAtWhatTheyCover) {
  std::vector<VersionVector::Entry> seen;
  std::vector<Version> versions;
  for (uint64_t i = 1; i <= 50'000; ++i) {
    const Dot dot{{SiteOf('b'), i, 1}, 1};
    const VersionVector covered = {{{SiteOf('a'), 50'000 - i, 1}, 1}};
    versions.push_back({dot, {i}, "Zoé", ToProto(covered).SerializeAsString(), v1::REGISTER, false});
    seen.push_back({dot.actor, 1});
    seen.push_back(covered.entries()[0]);
  }
  const RecordState deleted =
      RecordState::FromParts(VersionVector(seen), {Cell{kLifeField, "", versions}});
  seen.push_back({{SiteOf('c'), 1, 1}, 1});
  const RecordState contested =
      RecordState::FromParts(VersionVector(seen), {Cell{kLifeField, "", versions}});
  for (const RecordState& state : {deleted, contested}) {
    const auto decoded = DecodeState(EncodeState(state));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, state);
  }
  EXPECT_EQ(contested.life(), Life::kContested);
  EXPECT_EQ(deleted.life(), Life::kDeleted);
}

}  // namespace
}  // namespace maillage::replication::testing
