// Errors of the logic as gRPC tells them.
#ifndef MAILLAGE_SERVER_GRPC_STATUS_H_
#define MAILLAGE_SERVER_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace maillage::server {

// Same code, same message: the two number their codes alike.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_GRPC_STATUS_H_
