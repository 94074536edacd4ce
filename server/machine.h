// The machine's clock and randomness behind the ports of the heart.
#ifndef MAILLAGE_SERVER_MACHINE_H_
#define MAILLAGE_SERVER_MACHINE_H_

#include <sodium/randombytes.h>

#include <chrono>
#include <cstdint>
#include <span>

#include "replication/ports.h"

namespace maillage::server {

// Thread-safe.
class MachineClock final : public replication::WallClock {
 public:
  uint64_t NowMillis() override {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
  }
};

// Thread-safe, once sodium_init has run.
class MachineRandom final : public replication::Random {
 public:
  void Fill(std::span<uint8_t> bytes) override { randombytes_buf(bytes.data(), bytes.size()); }
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_MACHINE_H_
