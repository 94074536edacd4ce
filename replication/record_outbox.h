// What one session has yet to send of records: single records beyond a vector, whole ranges, and the feed. It reads
// from the store a frame at a time, so that a slow peer costs no memory.
#ifndef MAILLAGE_REPLICATION_RECORD_OUTBOX_H_
#define MAILLAGE_REPLICATION_RECORD_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "proto/sync.pb.h"
#include "replication/range_reconciliation.h"
#include "replication/replica.h"
#include "replication/unreadable_records.h"

namespace maillage::replication {

// Not thread-safe.
class RecordOutbox {
 public:
  // `replica` must outlive the outbox.
  explicit RecordOutbox(const Replica* replica) : replica_(replica) {}

  // Entries that came from the peer are not sent back to it; from a peer with a past as another incarnation, they may
  // have come from its twin, and only those stay that this conversation brought.
  void SetPeer(const SiteId& peer) { peer_ = peer; }
  // What the feed is about for the peer.
  void SetShared(const Scope& shared) { shared_ = shared; }
  void CameFromPeer(uint64_t position) { came_from_peer_.insert(position); }
  // Where the feed begins; nothing of it is sent before OpenFeed.
  void StartFeedAt(uint64_t position) { feed_sent_ = feed_marked_ = position; }
  void OpenFeed() { feed_open_ = true; }
  bool feed_open() const { return feed_open_; }

  // All changes of the record that `known` doesn't cover, or its whole state. Forgotten where kMaxOutboxBytes wait.
  void AddRecord(const RecordKey& record, VersionVector known);
  // Forgotten as a record is.
  void AddRange(const WholeRange& range);
  // A record that lies in several partitions is sent once between two calls; to be called at both ends.
  void StartRound() { sent_this_round_.clear(); }

  // One Changes or States frame of about kFrameBytes; false where nothing is left now.
  absl::StatusOr<bool> Fill(v1::SyncFrame* frame);

  // Nothing waits but perhaps the feed.
  bool records_empty() const { return records_.empty() && ranges_.empty() && states_.state_size() == 0; }
  // The feed up to here has been sent or was the peer's already.
  uint64_t feed_sent() const { return feed_sent_; }
  // Of which something was due and can't be read here: left out, so that the rest flows.
  const UnreadableRecords& unreadable() const { return unreadable_; }
  UnreadableRecords& unreadable() { return unreadable_; }
  // Highest position that a frame told the peer; what follows up to feed_sent was its own.
  uint64_t feed_marked() const { return feed_marked_; }

 private:
  struct PendingRecord {
    RecordKey record;
    VersionVector known;
    size_t memory() const { return sizeof *this + known.entries().size() * sizeof(VersionVector::Entry); }
  };
  struct PendingRange {
    WholeRange range;
    std::optional<LeafEntry> after;
    size_t memory() const { return sizeof *this; }
  };

  absl::Status CollectRecords(v1::Changes* changes, size_t& bytes);
  // What exceeds a frame stays in front.
  absl::Status CollectRecord(PendingRecord pending, v1::Changes* changes, size_t& bytes);
  absl::Status ExpandRange();
  absl::Status CollectFeed(v1::Changes* changes, size_t& bytes);
  absl::Status AddState(const RecordKey& record);
  // What the peer gets of a change: for a site that may only read, without what is internal. Nothing where it lacks here what the
  // peer needs, or can't be taken out.
  std::optional<std::string> ForPeer(std::string change) const;
  // Whether the peer has to hear of an entry.
  bool IsShared(const FeedEntry& entry) const;

  const Replica* const replica_;
  SiteId peer_;
  Scope shared_;
  // Positions beyond feed_sent_.
  std::set<uint64_t> came_from_peer_;
  std::deque<PendingRecord> records_;
  // Of records and ranges.
  size_t waiting_memory_ = 0;
  std::deque<PendingRange> ranges_;
  // Whole states that go into the next frame.
  v1::States states_;
  absl::flat_hash_set<RecordKey> sent_this_round_;
  bool feed_open_ = false;
  uint64_t feed_sent_ = 0;
  uint64_t feed_marked_ = 0;
  // A state of the feed went out, without its position.
  bool position_untold_ = false;
  UnreadableRecords unreadable_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_OUTBOX_H_
