#include "replication/feed_entry.h"

#include <algorithm>
#include <functional>

#include "replication/byte_codec.h"
#include "replication/local_meta.h"

namespace maillage::replication {
namespace {

// On disk; those of FeedEntry::Type, and the two that say territories.
constexpr uint8_t kChangeOfTerritories = 4;
constexpr uint8_t kStateOfTerritories = 5;

uint8_t TypeOnDisk(const FeedEntry& entry) {
  if (!entry.territories.has_value()) return static_cast<uint8_t>(entry.type);
  return entry.type == FeedEntry::Type::kChange ? kChangeOfTerritories : kStateOfTerritories;
}

std::optional<FeedEntry::Type> TypeOf(uint8_t on_disk) {
  using Type = FeedEntry::Type;
  if (on_disk == kChangeOfTerritories) return Type::kChange;
  if (on_disk == kStateOfTerritories) return Type::kState;
  for (const Type type : {Type::kChange, Type::kState, Type::kLost, Type::kEvicted}) {
    if (on_disk == static_cast<uint8_t>(type)) return type;
  }
  return std::nullopt;
}

// One encoding of each entry.
bool IsSet(const std::vector<std::string>& texts) {
  return std::adjacent_find(texts.begin(), texts.end(), std::greater_equal<>()) == texts.end();
}

absl::Status Damaged() { return absl::DataLossError("feed table: a damaged entry"); }

}  // namespace

std::string EncodeFeedEntry(const FeedEntry& entry) {
  std::string bytes;
  bytes.reserve(48 + entry.change.size());
  ByteWriter writer(&bytes);
  writer.Byte(TypeOnDisk(entry));
  writer.Raw(entry.source.bytes());
  writer.Varint(entry.record.kind);
  writer.Raw(entry.record.id.bytes());
  if (entry.territories.has_value()) writer.Strings(*entry.territories);
  writer.Raw(entry.change);
  return bytes;
}

absl::StatusOr<FeedEntry> DecodeFeedEntry(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t on_disk = reader.Byte();
  const std::optional<FeedEntry::Type> type = TypeOf(on_disk);
  const auto source = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  const uint64_t kind = reader.Varint();
  const auto id = RecordId::FromBytes(reader.Raw(RecordId::kSize));
  if (!reader.ok() || !type.has_value() || kind > UINT16_MAX) return Damaged();
  FeedEntry entry{*type, *source, RecordKey{static_cast<uint16_t>(kind), *id}, ""};
  if (on_disk == kChangeOfTerritories || on_disk == kStateOfTerritories) {
    entry.territories = reader.Strings();
    if (!reader.ok() || !IsSet(*entry.territories)) return Damaged();
  }
  const bool has_bytes = entry.type == FeedEntry::Type::kChange || entry.type == FeedEntry::Type::kEvicted;
  if (!has_bytes && !reader.done()) return Damaged();
  entry.change = std::string(reader.rest());
  // So that no flipped bit of another entry makes one.
  if (entry.type == FeedEntry::Type::kLost && entry != FeedEntry{FeedEntry::Type::kLost, {}, {}, ""}) {
    return Damaged();
  }
  if (entry.type == FeedEntry::Type::kEvicted && !entry.change.empty() && !DecodeEvictedChange(entry.change).ok()) {
    return Damaged();
  }
  return entry;
}

std::string EncodeEvictedChange(const EvictedChange& change) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Fixed64(change.incarnation);
  writer.Varint(change.site_sequence);
  writer.Raw(change.hash);
  return bytes;
}

absl::StatusOr<EvictedChange> DecodeEvictedChange(std::string_view bytes) {
  ByteReader reader(bytes);
  EvictedChange change;
  change.incarnation = reader.Fixed64();
  change.site_sequence = reader.Varint();
  change.hash = std::string(reader.Raw(kChangeHashSize));
  if (!reader.done()) return absl::DataLossError("feed table: a damaged entry");
  return change;
}

std::string EncodeDot(const Dot& dot) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Raw(dot.actor.site.bytes());
  writer.Fixed64(dot.actor.incarnation);
  writer.Varint(dot.actor.epoch);
  writer.Varint(dot.n);
  return bytes;
}

absl::StatusOr<Dot> DecodeDot(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto site = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  Dot dot;
  dot.actor.incarnation = reader.Fixed64();
  dot.actor.epoch = reader.Varint();
  dot.n = reader.Varint();
  if (!reader.done() || dot.n == 0) return absl::DataLossError("changes table: a damaged dot");
  dot.actor.site = *site;
  return dot;
}

}  // namespace maillage::replication
