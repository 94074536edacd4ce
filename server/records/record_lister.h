// Get, List and ListKinds on one view of the store. As thread-safe as the view. Errors, in French:
// InvalidArgument for what the request says, NotFound for a record that isn't here; and those of
// the store.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_LISTER_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_LISTER_H_

#include "absl/status/statusor.h"
#include "proto/record_service.pb.h"
#include "replication/local_meta.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

absl::StatusOr<v1::Record> GetRecord(const replication::Schema& schema,
                                     const storage::ReadView& view,
                                     const v1::GetRecordRequest& request);

// Without an order the records are read by id until the page is full. With one, all that match are
// looked at, and a page of them is kept in memory.
absl::StatusOr<v1::ListRecordsResponse> ListRecords(const replication::Schema& schema,
                                                    const storage::ReadView& view,
                                                    const v1::ListRecordsRequest& request);

absl::StatusOr<v1::ListKindsResponse> ListKinds(const replication::Schema& schema,
                                                const storage::ReadView& view);

// What the last commit that the view sees counted.
absl::StatusOr<replication::LocalProgress> ReadProgress(const storage::ReadView& view);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_LISTER_H_
