// Restore and clone detection: one site that may come to exist twice, and two peers, who are its
// witnesses. What happens between two of them is one step or the beginning of it; clone_site.h is
// what each does. README.md here tells the laws.
#ifndef MAILLAGE_TESTS_MODEL_CLONE_MODEL_H_
#define MAILLAGE_TESTS_MODEL_CLONE_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/model/clone_site.h"

namespace maillage::model {

class CloneModel {
 public:
  static constexpr size_t kCopies = 2;
  static constexpr size_t kSites = 4;

  // What excuses clashing histories for good: both copies told different peers, and nobody who was
  // asked could tell. (A limit of the protocol: replication/README.md, "What is not mended".)
  enum class Excuse : uint8_t {
    kNothing,
    // Two peers were given different changes under one dot.
    kClashingDots,
    // Or under one sequence number of one incarnation.
    kClashingSequences,
  };
  struct Options {
    CloneBug bug = CloneBug::kNone;
    Excuse excuse = Excuse::kClashingSequences;
    // A folder that is started anew elsewhere, or older, notices: a new incarnation.
    bool lease = false;
    // Sessions stay open after they agreed, and changes stream.
    bool live = true;
    // A session that is cut has sent in the order of its feed; otherwise record by record, as a
    // comparison does.
    bool in_order = true;
    size_t records = 2;
    size_t writes = 3;
    size_t clears = 1;
    size_t peer_writes = 0;
    size_t mishaps = 1;
  };
  // A session that has agreed: feed positions up to which each end has sent.
  struct Live {
    bool open = false;
    size_t up = 0;
    size_t down = 0;
  };
  struct State {
    // Two copies of one site, the second of which comes to be by a mishap, then the peers.
    std::array<std::optional<CloneSite>, kSites> sites;
    std::optional<CloneSite> backup;
    // By copy and peer.
    std::array<std::array<Live, 2>, kCopies> live;
    size_t written = 0;
    size_t cleared = 0;
    size_t peer_written = 0;
    size_t mishaps = 0;
    uint64_t next_incarnation = 2;
    // Persons whose edits have to be everywhere in the end. Each edit has its own.
    std::set<std::string> edits;
    // The limit was reached: no law speaks of what follows.
    bool excused = false;
    std::string broken;
  };
  using Visit = std::function<void(std::string action, State next)>;

  explicit CloneModel(const Options& options) : options_(options) {}

  State Start() const;
  void Successors(const State& state, const Visit& visit) const;
  std::string Violation(const State& state) const;
  std::string Key(const State& state) const;

 private:
  void Writes(const State& state, const Visit& visit) const;
  void Mishaps(const State& state, const Visit& visit) const;
  void Meetings(const State& state, size_t copy, size_t peer, const Visit& visit) const;
  void Streams(const State& state, size_t copy, size_t peer, const Visit& visit) const;
  void Peers(const State& state, const Visit& visit) const;

  const Options options_;
};

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_CLONE_MODEL_H_
