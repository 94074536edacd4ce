#include "replication/record_outbox.h"

#include <utility>
#include <vector>

#include "replication/change_signature.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr size_t kRangePage = 256;

}  // namespace

void RecordOutbox::AddRecord(const RecordKey& record, VersionVector known) {
  PendingRecord pending{record, std::move(known)};
  const size_t memory = pending.memory();
  if (waiting_memory_ + memory > kMaxOutboxBytes) return;
  waiting_memory_ += memory;
  records_.push_back(std::move(pending));
}

void RecordOutbox::AddRange(const WholeRange& range) {
  PendingRange pending{range, std::nullopt};
  if (waiting_memory_ + pending.memory() > kMaxOutboxBytes) return;
  waiting_memory_ += pending.memory();
  ranges_.push_back(std::move(pending));
}

absl::Status RecordOutbox::AddState(const RecordKey& record) {
  absl::StatusOr<std::optional<RecordState>> state = ReadState(replica_->store(), record);
  if (!state.ok()) return unreadable_.LeaveOut(record, state.status());
  if (!state->has_value()) return absl::OkStatus();
  if (!replica_->MayReadInternal(peer_)) *state = (*state)->WithoutInternal();
  std::string bytes = EncodeState(**state);
  if (bytes.size() > kMaxSentStateBytes) {
    return unreadable_.LeaveOut(record, absl::DataLossError("no message holds this state"));
  }
  v1::RecordStateBytes* added = states_.add_state();
  added->set_record(std::string(record.id.bytes()));
  added->set_kind(record.kind);
  added->set_state(std::move(bytes));
  return absl::OkStatus();
}

std::optional<std::string> RecordOutbox::ForPeer(std::string change) const {
  const bool peer_reads_internal = replica_->MayReadInternal(peer_);
  if (!peer_reads_internal) {
    absl::StatusOr<std::optional<std::string>> without = WithoutInternal(change);
    if (!without.ok()) return std::nullopt;
    return without->has_value() ? *std::move(without) : std::optional(std::move(change));
  }
  if (replica_->MayReadInternal(replica_->identity().site)) return std::optional(std::move(change));
  // From a reader to a site that needs the values: it gets what is whole.
  const absl::StatusOr<Change> decoded = DecodeChange(change);
  if (!decoded.ok() || decoded->withholds()) return std::nullopt;
  return std::optional(std::move(change));
}

absl::Status RecordOutbox::CollectRecord(PendingRecord pending, v1::Changes* changes, size_t& bytes) {
  absl::StatusOr<std::optional<RecordState>> state = ReadState(replica_->store(), pending.record);
  if (!state.ok()) return unreadable_.LeaveOut(pending.record, state.status());
  if (!state->has_value() || pending.known.Covers((*state)->vector())) return absl::OkStatus();
  const bool in_several_partitions = (*state)->Territories().size() > 1;
  if (in_several_partitions && pending.known.empty() &&
      !sent_this_round_.insert(pending.record).second) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<std::vector<std::string>>> beyond =
      TakeChangesBeyond(replica_->store(), pending.record, (*state)->vector(), kFrameBytes - bytes, pending.known);
  // A history that can't be read is one that no longer reaches.
  if (!beyond.ok() && !absl::IsDataLoss(beyond.status())) return beyond.status();
  if (!beyond.ok() || !beyond->has_value()) return AddState(pending.record);
  for (std::string& change : **beyond) {
    std::optional<std::string> told = ForPeer(std::move(change));
    // What follows builds on it.
    if (!told.has_value()) return absl::OkStatus();
    bytes += told->size();
    changes->add_change(*std::move(told));
  }
  if (!pending.known.Covers((*state)->vector())) {
    waiting_memory_ += pending.memory();
    records_.push_front(std::move(pending));
  }
  return absl::OkStatus();
}

absl::Status RecordOutbox::ExpandRange() {
  PendingRange& pending = ranges_.front();
  absl::StatusOr<std::vector<LeafEntry>> page =
      replica_->tree().Leaves(replica_->store(), pending.range.partition, pending.range.prefix,
                              pending.after, kRangePage);
  if (!page.ok()) return page.status();
  for (const LeafEntry& entry : *page) AddRecord({pending.range.partition.kind, entry.id}, {});
  if (page->size() < kRangePage) {
    waiting_memory_ -= pending.memory();
    ranges_.pop_front();
  } else {
    pending.after = page->back();
  }
  return absl::OkStatus();
}

