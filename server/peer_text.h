// What the node says of a peer: its state, and errors in words with what to do.
#ifndef MAILLAGE_SERVER_PEER_TEXT_H_
#define MAILLAGE_SERVER_PEER_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/timestamp.pb.h"
#include "grpcpp/support/status.h"
#include "proto/status_service.pb.h"
#include "replication/sync_session.h"

namespace maillage::server {

void SetMillis(uint64_t millis, google::protobuf::Timestamp* time);

// Positions, counts and times of a session.
void DescribeProgress(const replication::SyncProgress& progress, v1::PeerStatus& status);

v1::PeerStatus::State StateOf(const replication::SyncSession& session);

// The end was a fault that somebody has to look at, not a pause or a stop.
bool IsFault(v1::Goodbye::Reason reason);

// Why a link ended; empty where the peer just stopped.
std::string LinkErrorText(const replication::SyncProgress& progress, const grpc::Status& status,
                          const std::string& address);

// Why this site last became a new incarnation, in French; empty: it never had to.
std::string ContinuityText(const replication::ContinuityNote& note);

// Why a session was ended that stood still, in French, with what to do.
std::string StallText(const replication::SyncProgress& progress, uint64_t feed_head);

std::string StoreErrorText(const absl::Status& status);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_PEER_TEXT_H_
