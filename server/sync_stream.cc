#include "server/sync_stream.h"

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "replication/tuning.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using v1::SyncFrame;

// With what a frame has around the one state in it.
static_assert(replication::kMaxSentStateBytes + replication::kFrameBytes < kMaxMessageBytes);

// What both directions share: one read and one write under way, and no operation after the end. gRPC promises OnDone
// only once every started operation has reacted, so an operation started under the mutex before `ended_` is safe.
template <typename Reactor>
class ReactorStream : public SyncStream, public Reactor {
 public:
  void Take() override {
    std::lock_guard lock(mutex_);
    bytes_ahead_ -= frames_ahead_.front();
    frames_ahead_.pop_front();
    ReadLocked();
  }

  void Read() override {
    std::lock_guard lock(mutex_);
    wanted_ = true;
    ReadLocked();
  }

  void Write(const SyncFrame& frame) override {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    outgoing_ = frame;
    this->StartWrite(&outgoing_);
  }

  void Cancel() override { End(); }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    {
      // Counted before the owner, on another thread, may take it.
      std::lock_guard lock(mutex_);
      frames_ahead_.push_back(incoming_.ByteSizeLong());
      bytes_ahead_ += frames_ahead_.back();
    }
    events_.on_frame(std::move(incoming_));
    std::lock_guard lock(mutex_);
    reading_ = false;
    ReadLocked();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      events_.on_written();
    } else {
      End();
    }
  }

 protected:
  // Ends the call in the way of its side; called once, with the mutex held.
  virtual void EndLocked() = 0;

  void ReadLocked() {
    if (!wanted_ || ended_ || reading_) return;
    if (frames_ahead_.size() >= kFramesReadAhead || bytes_ahead_ >= kBytesReadAhead) return;
    reading_ = true;
    this->StartRead(&incoming_);
  }

  void End() {
    std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true)) EndLocked();
  }

  // Lets go of what kept the reactor alive, then tells the owner, who has the last word: the process's last channel
  // waits for gRPC's threads to end, so it must not go on one of them. The stream may be gone afterwards.
  void Closed(const grpc::Status& status) {
    Events events;
    std::shared_ptr<SyncStream> self;
    {
      std::lock_guard lock(mutex_);
      events = std::move(events_);
      events_ = {};
      self = std::move(self_);
      closed_ = status;
    }
    // One that isn't started yet is told by Start.
    const auto on_closed = std::move(events.on_closed);
    events = {};
    self.reset();
    if (on_closed) on_closed(status);
  }

  // False where the stream has ended before its start, which the owner has then been told.
  bool Begin(Events events) {
    std::unique_lock lock(mutex_);
    if (!closed_.has_value()) {
      events_ = std::move(events);
      return true;
    }
    lock.unlock();
    events.on_closed(*closed_);
    return false;
  }

  std::mutex mutex_;
  bool ended_ = false;
  bool reading_ = false;
  bool wanted_ = false;
  // Sizes of the frames handed to the owner and not taken yet.
  std::deque<size_t> frames_ahead_;
  size_t bytes_ahead_ = 0;
  // How it ended, once gRPC is done with it.
  std::optional<grpc::Status> closed_;
  Events events_;
  SyncFrame incoming_;
  SyncFrame outgoing_;
  // Set until gRPC is done with the reactor.
  std::shared_ptr<SyncStream> self_;
};

class CallingStream final : public ReactorStream<grpc::ClientBidiReactor<SyncFrame, SyncFrame>> {
 public:
  CallingStream(const std::string& address, std::shared_ptr<grpc::ChannelCredentials> credentials,
                std::function<SiteId()> proven)
      : proven_(std::move(proven)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    arguments.SetMaxSendMessageSize(kMaxMessageBytes);
    // Each dial is a connection of its own: gRPC's delay between attempts would come on top of our schedule's.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::SyncService::NewStub(
        grpc::CreateCustomChannel(address, std::move(credentials), arguments));
  }

  void Start(Events events) override {
    Begin(std::move(events));
    self_ = weak_.lock();
    stub_->async()->Sync(&context_, this);
    // Reads and writes are started from outside of reactions.
    AddHold();
    StartCall();
  }

  void Finish() override {
    std::lock_guard lock(mutex_);
    if (!ended_ && !std::exchange(writes_done_, true)) StartWritesDone();
  }

  void OnDone(const grpc::Status& status) override { Closed(status); }
  SiteId ProvenSite() const override { return proven_(); }

  std::weak_ptr<SyncStream> weak_;

 private:
  void EndLocked() override {
    context_.TryCancel();
    RemoveHold();
  }

  const std::function<SiteId()> proven_;
  std::unique_ptr<v1::SyncService::Stub> stub_;
  grpc::ClientContext context_;
  bool writes_done_ = false;
};

class AnsweringStream final : public ReactorStream<grpc::ServerBidiReactor<SyncFrame, SyncFrame>> {
 public:
  explicit AnsweringStream(const SiteId& proven) : proven_(proven) {}

  SiteId ProvenSite() const override { return proven_; }
  void Start(Events events) override { Begin(std::move(events)); }

  void Finish() override { End(); }
  void OnCancel() override { End(); }
  void OnDone() override { Closed(grpc::Status::OK); }

  void KeepAlive(std::shared_ptr<SyncStream> self) { self_ = std::move(self); }

 private:
  void EndLocked() override { grpc::ServerBidiReactor<SyncFrame, SyncFrame>::Finish(grpc::Status::OK); }

  const SiteId proven_;
};

}  // namespace

std::shared_ptr<SyncStream> DialSyncStream(const std::string& address,
                                           std::shared_ptr<grpc::ChannelCredentials> credentials,
                                           std::function<SiteId()> proven) {
  auto stream = std::make_shared<CallingStream>(address, std::move(credentials), std::move(proven));
  stream->weak_ = stream;
  return stream;
}

std::shared_ptr<SyncStream> DialSyncStream(const std::string& address) {
  return DialSyncStream(address, grpc::InsecureChannelCredentials(), [] { return SiteId(); });
}

AcceptedStream AcceptSyncStream(const SiteId& proven) {
  auto stream = std::make_shared<AnsweringStream>(proven);
  stream->KeepAlive(stream);
  return {stream.get(), stream};
}

}  // namespace maillage::server
