// An environment whose background jobs are done one after the other by a thread of its own, and can be waited for: what
// a store under it does is then the same whenever it is the same that is asked of it.
#ifndef MAILLAGE_TESTS_STORAGE_ONE_WORKER_ENV_H_
#define MAILLAGE_TESTS_STORAGE_ONE_WORKER_ENV_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "rocksdb/env.h"

namespace maillage::storage {

// Thread-safe.
class OneWorkerEnv final : public rocksdb::EnvWrapper {
 public:
  // The base must outlive it; all databases must be closed before it goes.
  explicit OneWorkerEnv(rocksdb::Env* base) : EnvWrapper(base), worker_([this] { Work(); }) {}
  ~OneWorkerEnv() override {
    {
      std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    worker_.join();
  }

  void Schedule(void (*what)(void*), void* argument, Priority priority, void* tag,
                void (*instead)(void*)) override {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back({what, argument, priority, tag, instead});
    }
    changed_.notify_all();
  }

  int UnSchedule(void* tag, Priority priority) override {
    std::deque<Job> dropped;
    {
      std::lock_guard lock(mutex_);
      std::deque<Job> kept;
      for (const Job& job : jobs_) (job.tag == tag && job.priority == priority ? dropped : kept).push_back(job);
      jobs_ = std::move(kept);
    }
    changed_.notify_all();
    for (const Job& job : dropped) {
      if (job.instead != nullptr) job.instead(job.argument);
    }
    return static_cast<int>(dropped.size());
  }

  unsigned int GetThreadPoolQueueLen(Priority) const override { return 0; }

  // No job is waiting or being done.
  void WaitUntilIdle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return jobs_.empty() && !working_; });
  }

 private:
  struct Job {
    void (*what)(void*);
    void* argument;
    Priority priority;
    void* tag;
    // Called with the argument where the job is dropped.
    void (*instead)(void*);
  };

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return !jobs_.empty() || ends_; });
      if (jobs_.empty()) return;
      const Job job = jobs_.front();
      jobs_.pop_front();
      working_ = true;
      lock.unlock();
      job.what(job.argument);
      lock.lock();
      working_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool working_ = false;
  bool ends_ = false;
  std::thread worker_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_ONE_WORKER_ENV_H_
