// Every key that Maillage writes, in one place. Integers are big-endian, so that bytewise order is numeric order.
// Pinned by tests/golden/keys.
//
// table         key                                                   value
// ------------  ----------------------------------------------------  ------------------------------------------
// states        kind:2 id:16                                          canonical bytes of the record's state
// changes       kind:2 id:16 position:8                               the change's dot (feed_entry.h)
// fingerprints  kind:2 territory 0x00 hash:8 id:16                    fingerprint:32; the highest bit of kind: of stubs
// feed          position:8                                            entry (replication/feed_entry.h)
// index         'w' kind:2 word 0x00 id:16                            empty: a folded word of a searchable field
//               'n' kind:2 rule:1 digest:16 id:16                     empty: a natural key
//               'c' kind:2 id:16                                      empty: versions wait for a person
//               'r' id:16 kind:2 territory 0x00 id:16                 empty: the first is referred to by the second, which
//                                                                     is of this kind and lies in this territory
// meta          "identity"                                            site, incarnation (replication/local_meta.h)
//               "progress"                                            sequence, clock, counts
//               "cursor/" site:16                                     how far this site had that site's feed
//               "request/" request id                                 what a write did, for its retry
//               "quarantine/" digest:16                               what could not be applied, and why
//               "lost/" kind:2 id:16                                  empty: the record waits for a peer after a repair
//               "paused/" peer                                        empty: an administrator paused the peer
//               "address/" host:port                                  site:16 that answered there last
//               "opening"                                             how often the store was opened
//               "continuity"                                          why this site last became a new incarnation
//               "witness"                                             how far others are known to hold its changes
//               "author/" site:16 incarnation:8                       the highest change seen of each author
//               "own/" incarnation:8 sequence:8                       feed position of each 64th change of this site
//               "seen/" kind:2 id:16                                  own dots in states that came from elsewhere
//               "renounced/" kind:2 id:16                             dots that this site wrote and gave up
//               "leaving/" kind:2 id:16                               empty: outside of this site's scope, not handed over
//               "evicted/" kind:2 id:16                               what was handed over, when and to whom
//               "scope"                                               the scope that "leaving/" is about
//               "complete"                                            millis:8 scope: found whole at that time
//               "stub/" id:16                                         what is shown of a record that isn't here
//               "stubs"                                               how references and stubs were told from the states
//               "bundle/" site:16                                     what that site's last bundle said
//               "had/" site:16                                        how far bundles brought that site's feed
//               "due/" site:16 kind:2 id:16                           an answer that the next bundle to it has to give:
//                                                                     the feed's head then
//               "member/" id:16                                       an entry of the membership log
//                                                                     (replication/membership.h)
//               "revoked"                                             the last valid changes of revoked sites that the
//                                                                     states follow (replication/revoked_authors.h)
//               "personal"                                            which keys the rows are encrypted under that say something
//                                                                     of a person (replication/sealed_store.h)
//               "backup"                                              millis:8 of the last backup of this database
//               "loading"                                             the bundle under way, and how many frames were taken
//
// position counts what was stored here, from 1. hash is the first 8 bytes of BLAKE2b-256 of kind and id:
// it spreads the records evenly below the trie of each partition (kind, territory). territory is a département's
// code, or empty for the whole region. A stub stands in the partitions whose records refer to it, under the bit
// kStubPartition, hashed with kind 0.
#ifndef MAILLAGE_STORAGE_KEYS_H_
#define MAILLAGE_STORAGE_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/id.h"

namespace maillage::storage {

struct PartitionKey {
  uint16_t kind = 0;
  // Without NUL bytes; empty: the whole region.
  std::string territory;

