// What a site remembers of itself, in the meta table. Pinned by tests/golden/meta.
#ifndef MAILLAGE_REPLICATION_LOCAL_META_H_
#define MAILLAGE_REPLICATION_LOCAL_META_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/hybrid_clock.h"
#include "replication/version_vector.h"

namespace maillage::replication {

//   format:1 = 1  site:16  incarnation:8  renewals:varint
struct LocalIdentity {
  SiteId site;
  uint64_t incarnation = 0;
  // How often this store took a new incarnation after its first.
  uint64_t renewals = 0;

  bool operator==(const LocalIdentity&) const = default;
};
std::string EncodeIdentity(const LocalIdentity& identity);
absl::StatusOr<LocalIdentity> DecodeIdentity(std::string_view bytes);

struct KindCounts {
  uint64_t alive = 0;
  uint64_t deleted = 0;
  bool operator==(const KindCounts&) const = default;
};

// Written with every commit.
//
//   format:1 = 1  feed head:varint  site sequence:varint  clock:8  conflicts:varint  from the future:varint
//   quarantined:varint  kinds varint count; each  kind:varint alive:varint deleted:varint
struct LocalProgress {
  uint64_t feed_head = 0;
  // Of the current incarnation.
  uint64_t site_sequence = 0;
  HybridTime clock;
  // Records with versions that wait for a person.
  uint64_t conflicts = 0;
  uint64_t changes_from_the_future = 0;
  uint64_t quarantined = 0;
  // Records that are contested count as alive.
  std::map<uint16_t, KindCounts> kinds;

  bool operator==(const LocalProgress&) const = default;
};
std::string EncodeProgress(const LocalProgress& progress);
absl::StatusOr<LocalProgress> DecodeProgress(std::string_view bytes);

// How far this site had a peer's feed: a hint for the next greeting.   incarnation:8 position:varint
struct PeerCursor {
  uint64_t incarnation = 0;
  uint64_t position = 0;
  bool operator==(const PeerCursor&) const = default;
};
std::string EncodeCursor(const PeerCursor& cursor);
absl::StatusOr<PeerCursor> DecodeCursor(std::string_view bytes);

// What a write did, so that its retry does nothing more.   position:varint kind:varint id:16 dot (as in feed_entry.h)
struct RequestOutcome {
  uint64_t position = 0;
  RecordKey record;
  Dot dot;
  bool operator==(const RequestOutcome&) const = default;
};
std::string EncodeRequestOutcome(const RequestOutcome& outcome);
absl::StatusOr<RequestOutcome> DecodeRequestOutcome(std::string_view bytes);

// What could not be applied.   source:16 reason:string bytes:rest
struct QuarantineEntry {
  SiteId source;
  std::string reason;
  std::string bytes;
  bool operator==(const QuarantineEntry&) const = default;
};
std::string EncodeQuarantineEntry(const QuarantineEntry& entry);
absl::StatusOr<QuarantineEntry> DecodeQuarantineEntry(std::string_view bytes);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_LOCAL_META_H_
