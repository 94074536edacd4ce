#include "server/writer.h"

#include <chrono>
#include <future>
#include <utility>

#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

// A batch is committed early beyond this, so that one import doesn't hold up everyone's acknowledgement and the
// log's buffers stay small.
constexpr size_t kMaxBatchBytes = 4 * 1024 * 1024;

}  // namespace

Writer::Writer(replication::Replica* replica, WriteGuard* guard)
    : replica_(replica), guard_(guard), thread_([this] { Loop(); }) {}

Writer::~Writer() { Stop(); }

void Writer::Post(Task task, Done done) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) {
      inbox_.push_back({std::move(task), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  if (done) done(absl::UnavailableError("le nœud s'arrête"));
}

absl::Status Writer::Run(Task task) {
  std::promise<absl::Status> committed;
  Post(std::move(task), [&](const absl::Status& status) { committed.set_value(status); });
  return committed.get_future().get();
}

void Writer::SetTicker(uint64_t millis, Task tick) {
  std::lock_guard lock(mutex_);
  tick_millis_ = millis;
  tick_ = std::move(tick);
  wake_.notify_one();
}

uint64_t Writer::Subscribe(CommitListener listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_[next_listener_] = std::move(listener);
  return next_listener_++;
}

void Writer::Unsubscribe(uint64_t id) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void Writer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::vector<Writer::Item> Writer::TakeInbox() {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !inbox_.empty() || stopping_; };
  if (tick_millis_ > 0) {
    wake_.wait_for(lock, std::chrono::milliseconds(tick_millis_), ready);
  } else {
    wake_.wait(lock, [&] { return ready() || tick_millis_ > 0; });
  }
  return std::exchange(inbox_, {});
}

void Writer::Loop() {
  auto next_tick = std::chrono::steady_clock::now();
  while (true) {
    std::vector<Item> items = TakeInbox();
    Task tick;
    {
      std::lock_guard lock(mutex_);
      if (items.empty() && stopping_) return;
      const auto now = std::chrono::steady_clock::now();
      if (tick_ && now >= next_tick && !stopping_) {
        tick = tick_;
        next_tick = now + std::chrono::milliseconds(tick_millis_);
      }
    }
    if (tick) items.push_back({std::move(tick), nullptr});
    RunBatch(std::move(items));
  }
}

absl::Status Writer::MayWrite() const {
  if (guard_ != nullptr) return guard_->MayWrite();
  if (!replica_->failed()) return absl::OkStatus();
  return absl::UnavailableError("le nœud n'écrit plus depuis une erreur du disque\u00A0; rien n'a été écrit");
}

absl::Status Writer::Commit() {
  bytes_unwatched_ += replica_->open_batch_bytes();
  absl::Status committed = replica_->Commit();
  // A task may have committed by itself, in vain; it is told here all the same, once.
  if (std::exchange(failure_told_, !committed.ok()) || committed.ok()) return committed;
  spdlog::critical("commit failed error=\"{}\"", committed.ToString());
  if (guard_ != nullptr) guard_->OnCommitFailed(committed);
  return committed;
}

void Writer::RunBatch(std::vector<Item> items) {
  size_t first_uncommitted = 0;
  if (guard_ != nullptr) guard_->BeforeBatch(std::exchange(bytes_unwatched_, 0));
  // The guard may have opened the store again.
  failure_told_ = failure_told_ && replica_->failed();
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].task(*replica_);
    const bool last = i + 1 == items.size();
    if (!last && replica_->open_batch_bytes() < kMaxBatchBytes) continue;
    const uint64_t head_before = replica_->progress().feed_head;
    const absl::Status committed = Commit();
    for (; first_uncommitted <= i; ++first_uncommitted) {
      if (items[first_uncommitted].done) items[first_uncommitted].done(committed);
    }
    if (replica_->progress().feed_head != head_before) Tell(replica_->progress().feed_head);
  }
}

void Writer::Tell(uint64_t feed_head) {
  std::lock_guard lock(listeners_mutex_);
  for (auto listener = listeners_.begin(); listener != listeners_.end();) {
    // The listener may erase itself.
    const auto current = listener++;
    current->second(feed_head);
  }
}

}  // namespace maillage::server
