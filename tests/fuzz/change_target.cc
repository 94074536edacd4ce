// Changes as they come from their authors (replication/change.h).
#include <memory>
#include <string>

#include "replication/change.h"
#include "replication/change_signature.h"
#include "replication/record_state.h"
#include "replication/schema.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using namespace replication;

void RequireLimits(const Change& change) {
  MAILLAGE_REQUIRE(CheckChange(change).ok());
  MAILLAGE_REQUIRE(change.person.size() <= kMaxPersonBytes && IsUtf8(change.person));
  MAILLAGE_REQUIRE(change.context.entries().size() <= kMaxVectorEntries);
  MAILLAGE_REQUIRE(change.operations.size() <= kMaxOperations);
  MAILLAGE_REQUIRE(!change.context.Covers(change.dot));
  for (const Operation& operation : change.operations) {
    MAILLAGE_REQUIRE(operation.key.size() <= kMaxValueBytes);
    MAILLAGE_REQUIRE(!operation.value.has_value() || operation.value->size() <= kMaxValueBytes);
    if (operation.field != kLifeField || !operation.value.has_value()) continue;
    MAILLAGE_REQUIRE(change.context.Covers(*DecodeCovered(*operation.value)));
  }
}

// A record that has all that the change builds on, and nothing else.
RecordState ReadyFor(const Change& change) {
  VersionVector vector = change.context;
  if (change.dot.n > 1) vector.Add({change.dot.actor, change.dot.n - 1});
  return RecordState::FromParts(vector, {});
}

void RequireAppliesCleanly(const Change& change) {
  RecordState state = ReadyFor(change);
  MAILLAGE_REQUIRE(state.CanApply(change));
  state.Apply(change);
  MAILLAGE_REQUIRE(!state.CanApply(change));
  // What a change makes can be kept, and sent to others.
  const auto decoded = DecodeState(EncodeState(state));
  MAILLAGE_REQUIRE(decoded.ok() && *decoded == state);
}

// The hash leaves out what looks like a signature's field at the end, which in these bytes may be anything.
bool MayEndInSignature(std::string_view bytes) {
  return bytes.size() >= kSignatureFieldSize && bytes[bytes.size() - kSignatureFieldSize] == '\x7a';
}

// Whatever is taken out of a change, its hash stays.
void RequireHashStays(std::string_view bytes) {
  if (MayEndInSignature(bytes)) return;
  const std::string hash = HashOfChange(bytes);
  const auto require = [&](const absl::StatusOr<std::string>& left) {
    if (!left.ok()) return RequireRefusal(left.status(), absl::StatusCode::kInvalidArgument);
    if (!MayEndInSignature(*left)) MAILLAGE_REQUIRE(HashOfChange(*left) == hash);
  };
  require(WithoutValues(bytes));
  for (size_t operation = 0; operation < 3; ++operation) require(WithoutValue(bytes, operation));
}

}  // namespace

bool FuzzChange(std::string_view bytes) {
  RequireHashStays(bytes);
  const auto change = DecodeChange(bytes);
  if (!change.ok()) {
    RequireRefusal(change.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  RequireLimits(*change);
  const std::string canonical = EncodeChange(*change);
  MAILLAGE_REQUIRE(canonical.size() <= bytes.size());
  const auto decoded = DecodeChange(canonical);
  MAILLAGE_REQUIRE(decoded.ok() && *decoded == *change);
  MAILLAGE_REQUIRE(EncodeChange(*decoded) == canonical);
  RequireAppliesCleanly(*change);
  return true;
}

}  // namespace maillage::fuzz
