// The trust commands' line to the node of the same machine.
#ifndef MAILLAGE_SERVER_TRUST_LOCAL_NODE_H_
#define MAILLAGE_SERVER_TRUST_LOCAL_NODE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/membership.grpc.pb.h"
#include "replication/membership.h"

namespace maillage::server {

// Errors are in French, and say what to do where no node answers.
class LocalNode {
 public:
  explicit LocalNode(const std::filesystem::path& socket);

  // As the node knows it now.
  absl::StatusOr<v1::MembershipLog> Log();
  absl::StatusOr<v1::DescribeLastValidResponse> DescribeLastValid(const std::string& site);
  absl::Status Add(const v1::SignedEntry& entry);

 private:
  absl::Status ToAbsl(const grpc::Status& status) const;

  const std::filesystem::path socket_;
  const std::unique_ptr<v1::TrustService::Stub> stub_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_LOCAL_NODE_H_
