// Changes told for people: one record's history, newest first, and the events of a watch. As
// thread-safe as the view. Errors as in record_lister.h.
#ifndef MAILLAGE_SERVER_RECORDS_HISTORY_H_
#define MAILLAGE_SERVER_RECORDS_HISTORY_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "proto/record_service.pb.h"
#include "replication/change.h"
#include "replication/feed_entry.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// By descending hybrid time, which every site that has the same changes shows alike.
absl::StatusOr<v1::ListRecordChangesResponse> ListRecordChanges(
    const replication::Schema& schema, const storage::ReadView& view,
    const v1::ListRecordChangesRequest& request);

v1::RecordChange ToRecordChange(const replication::Schema& schema, const storage::ReadView& view,
                                const replication::KindSchema& kind,
                                const replication::Change& change);

// The event of a feed entry, with the record as the view has it; without a change where a whole
// state came in. Nothing for kinds that are the system's or unknown here, or, where `only` isn't
// null, others than it.
absl::StatusOr<std::optional<v1::RecordEvent>> ToRecordEvent(const replication::Schema& schema,
                                                             const storage::ReadView& view,
                                                             uint64_t position,
                                                             const replication::FeedEntry& entry,
                                                             const replication::KindSchema* only);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_HISTORY_H_
