#include "storage/store.h"

#include <cstdlib>

namespace maillage::storage {

std::string_view TableName(Table table) {
  switch (table) {
    case Table::kStates:
      return "states";
    case Table::kChanges:
      return "changes";
    case Table::kFingerprints:
      return "fingerprints";
    case Table::kFeed:
      return "feed";
    case Table::kIndex:
      return "index";
    case Table::kMeta:
      return "meta";
  }
  std::abort();
}

KeyRange KeyRange::Prefix(std::string_view prefix) {
  std::string end(prefix);
  // The next prefix of the same length, or of a shorter one: nothing follows a 0xff.
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return {std::string(prefix), std::move(end)};
}

}  // namespace maillage::storage
