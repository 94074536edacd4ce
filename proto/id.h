// 16-byte identifiers of records and sites.
#ifndef MAILLAGE_PROTO_ID_H_
#define MAILLAGE_PROTO_ID_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace maillage {

// Bytes with a meaning given by `Tag`, so that a site is never taken for a record. All zeros is "none".
template <typename Tag>
class Id {
 public:
  static constexpr size_t kSize = 16;

  constexpr Id() = default;

  // Nothing unless `bytes` are exactly 16.
  static std::optional<Id> FromBytes(std::string_view bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    Id id;
    std::memcpy(id.bytes_.data(), bytes.data(), kSize);
    return id;
  }

  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  bool empty() const { return *this == Id(); }

  auto operator<=>(const Id&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<uint8_t, kSize> bytes_{};
};

// A UUIDv7 (RFC 9562, section 5.7).
using RecordId = Id<struct RecordIdTag>;
// First half of BLAKE2b-256 of the site's Ed25519 public key.
using SiteId = Id<struct SiteIdTag>;

// "018f3c1e-7a2b-7c3d-8e4f-0123456789ab", in lower case; what FormatUuid writes. Reading takes upper case too.
std::string FormatUuid(const RecordId& id);
std::optional<RecordId> ParseUuid(std::string_view text);

// 32 hexadecimal digits, in lower case.
std::string FormatSiteId(const SiteId& id);

// A kind and an id: what names a record inside a node. Kinds take part, so that a forged change can't turn an
// actor into an event.
struct RecordKey {
  uint16_t kind = 0;
  RecordId id;

  auto operator<=>(const RecordKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RecordKey& key) {
    return H::combine(std::move(h), key.kind, key.id);
  }
};

}  // namespace maillage

#endif  // MAILLAGE_PROTO_ID_H_
