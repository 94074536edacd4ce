// What a node tells of all sites of its network: each as it told last itself.
#ifndef MAILLAGE_SERVER_FLEET_STATUS_H_
#define MAILLAGE_SERVER_FLEET_STATUS_H_

#include "proto/status_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "server/peer_hub.h"

namespace maillage::server {

// Adds the fleet to the status, which holds already what this node knows of itself. On the writer's thread.
void DescribeFleet(const replication::Schema& schema, const replication::Replica& replica, const PeerHub& hub,
                   v1::NodeStatus& status);

// Name of a kind as people write it; "kind-77" of one that this version doesn't know.
std::string KindName(const replication::Schema& schema, uint32_t kind);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_FLEET_STATUS_H_
