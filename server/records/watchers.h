// WatchRecords: changes of this node's feed to any number of clients, as they are committed.
#ifndef MAILLAGE_SERVER_RECORDS_WATCHERS_H_
#define MAILLAGE_SERVER_RECORDS_WATCHERS_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "proto/record_service.pb.h"
#include "replication/schema.h"
#include "server/writer.h"
#include "storage/store.h"

namespace maillage::server {

// Thread-safe. One thread reads the feed for all watchers in turn; each has one message in flight,
// so a slow client holds up nobody and costs no memory.
class Watchers {
 public:
  // All must outlive this.
  Watchers(const replication::Schema* schema, const storage::Store* store, Writer* writer);
  // Shuts down, and waits until gRPC has let go of every watcher.
  ~Watchers();

  // The reactor of one call; it owns itself. Initial metadata go out once the position is fixed:
  // whatever is committed after the client has received them, it will be told.
  grpc::ServerWriteReactor<v1::RecordEvent>* Watch(grpc::CallbackServerContext* context,
                                                   const v1::WatchRecordsRequest& request);

  // Ends all watchers and takes no more. Idempotent.
  void Shutdown();

 private:
  class Watcher;
  // What the loop does next. gRPC lets go of no watcher before the loop ends it.
  struct Turn {
    // With no message in flight.
    std::vector<Watcher*> idle;
    // With one, while the node stops: a client that doesn't read would keep it for ever.
    std::vector<Watcher*> stuck;
    // All are gone, and no more come.
    bool last = false;
  };

  void Loop();
  // Waits for work.
  Turn TakeTurn();
  // Sends the next event if there is one, or ends the watcher.
  void Serve(Watcher& watcher);
  // Reads the next events of the feed into the watcher.
  absl::Status ReadAhead(Watcher& watcher);
  void Wake();
  void Remove(Watcher* watcher);

  const replication::Schema* const schema_;
  const storage::Store* const store_;
  Writer* const writer_;
  uint64_t subscription_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  bool work_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::once_flag shutdown_;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_WATCHERS_H_
