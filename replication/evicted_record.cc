#include "replication/evicted_record.h"

#include "replication/byte_codec.h"

namespace maillage::replication {

std::string EncodeEvictedRecord(const EvictedRecord& evicted) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Fixed64(evicted.incarnation);
  writer.Varint(evicted.site_sequence);
  writer.Fixed64(evicted.millis);
  writer.Raw(evicted.keeper.bytes());
  writer.Strings(evicted.territories);
  writer.Raw(ToProto(evicted.vector).SerializeAsString());
  return bytes;
}

absl::StatusOr<EvictedRecord> DecodeEvictedRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  EvictedRecord evicted;
  evicted.incarnation = reader.Fixed64();
  evicted.site_sequence = reader.Varint();
  evicted.millis = reader.Fixed64();
  const auto keeper = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  evicted.territories = reader.Strings();
  v1::VersionVector proto;
  if (!reader.ok() || !proto.ParseFromString(std::string(reader.rest()))) {
    return absl::DataLossError("meta table: a damaged handover");
  }
  absl::StatusOr<VersionVector> vector = FromProto(proto);
  if (!vector.ok()) return absl::DataLossError("meta table: a damaged handover");
  evicted.keeper = *keeper;
  evicted.vector = *std::move(vector);
  // Protocol Buffers have more than one encoding of a vector.
  if (EncodeEvictedRecord(evicted) != bytes) return absl::DataLossError("meta table: a damaged handover");
  return evicted;
}

}  // namespace maillage::replication
