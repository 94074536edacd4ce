// Page tokens (AIP-158): where a list goes on. Nothing of a list is kept on the node between two
// pages.
#ifndef MAILLAGE_SERVER_QUERY_PAGE_TOKEN_H_
#define MAILLAGE_SERVER_QUERY_PAGE_TOKEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace maillage {

// What must not change from one page to the next, in a fixed order: the method's name, the kind,
// the filter, the order, … but not the size of the page.
using PageScope = std::vector<std::string>;

// The last record of a page. The next page begins after it, whatever was written in between.
struct PagePosition {
  // OrderBy::SortKey of the record.
  std::string sort_key;
  // Its id, or whatever orders records of the same sort key.
  std::string id;
};

// Opaque, and safe in a URL. Says no secret, but the record's sort key: values of the fields that
// order the list.
std::string EncodePageToken(const PageScope& scope, const PagePosition& position);

// InvalidArgument, in French, for a token that is damaged, of another scope, or made with another
// version of the alphabetical order. The empty token of a first page is none: don't pass it.
absl::StatusOr<PagePosition> DecodePageToken(const PageScope& scope, std::string_view token);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_PAGE_TOKEN_H_
