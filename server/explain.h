// Why a record is on this node, or isn't, and who has seen its last change.
#ifndef MAILLAGE_SERVER_EXPLAIN_H_
#define MAILLAGE_SERVER_EXPLAIN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/status_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"

namespace maillage::server {

// `name`: "actor/UUID", or a UUID, of whatever kind it is known here. `peers`: what is known of the links now. As of the
// last commit. InvalidArgument for what is no name; a record that nobody here has heard of is explained as such.
absl::StatusOr<v1::RecordExplanation> ExplainRecord(const replication::Schema& schema,
                                                    const replication::Replica& replica,
                                                    const std::vector<v1::PeerStatus>& peers,
                                                    const std::string& name);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_EXPLAIN_H_
