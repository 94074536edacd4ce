// What a site keeps of a record that left its scope and was handed over to a site that holds it. Pinned by
// tests/golden/meta.
#ifndef MAILLAGE_REPLICATION_EVICTED_RECORD_H_
#define MAILLAGE_REPLICATION_EVICTED_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/version_vector.h"

namespace maillage::replication {

//   incarnation:8 site sequence:varint millis:8 keeper:16 [territories varint count; each text] vector:rest
struct EvictedRecord {
  // Of this site when it let the record go, and its last sequence number then. A dot that it gives to the record
  // afterwards, should it come back, is of a later epoch: which numbers it had used there it no longer knows.
  uint64_t incarnation = 0;
  uint64_t site_sequence = 0;
  // When, since 1970.
  uint64_t millis = 0;
  // Who confirmed to hold all of it.
  SiteId keeper;
  // Where it lay then, sorted; none: in no département, so that the kind is what left.
  std::vector<std::string> territories;
  // All that this site ever held of it: the changes of this site among them are no twin's.
  VersionVector vector;

  bool operator==(const EvictedRecord&) const = default;
};
std::string EncodeEvictedRecord(const EvictedRecord& evicted);
// DataLoss on bytes that EncodeEvictedRecord did not write.
absl::StatusOr<EvictedRecord> DecodeEvictedRecord(std::string_view bytes);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_EVICTED_RECORD_H_
