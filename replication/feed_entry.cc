#include "replication/feed_entry.h"

#include "replication/byte_codec.h"

namespace maillage::replication {

std::string EncodeFeedEntry(const FeedEntry& entry) {
  std::string bytes;
  bytes.reserve(40 + entry.change.size());
  ByteWriter writer(&bytes);
  writer.Byte(static_cast<uint8_t>(entry.type));
  writer.Raw(entry.source.bytes());
  writer.Varint(entry.record.kind);
  writer.Raw(entry.record.id.bytes());
  writer.Raw(entry.change);
  return bytes;
}

absl::StatusOr<FeedEntry> DecodeFeedEntry(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t type = reader.Byte();
  const auto source = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  const uint64_t kind = reader.Varint();
  const auto id = RecordId::FromBytes(reader.Raw(RecordId::kSize));
  const bool known_type = type == static_cast<uint8_t>(FeedEntry::Type::kChange) ||
                          type == static_cast<uint8_t>(FeedEntry::Type::kState) ||
                          type == static_cast<uint8_t>(FeedEntry::Type::kLost);
  const bool has_change = type == static_cast<uint8_t>(FeedEntry::Type::kChange);
  if (!reader.ok() || !known_type || kind > UINT16_MAX || (!has_change && !reader.done())) {
    return absl::DataLossError("feed table: a damaged entry");
  }
  FeedEntry entry{static_cast<FeedEntry::Type>(type), *source,
                  RecordKey{static_cast<uint16_t>(kind), *id}, std::string(reader.rest())};
  // So that no flipped bit of another entry makes one.
  if (entry.type == FeedEntry::Type::kLost && entry != FeedEntry{FeedEntry::Type::kLost, {}, {}, ""}) {
    return absl::DataLossError("feed table: a damaged entry");
  }
  return entry;
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
