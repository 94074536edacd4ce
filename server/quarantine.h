// What is in quarantine, told for people, and taken over by who has the right. Errors in French.
#ifndef MAILLAGE_SERVER_QUARANTINE_H_
#define MAILLAGE_SERVER_QUARANTINE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/quarantine_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// By id. As of the view.
absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const replication::Schema& schema, const storage::ReadView& view,
                                                            const v1::ListQuarantinedRequest& request);

// Into the open batch, and out of quarantine. A counter's part is left out: how much its author added isn't told by a total.
absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const replication::Schema& schema, replication::Replica& replica,
                                                              const v1::AdoptQuarantinedRequest& request);

absl::Status DropQuarantined(replication::Replica& replica, const std::string& id);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_QUARANTINE_H_
