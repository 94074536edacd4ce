// One gRPC stream of sync frames, the same from either end.
#ifndef MAILLAGE_SERVER_SYNC_STREAM_H_
#define MAILLAGE_SERVER_SYNC_STREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"
#include "proto/id.h"
#include "proto/sync.grpc.pb.h"
#include "proto/sync.pb.h"

namespace maillage::server {

// Thread-safe. At most kFramesReadAhead frames, or the one that passes kBytesReadAhead, are read ahead of what the
// owner has taken, so a peer can't fill our memory.
class SyncStream {
 public:
  // Called on gRPC's threads, never two at a time of one kind; on_closed is the last, and hands
  // the owner's reference to another thread: the last stream can't be destroyed on one of gRPC's.
  struct Events {
    std::function<void(v1::SyncFrame frame)> on_frame;
    std::function<void()> on_written;
    std::function<void(grpc::Status status)> on_closed;
  };

  virtual ~SyncStream() = default;
  // Whose key the transport has seen proven, once a frame has come; empty where it proves nothing.
  virtual SiteId ProvenSite() const { return {}; }
  // To be called once, before anything else. A stream that has already ended says so at once, on this thread.
  virtual void Start(Events events) = 0;
  // Begins to read; until then nothing comes but the end. To be called once.
  virtual void Read() = 0;
  // The owner is done with one frame: the oldest that it was given.
  virtual void Take() = 0;
  // One at a time: not again before on_written.
  virtual void Write(const v1::SyncFrame& frame) = 0;
  // Says that nothing more will be written; the stream ends once the peer, which sees that, ends it too.
  // Not while a write is under way. Idempotent.
  virtual void Finish() = 0;
  // Ends the stream at once; what is being written may be lost. Idempotent.
  virtual void Cancel() = 0;
};

// A stream to a node. `address` is HOST:PORT; `proven` says whom the handshake found there.
std::shared_ptr<SyncStream> DialSyncStream(const std::string& address,
                                           std::shared_ptr<grpc::ChannelCredentials> credentials,
                                           std::function<SiteId()> proven);
// The same in plain text, to a node of this machine.
std::shared_ptr<SyncStream> DialSyncStream(const std::string& address);

// The reactor of an incoming stream, to be returned to gRPC, and the stream over it.
struct AcceptedStream {
  grpc::ServerBidiReactor<v1::SyncFrame, v1::SyncFrame>* reactor;
  std::shared_ptr<SyncStream> stream;
};
AcceptedStream AcceptSyncStream(const SiteId& proven = {});

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SYNC_STREAM_H_
