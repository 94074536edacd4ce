// Many sites that call one node, all played by one thread: real replicas and sessions behind streams.
#ifndef MAILLAGE_TESTS_SERVER_CROWD_H_
#define MAILLAGE_TESTS_SERVER_CROWD_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/sync_stream.h"
#include "tests/replication/sync_harness.h"

namespace maillage::server::testing {

// What happened to the streams of the crowd, on whatever thread, for the one thread that plays it.
class EventQueue {
 public:
  void Push(std::function<void()> event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_one();
  }
  // Runs the next one, waiting for it.
  void RunOne() {
    std::function<void()> event;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !events_.empty(); });
      event = std::move(events_.front());
      events_.pop_front();
    }
    event();
  }

  uint64_t NextTurn() { return ++turns_; }

 private:
  uint64_t turns_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> events_;
};

// A site that calls.
class Caller {
 public:
  Caller(std::string name, uint64_t seed, replication::testing::SteppedClock* clock, EventQueue* queue);

  void Call(std::shared_ptr<SyncStream> stream);
  // Sends what there is to send; after each event and, as a node's ticker does, now and then.
  void Pump();
  void HangUp() { stream_->Cancel(); }

  replication::testing::TestSite site;
  std::unique_ptr<replication::SyncSession> session;
  bool closed = false;
  // Takes nothing and answers nothing.
  bool frozen = false;
  // The node's first frame, counted over the crowd; 0: none came.
  uint64_t turn = 0;

 private:
  void OnFrame(const v1::SyncFrame& frame);

  EventQueue* const queue_;
  std::shared_ptr<SyncStream> stream_;
  bool writing_ = false;
};

}  // namespace maillage::server::testing

#endif  // MAILLAGE_TESTS_SERVER_CROWD_H_
