// What supervisors of services ask: does it live, and does it serve?
#ifndef MAILLAGE_SERVER_CONSOLE_HEALTH_H_
#define MAILLAGE_SERVER_CONSOLE_HEALTH_H_

#include "absl/status/statusor.h"
#include "proto/status_service.pb.h"
#include "server/console/http_server.h"

namespace maillage::server {

// Of what StatusService::Read says. Both as JSON, with the reason in French; 503 where the answer is no.
//
// Alive is a node whose writer answers: one that doesn't will not recover, and is to be started anew.
HttpReply Livez(const absl::StatusOr<v1::NodeStatus>& status);
// Ready is a node that answers people: one whose store is open. A relay without a network is, and one whose disk is full, which
// reads go on from.
HttpReply Readyz(const absl::StatusOr<v1::NodeStatus>& status);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_CONSOLE_HEALTH_H_
