#include "storage/keys.h"

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::storage {
namespace {

constexpr size_t kIdSize = RecordId::kSize;
constexpr size_t kStateKeySize = 2 + kIdSize;
constexpr char kTerritoryEnd = '\0';
constexpr char kWordIndex = 'w';
constexpr char kNaturalKeyIndex = 'n';
constexpr char kConflictIndex = 'c';
constexpr char kReferenceIndex = 'r';

template <typename Integer>
void AppendBigEndian(Integer value, std::string& out) {
  for (size_t shift = sizeof(Integer) * 8; shift > 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(value >> (shift - 8))));
  }
}

template <typename Integer>
Integer ReadBigEndian(std::string_view bytes) {
  Integer value = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(value << 8 | static_cast<uint8_t>(bytes[i]));
  }
  return value;
}

std::string IndexPrefix(char index, uint16_t kind) {
  std::string key(1, index);
  AppendBigEndian(kind, key);
  return key;
}

// A row of the meta table about one record.
std::string MetaKeyOf(std::string_view prefix, const RecordKey& record) {
  return std::string(prefix).append(StateKey(record));
}

std::optional<RecordKey> RecordOf(std::string_view prefix, std::string_view key) {
  if (key.substr(0, prefix.size()) != prefix) return std::nullopt;
  return ParseStateKey(key.substr(prefix.size()));
}

}  // namespace

std::string StateKey(const RecordKey& record) {
  std::string key;
  key.reserve(kStateKeySize + sizeof(uint64_t));
  AppendBigEndian(record.kind, key);
  key.append(record.id.bytes());
  return key;
}

std::string StatePrefix(uint16_t kind) {
  std::string key;
  AppendBigEndian(kind, key);
  return key;
}

std::optional<RecordKey> ParseStateKey(std::string_view key) {
  if (key.size() != kStateKeySize) return std::nullopt;
  return RecordKey{ReadBigEndian<uint16_t>(key), *RecordId::FromBytes(key.substr(2))};
}

std::string ChangeKey(const RecordKey& record, uint64_t position) {
  std::string key = StateKey(record);
  AppendBigEndian(position, key);
  return key;
}

std::string ChangePrefix(const RecordKey& record) { return StateKey(record); }

std::optional<uint64_t> ParseChangeKeyPosition(std::string_view key) {
  if (key.size() != kStateKeySize + sizeof(uint64_t)) return std::nullopt;
  return ReadBigEndian<uint64_t>(key.substr(kStateKeySize));
}

std::string FingerprintPrefix(const PartitionKey& partition) {
  std::string key;
  AppendBigEndian(partition.kind, key);
  key.append(partition.territory);
  key.push_back(kTerritoryEnd);
  return key;
}

std::string FingerprintBound(const PartitionKey& partition, uint64_t hash) {
  std::string key = FingerprintPrefix(partition);
  AppendBigEndian(hash, key);
  return key;
}

std::string FingerprintKey(const PartitionKey& partition, uint64_t hash, const RecordId& id) {
  std::string key = FingerprintBound(partition, hash);
  key.append(id.bytes());
  return key;
}

std::optional<ParsedFingerprintKey> ParseFingerprintKey(std::string_view key) {
  constexpr size_t kTail = sizeof(uint64_t) + kIdSize;
  if (key.size() < 2 + 1 + kTail) return std::nullopt;
  const std::string_view territory = key.substr(2, key.size() - 2 - 1 - kTail);
  const std::string_view tail = key.substr(key.size() - kTail);
  // The first NUL ends the territory: behind another one the row would stand among those of a shorter name.
  if (key.substr(2).find(kTerritoryEnd) != territory.size()) return std::nullopt;
  return ParsedFingerprintKey{{ReadBigEndian<uint16_t>(key), std::string(territory)},
                              ReadBigEndian<uint64_t>(tail),
                              *RecordId::FromBytes(tail.substr(sizeof(uint64_t)))};
}

std::string FeedKey(uint64_t position) {
  std::string key;
  AppendBigEndian(position, key);
  return key;
}

