// A change in memory, and its two directions to the author's bytes (proto/change.proto).
#ifndef MAILLAGE_REPLICATION_CHANGE_H_
#define MAILLAGE_REPLICATION_CHANGE_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "proto/merge.pb.h"
#include "replication/hybrid_clock.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// The life of a record is a register in field 0: a value deletes, and holds the vector that the delete covers.
inline constexpr uint32_t kLifeField = 0;
// In states alone: the cell of field 0 whose versions name the changes that are void (record_state.h).
inline constexpr std::string_view kVoidKey = "void";

inline constexpr size_t kChangeHashSize = 16;
inline constexpr size_t kChangeSaltSize = 8;
inline constexpr size_t kCommitmentSize = 32;
inline constexpr std::string_view kUnknownPrevious{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", kChangeHashSize};

struct Operation {
  uint32_t field = 0;
  v1::MergeRule rule = v1::REGISTER;
  // Element of a SET, encoded key of a MAP entry; empty otherwise.
  std::string key;
  // Nothing: what the context covers in this cell is removed.
  std::optional<std::string> value;
  bool territory = false;
  // The value is not for sites that may only read.
  bool internal = false;
  // The value, and the key, say something of a person: encrypted on disk (sealed_store.h).
  bool personal = false;
  // Of an internal value with a salt: kCommitmentSize bytes (change_signature.h), there where the value is withheld as well.
  std::string commitment = {};

  // It sets a value that isn't here.
  bool is_withheld() const { return !value.has_value() && !commitment.empty(); }
  bool operator==(const Operation&) const = default;
};

struct Change {
  RecordKey record;
  Dot dot;
  uint64_t site_sequence = 0;
  HybridTime time;
  std::string person;
  // The record's vector as the person read it. May lack earlier dots of the change's own actor: two people at
  // one node write concurrently.
  VersionVector context;
  // Sorted by field, then key; each cell once.
  std::vector<Operation> operations;
  // In a network: kChangeHashSize bytes of the actor's change before this one, kUnknownPrevious, or nothing in its first.
  std::string previous;
  // In a network: kChangeSaltSize random bytes.
  std::string salt;
  // Not of its bytes: a revocation makes it void (revoked_authors.h), so it has no effect on a state.
  bool is_void = false;

  // Of some operation the value isn't here.
  bool withholds() const {
    return std::any_of(operations.begin(), operations.end(), [](const Operation& operation) { return operation.is_withheld(); });
  }

  bool operator==(const Change&) const = default;
};

// A commitment is written where the value is withheld.
std::string EncodeChange(const Change& change);

// InvalidArgument on anything that EncodeChange would not have written, or beyond the limits of tuning.h.
// Unknown fields of the message are fine.
absl::StatusOr<Change> DecodeChange(std::string_view bytes);

// The limits of tuning.h, the order of the operations, and that a delete covers nothing that its author hadn't read:
// what holds for writers and receivers alike.
absl::Status CheckChange(const Change& change);

// What holds for each cell and value by itself, in changes and so in the states that they make. Both return
// InvalidArgument.
absl::Status CheckCell(uint32_t field, std::string_view key);
absl::Status CheckValue(uint32_t field, v1::MergeRule rule, std::string_view value, bool territory);
absl::Status CheckPerson(std::string_view person);
// Internal is a REGISTER of one cell that decides nothing.
absl::Status CheckInternal(uint32_t field, std::string_view key, v1::MergeRule rule, bool territory);

// What a delete covers: the value of the life field.
absl::StatusOr<VersionVector> DecodeCovered(std::string_view value);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_CHANGE_H_
