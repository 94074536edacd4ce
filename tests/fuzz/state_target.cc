// States as they lie on disk and come from peers (replication/state_codec.h): a block that is one, then another one that
// it is joined with.
#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "replication/record_state.h"
#include "replication/schema.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using namespace replication;

void RequireCanonical(const RecordState& state) {
  const auto again = DecodeState(EncodeState(state));
  MAILLAGE_REQUIRE(again.ok() && *again == state);
}

void RequireLimits(const RecordState& state) {
  for (const Cell& cell : state.cells()) {
    MAILLAGE_REQUIRE(cell.key.size() <= kMaxValueBytes);
    for (const Version& version : cell.versions) {
      MAILLAGE_REQUIRE(version.value.size() <= kMaxValueBytes);
      MAILLAGE_REQUIRE(version.person.size() <= kMaxPersonBytes && IsUtf8(version.person));
      MAILLAGE_REQUIRE(state.vector().Covers(version.dot));
    }
  }
}

void RequireReadableCells(const RecordState& state) {
  for (const Cell& cell : state.cells()) {
    const Version& winner = Winner(cell.versions);
    std::set<std::string> told = {winner.value};
    for (const Version* other : OtherVersions(cell)) {
      MAILLAGE_REQUIRE(told.insert(other->value).second);
    }
    CounterSum(cell);
  }
}

// What names a partition is sent as text.
void RequireTerritories(const RecordState& state) {
  const std::vector<std::string> territories = state.Territories();
  MAILLAGE_REQUIRE(std::is_sorted(territories.begin(), territories.end()));
  for (const std::string& territory : territories) {
    MAILLAGE_REQUIRE(!territory.empty() && territory.size() <= kMaxTerritoryBytes);
    MAILLAGE_REQUIRE(IsUtf8(territory) && territory.find('\0') == std::string::npos);
  }
}

// What readers get of it crosses the wire, whatever is in it.
void RequireReadableRecords(const RecordState& state) {
  const Schema& schema = Schema::BuiltIn();
  for (const KindSchema& kind : schema.kinds()) {
    const auto message = schema.ToMessage(kind, state);
    const auto read = schema.NewMessage(kind);
    MAILLAGE_REQUIRE(read->ParseFromString(message->SerializeAsString()));
    const RecordKey record{kind.number, RecordId()};
    for (const std::string& key : schema.IndexKeys(record, state)) {
      MAILLAGE_REQUIRE(storage::ParseIndexedId(key) == record.id);
    }
  }
}

void RequireSound(const RecordState& state) {
  RequireLimits(state);
  RequireReadableCells(state);
  RequireTerritories(state);
  RequireReadableRecords(state);
  state.life();
}

void RequireJoinLaws(const RecordState& left, const RecordState& right) {
  RecordState joined = left;
  joined.Join(right);
  RecordState other_way = right;
  other_way.Join(left);
  MAILLAGE_REQUIRE(joined == other_way);
  RequireCanonical(joined);
  RequireSound(joined);
  MAILLAGE_REQUIRE(joined.vector().Covers(left.vector()));
  MAILLAGE_REQUIRE(joined.vector().Covers(right.vector()));
  RecordState again = joined;
  for (const RecordState& part : {left, right, joined}) {
    again.Join(part);
    MAILLAGE_REQUIRE(again == joined);
  }
}

}  // namespace

bool FuzzState(std::string_view bytes) {
  const std::string_view left_bytes = TakeBlock(bytes);
  const auto left = DecodeState(left_bytes);
  if (!left.ok()) {
    RequireRefusal(left.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  MAILLAGE_REQUIRE(EncodeState(*left) == left_bytes);
  RequireSound(*left);
  const auto right = DecodeState(bytes);
  RequireJoinLaws(*left, right.ok() ? *right : *left);
  return true;
}

}  // namespace maillage::fuzz
