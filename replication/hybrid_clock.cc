#include "replication/hybrid_clock.h"

#include <algorithm>

#include "replication/tuning.h"

namespace maillage::replication {

bool HybridClock::IsTooFarAhead(HybridTime time, uint64_t wall_millis) const {
  return time.millis() > wall_millis && time.millis() - wall_millis > kMaxClockLeadMillis;
}

HybridTime HybridClock::Now() {
  const uint64_t wall_millis = wall_->NowMillis();
  const HybridTime wall = HybridTime::FromMillis(wall_millis);
  if (IsTooFarAhead(last_, wall_millis)) {
    last_ = wall;
  } else {
    last_ = std::max(HybridTime{last_.value + 1}, wall);
  }
  return last_;
}

bool HybridClock::Observe(HybridTime remote) {
  if (IsTooFarAhead(remote, wall_->NowMillis())) return false;
  last_ = std::max(last_, remote);
  return true;
}

}  // namespace maillage::replication
