// Streams between the callers of long jobs and the thread that runs them.
#ifndef MAILLAGE_SERVER_JOB_REACTOR_H_
#define MAILLAGE_SERVER_JOB_REACTOR_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "grpcpp/grpcpp.h"

namespace maillage::server {

// Carries the messages of a job to its caller. `Reactor` is one of gRPC's that writes `Message`s. Thread-safe; its job is
// the only one that calls Tell, Send and End.
template <typename Message, typename Reactor = grpc::ServerWriteReactor<Message>>
class JobReactor : public Reactor {
 public:
  // A slow caller gets the latest and not the ones between. False once the caller has gone.
  bool Tell(Message message) {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return false;
    next_ = std::move(message);
    WriteNext();
    return true;
  }

  // Waits until there is room for it: the caller gets every one. Not on gRPC's threads. False once the caller has gone.
  bool Send(Message message) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return cancelled_ || !next_.has_value(); });
    if (cancelled_) return false;
    next_ = std::move(message);
    WriteNext();
    return true;
  }

  // The last call.
  void End(grpc::Status status) {
    {
      const std::lock_guard lock(mutex_);
      end_ = status;
      if (writing_) return;
    }
    // Not under the lock: gRPC may have destroyed this object by the time the call returns.
    this->Finish(std::move(status));
  }

  // From any thread: whoever waits here goes on as if the caller had gone.
  void Abandon() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    wake_.notify_all();
  }

  void OnWriteDone(bool) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    WriteNext();
    wake_.notify_all();
    if (!writing_ && end_.has_value()) this->Finish(*end_);
  }
  void OnCancel() override { Abandon(); }
  void OnDone() override { delete this; }

 protected:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;

 private:
  void WriteNext() {
    if (writing_ || !next_.has_value()) return;
    current_ = *std::move(next_);
    next_.reset();
    writing_ = true;
    this->StartWrite(&current_);
  }

  Message current_;
  std::optional<Message> next_;
  std::optional<grpc::Status> end_;
  bool writing_ = false;
};

// The same for a job that reads what its caller sends, one message ahead.
template <typename Request, typename Response>
class ReadingJobReactor final : public JobReactor<Response, grpc::ServerBidiReactor<Request, Response>> {
 public:
  // To be called once, before gRPC gets the reactor.
  void BeginReading() { this->StartRead(&request_); }

  // Waits for the next message; nothing once the caller has sent all, or has gone. Not on gRPC's threads.
  std::optional<Request> Receive() {
    std::unique_lock lock(this->mutex_);
    this->wake_.wait(lock, [this] { return this->cancelled_ || read_ || all_read_; });
    if (this->cancelled_ || !read_) return std::nullopt;
    read_ = false;
    Request request = std::move(request_);
    request_.Clear();
    this->StartRead(&request_);
    return request;
  }
  // What Receive ended with was not the end.
  bool gone() {
    const std::lock_guard lock(this->mutex_);
    return this->cancelled_;
  }

  void OnReadDone(bool ok) override {
    const std::lock_guard lock(this->mutex_);
    (ok ? read_ : all_read_) = true;
    this->wake_.notify_all();
  }

 private:
  Request request_;
  bool read_ = false;
  bool all_read_ = false;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_JOB_REACTOR_H_
