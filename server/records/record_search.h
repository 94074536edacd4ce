// The records of a kind that a list request asks for, one after the other.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_SEARCH_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_SEARCH_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "proto/id.h"
#include "proto/record_service.pb.h"
#include "replication/record_reader.h"
#include "replication/record_state.h"
#include "replication/schema.h"
#include "server/query/filter.h"
#include "storage/store.h"

namespace maillage::server {

struct FoundRecord {
  RecordId id;
  const replication::RecordState& state;
  google::protobuf::Message& content;
};

// Filter, words and deleted records of a request, checked. Immutable.
class RecordSearch {
 public:
  // `schema` must outlive the search.
  static absl::StatusOr<RecordSearch> Make(const replication::Schema& schema,
                                           const v1::ListRecordsRequest& request);

  const replication::KindSchema& kind() const { return *kind_; }
  // Nothing is asked for but the kind.
  bool MatchesAll() const { return filter_.MatchesAll() && words_.empty(); }

  // Visits what matches by id, from the first after `after` on (nothing: from the start), until
  // visit returns false. Words are looked up in the index, which leaves deleted records out; for
  // those, all are read. What can't be read is passed over, and told in `unread`.
  absl::Status Scan(const storage::ReadView& view, const std::optional<RecordId>& after,
                    absl::FunctionRef<bool(const FoundRecord&)> visit,
                    replication::Unread& unread) const;

 private:
  RecordSearch(const replication::Schema* schema, const replication::KindSchema* kind)
      : schema_(schema), kind_(kind) {}

  absl::Status ScanIndexed(const storage::ReadView& view, const std::optional<RecordId>& after,
                           absl::FunctionRef<bool(const FoundRecord&)> visit,
                           replication::Unread& unread) const;
  // Visits the record if it matches; false when visit said to stop.
  bool VisitIfMatching(const RecordId& id, const replication::RecordState& state,
                       absl::FunctionRef<bool(const FoundRecord&)> visit) const;
  bool HasAllWords(const google::protobuf::Message& content) const;

  const replication::Schema* schema_;
  const replication::KindSchema* kind_;
  maillage::Filter filter_;
  // Folded; the longest first.
  std::vector<std::string> words_;
  bool show_deleted_ = false;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_SEARCH_H_
