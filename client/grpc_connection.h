// A connection to one node over gRPC.
#ifndef MAILLAGE_CLIENT_GRPC_CONNECTION_H_
#define MAILLAGE_CLIENT_GRPC_CONNECTION_H_

#include <memory>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "client/connection.h"

namespace maillage::client {

struct GrpcConnectionOptions {
  // HOST:PORT of the node, or "unix:" and the path of its socket.
  std::string address = {};
  // Deadline of a call that reads or writes a record or a page.
  absl::Duration call_timeout = absl::Seconds(30);
  // Of a batch of 1000 records, which waits for the node's disk.
  absl::Duration batch_timeout = absl::Minutes(2);
  // Of SyncPeer, which compares two whole databases over what may be a slow link.
  absl::Duration sync_timeout = absl::Minutes(30);
  // Once stopped, calls under way and later ones end with Cancelled.
  std::stop_token stop = {};
};

// Dials when the first call is made. Never null.
std::shared_ptr<Connection> MakeGrpcConnection(GrpcConnectionOptions options);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_GRPC_CONNECTION_H_
