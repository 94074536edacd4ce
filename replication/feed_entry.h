// Entries of the local feed, the dots beside them, and other small values in the store. Pinned by
// tests/golden/feed.
#ifndef MAILLAGE_REPLICATION_FEED_ENTRY_H_
#define MAILLAGE_REPLICATION_FEED_ENTRY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// What was stored here at one position.
//
//   type:1  source:16  kind:varint  id:16  then, for a change, its author's bytes
struct FeedEntry {
  enum class Type : uint8_t {
    kChange = 1,
    // A whole state was merged: the entry says which record moved on, the state itself is in the states table.
    kState = 2,
    // What was stored here could not be read any more, and a repair took it away: the rest of the entry is zero.
    kLost = 3,
  };

  Type type = Type::kChange;
  // The peer that it came from; this site itself for its own changes.
  SiteId source;
  RecordKey record;
  std::string change;

  bool operator==(const FeedEntry&) const = default;
};

std::string EncodeFeedEntry(const FeedEntry& entry);
// DataLoss on bytes that EncodeFeedEntry did not write.
absl::StatusOr<FeedEntry> DecodeFeedEntry(std::string_view bytes);

//   site:16 incarnation:8 epoch:varint n:varint
std::string EncodeDot(const Dot& dot);
absl::StatusOr<Dot> DecodeDot(std::string_view bytes);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_FEED_ENTRY_H_
