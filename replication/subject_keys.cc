#include "replication/subject_keys.h"

#include <sodium/crypto_core_hchacha20.h>

#include "replication/byte_codec.h"
#include "replication/check.h"
#include "replication/signing.h"

namespace maillage::replication {
namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kLevels = 16;
constexpr int kDigitBits = 4;
constexpr uint8_t kChildren = 1 << kDigitBits;
static_assert(kLevels * kDigitBits == 64 && kSubjectKeySize == kHashSize);

uint64_t LeafOf(const RecordKey& record, uint64_t generation) {
  std::string name = "maillage subject";
  ByteWriter writer(&name);
  writer.Varint(record.kind);
  writer.Raw(record.id.bytes());
  writer.Varint(generation);
  return ByteReader(Hash256(name)).Fixed64();
}

// The part of a leaf's place that is above a level.
uint64_t Above(uint64_t leaf, uint8_t level) { return level == 0 ? 0 : leaf >> (64 - kDigitBits * level) << (64 - kDigitBits * level); }

uint8_t DigitAt(uint64_t leaf, uint8_t level) {
  return static_cast<uint8_t>(leaf >> (64 - kDigitBits * (level + 1)) & (kChildren - 1));
}

std::string Child(const std::string& seed, uint8_t digit) {
  std::string input(crypto_core_hchacha20_INPUTBYTES, '\0');
  input.front() = static_cast<char>(digit);
  return SubKey(seed, input);
}

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  random.Fill({reinterpret_cast<uint8_t*>(bytes.data()), size});
  return bytes;
}

absl::Status Damaged() { return absl::DataLossError("les clés des données personnelles sont endommagées"); }

}  // namespace

std::string SubKey(const std::string& key, std::string_view input) {
  static_assert(crypto_core_hchacha20_KEYBYTES == kSubjectKeySize && crypto_core_hchacha20_OUTPUTBYTES == kSubjectKeySize);
  MAILLAGE_CHECK(key.size() == kSubjectKeySize && input.size() == crypto_core_hchacha20_INPUTBYTES);
  std::string derived(kSubjectKeySize, '\0');
  crypto_core_hchacha20(reinterpret_cast<unsigned char*>(derived.data()), reinterpret_cast<const unsigned char*>(input.data()),
                        reinterpret_cast<const unsigned char*>(key.data()), nullptr);
  return derived;
}

SubjectKeys SubjectKeys::Generate(Random& random) {
  SubjectKeys keys;
  keys.id_ = RandomBytes(random, kIdSize);
  keys.seeds_[{0, 0}] = RandomBytes(random, kSubjectKeySize);
  return keys;
}

std::map<SubjectKeys::Node, std::string>::const_iterator SubjectKeys::SeedAbove(uint64_t leaf) const {
  for (uint8_t level = 0; level <= kLevels; ++level) {
    const auto found = seeds_.find({level, Above(leaf, level)});
    if (found != seeds_.end()) return found;
  }
  return seeds_.end();
}

std::optional<std::string> SubjectKeys::Find(const RecordKey& record, uint64_t generation) const {
  const uint64_t leaf = LeafOf(record, generation);
  const auto above = SeedAbove(leaf);
  if (above == seeds_.end()) return std::nullopt;
  std::string seed = above->second;
  for (uint8_t level = above->first.first; level < kLevels; ++level) seed = Child(seed, DigitAt(leaf, level));
  return seed;
}

SubjectKeys::Key SubjectKeys::Current(const RecordKey& record) const {
  Key key;
  while (true) {
    std::optional<std::string> found = Find(record, key.generation);
    if (found.has_value()) {
      key.bytes = *std::move(found);
      return key;
    }
    ++key.generation;
  }
}

void SubjectKeys::Destroy(const RecordKey& record) {
  const uint64_t leaf = LeafOf(record, Current(record).generation);
  const auto above = SeedAbove(leaf);
  MAILLAGE_CHECK(above != seeds_.end());
  uint8_t level = above->first.first;
  std::string seed = above->second;
  seeds_.erase(above);
  for (; level < kLevels; ++level) {
    const uint8_t way = DigitAt(leaf, level);
    for (uint8_t digit = 0; digit < kChildren; ++digit) {
      if (digit == way) continue;
      const uint64_t place = Above(leaf, level) | uint64_t{digit} << (64 - kDigitBits * (level + 1));
      seeds_[{static_cast<uint8_t>(level + 1), place}] = Child(seed, digit);
    }
    seed = Child(seed, way);
  }
}

std::string SubjectKeys::Encode() const {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Byte(kFormat);
  writer.Raw(id_);
  writer.Varint(seeds_.size());
  for (const auto& [node, seed] : seeds_) {
    writer.Byte(node.first);
    writer.Fixed64(node.second);
    writer.Raw(seed);
  }
  return bytes.append(Hash256(bytes));
}

absl::StatusOr<SubjectKeys> SubjectKeys::Decode(std::string_view bytes) {
  if (bytes.size() < kHashSize) return Damaged();
  const std::string_view content = bytes.substr(0, bytes.size() - kHashSize);
  if (Hash256(content) != bytes.substr(content.size())) return Damaged();
  ByteReader reader(content);
  if (reader.Byte() != kFormat) return absl::FailedPreconditionError("des clés d'une version plus récente : mettez ce nœud à jour");
  SubjectKeys keys;
  keys.id_ = reader.Raw(kIdSize);
  const uint64_t count = reader.Varint();
  // Of which no key at all could be made, however often it is asked for the next.
  if (count == 0) return Damaged();
  Node last;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    Node node;
    node.first = reader.Byte();
    node.second = reader.Fixed64();
    if (node.first > kLevels || Above(node.second, node.first) != node.second || (i > 0 && node <= last)) return Damaged();
    keys.seeds_[node] = reader.Raw(kSubjectKeySize);
    last = node;
  }
  return reader.done() ? absl::StatusOr<SubjectKeys>(std::move(keys)) : Damaged();
}

}  // namespace maillage::replication
