// Two whole nodes in this process that talk over loopback.
#ifndef MAILLAGE_TESTS_BENCH_NODE_PAIR_H_
#define MAILLAGE_TESTS_BENCH_NODE_PAIR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "server/node.h"

namespace maillage::bench {

class NodePair {
 public:
  // Starts the first node on its folder. The second's folder may be missing.
  NodePair(const std::string& first_folder, std::string second_folder);
  ~NodePair();

  // Starts the second node, which dials the first; returns once both hold the same.
  void Connect();

  std::string first_address() const { return first_->address(); }
  // After Connect.
  std::string second_address() const { return second_->address(); }
  // Both directions, from the greeting to the agreement that ended Connect.
  uint64_t WireBytes() const { return wire_bytes_; }

 private:
  const std::string first_folder_;
  const std::string second_folder_;
  std::unique_ptr<server::Node> first_;
  std::unique_ptr<server::Node> second_;
  uint64_t wire_bytes_ = 0;
};

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_NODE_PAIR_H_
