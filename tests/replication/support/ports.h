// Time and chance as tests want them.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_PORTS_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_PORTS_H_

#include <cstdint>
#include <random>
#include <span>

#include "replication/ports.h"

namespace maillage::replication::testing {

// 8 January 2021, 09:00 UTC.
inline constexpr uint64_t kMorning = 1'610'096'400'000;

class FakeWall final : public WallClock {
 public:
  explicit FakeWall(uint64_t millis = kMorning) : millis(millis) {}
  uint64_t NowMillis() override { return millis; }

  uint64_t millis;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine(seed) {}
  void Fill(std::span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine());
  }
  // Uniform in [0, bound); bound > 0. The same on every platform, unlike the standard's
  // distributions.
  uint64_t Below(uint64_t bound) { return engine() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  std::mt19937_64 engine;
};

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_PORTS_H_
