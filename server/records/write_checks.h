// What holds for every write, one by one or in batches. Errors are InvalidArgument in French.
#ifndef MAILLAGE_SERVER_RECORDS_WRITE_CHECKS_H_
#define MAILLAGE_SERVER_RECORDS_WRITE_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/record_service.pb.h"
#include "replication/change.h"
#include "replication/schema.h"

namespace maillage::server {

// The request id is a UUID or empty, the person's name isn't too long.
absl::Status CheckWriteContext(const v1::WriteContext& context);

// As history shows them.
std::string PersonOf(const v1::WriteContext& context);

// No value or key is longer than a change may hold. The message begins with the field's name.
absl::Status CheckSizes(const replication::KindSchema& kind,
                        const std::vector<replication::Operation>& operations);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_WRITE_CHECKS_H_
