// A conversation of two sites that is cut at any point, over real Replicas and SyncSessions: every
// order in which frames arrive, with edits and cuts between any two of them.
#ifndef MAILLAGE_TESTS_MODEL_SESSION_MODEL_H_
#define MAILLAGE_TESTS_MODEL_SESSION_MODEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace maillage::model {

// What the ends or the line do wrong, to prove that the laws notice.
enum class SessionBug : uint8_t {
  kNone,
  // Frames leave before what they acknowledge is committed.
  kSendsBeforeCommit,
  // The stream loses a frame and goes on.
  kLosesAFrame,
  // After a cut the one who was called goes on with the session that it had.
  kKeepsTheOldSession,
  // What was committed last is gone after a restart.
  kRestartForgets,
};

// An end sends as soon as it has something and the stream takes it. Sessions can't be copied, so a
// state is its schedule, which is played anew for each step; two are the same where each end has
// lived through the same since the last cut, whatever the order between the ends.
class SessionModel {
 public:
  static constexpr size_t kSites = 2;
  struct Step {
    enum class Kind : uint8_t { kReceive, kLose, kEdit, kCut, kWait };
    Kind kind;
    // Who receives or edits; of a cut, who restarts with it (kSites: nobody).
    size_t site;
    size_t record;
  };
  struct State {
    std::vector<Step> schedule;
    std::string key;
    std::string broken;
    size_t edits_left = 0;
    size_t disturbances_left = 0;
    // Frames under way, by sender.
    std::array<size_t, kSites> in_flight{};
    // The first of them is a greeting.
    std::array<bool, kSites> greets{};
    bool has_lost_a_frame = false;
    // Seconds that passed without a frame since anything moved.
    size_t waited = 0;
  };
  using Visit = std::function<void(std::string action, State next)>;

  struct Options {
    // Edits and cuts in all, after those that the two begin with.
    size_t disturbances = 2;
    // Frames that the stream takes in one direction before the other end has read any.
    size_t most_in_flight = 2;
    // The caller remembers the other, and the feeds hold nothing from elsewhere: cursors are used.
    // Otherwise ranges are compared.
    bool hints = true;
    SessionBug bug = SessionBug::kNone;
  };

  explicit SessionModel(const Options& options) : options_(options) {}

  State Start() const;
  void Successors(const State& state, const Visit& visit) const;
  std::string Violation(const State& state) const { return state.broken; }
  std::string Key(const State& state) const { return state.key + state.broken; }

 private:
  // Plays one more step.
  State Play(const State& state, const Step& step) const;
  void Disturbances(const State& state, const Visit& visit) const;

  const Options options_;
};

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_SESSION_MODEL_H_
