#include "server/records/watchers.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "server/grpc_status.h"
#include "server/records/history.h"
#include "server/records/limits.h"
#include "server/records/record_lister.h"
#include "server/records/record_request.h"

namespace maillage::server {

namespace {

absl::Status Stopping() { return absl::UnavailableError("le nœud s'arrête"); }

v1::RecordEvent UnreadableEvent(uint64_t position, const std::string& name,
                                const std::string& what) {
  v1::RecordEvent event;
  event.set_position(position);
  event.mutable_record()->set_name(name);
  event.set_unreadable(absl::StrCat("illisible\u00A0: ", what));
  return event;
}

std::string NameOf(const replication::Schema& schema, const RecordKey& record) {
  const replication::KindSchema* kind = schema.FindKind(record.kind);
  return kind == nullptr ? "" : RecordName(*kind, record.id);
}

// Refuses the call.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::RecordEvent> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

// The loop alone reads and sends, and only while no message is in flight; gRPC's threads set the
// flags.
class Watchers::Watcher final : public grpc::ServerWriteReactor<v1::RecordEvent> {
 public:
  Watcher(Watchers* owner, grpc::CallbackServerContext* context,
          const replication::KindSchema* kind, uint64_t position)
      : owner_(owner), context_(context), kind_(kind), position_(position) {}

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(owner_->mutex_);
      sending_ = false;
      cancelled_ = cancelled_ || !ok;
    }
    owner_->Wake();
  }
  void OnCancel() override {
    {
      std::lock_guard lock(owner_->mutex_);
      cancelled_ = true;
    }
    owner_->Wake();
  }
  void OnDone() override { owner_->Remove(this); }

 private:
  friend class Watchers;

  Watchers* const owner_;
  grpc::CallbackServerContext* const context_;
  // Null: all that people write.
  const replication::KindSchema* const kind_;

  // Of the loop. The feed was read up to position_; events_ come from there.
  uint64_t position_;
  std::deque<v1::RecordEvent> events_;
  v1::RecordEvent in_flight_;

  // Guarded by owner_->mutex_.
  bool sending_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

Watchers::Watchers(const replication::Schema* schema, const storage::Store* store, Writer* writer)
    : schema_(schema), store_(store), writer_(writer), thread_([this] { Loop(); }) {
  subscription_ = writer_->Subscribe([this](uint64_t) { Wake(); });
}

Watchers::~Watchers() { Shutdown(); }

void Watchers::Shutdown() {
  std::call_once(shutdown_, [this] {
    writer_->Unsubscribe(subscription_);
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    Wake();
    thread_.join();
  });
}

grpc::ServerWriteReactor<v1::RecordEvent>* Watchers::Watch(grpc::CallbackServerContext* context,
                                                           const v1::WatchRecordsRequest& request) {
  const replication::KindSchema* kind = nullptr;
  if (!request.kind().empty()) {
    absl::StatusOr<const replication::KindSchema*> found = FindKind(*schema_, request.kind());
    if (!found.ok()) return new RefusedWatch(found.status());
    kind = *found;
  }
  absl::StatusOr<replication::LocalProgress> progress = ReadProgress(*store_);
  if (!progress.ok()) return new RefusedWatch(progress.status());
  uint64_t position = progress->feed_head;
  if (request.has_after() && request.after() > position) {
    return new RefusedWatch(absl::OutOfRangeError(
        absl::StrCat("after\u00A0: ce nœud n'en est qu'à la position ", position,
                     "\u00A0; reprendre sans after, ou sur le nœud qui a donné cette position")));
  }
  if (request.has_after()) position = request.after();
  std::lock_guard lock(mutex_);
  if (stopping_) return new RefusedWatch(Stopping());
  auto* watcher = new Watcher(this, context, kind, position);
  watcher->StartSendInitialMetadata();
  watchers_.push_back(watcher);
  work_ = true;
  changed_.notify_all();
  return watcher;
}

void Watchers::Wake() {
  std::lock_guard lock(mutex_);
  work_ = true;
  changed_.notify_all();
}

void Watchers::Remove(Watcher* watcher) {
  {
    std::lock_guard lock(mutex_);
    std::erase(watchers_, watcher);
    changed_.notify_all();
  }
  delete watcher;
}

Watchers::Turn Watchers::TakeTurn() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return work_ || (stopping_ && watchers_.empty()); });
  work_ = false;
  Turn turn;
  turn.last = stopping_ && watchers_.empty();
  for (Watcher* watcher : watchers_) {
    if (watcher->finished_) continue;
    if (!watcher->sending_) {
      turn.idle.push_back(watcher);
    } else if (stopping_) {
      turn.stuck.push_back(watcher);
    }
  }
  return turn;
}

void Watchers::Loop() {
  while (true) {
    const Turn turn = TakeTurn();
    if (turn.last) return;
    for (Watcher* watcher : turn.stuck) watcher->context_->TryCancel();
    for (Watcher* watcher : turn.idle) Serve(*watcher);
  }
}

void Watchers::Serve(Watcher& watcher) {
  absl::Status end;
  if (watcher.events_.empty()) end = ReadAhead(watcher);
  {
    std::lock_guard lock(mutex_);
    if (watcher.cancelled_) end = absl::CancelledError();
    if (stopping_) end = Stopping();
    watcher.finished_ = !end.ok();
    watcher.sending_ = end.ok() && !watcher.events_.empty();
    if (end.ok() && !watcher.sending_) return;
  }
  if (!end.ok()) {
    watcher.Finish(ToGrpcStatus(end));
    return;
  }
  watcher.in_flight_ = std::move(watcher.events_.front());
  watcher.events_.pop_front();
  watcher.StartWrite(&watcher.in_flight_);
}

absl::Status Watchers::ReadAhead(Watcher& watcher) {
  const std::unique_ptr<storage::ReadView> view = store_->Snapshot();
  size_t seen = 0;
  absl::Status failed;
  replication::Unread unread;
  uint64_t told = 0;
  const auto tell_unread = [&](uint64_t position) {
    if (unread.rows == told) return;
    told = unread.rows;
    watcher.events_.push_back(UnreadableEvent(position, "", unread.what));
  };
  const auto visit = [&](uint64_t position, const replication::FeedEntry& entry) {
    // The rest is for the next turn.
    if (++seen > kWatchScanEntries) {
      Wake();
      return false;
    }
    tell_unread(position - 1);
    watcher.position_ = position;
    auto event = ToRecordEvent(*schema_, *view, position, entry, watcher.kind_);
    if (absl::IsDataLoss(event.status())) {
      watcher.events_.push_back(UnreadableEvent(position, NameOf(*schema_, entry.record),
                                                std::string(event.status().message())));
    } else if (!event.ok()) {
      failed = event.status();
    } else if (event->has_value()) {
      watcher.events_.push_back(**std::move(event));
    }
    return failed.ok();
  };
  const absl::Status scanned = replication::ScanFeed(*view, watcher.position_, visit, &unread);
  if (!scanned.ok() || !failed.ok() || unread.rows == told || seen > kWatchScanEntries) {
    return scanned.ok() ? failed : scanned;
  }
  // Nothing readable follows up to the feed's end.
  absl::StatusOr<replication::LocalProgress> progress = ReadProgress(*view);
  if (!progress.ok()) return progress.status();
  watcher.position_ = progress->feed_head;
  tell_unread(watcher.position_);
  return absl::OkStatus();
}

}  // namespace maillage::server
