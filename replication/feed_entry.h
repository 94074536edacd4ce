// Entries of the local feed, the dots beside them, and other small values in the store. Pinned by
// tests/golden/feed.
#ifndef MAILLAGE_REPLICATION_FEED_ENTRY_H_
#define MAILLAGE_REPLICATION_FEED_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// What was stored here at one position.
//
//   type:1  source:16  kind:varint  id:16  [territories varint count; each text]  then, for a change, its author's bytes
//
// The territories are there in types 4 and 5 alone: a change and a state as this version writes them.
struct FeedEntry {
  enum class Type : uint8_t {
    kChange = 1,
    // A whole state was merged: the entry says which record moved on, the state itself is in the states table.
    kState = 2,
    // What was stored here could not be read any more, and a repair took it away: the rest of the entry is zero.
    kLost = 3,
    // The record left this site's scope and was handed over: nothing of it is kept here but, of the site's own change,
    // what proves that it was (bytes: an EvictedChange).
    kEvicted = 6,
  };

  Type type = Type::kChange;
  // The peer that it came from; this site itself for its own changes.
  SiteId source;
  RecordKey record;
  std::string change;
  // Where the record lay before and where it lay after, sorted; "" for the whole region. Whoever holds any of these has to
  // hear of it. Unknown of entries that an older version wrote.
  std::optional<std::vector<std::string>> territories = std::nullopt;

  bool operator==(const FeedEntry&) const = default;
};

std::string EncodeFeedEntry(const FeedEntry& entry);
// DataLoss on bytes that EncodeFeedEntry did not write.
absl::StatusOr<FeedEntry> DecodeFeedEntry(std::string_view bytes);

// An own change whose bytes are gone.   incarnation:8 site sequence:varint hash:16 (HashOfChange)
struct EvictedChange {
  uint64_t incarnation = 0;
  uint64_t site_sequence = 0;
  std::string hash;
  bool operator==(const EvictedChange&) const = default;
};
std::string EncodeEvictedChange(const EvictedChange& change);
absl::StatusOr<EvictedChange> DecodeEvictedChange(std::string_view bytes);

//   site:16 incarnation:8 epoch:varint n:varint
std::string EncodeDot(const Dot& dot);
absl::StatusOr<Dot> DecodeDot(std::string_view bytes);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_FEED_ENTRY_H_