std::optional<uint64_t> ParseFeedKey(std::string_view key) {
  if (key.size() != sizeof(uint64_t)) return std::nullopt;
  return ReadBigEndian<uint64_t>(key);
}

std::string WordPrefix(uint16_t kind, std::string_view word_prefix) {
  return IndexPrefix(kWordIndex, kind).append(word_prefix);
}

std::string WordKey(uint16_t kind, std::string_view word, const RecordId& id) {
  std::string key = WordPrefix(kind, word);
  key.push_back('\0');
  return key.append(id.bytes());
}

std::string NaturalKeyPrefix(uint16_t kind, uint8_t rule, std::string_view digest) {
  std::string key = IndexPrefix(kNaturalKeyIndex, kind);
  key.push_back(static_cast<char>(rule));
  return key.append(digest);
}

std::string NaturalKeyKey(uint16_t kind, uint8_t rule, std::string_view digest, const RecordId& id) {
  return NaturalKeyPrefix(kind, rule, digest).append(id.bytes());
}

std::string ConflictPrefix() { return std::string(1, kConflictIndex); }

std::string ConflictPrefix(uint16_t kind) { return IndexPrefix(kConflictIndex, kind); }

std::string ConflictKey(const RecordKey& record) {
  return ConflictPrefix(record.kind).append(record.id.bytes());
}

std::optional<RecordKey> ParseConflictKey(std::string_view key) {
  if (key.empty() || key[0] != kConflictIndex) return std::nullopt;
  return ParseStateKey(key.substr(1));
}

std::string ReferencePrefix() { return std::string(1, kReferenceIndex); }

std::string ReferencePrefix(const RecordId& target) { return ReferencePrefix().append(target.bytes()); }

std::string ReferencePrefix(const RecordId& target, const PartitionKey& partition) {
  return ReferencePrefix(target).append(FingerprintPrefix(partition));
}

std::string ReferenceKey(const RecordId& target, const PartitionKey& partition, const RecordId& referrer) {
  return ReferencePrefix(target, partition).append(referrer.bytes());
}

std::optional<ParsedReferenceKey> ParseReferenceKey(std::string_view key) {
  constexpr size_t kHead = 1 + kIdSize;
  if (key.size() < kHead + 2 + 1 + kIdSize || key[0] != kReferenceIndex) return std::nullopt;
  const std::string_view territory = key.substr(kHead + 2, key.size() - kHead - 2 - 1 - kIdSize);
  if (key.substr(kHead + 2).find(kTerritoryEnd) != territory.size()) return std::nullopt;
  return ParsedReferenceKey{*RecordId::FromBytes(key.substr(1, kIdSize)),
                            {ReadBigEndian<uint16_t>(key.substr(kHead)), std::string(territory)},
                            *RecordId::FromBytes(key.substr(key.size() - kIdSize))};
}

std::optional<RecordId> ParseIndexedId(std::string_view key) {
  if (key.size() < kIdSize) return std::nullopt;
  return RecordId::FromBytes(key.substr(key.size() - kIdSize));
}

std::string MemberKey(std::string_view entry_id) { return std::string(kMemberPrefix).append(entry_id); }

std::string ReportKey(const SiteId& site) { return std::string(kReportPrefix).append(site.bytes()); }

std::string AuthorKey(const SiteId& site, uint64_t incarnation) {
  std::string key = absl::StrCat(ToAbsl(kAuthorPrefix), ToAbsl(site.bytes()));
  AppendBigEndian(incarnation, key);
  return key;
}

std::optional<ParsedAuthorKey> ParseAuthorKey(std::string_view key) {
  if (key.size() != kAuthorPrefix.size() + SiteId::kSize + sizeof(uint64_t)) return std::nullopt;
  key.remove_prefix(kAuthorPrefix.size());
  return ParsedAuthorKey{*SiteId::FromBytes(key.substr(0, SiteId::kSize)),
                         ReadBigEndian<uint64_t>(key.substr(SiteId::kSize))};
}

