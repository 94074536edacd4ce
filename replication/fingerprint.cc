#include "replication/fingerprint.h"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_shorthash.h>

#include "replication/byte_codec.h"

namespace maillage::replication {
namespace {

constexpr size_t kHashSize = 32;

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string RecordPrefix(const RecordKey& record) {
  std::string prefix;
  prefix.push_back(static_cast<char>(record.kind >> 8));
  prefix.push_back(static_cast<char>(record.kind & 0xff));
  prefix.append(record.id.bytes());
  return prefix;
}

std::array<unsigned char, kHashSize> Hash(std::string_view first, std::string_view second) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kHashSize);
  crypto_generichash_update(&state, Unsigned(first), first.size());
  crypto_generichash_update(&state, Unsigned(second), second.size());
  std::array<unsigned char, kHashSize> hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return hash;
}

}  // namespace

Fingerprint Fingerprint::OfState(const RecordKey& record, std::string_view canonical_state) {
  const auto hash = Hash(RecordPrefix(record), canonical_state);
  return *FromBytes({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::optional<Fingerprint> Fingerprint::FromBytes(std::string_view bytes) {
  if (bytes.size() != kSize) return std::nullopt;
  Fingerprint fingerprint;
  ByteReader reader(bytes);
  for (uint64_t& limb : fingerprint.limbs_) limb = reader.Fixed64();
  return fingerprint;
}

void Fingerprint::Add(const Fingerprint& other) {
  unsigned carry = 0;
  for (size_t i = 0; i < limbs_.size(); ++i) {
    const uint64_t partial = limbs_[i] + other.limbs_[i];
    const unsigned overflow = partial < limbs_[i] ? 1 : 0;
    limbs_[i] = partial + carry;
    carry = overflow | (limbs_[i] < partial ? 1 : 0);
  }
}

void Fingerprint::Subtract(const Fingerprint& other) {
  unsigned borrow = 0;
  for (size_t i = 0; i < limbs_.size(); ++i) {
    const uint64_t partial = limbs_[i] - other.limbs_[i];
    const unsigned underflow = limbs_[i] < other.limbs_[i] ? 1 : 0;
    limbs_[i] = partial - borrow;
    borrow = underflow | (partial < borrow ? 1 : 0);
  }
}

std::string Fingerprint::ToBytes() const {
  std::string bytes;
  ByteWriter writer(&bytes);
  for (const uint64_t limb : limbs_) writer.Fixed64(limb);
  return bytes;
}

uint64_t Fingerprint::Truncated(uint64_t salt, uint64_t count) const {
  std::string input = ToBytes();
  ByteWriter(&input).Fixed64(count);
  std::string key;
  ByteWriter writer(&key);
  writer.Fixed64(salt);
  writer.Fixed64(0);
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
  unsigned char hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, Unsigned(input), input.size(), Unsigned(key));
  return ByteReader({reinterpret_cast<const char*>(hash), sizeof(hash)}).Fixed64();
}

uint64_t TriePosition(const RecordKey& record) {
  const auto hash = Hash(RecordPrefix(record), {});
  uint64_t position = 0;
  for (size_t i = 0; i < sizeof(position); ++i) position = position << 8 | hash[i];
  return position;
}

std::string Blake2b256(std::initializer_list<std::string_view> parts) {
  std::string input;
  ByteWriter writer(&input);
  for (const std::string_view part : parts) writer.String(part);
  const auto hash = Hash(input, {});
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace maillage::replication
