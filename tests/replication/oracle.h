// The semantics of merging, slow and obvious: it keeps every change and answers each question from
// the definitions in replication/README.md alone. RecordState is held against it; it shares no code
// with it.
#ifndef MAILLAGE_TESTS_REPLICATION_ORACLE_H_
#define MAILLAGE_TESTS_REPLICATION_ORACLE_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/record_state.h"

namespace maillage::replication::testing {

class Oracle {
 public:
  using CellName = std::pair<uint32_t, std::string>;

  // In any order; the set must hold the causes of all its changes when it is asked.
  void Add(const Change& change);

  // Every cell in which a value is alive, its values by dot.
  std::map<CellName, std::vector<Version>> Cells() const;
  // The number of each actor's last change.
  std::map<Actor, uint64_t> Vector() const;
  Life life() const;

  // Of the alive values of one cell; not empty.
  static Version WinnerOf(const std::vector<Version>& alive);
  static std::vector<Version> OthersOf(const std::vector<Version>& alive);
  static int64_t SumOf(const std::vector<Version>& alive);

 private:
  struct Known {
    Change change;
    // The context, dot by dot.
    std::set<Dot> read;
  };

  std::vector<Known> changes_;
};

// What the state says otherwise than the oracle; empty where they agree.
std::string Disagreement(const RecordState& state, const Oracle& oracle);

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_ORACLE_H_
