// True time, which no site knows, and what happens when.
#ifndef MAILLAGE_TESTS_SIM_EVENT_QUEUE_H_
#define MAILLAGE_TESTS_SIM_EVENT_QUEUE_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace maillage::sim {

class EventQueue {
 public:
  // Milliseconds since the run began.
  uint64_t now() const { return now_; }
  uint64_t done() const { return done_; }
  bool empty() const { return events_.empty(); }

  // Events of the same moment happen in the order in which they were announced.
  void After(uint64_t millis, std::function<void()> what) {
    events_.push({now_ + millis, announced_++, std::move(what)});
  }

  void RunNext() {
    // The queue's top is const, and its function is moved out just before it goes.
    Event next = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_ = next.time;
    ++done_;
    next.what();
  }

 private:
  struct Event {
    uint64_t time;
    uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };

  std::priority_queue<Event> events_;
  uint64_t now_ = 0;
  uint64_t announced_ = 0;
  uint64_t done_ = 0;
};

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_EVENT_QUEUE_H_
