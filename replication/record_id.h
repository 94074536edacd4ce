// Ids of records: UUIDv7 (RFC 9562, section 5.7) whose last six bytes tell which site made them, so that nobody but that site
// can write the first change of a record that others know.
#ifndef MAILLAGE_REPLICATION_RECORD_ID_H_
#define MAILLAGE_REPLICATION_RECORD_ID_H_

#include <cstdint>

#include "proto/id.h"
#include "replication/ports.h"

namespace maillage::replication {

// 48 bits of the clock, 26 bits that are random and count on within one millisecond, and between them the version and the
// variant; then 48 bits of BLAKE2b-256 over the site and those ten bytes. Two ids of one source never are the same while its
// clock doesn't go back. Who wants to claim somebody else's id needs a key whose site has the same 48 bits: 2^47 keys to try, on
// average, for one record. Not thread-safe.
class RecordIdSource {
 public:
  // Both must outlive the source.
  RecordIdSource(WallClock* clock, Random* random) : clock_(clock), random_(random) {}
  RecordId Next(const SiteId& site);

 private:
  WallClock* const clock_;
  Random* const random_;
  uint64_t millis_ = 0;
  uint32_t count_ = 0;
};

// Whether the site could have made the id.
bool IsIdOf(const RecordId& id, const SiteId& site);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_ID_H_
