// Limits and delays of the node, each with its reason.
#ifndef MAILLAGE_SERVER_TUNING_H_
#define MAILLAGE_SERVER_TUNING_H_

#include <cstddef>
#include <cstdint>

namespace maillage::server {

// A connection that died without a word (a laptop closed, a router restarted) is noticed within the sum of both.
inline constexpr int kKeepaliveMillis = 20'000;
inline constexpr int kKeepaliveTimeoutMillis = 10'000;
// Peers may ping at this rate without being taken for a flood.
inline constexpr int kMinPingIntervalMillis = 10'000;

// Frames of one link that wait for the writer: enough to fill a batch while the last one is synced, at most half a
// megabyte of a peer's frames.
inline constexpr size_t kFramesReadAhead = 8;

// The same in bytes, beyond which no further frame is read until some are taken: a link holds at most this and one
// message.
inline constexpr size_t kBytesReadAhead = size_t{1} << 20;

// The longest message that is taken from a peer or a client. A change has at most 1 MiB and a frame little more; a
// whole state of a record with many texts, or a batch of 1,000 long records, may have several.
inline constexpr int kMaxMessageBytes = 16 << 20;
// The longest answer: a page of 1,000 records with a text of the largest size each, which is what clients take.
inline constexpr int kMaxAnswerBytes = 64 << 20;
// A page that has this much ends, however few its entries; one more record fits into an answer.
inline constexpr size_t kMaxPageBytes = size_t{32} << 20;

// What gRPC may hold for all connections together: 500 links of some 100 KiB each, and room for a few long messages.
// Beyond it gRPC reads more slowly, then refuses.
inline constexpr size_t kTransportMemoryBytes = size_t{256} << 20;

// Calls at a time on one connection. A node's link needs one, a client with watches a dozen.
inline constexpr int kMaxStreamsPerConnection = 100;

// Links at a time; more are sent away. Twice the sites that a region's network is built for, and below what 4,096 file
// descriptors allow.
inline constexpr size_t kMaxLinks = 2'000;

// Sites that call in and compare at the same time. One thread merges for all, so a few suffice to keep it busy while
// others wait for their lines; each takes up to kBytesReadAhead and one message, and what differs waits in its outbox.
inline constexpr size_t kMaxReconciling = 16;

// One that holds such a place without receiving or sending a frame gives way if others wait: a frame of 64 KiB takes
// 30 s at 20 kbit/s.
inline constexpr uint64_t kStalledMillis = 60'000;

// A peer that stores nothing for now is dialled again after this: people take minutes to make room.
inline constexpr uint64_t kReadOnlyRedialMillis = 60'000;

// Lines about unreadable messages in a minute: one tells what is wrong, ten who sends them.
inline constexpr uint32_t kMalformedLogLines = 10;
inline constexpr uint64_t kMalformedLogMillis = 60'000;

// What a site tells all others of itself goes to each of them, some 500 bytes and 30 more a site: of fifteen sites that all write,
// each line carries a kilobyte a second at most; of a thousand, each tells every ten minutes. A link that was cut or healed is told
// at once, but not each of five hundred for itself. Where nothing changes, a report says that the site lives.
// Reports go on for a while after the last change, so that each site hears from each that it has that one.
inline constexpr uint64_t kReportLinkMillis = 2'000;
inline constexpr uint64_t kReportMillisPerLink = 200;
inline constexpr uint64_t kReportChangeMillis = 3'000;
inline constexpr uint64_t kReportAfterglowMillis = 60'000;
inline constexpr uint64_t kReportMillisPerSite = 600;
inline constexpr uint64_t kReportIdleMillis = 10 * 60 * 1000;
// What others told is worth a synced write a minute: a laptop that was switched off shows it again.
inline constexpr uint64_t kReportKeepMillis = 60'000;

// Free bytes are asked for this often, and after this much was written.
inline constexpr uint64_t kDiskLookMillis = 1'000;
inline constexpr size_t kDiskLookBytes = size_t{4} << 20;
// The store's memory tables (32 MiB) must find room when they are written out, beside the log that holds the same and
// what a compaction needs for a moment; a quarter of it passes between two looks on a quick disk.
inline constexpr uint64_t kDiskReserveBytes = uint64_t{128} << 20;

// A bundle travels to its caller in parts of about this size: a progress bar moves, and the writer is held up for one step.
inline constexpr size_t kBundlePartBytes = size_t{256} << 10;

// A failed store is opened again after this, then after twice as long each time, up to the longest.
inline constexpr uint64_t kFirstReopenMillis = 200;
inline constexpr uint64_t kMaxReopenMillis = 60'000;
// A session in which something waits and nothing moves for so long is ended, and begins anew: longer than a frame takes at 20 kbit/s.
inline constexpr uint64_t kStallMillis = 60'000;

// Reads that are under way then have this long to end; the longest list takes about a second.
inline constexpr int64_t kReopenPatienceMillis = 2'000;

// How often the hub looks at what is due: dials, checks of roots, waiting commands.
inline constexpr uint64_t kTickMillis = 100;

// `maillage sync` gives up after this; a first sync of a whole region on a slow line takes longer, and goes on
// without the command.
inline constexpr uint64_t kSyncCommandMillis = 60'000;

// The lease is written at most this often while changes are issued: a restored backup is older than that, and the
// writer waits a millisecond for it.
inline constexpr uint64_t kLeaseMillis = 60'000;

// A handshake of TLS takes a few round trips; who takes longer holds a descriptor for nothing.
inline constexpr int kHandshakeMillis = 10'000;

// Connections between sites begin anew after this, and calls on the old one have the grace to end: certificates and
// membership are looked at again, and no connection outlives its certificate by more.
inline constexpr int kConnectionAgeMillis = 30 * 60 * 1000;
inline constexpr int kConnectionGraceMillis = 10'000;

// While an antenna waits for the machine that it invited, anybody may connect: one call is for the machine, others for
// slips of the pen. Each costs a thread and some 100 KiB; a question has less than 400 bytes.
inline constexpr int kEnrolmentConnections = 32;
inline constexpr size_t kEnrolmentMessageBytes = 4096;
// For a handshake and a question; the answer takes as long as people do.
inline constexpr uint64_t kEnrolmentPatienceMillis = 10'000;
// How often an invitation looks whether its code has expired, or its operator has had enough.
inline constexpr int64_t kEnrolmentLookMillis = 200;
// Signatures that were verified and not asked for yet: what 2,000 links may have read ahead is less. Some 48 bytes each.
inline constexpr size_t kVerifiedChanges = 200'000;

// How often a node looks whether its certificate has to be renewed, and how long an antenna has to answer.
inline constexpr int64_t kRenewalLookMillis = 60'000;
inline constexpr int64_t kRenewalCallMillis = 10'000;
inline constexpr uint64_t kRenewalLogMillis = 3'600'000;

// What one site may send, and how long the writer may work on it: at once, and for ever. A first sync of a million records is
// 800 MB and a minute of the writer, and passes at full speed; whoever goes on like that gets half of the writer's time, and the
// others the rest. Its frames are read more slowly then, and it is told so.
inline constexpr double kSiteBytesBurst = 1.5 * (1 << 30);
inline constexpr double kSiteBytesPerSecond = 8.0 * (1 << 20);
inline constexpr double kSiteWorkMillisBurst = 120'000;
inline constexpr double kSiteWorkMillisPerSecond = 500;
// Sites of which that is remembered: more than a network has members.
inline constexpr size_t kMaxSitesRemembered = 20'000;

// The node's HTTP door is for one browser and one Prometheus on the same machine: threads, what a request may hold, how long it may
// take to come and its answer to go, and how long a connection may idle (a stop waits for that).
inline constexpr size_t kHttpThreads = 8;
inline constexpr size_t kMaxHttpBodyBytes = 64 * 1024;
inline constexpr int64_t kHttpPatienceSeconds = 10;
inline constexpr int64_t kHttpIdleSeconds = 1;
// How often a service manager hears how the node is, unless it wants to hear sooner that it lives.
inline constexpr int64_t kServiceStatusMillis = 10'000;
// Within that the writer answers a question about the node, or is said to stand still: a commit takes some milliseconds, a reopening
// of the store some seconds.
inline constexpr int64_t kStatusPatienceMillis = 5'000;

// What peers and clients get to take their leave when the node stops.
inline constexpr int64_t kGoodbyeMillis = 1'000;

// After another session with the same site won, the loser dials no earlier.
inline constexpr uint64_t kDuplicateRedialMillis = 30'000;

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TUNING_H_
