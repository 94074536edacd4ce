// Hybrid logical clock: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks", OPODIS 2014.
// Causality comes from dots; this time picks winners among concurrent values and tells people when.
#ifndef MAILLAGE_REPLICATION_HYBRID_CLOCK_H_
#define MAILLAGE_REPLICATION_HYBRID_CLOCK_H_

#include <compare>
#include <cstdint>

#include "replication/ports.h"

namespace maillage::replication {

// Milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
struct HybridTime {
  uint64_t value = 0;

  uint64_t millis() const { return value >> 16; }
  static HybridTime FromMillis(uint64_t millis) { return {millis << 16}; }
  auto operator<=>(const HybridTime&) const = default;
};

// Not thread-safe.
class HybridClock {
 public:
  // `wall` must outlive the clock.
  explicit HybridClock(WallClock* wall) : wall_(wall) {}

  // Greater than every time this clock gave or observed, unless those were more than kMaxClockLeadMillis ahead of
  // the wall clock: then the wall clock was corrected, and its word counts again.
  HybridTime Now();

  // Learns from another site's time, or from the time saved before a restart. False, and nothing learnt, where
  // it is more than kMaxClockLeadMillis ahead of the wall clock.
  bool Observe(HybridTime remote);

  HybridTime last() const { return last_; }

 private:
  bool IsTooFarAhead(HybridTime time, uint64_t wall_millis) const;

  WallClock* const wall_;
  HybridTime last_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_HYBRID_CLOCK_H_
