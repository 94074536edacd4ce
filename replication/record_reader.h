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

// DataLoss, for people, in French: which record can't be read, why, and what to do.
absl::Status UnreadableRecord(const RecordKey& record, const absl::Status& why);

// Nothing where the site has no such record; UnreadableRecord where its bytes are damaged.
absl::StatusOr<std::optional<RecordState>> ReadState(const storage::ReadView& view,
                                                     const RecordKey& record);

// What to say of a record that has no state here: DataLoss where a repair gave it up and it waits for a peer, otherwise
// `not_found`.
absl::Status Absent(const storage::ReadView& view, const RecordKey& record, absl::Status not_found);
absl::Status WaitsForPeer(const RecordKey& record);

// What a walk passed over because its bytes are damaged.
struct Unread {
  // At least so many rows.
  uint64_t rows = 0;
  // Of the first, for people.
  std::string what;

  void Note(const absl::Status& why, uint64_t more = 1);
};

// States of one kind by id, from the first id after `after` on (nothing: from the start), until
// visit returns false. Goes on behind what is damaged, where the store can, if the caller wants to
// know of it: `unread`.
absl::Status ScanStates(const storage::ReadView& view, uint16_t kind,
                        const std::optional<RecordId>& after,
                        absl::FunctionRef<bool(const RecordKey&, std::string_view state)> visit,
                        Unread* unread = nullptr);

struct HistoryRow {
  uint64_t position = 0;
  Dot dot;
};

// The changes of a record that this site keeps, in the order in which they were applied here.
absl::StatusOr<std::vector<HistoryRow>> ReadHistory(const storage::ReadView& view,
                                                    const RecordKey& record);

// The feed entry at a position that exists; DataLoss where it is missing or damaged.
absl::StatusOr<FeedEntry> ReadFeedEntry(const storage::ReadView& view, uint64_t position);

// Entries after `after`, in order, until visit returns false. `unread` as in ScanStates.
absl::Status ScanFeed(const storage::ReadView& view, uint64_t after,
                      absl::FunctionRef<bool(uint64_t position, FeedEntry entry)> visit,
                      Unread* unread = nullptr);

// The author's bytes of the changes that `state` holds beyond `known`, each after its causes, until they have
// `enough_bytes`: at least one, where there is any. `known` covers them then. Nothing where history no longer reaches
// back that far, and the whole state has to travel.
absl::StatusOr<std::optional<std::vector<std::string>>> TakeChangesBeyond(const storage::ReadView& view,
                                                                          const RecordKey& record,
                                                                          const VersionVector& state,
                                                                          size_t enough_bytes, VersionVector& known);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_READER_H_
