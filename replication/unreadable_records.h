// The records that one session leaves out because their bytes are damaged here.
#ifndef MAILLAGE_REPLICATION_UNREADABLE_RECORDS_H_
#define MAILLAGE_REPLICATION_UNREADABLE_RECORDS_H_

#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "proto/id.h"
#include "replication/tuning.h"

namespace maillage::replication {

// Not thread-safe. One record that can't be read holds nobody up: the session goes on without it,
// counts it, and tells the peer how many there are. What isn't damage stays an error.
class UnreadableRecords {
 public:
  // OK where `why` is DataLoss: the record is left out. Otherwise `why`.
  absl::Status LeaveOut(const RecordKey& record, const absl::Status& why) {
    if (!absl::IsDataLoss(why)) return why;
    if (records_.size() < kMaxUnreadableRecords) records_.insert(record);
    return absl::OkStatus();
  }
  // Entries of the feed that can't be read: whose they were isn't known.
  void NotePassedOver(uint64_t rows) { passed_over_ += rows; }

  const absl::flat_hash_set<RecordKey>& records() const { return records_; }
  uint64_t passed_over() const { return passed_over_; }

 private:
  absl::flat_hash_set<RecordKey> records_;
  uint64_t passed_over_ = 0;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_UNREADABLE_RECORDS_H_
