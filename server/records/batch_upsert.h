// Imported rows into records, many at once, by natural key (record_matcher.h).
#ifndef MAILLAGE_SERVER_RECORDS_BATCH_UPSERT_H_
#define MAILLAGE_SERVER_RECORDS_BATCH_UPSERT_H_

#include "absl/status/statusor.h"
#include "proto/record_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"

namespace maillage::server {

// One result for each item, in their order, as of the open batch; with validate_only, what they
// would be, and the batch is untouched. A row that finds its record sets the single values that it
// has and adds its elements: it removes nothing, and changes nothing that is there already. Rows of
// one request that are the same record and disagree on a single value are refused after the first.
// A retry by request id finds what its first try did.
//
// Errors are those of the request as a whole (kind, number of items, request id) and of the store;
// a row's own make it REFUSED. On the writer's thread alone.
absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsert(
    const replication::Schema& schema, replication::Replica& replica,
    const v1::BatchUpsertRecordsRequest& request);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_BATCH_UPSERT_H_
