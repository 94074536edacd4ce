// Why a record isn't on this node, for whoever asks for it.
#ifndef MAILLAGE_SERVER_RECORDS_ABSENCE_H_
#define MAILLAGE_SERVER_RECORDS_ABSENCE_H_

#include <string_view>

#include "absl/status/status.h"
#include "proto/id.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// Of a record of which the store has no state: DataLoss where it is damaged here and waits for a peer; otherwise NotFound,
// which says of one that was handed over where it went, when and to whom. `name` as the request has it.
absl::Status WhyAbsent(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record,
                       std::string_view name);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_ABSENCE_H_
