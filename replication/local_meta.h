// What a site remembers of itself, in the meta table. Pinned by tests/golden/meta. Each Decode returns DataLoss on bytes
// that its Encode did not write.
#ifndef MAILLAGE_REPLICATION_LOCAL_META_H_
#define MAILLAGE_REPLICATION_LOCAL_META_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/change.h"
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
//   quarantined:varint  kinds varint count; each, ascending  kind:varint alive:varint deleted:varint
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

// The highest change that this site holds of an author's incarnation.   sequence:varint hash:16
struct KnownAuthor {
  uint64_t site_sequence = 0;
  // HashOfChange of it.
  std::string hash;
  bool operator==(const KnownAuthor&) const = default;
};
std::string EncodeKnownAuthor(const KnownAuthor& author);
absl::StatusOr<KnownAuthor> DecodeKnownAuthor(std::string_view bytes);

// Which of this site's own changes others are known to hold, in the very bytes that it wrote: those up to `position` of
// its feed, and those up to `settled_position` that are not of `settled_incarnation` (continuity.cc).
//
//   position:varint settled position:varint settled incarnation:8
struct WitnessMark {
  uint64_t position = 0;
  uint64_t settled_position = 0;
  uint64_t settled_incarnation = 0;

  bool Witnessed(uint64_t at, uint64_t incarnation) const {
    return at <= position || (at <= settled_position && incarnation != settled_incarnation);
  }
  bool operator==(const WitnessMark&) const = default;
};
std::string EncodeWitnessMark(const WitnessMark& mark);
absl::StatusOr<WitnessMark> DecodeWitnessMark(std::string_view bytes);

// Why a site can't be sure that it is the only continuation of itself. The numbers are on disk: append only.
enum class ContinuityDoubt : uint8_t {
  kNone = 0,
  // The store doesn't vouch for its log.
  kStoreDamaged = 1,
  // The lease outside of the data folder is missing or tells of another past.
  kLease = 2,
  // A peer holds later changes of this incarnation: the data folder is an older copy.
  kPeerKnowsMore = 3,
  // A peer holds another change under a number that this site used: its data folder runs twice.
  kPeerKnowsOther = 4,
  // Another running copy answered.
  kTwinMet = 5,
};

// The last time that this site became a new incarnation.   doubt:1 time:8 given up:varint
struct ContinuityNote {
  ContinuityDoubt doubt = ContinuityDoubt::kNone;
  // Milliseconds since 1970.
  uint64_t millis = 0;
  // Own changes that got a new dot.
  uint64_t renamed = 0;
  bool operator==(const ContinuityNote&) const = default;
};
std::string EncodeContinuityNote(const ContinuityNote& note);
absl::StatusOr<ContinuityNote> DecodeContinuityNote(std::string_view bytes);

// Dots that this site gave up: from first on they are now (to, 1), (to, 2), …   each from:dot to:dot (feed_entry.h), with
// the numbers first and 1
struct Renaming {
  Actor from;
  uint64_t first = 0;
  Actor to;
  bool operator==(const Renaming&) const = default;
};
std::string EncodeRenamings(const std::vector<Renaming>& renamings);
absl::StatusOr<std::vector<Renaming>> DecodeRenamings(std::string_view bytes);

// A number by itself.   varint
std::string EncodeCount(uint64_t count);
absl::StatusOr<uint64_t> DecodeCount(std::string_view bytes);

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
