#include "replication/peer_schedule.h"

#include <algorithm>

#include "replication/tuning.h"

namespace maillage::replication {

bool PeerSchedule::IsDue(uint64_t now_millis) const {
  return now_millis >= next_dial_millis_ || next_dial_millis_ - now_millis > kMaxRedialMillis;
}

void PeerSchedule::OnFailure(uint64_t now_millis) {
  constexpr uint32_t kMaxDoublings = 20;
  const uint64_t ceiling =
      std::min(kMaxRedialMillis, kFirstRedialMillis << std::min(failures_, kMaxDoublings));
  ++failures_;
  next_dial_millis_ = now_millis + random_->Next64() % (ceiling + 1);
}

}  // namespace maillage::replication
