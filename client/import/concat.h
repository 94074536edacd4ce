// absl::StrCat for texts of both kinds: Debian's Abseil has a string_view of its own.
#ifndef MAILLAGE_CLIENT_IMPORT_CONCAT_H_
#define MAILLAGE_CLIENT_IMPORT_CONCAT_H_

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::client {

inline absl::string_view ConcatPart(std::string_view part) { return ToAbsl(part); }
template <typename T>
const T& ConcatPart(const T& part) {
  return part;
}

template <typename... Parts>
std::string Concat(const Parts&... parts) {
  return absl::StrCat(ConcatPart(parts)...);
}

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_CONCAT_H_
