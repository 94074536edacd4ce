// Notices a session in which something waits and nothing moves: a fault that no error tells.
#ifndef MAILLAGE_SERVER_STALL_WATCH_H_
#define MAILLAGE_SERVER_STALL_WATCH_H_

#include <cstdint>
#include <optional>

#include "replication/sync_session.h"
#include "server/tuning.h"

namespace maillage::server {

// Of one session, by the machine's clock: a laptop that wakes up with something to send begins its sessions anew, which it needs
// anyway. Not thread-safe.
class StallWatch {
 public:
  // To be asked now and then; `waits`: something is to be sent, or compared, or acknowledged. True once nothing has moved for
  // kStallMillis while that was so.
  bool Look(const replication::SyncProgress& progress, bool waits, uint64_t now_millis) {
    const Position position{progress.frames_sent,   progress.frames_received, progress.sent_position,
                            progress.stored_position, progress.applied_position, progress.agreements};
    // A clock that was set back begins anew as well.
    if (!waits || position != last_ || now_millis < since_millis_) {
      last_ = position;
      since_millis_ = now_millis;
    }
    return now_millis - since_millis_ >= kStallMillis;
  }

 private:
  struct Position {
    uint64_t frames_sent = 0;
    uint64_t frames_received = 0;
    uint64_t sent = 0;
    uint64_t stored = 0;
    uint64_t applied = 0;
    uint64_t agreements = 0;
    bool operator==(const Position&) const = default;
  };

  // Nothing before the first look.
  std::optional<Position> last_;
  uint64_t since_millis_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_STALL_WATCH_H_
