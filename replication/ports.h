// What the heart takes from outside: time and randomness. Storage comes in as storage::Store, transport stays
// outside of SyncSession. So a whole fleet runs in one thread from one seed.
#ifndef MAILLAGE_REPLICATION_PORTS_H_
#define MAILLAGE_REPLICATION_PORTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace maillage::replication {

class WallClock {
 public:
  virtual ~WallClock() = default;
  // Milliseconds since 1970, as the machine believes; may jump either way.
  virtual uint64_t NowMillis() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // Uniform bytes; unpredictable to others in a real node.
  virtual void Fill(std::span<uint8_t> bytes) = 0;

  uint64_t Next64() {
    uint8_t bytes[8];
    Fill(bytes);
    uint64_t value = 0;
    for (const uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_PORTS_H_