absl::Status RecordOutbox::CollectRecords(v1::Changes* changes, size_t& bytes) {
  while (bytes < kFrameBytes && states_.state_size() == 0) {
    if (records_.empty()) {
      if (ranges_.empty()) break;
      if (absl::Status status = ExpandRange(); !status.ok()) return status;
      continue;
    }
    PendingRecord pending = std::move(records_.front());
    records_.pop_front();
    waiting_memory_ -= pending.memory();
    absl::Status status = CollectRecord(std::move(pending), changes, bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool RecordOutbox::IsShared(const FeedEntry& entry) const {
  if (entry.type == FeedEntry::Type::kLost || entry.type == FeedEntry::Type::kEvicted) return false;
  if (shared_.everything()) return true;
  if (entry.territories.has_value()) return shared_.HoldsAny(entry.record.kind, *entry.territories);
  // An entry that doesn't say where it belongs, nor does a record that can't be read: a comparison tells.
  const auto state = ReadState(replica_->store(), entry.record);
  return state.ok() && state->has_value() && shared_.HoldsAny(entry.record.kind, (*state)->Territories());
}

absl::Status RecordOutbox::CollectFeed(v1::Changes* changes, size_t& bytes) {
  if (!feed_open_ || feed_sent_ >= replica_->progress().feed_head) return absl::OkStatus();
  absl::Status state_status;
  Unread unread;
  const bool one_of_a_kind = replica_->KnownOf(peer_).size() <= 1;
  absl::Status status = ScanFeed(
      replica_->store(), feed_sent_,
      [&](uint64_t position, FeedEntry entry) {
        const bool is_the_peers = came_from_peer_.contains(position) || (entry.source == peer_ && one_of_a_kind);
        if (is_the_peers || !IsShared(entry)) {
          feed_sent_ = position;
          return true;
        }
        if (entry.type == FeedEntry::Type::kState) {
          // The state follows what came before it; its position is told with the frame after it.
          if (changes->change_size() > 0) return false;
          state_status = AddState(entry.record);
          feed_sent_ = position;
          position_untold_ = true;
          return false;
        }
        feed_sent_ = position;
        std::optional<std::string> told = ForPeer(std::move(entry.change));
        if (!told.has_value()) return true;
        bytes += told->size();
        changes->add_change(*std::move(told));
        return bytes < kFrameBytes;
      },
      &unread);
  came_from_peer_.erase(came_from_peer_.begin(), came_from_peer_.upper_bound(feed_sent_));
  if (!status.ok()) return status;
  unreadable_.NotePassedOver(unread.rows);
  // Damage up to the feed's end: what it said is for the comparison that follows.
  if (unread.rows > 0 && changes->change_size() == 0 && !position_untold_ &&
      states_.state_size() == 0) {
    feed_sent_ = replica_->progress().feed_head;
    position_untold_ = true;
  }
  return state_status;
}

absl::StatusOr<bool> RecordOutbox::Fill(v1::SyncFrame* frame) {
  frame->Clear();
  v1::Changes changes;
  size_t bytes = 0;
  if (states_.state_size() == 0) {
    if (absl::Status status = CollectRecords(&changes, bytes); !status.ok()) return status;
  }
  const bool from_feed = records_empty() && changes.change_size() == 0;
  if (from_feed) {
    if (absl::Status status = CollectFeed(&changes, bytes); !status.ok()) return status;
  }
  // What was collected before a state goes first; the state waits for the next frame.
  if (changes.change_size() == 0 && states_.state_size() > 0) {
    *frame->mutable_states() = std::move(states_);
    states_.Clear();
    return true;
  }
  if (changes.change_size() == 0 && !(from_feed && position_untold_)) return false;
  if (from_feed) {
    changes.set_feed_position(feed_sent_);
    feed_marked_ = feed_sent_;
    position_untold_ = false;
  }
  *frame->mutable_changes() = std::move(changes);
  return true;
}

}  // namespace maillage::replication
