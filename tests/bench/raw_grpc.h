// gRPC alone on loopback: the limit of everything that passes between two nodes.
#ifndef MAILLAGE_TESTS_BENCH_RAW_GRPC_H_
#define MAILLAGE_TESTS_BENCH_RAW_GRPC_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"

namespace maillage::bench {

// Over which nothing else passes, not even the connection of another channel to the same address.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

// Sends every sync frame back as it is.
class EchoServer {
 public:
  EchoServer();
  ~EchoServer();

  // What each of `count` round trips on one stream took, with `bytes` in the frame, in seconds.
  std::vector<double> PingPongs(size_t count, size_t bytes) const;
  // The same with a connection and a stream of its own for each, from the making of the channel on.
  std::vector<double> ConnectedPingPongs(size_t count, size_t bytes) const;

 private:
  class Service;

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_RAW_GRPC_H_