std::string OwnSequencePrefix(uint64_t incarnation) {
  std::string key = "own/";
  AppendBigEndian(incarnation, key);
  return key;
}

std::string OwnSequenceKey(uint64_t incarnation, uint64_t sequence) {
  std::string key = OwnSequencePrefix(incarnation);
  AppendBigEndian(sequence, key);
  return key;
}

std::string SeenKey(const RecordKey& record) { return absl::StrCat("seen/", StateKey(record)); }

std::string RenouncedKey(const RecordKey& record) { return MetaKeyOf(kRenouncedPrefix, record); }

std::optional<RecordKey> ParseRenouncedKey(std::string_view key) { return RecordOf(kRenouncedPrefix, key); }

std::string LeavingKey(const RecordKey& record) { return MetaKeyOf(kLeavingPrefix, record); }

std::optional<RecordKey> ParseLeavingKey(std::string_view key) { return RecordOf(kLeavingPrefix, key); }

std::string EvictedKey(const RecordKey& record) { return MetaKeyOf(kEvictedPrefix, record); }

std::optional<RecordKey> ParseEvictedKey(std::string_view key) { return RecordOf(kEvictedPrefix, key); }

std::optional<RecordKey> ParseIndexedRecord(std::string_view key) {
  if (!key.empty() && key[0] == kReferenceIndex) {
    const auto reference = ParseReferenceKey(key);
    if (!reference.has_value()) return std::nullopt;
    return RecordKey{reference->partition.kind, reference->referrer};
  }
  const auto id = ParseIndexedId(key);
  if (!id.has_value() || key.size() < 1 + sizeof(uint16_t) + kIdSize) return std::nullopt;
  return RecordKey{ReadBigEndian<uint16_t>(key.substr(1)), *id};
}

std::string LostKey(const RecordKey& record) { return MetaKeyOf(kLostPrefix, record); }

std::string LostPrefix(uint16_t kind) { return std::string(kLostPrefix).append(StatePrefix(kind)); }

std::optional<RecordKey> ParseLostKey(std::string_view key) { return RecordOf(kLostPrefix, key); }

std::string StubKey(const RecordId& id) { return std::string(kStubPrefix).append(id.bytes()); }

std::optional<RecordId> ParseStubKey(std::string_view key) {
  if (key.substr(0, kStubPrefix.size()) != kStubPrefix) return std::nullopt;
  return RecordId::FromBytes(key.substr(kStubPrefix.size()));
}

std::string BundleKey(const SiteId& site) { return absl::StrCat(ToAbsl(kBundlePrefix), ToAbsl(site.bytes())); }

std::string HadKey(const SiteId& site) { return absl::StrCat(ToAbsl(kHadPrefix), ToAbsl(site.bytes())); }

std::string DuePrefix(const SiteId& site) { return absl::StrCat(ToAbsl(kDuePrefix), ToAbsl(site.bytes())); }

std::string DueKey(const SiteId& site, const RecordKey& record) { return MetaKeyOf(DuePrefix(site), record); }

std::optional<RecordKey> ParseDueKey(std::string_view key) {
  const size_t prefix = kDuePrefix.size() + SiteId::kSize;
  if (key.size() < prefix || key.substr(0, kDuePrefix.size()) != kDuePrefix) return std::nullopt;
  return ParseStateKey(key.substr(prefix));
}

std::string CursorKey(const SiteId& peer) { return absl::StrCat(ToAbsl(kCursorPrefix), ToAbsl(peer.bytes())); }

std::string RequestKey(std::string_view request_id) { return absl::StrCat("request/", ToAbsl(request_id)); }

std::string QuarantineKey(std::string_view digest) {
  return std::string(kQuarantinePrefix).append(digest);
}

std::string PausedKey(std::string_view peer) { return absl::StrCat(ToAbsl(kPausedPrefix), ToAbsl(peer)); }

std::string AddressKey(std::string_view address) { return absl::StrCat("address/", ToAbsl(address)); }

}  // namespace maillage::storage
