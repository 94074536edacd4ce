// The state of one record: an optimised observed-remove map of cells under one version vector (Bieniusa et al.,
// "An Optimized Conflict-free Replicated Set", 2012; Almeida, Shoker, Baquero, "Delta State Replicated Data
// Types", 2018, section 7). It merges bytes by the rule that each change carries, so a site merges kinds and
// fields that it doesn't know. replication/README.md has the truth tables.
#ifndef MAILLAGE_REPLICATION_RECORD_STATE_H_
#define MAILLAGE_REPLICATION_RECORD_STATE_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/merge.pb.h"
#include "replication/change.h"
#include "replication/hybrid_clock.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// One value that somebody wrote and nobody who saw it has replaced.
struct Version {
  Dot dot;
  HybridTime time;
  std::string person;
  std::string value;
  v1::MergeRule rule = v1::REGISTER;
  bool territory = false;
  // It says something of a person, and so does the key of its cell where the rule is SET or MAP.
  bool personal = false;
  // Of an internal value: kCommitmentSize bytes; empty otherwise (change_signature.h).
  std::string commitment = {};
  // This site may only read, and has the commitment in the place of the value.
  bool withheld = false;

  bool operator==(const Version&) const = default;
};

struct Cell {
  uint32_t field = 0;
  // Element of a SET, encoded key of a MAP entry; empty otherwise.
  std::string key;
  // Never empty; sorted by dot.
  std::vector<Version> versions;

  bool operator==(const Cell&) const = default;
};

enum class Life : uint8_t {
  kAlive,
  kDeleted,
  // Deleted by somebody while somebody else edited it: shown, for a person to settle.
  kContested,
};

// Whether a text can name a partition, in keys that end in NUL and in frames.
bool IsTerritory(std::string_view code);

// Not thread-safe. Invariants: cells are sorted by (field, key); every version's dot is covered by the vector.
class RecordState {
 public:
  const VersionVector& vector() const { return vector_; }
  const std::vector<Cell>& cells() const { return cells_; }

  // Null where nothing is alive.
  const Cell* Find(uint32_t field, std::string_view key = {}) const;
  // The cells of one field.
  std::pair<const Cell*, const Cell*> FieldCells(uint32_t field) const;

  // Whether Apply may: the dot is the next of its actor, and the context is covered.
  bool CanApply(const Change& change) const;
  // CHECKs CanApply. A void change is noted, and does nothing else.
  void Apply(const Change& change);
  // Takes back what a change did that turned out to be void, as far as that can be told: what it had replaced is not here any
  // more. Where the record's history is complete, it is played again instead.
  void MakeVoid(const Change& change);

  // The least upper bound of both: commutative, associative, idempotent. What is void in one is void in both.
  void Join(const RecordState& other);

  // Void changes neither delete nor contest. A record of which nothing is valid is deleted.
  Life life() const;
  // Values of the fields that decide the partitions: département codes, sorted, each once. A text that can't name a
  // partition (longer than kMaxTerritoryBytes, no UTF-8, with a NUL) decides nothing, on any site.
  std::vector<std::string> Territories() const;

  // As a site has it that may only read: without the values that have commitments. Fingerprints are of this form, so sites of
  // both kinds can tell that they hold the same.
  bool HasInternal() const;
  RecordState WithoutInternal() const;

  // For the codec alone: takes parts that keep the invariants.
  static RecordState FromParts(VersionVector vector, std::vector<Cell> cells);

  bool operator==(const RecordState&) const = default;

 private:
  void ApplyOperation(const Change& change, const Operation& operation);
  void PutVersion(uint32_t field, std::string_view key, Version version);

  VersionVector vector_;
  std::vector<Cell> cells_;
};

// The cell that names the void changes of a record; null where there is none.
const Cell* VoidChanges(const RecordState& state);

// The version that readers see: for MAX the greatest value, otherwise the highest hybrid time, then the highest
// dot, which begins with the site. Deterministic in any order of arrival. `versions` is not empty.
const Version& Winner(const std::vector<Version>& versions);

// The rule by which a cell is read: the greatest number among its versions, should schemas disagree.
v1::MergeRule RuleOf(const Cell& cell);

// Versions that differ from the winner and from each other, by descending time: what a person has to compare.
// Empty for SET, MAX and COUNTER, whose merges lose nothing; without what is withheld here.
std::vector<const Version*> OtherVersions(const Cell& cell);

// Contributions of COUNTER cells are decimal numbers as text; anything else counts as 0.
int64_t CounterSum(const Cell& cell);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_STATE_H_
