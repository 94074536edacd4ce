// One comparison of a filter: what "population >= 1000" or "departments:73" says of a record.
#ifndef MAILLAGE_SERVER_QUERY_CONDITION_H_
#define MAILLAGE_SERVER_QUERY_CONDITION_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "server/query/field_path.h"
#include "server/query/filter_syntax.h"

namespace maillage {

// Thread-safe once built.
class Condition {
 public:
  // `path comparator literal`, by the rules in README.md. InvalidArgument without the column, in
  // French: the comparator doesn't go with the field, or the literal is no value of it.
  static absl::StatusOr<Condition> Make(const FieldPath& path, FilterComparator comparator,
                                        const FilterLiteral& literal);

  bool Matches(const google::protobuf::Message& message) const {
    return AnyValue(message, path_, test_) != negated_;
  }

 private:
  using ValueTest = std::function<bool(const FieldValue&)>;

  Condition(FieldPath path, ValueTest test, bool negated)
      : path_(std::move(path)), test_(std::move(test)), negated_(negated) {}

  FieldPath path_;
  ValueTest test_;
  bool negated_;
};

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_CONDITION_H_
