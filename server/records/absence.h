// Why a record isn't on this node, for whoever asks for it.
#ifndef MAILLAGE_SERVER_RECORDS_ABSENCE_H_
#define MAILLAGE_SERVER_RECORDS_ABSENCE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/id.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// What became of a record that isn't here, as the rest of a sentence about it: when and where to it left, or that it lies
// outside of this site's territory. Empty where nothing is known of it.
std::string WhyElsewhere(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record);

// Of a record of which the store has no state: DataLoss where it is damaged here and waits for a peer; otherwise NotFound,
// which says what WhyElsewhere does. `name` as the request has it.
absl::Status WhyAbsent(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record,
                       std::string_view name);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_ABSENCE_H_
