// The one thread that owns the replica. Everything that writes, and every sync session, passes through its inbox;
// what is in the inbox together is committed together (group commit).
#ifndef MAILLAGE_SERVER_WRITER_H_
#define MAILLAGE_SERVER_WRITER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "replication/replica.h"

namespace maillage::server {

// Watches over the disk for the writer. Called on the writer's thread, or before its first task.
class WriteGuard {
 public:
  virtual ~WriteGuard() = default;
  // Before the tasks of a batch. `bytes_before`: what the batches since the last call wrote.
  virtual void BeforeBatch(size_t bytes_before) = 0;
  // The replica takes no writes until it is reloaded.
  virtual void OnCommitFailed(const absl::Status& error) = 0;
  // OK, or why people's writes are refused now, for them, in French.
  virtual absl::Status MayWrite() const = 0;
};

// Thread-safe. Tasks run one after the other in the order of their posting, on the writer's thread.
class Writer {
 public:
  // Reads and writes the replica; what it writes is not yet durable when it returns. Must not block.
  using Task = std::function<void(replication::Replica&)>;
  // Runs on the writer's thread once the task's batch is synced (OK) or its outcome is unknown (the error).
  // Must not block.
  using Done = std::function<void(const absl::Status& committed)>;
  // Runs on the writer's thread after each commit that changed records. Must not block.
  using CommitListener = std::function<void(uint64_t feed_head)>;

  // Both must outlive the writer; the guard may be null.
  explicit Writer(replication::Replica* replica, WriteGuard* guard = nullptr);
  // Finishes what is in the inbox.
  ~Writer();

  // `done` may be empty. After Stop, `done` gets Unavailable and the task doesn't run.
  void Post(Task task, Done done);
  // Runs the task and waits for its commit. Not to be called on the writer's thread.
  absl::Status Run(Task task);

  // Calls `tick` on the writer's thread about every `millis`, in a batch of its own.
  void SetTicker(uint64_t millis, Task tick);

  // Returns an id for Unsubscribe, which waits for a running call unless it comes from the writer's thread.
  uint64_t Subscribe(CommitListener listener);
  void Unsubscribe(uint64_t id);

  // To be touched on the writer's thread only, or before the first task and after Stop.
  const replication::Replica& replica() const { return *replica_; }
  // OK, or the answer to whoever wants to write now: nothing of it has been written. On the writer's thread.
  absl::Status MayWrite() const;

  // Takes no more tasks, finishes those in the inbox, joins the thread. Idempotent.
  void Stop();

 private:
  struct Item {
    Task task;
    Done done;
  };

  void Loop();
  std::vector<Item> TakeInbox();
  void RunBatch(std::vector<Item> items);
  absl::Status Commit();
  void Tell(uint64_t feed_head);

  replication::Replica* const replica_;
  WriteGuard* const guard_;
  // Of the writer's thread.
  size_t bytes_unwatched_ = 0;
  // The guard knows of the failure that the replica still has.
  bool failure_told_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> inbox_;
  bool stopping_ = false;
  uint64_t tick_millis_ = 0;
  Task tick_;

  // Recursive: a listener may unsubscribe itself.
  std::recursive_mutex listeners_mutex_;
  std::map<uint64_t, CommitListener> listeners_;
  uint64_t next_listener_ = 1;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_WRITER_H_
