#include "tests/model/session_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/model/session_world.h"

namespace maillage::model {
namespace {

using Kind = SessionModel::Step::Kind;

constexpr std::array<const char*, SessionModel::kSites> kNames{"Alice", "Bob"};
// An end waits for a second, or for two where it gives the other precedence; then nothing is left
// to wait for.
constexpr size_t kMostWaits = 4;
constexpr size_t kRecords = 2;

std::string Tell(const SessionModel::Step& step) {
  switch (step.kind) {
    case Kind::kReceive:
      return absl::StrCat(kNames[step.site], " receives a frame");
    case Kind::kLose:
      return absl::StrCat("a frame to ", kNames[step.site], " is lost");
    case Kind::kEdit:
      return absl::StrCat(kNames[step.site], " edits record ", step.record);
    case Kind::kCut:
      return step.site == SessionModel::kSites
                 ? "the line is cut; a new session"
                 : absl::StrCat("the line is cut, ", kNames[step.site], " restarts; a new session");
    case Kind::kWait:
      return "a second passes";
  }
  return "";
}

void Describe(const SessionWorld& world, SessionModel::State* state) {
  state->key = world.Key();
  state->broken = world.Violation();
  for (size_t site = 0; site < SessionModel::kSites; ++site) {
    state->in_flight[site] = world.in_flight(site);
    state->greets[site] = world.greets(site);
  }
}

}  // namespace

SessionModel::State SessionModel::Start() const {
  State state;
  Describe(SessionWorld(options_), &state);
  state.disturbances_left = options_.disturbances;
  return state;
}

SessionModel::State SessionModel::Play(const State& state, const Step& step) const {
  SessionWorld world(options_);
  for (const Step& earlier : state.schedule) world.Play(earlier);
  world.Play(step);
  State next = state;
  next.schedule.push_back(step);
  Describe(world, &next);
  const bool in_vain = step.kind == Kind::kWait && next.in_flight == std::array<size_t, kSites>{};
  next.waited = in_vain ? state.waited + 1 : 0;
  if (next.waited == kMostWaits && next.broken.empty()) next.broken = world.ViolationAtRest();
  return next;
}

void SessionModel::Disturbances(const State& state, const Visit& visit) const {
  if (state.disturbances_left == 0) return;
  const auto disturb = [&](const Step& step) {
    State next = Play(state, step);
    --next.disturbances_left;
    visit(Tell(step), std::move(next));
  };
  for (size_t site = 0; site < kSites; ++site) {
    for (size_t record = 0; record < kRecords; ++record) disturb({Kind::kEdit, site, record});
  }
  for (size_t restarts = 0; restarts <= kSites; ++restarts) disturb({Kind::kCut, restarts, 0});
}

void SessionModel::Successors(const State& state, const Visit& visit) const {
  for (size_t site = 0; site < kSites; ++site) {
    if (state.in_flight[1 - site] == 0) continue;
    visit(Tell({Kind::kReceive, site, 0}), Play(state, {Kind::kReceive, site, 0}));
    if (options_.bug != SessionBug::kLosesAFrame || state.has_lost_a_frame ||
        state.greets[1 - site])
      continue;
    State next = Play(state, {Kind::kLose, site, 0});
    next.has_lost_a_frame = true;
    visit(Tell({Kind::kLose, site, 0}), std::move(next));
  }
  const bool quiet = state.in_flight == std::array<size_t, kSites>{};
  if (quiet && state.waited < kMostWaits)
    visit(Tell({Kind::kWait, 0, 0}), Play(state, {Kind::kWait, 0, 0}));
  Disturbances(state, visit);
}

}  // namespace maillage::model
