// Records as clients read them.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_VIEW_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_VIEW_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "proto/id.h"
#include "proto/record_service.pb.h"
#include "replication/hybrid_clock.h"
#include "replication/record_state.h"
#include "replication/schema.h"

namespace maillage::server {

// How a delete that met an edit stands among the fields of a record.
inline constexpr std::string_view kDeletedField = "deleted";

v1::Record ToRecord(const replication::Schema& schema, const replication::KindSchema& kind,
                    const RecordId& id, const replication::RecordState& state);
// The same with `content` for what readers see of the state: a part of it, or what the caller made
// already.
v1::Record ToRecord(const replication::KindSchema& kind, const RecordId& id,
                    const replication::RecordState& state,
                    const google::protobuf::Message& content);

// Clears what isn't among `fields`.
void KeepFields(const replication::KindSchema& kind,
                const std::vector<const replication::FieldSchema*>& fields,
                google::protobuf::Message& content);

google::protobuf::Timestamp ToTimestamp(replication::HybridTime time);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_VIEW_H_
