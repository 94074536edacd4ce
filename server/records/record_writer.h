// Create, Update, Delete and Undelete on the writer's open batch. What they return holds once the
// batch is committed. As thread-safe as the replica, that is, on the writer's thread alone.
//
// A write whose request id was seen before does nothing and returns the record as it is. An edit
// that changes nothing issues no change, and its request id is remembered all the same.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_WRITER_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_WRITER_H_

#include "absl/status/statusor.h"
#include "proto/record_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"

namespace maillage::server {

// Errors, in French: InvalidArgument for what the request says, NotFound for a record that isn't
// here, PermissionDenied for kinds that nodes write, FailedPrecondition for an etag of another site
// that holds more than this site received; and those of the store.

// AlreadyExists where the chosen id is taken.
absl::StatusOr<v1::Record> CreateRecord(const replication::Schema& schema,
                                        replication::Replica& replica,
                                        const v1::CreateRecordRequest& request);

// FailedPrecondition on a record that the writer has seen deleted. With an etag from before the
// delete, the edit is concurrent with it, and the record is contested.
absl::StatusOr<v1::Record> UpdateRecord(const replication::Schema& schema,
                                        replication::Replica& replica,
                                        const v1::UpdateRecordRequest& request);

absl::StatusOr<v1::Record> DeleteRecord(const replication::Schema& schema,
                                        replication::Replica& replica,
                                        const v1::DeleteRecordRequest& request);

// FailedPrecondition where the etag is from before the delete.
absl::StatusOr<v1::Record> UndeleteRecord(const replication::Schema& schema,
                                          replication::Replica& replica,
                                          const v1::UndeleteRecordRequest& request);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_WRITER_H_
