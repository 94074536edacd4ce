// From what a person asks for, a typed message and a field mask, to the operations of one change.
#ifndef MAILLAGE_REPLICATION_EDIT_H_
#define MAILLAGE_REPLICATION_EDIT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "replication/change.h"
#include "replication/record_state.h"
#include "replication/schema.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// All pointers may be null, and must outlive the call otherwise; messages are of the kind.
struct Edit {
  // Fields that take the content's value; where the content has none, they are cleared.
  std::vector<const FieldSchema*> fields;
  const google::protobuf::Message* content = nullptr;
  // Elements to add to SET and MAP fields; an entry of a MAP whose key exists is replaced.
  const google::protobuf::Message* additions = nullptr;
  // Elements to remove; of a MAP entry only the key is read.
  const google::protobuf::Message* removals = nullptr;
};

// The operations that make `state` what the edit asks for, as few as possible: a value that is already there and
// contradicts nobody needs none, and nothing is removed that `context` doesn't cover. Sorted by cell.
// The value of a COUNTER is what to add; Replica::Write turns it into the author's total.
// InvalidArgument where additions or removals name a field that is neither SET nor MAP, or an entry has no key.
absl::StatusOr<std::vector<Operation>> PlanEdit(const KindSchema& kind, const RecordState& state,
                                                const VersionVector& context, const Edit& edit);

// Fields of the kind that the message holds: what a creation sets.
std::vector<const FieldSchema*> SetFields(const KindSchema& kind,
                                          const google::protobuf::Message& message);

Operation DeleteOperation(const VersionVector& covered);
Operation UndeleteOperation();

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_EDIT_H_
