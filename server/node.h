// A whole node: store, replica, writer, links, services. maillaged runs one; tests run several in one process.
#ifndef MAILLAGE_SERVER_NODE_H_
#define MAILLAGE_SERVER_NODE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/disk.h"
#include "server/tuning.h"
#include "storage/rocks_store.h"

namespace maillage::server {

// What a node takes from the machine; tests put faults here. What they point to must outlive the node.
struct NodePorts {
  // Null: the machine's.
  Disk* disk = nullptr;
  // The files of the store, among others. `block_cache_bytes` is the configuration's.
  storage::RocksOptions store;
  // Nothing is written while less is free.
  uint64_t disk_reserve_bytes = kDiskReserveBytes;
};

// In the data folder, unless the configuration says otherwise.
inline constexpr char kSocketFile[] = "maillage.sock";

class Node {
 public:
  // Opens the data folder, which is made if need be, and serves. Errors say in French what to do.
  static absl::StatusOr<std::unique_ptr<Node>> Start(const Config& config,
                                                     const NodePorts& ports = {});
  // Shuts down.
  virtual ~Node() = default;

  // HOST:PORT that the node listens on, with the port that was taken.
  virtual std::string address() const = 0;
  // The same of its HTTP door; empty where it has none.
  virtual std::string http_address() const = 0;
  // Finishes what was begun, says goodbye to peers and clients, closes the store. Idempotent, not thread-safe.
  virtual void Shutdown() = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_NODE_H_