  auto operator<=>(const PartitionKey&) const = default;
};

// Beside each partition of records one of the stubs that these refer to. No kind of record has this bit.
inline constexpr uint16_t kStubPartition = 0x8000;

std::string StateKey(const RecordKey& record);
// All states of one kind.
std::string StatePrefix(uint16_t kind);
std::optional<RecordKey> ParseStateKey(std::string_view key);

std::string ChangeKey(const RecordKey& record, uint64_t position);
std::string ChangePrefix(const RecordKey& record);
std::optional<uint64_t> ParseChangeKeyPosition(std::string_view key);

// `hash` is the trie's position of the record, most significant digit first.
std::string FingerprintKey(const PartitionKey& partition, uint64_t hash, const RecordId& id);
std::string FingerprintPrefix(const PartitionKey& partition);
// From the first key of the partition whose hash is at least `hash`.
std::string FingerprintBound(const PartitionKey& partition, uint64_t hash);
struct ParsedFingerprintKey {
  PartitionKey partition;
  uint64_t hash = 0;
  RecordId id;
};
std::optional<ParsedFingerprintKey> ParseFingerprintKey(std::string_view key);

std::string FeedKey(uint64_t position);
std::optional<uint64_t> ParseFeedKey(std::string_view key);

std::string WordKey(uint16_t kind, std::string_view word, const RecordId& id);
// All entries of words that begin with `word_prefix`.
std::string WordPrefix(uint16_t kind, std::string_view word_prefix);
std::string NaturalKeyKey(uint16_t kind, uint8_t rule, std::string_view digest, const RecordId& id);
std::string NaturalKeyPrefix(uint16_t kind, uint8_t rule, std::string_view digest);
std::string ConflictKey(const RecordKey& record);
std::string ConflictPrefix();
std::string ConflictPrefix(uint16_t kind);
std::optional<RecordKey> ParseConflictKey(std::string_view key);
// A record of this partition refers to `target`.
std::string ReferenceKey(const RecordId& target, const PartitionKey& partition, const RecordId& referrer);
std::string ReferencePrefix();
std::string ReferencePrefix(const RecordId& target);
std::string ReferencePrefix(const RecordId& target, const PartitionKey& partition);
struct ParsedReferenceKey {
  RecordId target;
  PartitionKey partition;
  RecordId referrer;
};
std::optional<ParsedReferenceKey> ParseReferenceKey(std::string_view key);
// The id at the end of any key of the index table.
std::optional<RecordId> ParseIndexedId(std::string_view key);
// With the kind: of the record that calls for the key.
std::optional<RecordKey> ParseIndexedRecord(std::string_view key);

inline constexpr std::string_view kIdentityKey = "identity";
inline constexpr std::string_view kProgressKey = "progress";
inline constexpr std::string_view kQuarantinePrefix = "quarantine/";
inline constexpr std::string_view kLostPrefix = "lost/";
inline constexpr std::string_view kPausedPrefix = "paused/";
inline constexpr std::string_view kOpeningKey = "opening";
inline constexpr std::string_view kContinuityKey = "continuity";
inline constexpr std::string_view kWitnessKey = "witness";
inline constexpr std::string_view kAuthorPrefix = "author/";
inline constexpr std::string_view kRenouncedPrefix = "renounced/";
inline constexpr std::string_view kLeavingPrefix = "leaving/";
inline constexpr std::string_view kEvictedPrefix = "evicted/";
inline constexpr std::string_view kScopeKey = "scope";
inline constexpr std::string_view kCompleteKey = "complete";
inline constexpr std::string_view kStubPrefix = "stub/";
inline constexpr std::string_view kStubsKey = "stubs";
inline constexpr std::string_view kBundlePrefix = "bundle/";
inline constexpr std::string_view kHadPrefix = "had/";
inline constexpr std::string_view kDuePrefix = "due/";
inline constexpr std::string_view kLoadingKey = "loading";
inline constexpr std::string_view kRevokedKey = "revoked";
inline constexpr std::string_view kBackupKey = "backup";
inline constexpr std::string_view kPersonalKeysKey = "personal";
inline constexpr std::string_view kMemberPrefix = "member/";
std::string MemberKey(std::string_view entry_id);
inline constexpr std::string_view kReportPrefix = "report/";
std::string ReportKey(const SiteId& site);
std::string AuthorKey(const SiteId& site, uint64_t incarnation);
struct ParsedAuthorKey {
  SiteId site;
  uint64_t incarnation = 0;
};
std::optional<ParsedAuthorKey> ParseAuthorKey(std::string_view key);
std::string OwnSequencePrefix(uint64_t incarnation);
std::string OwnSequenceKey(uint64_t incarnation, uint64_t sequence);
std::string SeenKey(const RecordKey& record);
std::string RenouncedKey(const RecordKey& record);
std::optional<RecordKey> ParseRenouncedKey(std::string_view key);
std::string LostKey(const RecordKey& record);
std::string LostPrefix(uint16_t kind);
std::optional<RecordKey> ParseLostKey(std::string_view key);
std::string LeavingKey(const RecordKey& record);
std::optional<RecordKey> ParseLeavingKey(std::string_view key);
std::string EvictedKey(const RecordKey& record);
std::optional<RecordKey> ParseEvictedKey(std::string_view key);
std::string StubKey(const RecordId& id);
std::optional<RecordId> ParseStubKey(std::string_view key);
std::string BundleKey(const SiteId& site);
std::string HadKey(const SiteId& site);
std::string DuePrefix(const SiteId& site);
std::string DueKey(const SiteId& site, const RecordKey& record);
std::optional<RecordKey> ParseDueKey(std::string_view key);
inline constexpr std::string_view kCursorPrefix = "cursor/";
std::string CursorKey(const SiteId& peer);
std::string RequestKey(std::string_view request_id);
// `digest` is of the quarantined bytes, so that what comes again is kept once.
std::string QuarantineKey(std::string_view digest);
std::string PausedKey(std::string_view peer);
std::string AddressKey(std::string_view address);

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_KEYS_H_
