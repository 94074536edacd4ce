// Where in a row of the store something is said of a person: the values, and in sets and maps the keys, that their author's schema
// calls personal (proto/merge.proto).
#ifndef MAILLAGE_REPLICATION_PERSONAL_SPANS_H_
#define MAILLAGE_REPLICATION_PERSONAL_SPANS_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace maillage::replication {

// Never empty.
struct Span {
  size_t offset = 0;
  size_t size = 0;
  bool operator==(const Span&) const = default;
};

// In ascending order, without overlap. Of bytes that are none of ours what is found before that shows.
std::vector<Span> PersonalInState(std::string_view state);
// Of a feed entry that holds a change.
std::vector<Span> PersonalInFeedEntry(std::string_view entry);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_PERSONAL_SPANS_H_
