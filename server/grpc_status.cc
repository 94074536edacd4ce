#include "server/grpc_status.h"

#include <string>

namespace maillage::server {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace maillage::server
