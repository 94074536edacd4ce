// What a record's references lead to, and what stands for a record that this node doesn't hold.
#ifndef MAILLAGE_SERVER_RECORDS_REFERENCES_H_
#define MAILLAGE_SERVER_RECORDS_REFERENCES_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "proto/record_service.pb.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// Adds to `record` every record that its content names, in the order of their ids.
absl::Status AddReferences(const replication::Schema& schema, const storage::ReadView& view,
                           const replication::KindSchema& kind, const google::protobuf::Message& content,
                           v1::Record& record);

// The stub that others show of a record of this kind; nothing where there is none.
absl::StatusOr<std::optional<v1::Record>> StubRecord(const replication::Schema& schema, const storage::ReadView& view,
                                                     const replication::KindSchema& kind, const RecordId& id);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_REFERENCES_H_
