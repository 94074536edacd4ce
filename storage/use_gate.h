// Many come and go; one who wants the place for itself waits until all have left, and holds newcomers up meanwhile.
#ifndef MAILLAGE_STORAGE_USE_GATE_H_
#define MAILLAGE_STORAGE_USE_GATE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace maillage::storage {

// Thread-safe.
class UseGate {
 public:
  // Waits while the gate is closed.
  void Enter() {
    std::unique_lock lock(mutex_);
    while (closed_) opened_.wait(lock);
    ++inside_;
  }
  // For what belongs to something that is inside: never waits, since the closer waits for its owner.
  void EnterFromInside() {
    std::lock_guard lock(mutex_);
    ++inside_;
  }
  void Leave() {
    std::lock_guard lock(mutex_);
    if (--inside_ == 0 && closed_) left_.notify_all();
  }

  // Holds newcomers up, and waits until nobody is inside. False where somebody still is after `patience`; the gate is
  // open again then.
  bool Close(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    if (left_.wait_for(lock, patience, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return inside_ == 0; })) return true;
    closed_ = false;
    opened_.notify_all();
    return false;
  }
  void Open() {
    std::lock_guard lock(mutex_);
    closed_ = false;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  std::condition_variable left_;
  size_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Inside from its making to its end.
class GateUse {
 public:
  explicit GateUse(UseGate& gate) : gate_(gate) { gate_.Enter(); }
  GateUse(const GateUse&) = delete;
  GateUse& operator=(const GateUse&) = delete;
  ~GateUse() { gate_.Leave(); }

 private:
  UseGate& gate_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_USE_GATE_H_
