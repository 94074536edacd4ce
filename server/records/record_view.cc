#include "server/records/record_view.h"

#include <algorithm>
#include <optional>

#include "google/protobuf/util/time_util.h"
#include "server/records/record_request.h"
#include "server/records/value_text.h"

namespace maillage::server {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using replication::Cell;
using replication::FieldSchema;
using replication::HybridTime;
using replication::KindSchema;
using replication::Life;
using replication::RecordState;
using replication::Schema;

namespace {

// RFC 9562, section 5.7. Nothing for UUIDs of other versions, which clients may choose.
std::optional<uint64_t> MillisOf(const RecordId& id) {
  const std::string_view bytes = id.bytes();
  if ((static_cast<uint8_t>(bytes[6]) & 0xf0) != 0x70) return std::nullopt;
  uint64_t millis = 0;
  for (size_t i = 0; i < 6; ++i) millis = millis << 8 | static_cast<uint8_t>(bytes[i]);
  return millis;
}

HybridTime LastWrite(const RecordState& state) {
  HybridTime last;
  const Cell* const voids = replication::VoidChanges(state);
  for (const Cell& cell : state.cells()) {
    if (&cell == voids) continue;
    for (const replication::Version& version : cell.versions) last = std::max(last, version.time);
  }
  return last;
}

void AddConflictingFields(const KindSchema& kind, const RecordState& state, v1::Record& record) {
  uint32_t last = replication::kLifeField;
  for (const Cell& cell : state.cells()) {
    if (cell.field == last || replication::OtherVersions(cell).empty()) continue;
    record.add_conflicting_fields(FieldName(kind, cell.field));
    last = cell.field;
  }
  if (state.life() == Life::kContested) record.add_conflicting_fields(std::string(kDeletedField));
}

}  // namespace

google::protobuf::Timestamp ToTimestamp(HybridTime time) {
  // The greatest that TimeUtil takes, 9999-12-31; a forged time may be beyond.
  constexpr uint64_t kLastMillis = 253402300799'999;
  return TimeUtil::MillisecondsToTimestamp(
      static_cast<int64_t>(std::min(time.millis(), kLastMillis)));
}

v1::Record ToRecord(const KindSchema& kind, const RecordId& id, const RecordState& state,
                    const Message& content) {
  v1::Record record;
  record.set_name(RecordName(kind, id));
  record.set_etag(replication::EncodeEtag(state.vector()));
  record.mutable_content()->PackFrom(content);
  if (const auto millis = MillisOf(id); millis.has_value()) {
    *record.mutable_create_time() = ToTimestamp(HybridTime::FromMillis(*millis));
  }
  *record.mutable_update_time() = ToTimestamp(LastWrite(state));
  record.set_deleted(state.life() == Life::kDeleted);
  if (!record.deleted()) AddConflictingFields(kind, state, record);
  return record;
}

v1::Record ToRecord(const Schema& schema, const KindSchema& kind, const RecordId& id,
                    const RecordState& state) {
  return ToRecord(kind, id, state, *schema.ToMessage(kind, state));
}

void KeepFields(const KindSchema& kind, const std::vector<const FieldSchema*>& fields,
                Message& content) {
  for (const FieldSchema& field : kind.fields) {
    if (std::find(fields.begin(), fields.end(), &field) == fields.end()) {
      content.GetReflection()->ClearField(&content, field.descriptor);
    }
  }
}

}  // namespace maillage::server
