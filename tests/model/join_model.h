// The join of one record's states with epochs, eviction and restore, over the real RecordState and VersionVector.
// Identity (which dot a site issues next) is the rule of replication/README.md, written down again: README.md here.
#ifndef MAILLAGE_TESTS_MODEL_JOIN_MODEL_H_
#define MAILLAGE_TESTS_MODEL_JOIN_MODEL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "replication/change.h"
#include "replication/record_state.h"

namespace maillage::model {

// What a site forgets, to prove that the laws notice.
enum class JoinBug : uint8_t {
  kNone,
  // A record that was evicted is written on under the epoch that it had.
  kEpochReusedAfterEviction,
  // A change of one's own that comes back is no reason for a new incarnation.
  kOwnDotsComeBackUnnoticed,
  // A restored site goes on under its incarnation.
  kSameIncarnationAfterRestore,
  // A write covers what the node holds, not what its person read.
  kWriteCoversUnread,
  // Joining takes the cells of both, whatever the vectors say.
  kJoinKeepsRemoved,
  // Joining takes the other's cells.
  kJoinTakesTheirs,
  // A delete claims to have seen all that its site receives later.
  kDeleteSwallowsLaterEdits,
};

class JoinModel {
 public:
  static constexpr size_t kSites = 3;
  struct Site {
    replication::RecordState state;
    // Changes that are in the state.
    std::set<replication::Dot> seen;
    // The record as somebody had it on the screen before the last change here.
    replication::VersionVector read_before;
    uint64_t incarnation = 1;
    uint64_t sequence = 0;
    bool acted = false;
    bool has_backup = false;
    replication::RecordState backup;
    std::set<replication::Dot> backup_seen;
    uint64_t backup_sequence = 0;
  };
  struct State {
    std::array<Site, kSites> sites;
    // All that was ever written: the network may deliver each at any time, any number of times.
    std::map<replication::Dot, replication::Change> written;
    std::string broken;
  };
  using Visit = std::function<void(std::string action, State next)>;

  explicit JoinModel(JoinBug bug = JoinBug::kNone) : bug_(bug) {}

  State Start() const { return {}; }
  void Successors(const State& state, const Visit& visit) const;
  std::string Violation(const State& state) const;
  std::string Key(const State& state) const;

 private:
  void Writes(const State& state, size_t at, const Visit& visit) const;
  void Arrivals(const State& state, size_t at, const Visit& visit) const;
  void Mishaps(const State& state, size_t at, const Visit& visit) const;
  void Write(State& state, size_t at, uint32_t field, const replication::VersionVector& context) const;
  void Learn(Site& site, size_t at, const std::set<replication::Dot>& dots) const;
  replication::RecordState Join(const replication::RecordState& mine,
                                const replication::RecordState& theirs) const;

  const JoinBug bug_;
};

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_JOIN_MODEL_H_
