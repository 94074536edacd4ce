// When to dial a peer again: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015), so
// that many sites that lost the same antenna don't come back together.
#ifndef MAILLAGE_REPLICATION_PEER_SCHEDULE_H_
#define MAILLAGE_REPLICATION_PEER_SCHEDULE_H_

#include <cstdint>

#include "replication/ports.h"

namespace maillage::replication {

// Not thread-safe. Times are milliseconds of the wall clock; should that jump back, the next dial is at most
// kMaxRedialMillis away.
class PeerSchedule {
 public:
  // `random` must outlive the schedule. The first dial is due at once.
  explicit PeerSchedule(Random* random) : random_(random) {}

  bool IsDue(uint64_t now_millis) const;
  uint64_t next_dial_millis() const { return next_dial_millis_; }

  // The connection failed, or broke before both ends agreed.
  void OnFailure(uint64_t now_millis);
  // Both ends agreed: the next failure starts over with short delays.
  void OnAgreement() { failures_ = 0; }
  void DialNow() { next_dial_millis_ = 0; }
  void Postpone(uint64_t until_millis) { next_dial_millis_ = until_millis; }

 private:
  Random* const random_;
  uint32_t failures_ = 0;
  uint64_t next_dial_millis_ = 0;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_PEER_SCHEDULE_H_
