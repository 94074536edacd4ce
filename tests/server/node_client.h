// A client of a node under test: the calls that tests make, as plain functions.
#ifndef MAILLAGE_TESTS_SERVER_NODE_CLIENT_H_
#define MAILLAGE_TESTS_SERVER_NODE_CLIENT_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "grpcpp/grpcpp.h"
#include "proto/record_service.grpc.pb.h"
#include "proto/records.pb.h"
#include "proto/status_service.grpc.pb.h"

namespace maillage::server {

// A call that must not fail, and does, fails the test. Nothing here sleeps.
class NodeClient {
 public:
  // Before anything else, and again after each start of the node.
  void Connect(const std::string& address);

  // An actor of this name, made by Awa.
  grpc::Status Create(const std::string& name, const std::string& request_id, v1::Record* record);
  v1::Record Create(const std::string& name);
  grpc::Status Get(const v1::Record& record);
  // Empty where the node has no such record.
  std::string NameOf(const std::string& record);
  // Of all actors.
  std::multiset<std::string> Names();

  v1::NodeStatus Status();
  // Asks until it is so; the test's own time limit ends what never comes.
  v1::NodeStatus WaitFor(const std::function<bool(const v1::NodeStatus&)>& wanted);
  v1::NodeStatus WaitFor(v1::NodeStatus::WriteState state);

  // Waits until the roots of both were equal.
  grpc::Status Sync(const std::string& peer);
  v1::PeerStatus Pause(const std::string& peer);
  v1::PeerStatus Resume(const std::string& peer);

  v1::RecordService::Stub& records() { return *records_; }

 private:
  std::unique_ptr<v1::RecordService::Stub> records_;
  std::unique_ptr<v1::StatusService::Stub> status_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_TESTS_SERVER_NODE_CLIENT_H_
