// What requests name: kinds, records, fields, contents. All errors are InvalidArgument in French
// unless told otherwise, and say what would be right.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_REQUEST_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"
#include "proto/id.h"
#include "replication/schema.h"
#include "server/tuning.h"

namespace maillage::server {

// By its name: "actor".
absl::StatusOr<const replication::KindSchema*> FindKind(const replication::Schema& schema,
                                                        std::string_view name);
// PermissionDenied for the kinds that nodes write.
absl::Status CheckWritable(const replication::KindSchema& kind);

struct NamedRecord {
  const replication::KindSchema* kind = nullptr;
  RecordKey key;
};
// "actor/018f3c1e-…".
absl::StatusOr<NamedRecord> ParseRecordName(const replication::Schema& schema,
                                            std::string_view name);
std::string RecordName(const replication::KindSchema& kind, const RecordId& id);

// Fields of the kind, each once, by number; "*" is all of them. Parts of a field are no fields: a
// value is written and shown as a whole.
absl::StatusOr<std::vector<const replication::FieldSchema*>> ResolveMask(
    const replication::KindSchema& kind, const google::protobuf::FieldMask& mask);

// The message that `any` holds, which must be of the kind and hold no field that this node doesn't
// know: it would be lost without a word.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> UnpackContent(
    const replication::Schema& schema, const replication::KindSchema& kind,
    const google::protobuf::Any& any);

// The field that names the record isn't blank. Unset passes where it isn't `required`.
absl::Status CheckTitle(const replication::KindSchema& kind,
                        const google::protobuf::Message& content, bool required);

// 0 is kDefaultPageSize; what exceeds kMaxPageSize is kMaxPageSize.
absl::StatusOr<size_t> PageSize(int32_t requested);

// What still goes into a page: as many entries as PageSize says, and none after kMaxPageBytes of them.
class PageRoom {
 public:
  explicit PageRoom(size_t entries) : entries_(entries) {}
  bool full() const { return entries_ == 0 || bytes_ >= kMaxPageBytes; }
  // Not where it is full.
  void Take(const google::protobuf::Message& entry) {
    --entries_;
    bytes_ += entry.ByteSizeLong();
  }

 private:
  size_t entries_;
  size_t bytes_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_REQUEST_H_
