// How messages for people quote what was typed or imported.
#ifndef MAILLAGE_PROTO_QUOTE_H_
#define MAILLAGE_PROTO_QUOTE_H_

#include <string>
#include <string_view>

namespace maillage {

// « value », with no-break spaces inside the quotes. Always valid UTF-8 on one line: invalid bytes
// become U+FFFD, control characters spaces, and what follows the 60th character an ellipsis.
std::string Quote(std::string_view value);

}  // namespace maillage

#endif  // MAILLAGE_PROTO_QUOTE_H_
