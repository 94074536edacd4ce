// Finding the records in which two sites differ: range-based set reconciliation (Meyer, "Range-Based Set
// Reconciliation", SRDS 2023) over the 16-way tries of FingerprintTree. A pure function from what the peer says of
// its ranges to what to answer and what to exchange; SyncSession carries the messages.
#ifndef MAILLAGE_REPLICATION_RANGE_RECONCILIATION_H_
#define MAILLAGE_REPLICATION_RANGE_RECONCILIATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "proto/id.h"
#include "proto/sync.pb.h"
#include "replication/fingerprint_tree.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace maillage::replication {

// Records below a prefix that the peer lacks altogether.
struct WholeRange {
  storage::PartitionKey partition;
  TriePrefix prefix;
};

struct RangeOutcome {
  // To send back, in this order.
  std::vector<v1::Range> answers;
  // Both hold these, in different states: vectors have to be compared.
  std::vector<RecordKey> different;
  // Only the peer holds these.
  std::vector<RecordKey> missing_here;
  // Only this site holds these.
  std::vector<RecordKey> missing_there;
  std::vector<WholeRange> whole_ranges_missing_there;
};

// True where the peer has to answer: the range is a Node or Children.
bool IsQuestion(const v1::Range& range);

// The first frame of a round: one Node for each partition of the scope that holds a record here.
v1::Ranges DescribeRoots(const FingerprintTree& tree, const Scope& scope, uint64_t salt);

// What follows from one frame of the peer; what it says of partitions outside of the scope is passed over. `view` must be
// of the tree's moment. InvalidArgument where the frame is malformed; other errors come from the store.
absl::Status Reconcile(const FingerprintTree& tree, const storage::ReadView& view, const Scope& scope,
                       const v1::Ranges& frame, RangeOutcome& outcome);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RANGE_RECONCILIATION_H_
