// Limits and delays of the node, each with its reason.
#ifndef MAILLAGE_SERVER_TUNING_H_
#define MAILLAGE_SERVER_TUNING_H_

#include <cstdint>

namespace maillage::server {

// A connection that died without a word (a laptop closed, a router restarted) is noticed within the sum of both.
inline constexpr int kKeepaliveMillis = 20'000;
inline constexpr int kKeepaliveTimeoutMillis = 10'000;
// Peers may ping at this rate without being taken for a flood.
inline constexpr int kMinPingIntervalMillis = 10'000;

// Frames of one link that wait for the writer: enough to fill a batch while the last one is synced, at most half a
// megabyte of a peer's frames.
inline constexpr int kFramesReadAhead = 8;

// How often the hub looks at what is due: dials, checks of roots, waiting commands.
inline constexpr uint64_t kTickMillis = 100;

// `maillage sync` gives up after this; a first sync of a whole region on a slow line takes longer, and goes on
// without the command.
inline constexpr uint64_t kSyncCommandMillis = 60'000;

// What peers and clients get to take their leave when the node stops.
inline constexpr int64_t kGoodbyeMillis = 1'000;

// After another session with the same site won, the loser dials no earlier.
inline constexpr uint64_t kDuplicateRedialMillis = 30'000;

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TUNING_H_
