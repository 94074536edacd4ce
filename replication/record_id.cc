#include "replication/record_id.h"

#include <string>
#include <string_view>

#include "replication/fingerprint.h"

namespace maillage::replication {
namespace {

constexpr size_t kTimeBytes = 6;
constexpr size_t kTagBytes = 6;
constexpr size_t kHeadBytes = RecordId::kSize - kTagBytes;
constexpr uint32_t kCountBits = 26;

std::string TagOf(std::string_view head, const SiteId& site) {
  return Blake2b256({"maillage record id", std::string_view("\0", 1), site.bytes(), head}).substr(0, kTagBytes);
}

}  // namespace

RecordId RecordIdSource::Next(const SiteId& site) {
  constexpr uint32_t kCountMask = (uint32_t{1} << kCountBits) - 1;
  const uint64_t millis = clock_->NowMillis();
  count_ = (millis == millis_ ? count_ + 1 : static_cast<uint32_t>(random_->Next64())) & kCountMask;
  millis_ = millis;
  std::string id;
  for (size_t i = 0; i < kTimeBytes; ++i) id.push_back(static_cast<char>(millis >> (40 - 8 * i)));
  // Version 7 and 12 bits; the variant and 14 bits.
  const uint32_t high = 0x7000 | count_ >> 14;
  const uint32_t low = 0x8000 | (count_ & 0x3fff);
  for (const uint32_t part : {high, low}) {
    id.push_back(static_cast<char>(part >> 8));
    id.push_back(static_cast<char>(part));
  }
  id.append(TagOf(id, site));
  return *RecordId::FromBytes(id);
}

bool IsIdOf(const RecordId& id, const SiteId& site) {
  return id.bytes().substr(kHeadBytes) == TagOf(id.bytes().substr(0, kHeadBytes), site);
}

}  // namespace maillage::replication
