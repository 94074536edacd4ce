// A whole node: store, replica, writer, links, services. maillaged runs one; tests run several in one process.
#ifndef MAILLAGE_SERVER_NODE_H_
#define MAILLAGE_SERVER_NODE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace maillage::server {

class Node {
 public:
  // Opens the data folder, which is made if need be, and serves. Errors say in French what to do.
  static absl::StatusOr<std::unique_ptr<Node>> Start(const Config& config);
  // Shuts down.
  virtual ~Node() = default;

  // HOST:PORT that the node listens on, with the port that was taken.
  virtual std::string address() const = 0;
  // Finishes what was begun, says goodbye to peers and clients, closes the store. Idempotent, not thread-safe.
  virtual void Shutdown() = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_NODE_H_
