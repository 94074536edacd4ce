// Fingerprints of records and their additive sums (Bellare, Micciancio, "A New Paradigm for Collision-Free
// Hashing: Incrementality at Reduced Cost", 1997, as used by Meyer's range-based set reconciliation, 2023).
#ifndef MAILLAGE_REPLICATION_FINGERPRINT_H_
#define MAILLAGE_REPLICATION_FINGERPRINT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/id.h"

namespace maillage::replication {

// 256 bits, added modulo 2^256. A fingerprint covers a record's kind, id and canonical state, so its content and
// its vector; a sum covers a set of records.
class Fingerprint {
 public:
  static constexpr size_t kSize = 32;

  Fingerprint() = default;
  static Fingerprint OfState(const RecordKey& record, std::string_view canonical_state);
  static std::optional<Fingerprint> FromBytes(std::string_view bytes);

  void Add(const Fingerprint& other);
  void Subtract(const Fingerprint& other);

  // 32 bytes, little-endian.
  std::string ToBytes() const;
  // Keyed with the salt of a reconciliation round, so that a collision in one round is none in the next.
  uint64_t Truncated(uint64_t salt, uint64_t count) const;

  bool operator==(const Fingerprint&) const = default;

 private:
  std::array<uint64_t, 4> limbs_{};
};

// A sum and how many fingerprints are in it.
struct FingerprintSum {
  Fingerprint sum;
  uint64_t count = 0;

  void Add(const Fingerprint& fingerprint) {
    sum.Add(fingerprint);
    ++count;
  }
  void Subtract(const Fingerprint& fingerprint) {
    sum.Subtract(fingerprint);
    --count;
  }
  void Add(const FingerprintSum& other) {
    sum.Add(other.sum);
    count += other.count;
  }
  uint64_t Truncated(uint64_t salt) const { return sum.Truncated(salt, count); }

  bool operator==(const FingerprintSum&) const = default;
};

// First 8 bytes, big-endian, of BLAKE2b-256 over kind and id: the record's place in the tries.
uint64_t TriePosition(const RecordKey& record);

// BLAKE2b-256 of the parts, each preceded by its length.
std::string Blake2b256(std::initializer_list<std::string_view> parts);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_FINGERPRINT_H_
