// Every limit and delay of replication, each with its reason.
#ifndef MAILLAGE_REPLICATION_TUNING_H_
#define MAILLAGE_REPLICATION_TUNING_H_

#include <cstddef>
#include <cstdint>

namespace maillage::replication {

// Clocks of laptops without a network drift by seconds a week; minutes mean a wrong setting, and a time from
// there would win over everyone's edits for as long as it is ahead.
inline constexpr uint64_t kMaxClockLeadMillis = 10 * 60 * 1000;

// A block of a bundle: the frame of the longest state that travels, and what is around it.
inline constexpr size_t kMaxBundleBlockBytes = 16 * 1024 * 1024;

// Kinds of record: the bit above marks the partitions of stubs (storage/keys.h).
inline constexpr uint16_t kMaxKind = 0x7fff;

// A revocation that names every entry of an antenna that enrolled a thousand sites has 20 KiB.
inline constexpr size_t kMaxMembershipEntryBytes = 64 * 1024;
// A thousand sites, each moved, renamed and revoked several times: evaluating them takes milliseconds.
inline constexpr size_t kMaxMembershipEntries = 20'000;
// Two are needed; a network has a handful of antennas.
inline constexpr size_t kMaxEntrySignatures = 16;
// Entries of one frame: some 300 bytes each.
inline constexpr size_t kMembershipEntriesPerFrame = 200;

// What a site tells of itself: some 30 bytes for each site of which it has something, and as many for each link.
inline constexpr size_t kMaxReportBytes = 64 * 1024;
// Beyond it a site tells of the sites of which it has the newest reports; what it doesn't tell of counts as unknown. Each report
// goes to each site: more would cost a network of a thousand sites more than its records do.
inline constexpr size_t kMaxHeldReports = 256;
inline constexpr size_t kMaxReportedLinks = 256;

// Of proto/records.proto; told to peers, for people to read.
inline constexpr uint32_t kSchemaVersion = 1;
// Wire protocol; a node refuses another number.
inline constexpr uint32_t kProtocolVersion = 1;

// Records below a trie node from which on the ids themselves are sent instead of sixteen sums: a leaf entry costs
// 24 bytes and a sum about 10, so a leaf of 16 costs little more than one more level and saves a round trip.
inline constexpr uint64_t kTrieLeafSize = 16;

// Trie levels kept in memory: 16^3 sums per partition, each over about 250 records of a million. Below, sums are
// read from the fingerprints table.
inline constexpr size_t kTrieLevelsInMemory = 3;

// A frame on the stream. Larger ones gain nothing over gRPC here and delay what waits behind them.
inline constexpr size_t kFrameBytes = 64 * 1024;

// Items of one Ranges frame: 16 sums of 10 bytes each stay below gRPC's 4 MB.
inline constexpr size_t kRangesPerFrame = 4096;

// A peer that lags further behind in our feed has likely met others meanwhile: comparing is cheaper than sending
// it what it may have.
inline constexpr uint64_t kMaxHintedFeedEntries = 20'000;

// Rounds of reconciliation without agreement or any change on either side, after which a session reports that
// it doesn't converge. One suffices unless truncated sums collided.
inline constexpr uint32_t kMaxFruitlessRounds = 4;

// Pause before a live session compares roots again, so that a steady stream of edits isn't doubled by checks.
inline constexpr uint64_t kCheckIntervalMillis = 1000;

// A live session over which nothing moves compares roots this often all the same. "Up to date" is never older, a
// difference that slipped past the live tail (two machines that run under one site's name) is found, and it costs
// about 120 bytes.
inline constexpr uint64_t kIdleCheckMillis = 15 * 60 * 1000;

// Redialling a peer: half a second rides over a restart, a minute at most keeps a village line that came back from
// waiting long.
inline constexpr uint64_t kFirstRedialMillis = 500;
inline constexpr uint64_t kMaxRedialMillis = 60'000;

// Writes whose outcome is remembered for their retry: a client retries within minutes, and no node takes 100,000
// writes in that time without its clients having an answer.
inline constexpr uint64_t kRememberedRequests = 100'000;

// Every how many own changes the feed position of one is noted, to find a change by its sequence number: a look-up
// reads at most so many of them, and an import of a million changes writes 16,000 rows.
inline constexpr uint64_t kOwnSequenceStep = 64;

// Changes in one question about what a peer holds: 64 bytes each make a frame of the usual size.
inline constexpr size_t kOwnChangesPerFrame = 1000;

// Records in one frame of what a site hands over: their vectors, 40 bytes an author, make a frame of the usual size.
inline constexpr size_t kOffersPerFrame = 256;

// Limits on what one change may hold; what exceeds them is quarantined at the receiver and refused to a writer.
// A text of 64 KB is a report of 20 pages; longer ones belong in a document that the record links.
inline constexpr size_t kMaxValueBytes = 64 * 1024;
inline constexpr size_t kMaxOperations = 10'000;
inline constexpr size_t kMaxChangeBytes = 1024 * 1024;
inline constexpr size_t kMaxPersonBytes = 256;
// Of a record's whole state, 64 of the longest texts. A writer is refused what would make it longer; several who don't
// know of each other may exceed it together.
inline constexpr size_t kMaxStateBytes = 4 * 1024 * 1024;
// Beyond this a state doesn't fit into a message, and is left out where history no longer reaches: otherwise it would
// end each session again, and hold all other records up.
inline constexpr size_t kMaxSentStateBytes = 15 * 1024 * 1024;
// More actors than sites times their restores: no honest record comes near. The vector of a state isn't held to it: it
// grows by changes of which each is within it, and who holds the record must be able to pass it on.
inline constexpr size_t kMaxVectorEntries = 10'000;
// Messages inside of each other in a value: the deepest kind has three. Reading one takes a stack frame each.
inline constexpr int kMaxValueDepth = 16;
// A département's code has two or three; a partition is named in frames and in keys, a few hundred times each.
inline constexpr size_t kMaxTerritoryBytes = 32;
// A peer's name or its reason to leave, for people to read: what is longer is cut. Names of sites have 40.
inline constexpr size_t kMaxPeerTextBytes = 512;

// What a peer can make a session remember, whether or not it reads our answers. Beyond it what was asked about is
// forgotten, and found by the next comparison: more than 200,000 records that all differ take more than one.
inline constexpr size_t kMaxAwaitedRecords = 250'000;
inline constexpr size_t kMaxOutboxBytes = 32 * 1024 * 1024;
// Frames about own changes and clashes that wait to be sent: ten million own changes of which no peer has told that it
// holds them.
inline constexpr size_t kMaxWaitingFrames = 10'000;
// Questions on ranges that wait to be answered, as they lie in memory. A comparison of a million records that all differ
// asks 10 MB on the wire, 25 in memory.
inline constexpr size_t kMaxQuestionMemory = 64 * 1024 * 1024;

// Damaged records that a session counts one by one; with more, their number no longer matters.
inline constexpr size_t kMaxUnreadableRecords = 10'000;

// Rows of quarantine that others sent: who floods a site with what can't be taken fills no disk, and people read no further
// anyway. Beyond kMaxLongQuarantined only short ones are kept, beyond kMaxQuarantined none: of changes some 750 MB at most. What
// a repair sets aside is kept in any case.
inline constexpr uint64_t kMaxQuarantined = 10'000;
inline constexpr uint64_t kMaxLongQuarantined = 100;
inline constexpr size_t kShortQuarantinedBytes = 64 * 1024;

// Findings that a scrub lists: whoever has more restores, and doesn't read.
inline constexpr size_t kMaxScrubFindings = 1'000;

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_TUNING_H_
