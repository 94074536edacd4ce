// In which order a list shows records: AIP-132, "population desc, name", over the fields of any
// kind.
#ifndef MAILLAGE_SERVER_QUERY_ORDER_H_
#define MAILLAGE_SERVER_QUERY_ORDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/query/field_path.h"

namespace maillage {

// Immutable and thread-safe. Prose is ordered as in a French dictionary, codes and dates by bytes,
// numbers and enums by number; what is unset comes last, in descending order too. Records that are
// equal in all fields are equal here: order them by id.
class OrderBy {
 public:
  // All messages are equal.
  OrderBy() = default;

  bool empty() const { return terms_.empty(); }

  // Bytes that compare as the messages do, to sort by and to carry in a page token; empty for an
  // empty order. `message` must be of the kind that the order was parsed for, of the same
  // descriptor. Only for comparing with keys of an equal order and CollationVersion.
  std::string SortKey(const google::protobuf::Message& message) const;

  // Less than, equal to or greater than 0. Makes both sort keys: to sort many messages, keep
  // theirs.
  int Compare(const google::protobuf::Message& left, const google::protobuf::Message& right) const {
    return SortKey(left).compare(SortKey(right));
  }

 private:
  friend absl::StatusOr<OrderBy> ParseOrderBy(std::string_view text,
                                              const google::protobuf::Descriptor* kind);

  struct Term {
    FieldPath path;
    bool descending = false;
  };

  std::vector<Term> terms_;
};

// At most kMaxOrderByFields fields with commas between them, each followed by "desc" or, by
// default, "asc". Repeated fields and whole messages have no order. InvalidArgument with column and
// reason: « tri, colonne 1 : … ». `kind` must outlive the order.
absl::StatusOr<OrderBy> ParseOrderBy(std::string_view text,
                                     const google::protobuf::Descriptor* kind);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_ORDER_H_
