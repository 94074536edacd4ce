// Which records a list shows: filters after AIP-160 over the fields of any kind, read from its
// descriptor. The language, with examples, is in README.md.
#ifndef MAILLAGE_SERVER_QUERY_FILTER_H_
#define MAILLAGE_SERVER_QUERY_FILTER_H_

#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace maillage {

// Immutable, thread-safe and cheap to copy.
class Filter {
 public:
  // A part of the filter, bound to its fields.
  struct Node;

  // Matches every message.
  Filter() = default;

  // `message` must be of the kind that the filter was parsed for, of the same descriptor.
  bool Matches(const google::protobuf::Message& message) const;

  // True if the filter is empty and matches everything.
  bool MatchesAll() const { return root_ == nullptr; }

 private:
  friend absl::StatusOr<Filter> ParseFilter(std::string_view text,
                                            const google::protobuf::Descriptor* kind);

  Filter(std::shared_ptr<const Node> root, const google::protobuf::Descriptor* kind)
      : root_(std::move(root)), kind_(kind) {}

  std::shared_ptr<const Node> root_;
  const google::protobuf::Descriptor* kind_ = nullptr;
};

// InvalidArgument with column and reason: « filtre, colonne 9 : champ inconnu « acronyme » («
// acronym » ?) ; champs : name, acronym, … ». `kind` must outlive the filter. Never fails on blank
// text.
absl::StatusOr<Filter> ParseFilter(std::string_view text, const google::protobuf::Descriptor* kind);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_FILTER_H_
