// Explicit-state exploration: every state that a model reaches within a bound, breadth first, so that the first
// schedule found to break a law is a shortest one.
#ifndef MAILLAGE_TESTS_MODEL_EXPLORER_H_
#define MAILLAGE_TESTS_MODEL_EXPLORER_H_

#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replication/fingerprint.h"

namespace maillage::model {

struct Exploration {
  size_t states = 0;
  size_t transitions = 0;
  size_t depth = 0;
  // Empty where every law held; then `schedule` is empty too.
  std::string violation;
  // What was done, in order, in words.
  std::vector<std::string> schedule;

  std::string Show() const {
    std::string text = violation + "\n";
    for (size_t i = 0; i < schedule.size(); ++i) {
      text += "  " + std::to_string(i + 1) + ". " + schedule[i] + "\n";
    }
    return text;
  }
  void Print(std::string_view model) const {
    std::cout << "figure: model " << model << ": " << states << " states, " << transitions
              << " transitions, depth " << depth << ", violations " << (violation.empty() ? 0 : 1) << std::endl;
  }
};

// A model has
//   using State;                                       copyable
//   State Start() const;
//   void Successors(const State&, visit) const;        calls visit(std::string action, State next)
//   std::string Violation(const State&) const;         empty where every law holds
//   std::string Key(const State&) const;               equal for states that behave alike
// States are told apart by 128 bits of BLAKE2b of their key; only the newest level is kept whole.
template <typename Model>
Exploration Explore(const Model& model, size_t max_depth) {
  struct Step {
    size_t parent;
    std::string action;
  };
  Exploration found;
  std::vector<Step> steps{{0, ""}};
  std::unordered_map<std::string, size_t> known;
  const auto key_of = [&](const typename Model::State& state) {
    return replication::Blake2b256({model.Key(state)}).substr(0, 16);
  };
  const auto tell = [&](size_t step) {
    for (; step != 0; step = steps[step].parent) {
      found.schedule.insert(found.schedule.begin(), steps[step].action);
    }
  };
  std::vector<std::pair<size_t, typename Model::State>> level{{0, model.Start()}};
  known.emplace(key_of(level[0].second), 0);
  found.states = 1;
  for (found.depth = 0; found.depth < max_depth && !level.empty(); ++found.depth) {
    std::vector<std::pair<size_t, typename Model::State>> next_level;
    for (const auto& [index, state] : level) {
      const size_t parent = index;
      model.Successors(state, [&](std::string action, typename Model::State next) {
        if (!found.violation.empty()) return;
        ++found.transitions;
        if (!known.emplace(key_of(next), steps.size()).second) return;
        ++found.states;
        steps.push_back({parent, std::move(action)});
        found.violation = model.Violation(next);
        if (!found.violation.empty()) return tell(steps.size() - 1);
        next_level.emplace_back(steps.size() - 1, std::move(next));
      });
      if (!found.violation.empty()) {
        ++found.depth;
        return found;
      }
    }
    level = std::move(next_level);
  }
  return found;
}

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_EXPLORER_H_
