// Debian builds Abseil with string views of its own, which the standard's don't convert to or from.
#ifndef MAILLAGE_PROTO_ABSL_VIEW_H_
#define MAILLAGE_PROTO_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace maillage {

inline absl::string_view ToAbsl(std::string_view view) { return {view.data(), view.size()}; }
inline std::string_view ToStd(absl::string_view view) { return {view.data(), view.size()}; }

}  // namespace maillage

#endif  // MAILLAGE_PROTO_ABSL_VIEW_H_
