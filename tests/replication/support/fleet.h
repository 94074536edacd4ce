// Random histories of one record: a few sites that write what they like, having read what they had
// read, and that pass each other changes or whole states when they meet. Everything comes from one
// seed.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_FLEET_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_FLEET_H_

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include "replication/change.h"
#include "replication/record_state.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {

// The operations of one write, sorted by cell, each cell once.
using Writer = std::function<std::vector<Operation>(SeededRandom&, const RecordState&,
                                                    const VersionVector& context)>;

// Cells of every rule, a field on whose rule the sites disagree, deletes and undeletes; few values,
// so that they often meet.
std::vector<Operation> WriteAnyCells(SeededRandom& random, const RecordState& state,
                                     const VersionVector& context);

// What one site has of the record.
struct Copy {
  Actor actor;
  RecordState state;
  // Indices of changes that are in the state, by themselves or within a joined state.
  std::set<size_t> seen;
  // Vectors that somebody read here, oldest first: stale contexts.
  std::vector<VersionVector> read;
};

class Fleet {
 public:
  // `random` must outlive the fleet. 2 <= sites <= 8.
  Fleet(SeededRandom* random, size_t sites, Writer writer = WriteAnyCells);

  // One write, or one meeting of two sites.
  void Step();
  void Run(size_t steps);

  const std::vector<Copy>& copies() const { return copies_; }
  // All that were ever written, each after its causes.
  const std::vector<Change>& changes() const { return changes_; }

  // The changes `which`, in a random order that respects their causes.
  std::vector<Change> InSomeCausalOrder(const std::set<size_t>& which);
  std::set<size_t> All() const;

 private:
  Copy& AnyCopy() { return copies_[random_->Below(copies_.size())]; }
  VersionVector AnyContext(const Copy& copy);
  void Write(Copy& copy);
  // Some of the changes that `to` lacks, as far as their causes are there.
  void PassChanges(const Copy& from, Copy& to);
  void PassState(const Copy& from, Copy& to);

  SeededRandom* const random_;
  const Writer writer_;
  std::vector<Copy> copies_;
  std::vector<Change> changes_;
};

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_FLEET_H_
