// Concurrent versions that wait for a person, side by side. As thread-safe as the view.
#ifndef MAILLAGE_SERVER_RECORDS_CONFLICTS_H_
#define MAILLAGE_SERVER_RECORDS_CONFLICTS_H_

#include "absl/status/statusor.h"
#include "proto/record_service.pb.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// By kind and id; of one kind where the request names it, else of all that people write. A delete
// that met an edit is the field "deleted": « modifié » by each person who edited without having
// seen the delete, the latest first, then « supprimé » by who deleted. InvalidArgument, in French,
// for what the request says.
absl::StatusOr<v1::ListConflictsResponse> ListConflicts(const replication::Schema& schema,
                                                        const storage::ReadView& view,
                                                        const v1::ListConflictsRequest& request);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_CONFLICTS_H_
