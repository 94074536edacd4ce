// Reading records and their history from a view of the store: what the replica, the sync session and the node's
// services share. As thread-safe as the view.
#ifndef MAILLAGE_REPLICATION_RECORD_READER_H_
#define MAILLAGE_REPLICATION_RECORD_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/feed_entry.h"
#include "replication/record_state.h"
#include "storage/store.h"

namespace maillage::replication {

// Nothing where the site has no such record.
absl::StatusOr<std::optional<RecordState>> ReadState(const storage::ReadView& view,
                                                     const RecordKey& record);

// States of one kind by id, from the first id after `after` on (nothing: from the start), until visit returns false.
absl::Status ScanStates(const storage::ReadView& view, uint16_t kind,
                        const std::optional<RecordId>& after,
                        absl::FunctionRef<bool(const RecordKey&, std::string_view state)> visit);

struct HistoryRow {
  uint64_t position = 0;
  Dot dot;
};

// The changes of a record that this site keeps, in the order in which they were applied here.
absl::StatusOr<std::vector<HistoryRow>> ReadHistory(const storage::ReadView& view,
                                                    const RecordKey& record);

// The feed entry at a position that exists; DataLoss where it is missing or damaged.
absl::StatusOr<FeedEntry> ReadFeedEntry(const storage::ReadView& view, uint64_t position);

// Entries after `after`, in order, until visit returns false.
absl::Status ScanFeed(const storage::ReadView& view, uint64_t after,
                      absl::FunctionRef<bool(uint64_t position, FeedEntry entry)> visit);

// The author's bytes of all changes that `state` holds beyond `known`, each after its causes; nothing where
// history no longer reaches back that far, and the whole state has to travel.
absl::StatusOr<std::optional<std::vector<std::string>>> ChangesBeyond(const storage::ReadView& view,
                                                                      const RecordKey& record,
                                                                      const VersionVector& state,
                                                                      const VersionVector& known);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_READER_H_
