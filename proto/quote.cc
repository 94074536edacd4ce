#include "proto/quote.h"

#include <cstddef>
#include <cstdint>

#include "unicode/uchar.h"
#include "unicode/utf8.h"

namespace maillage {

std::string Quote(std::string_view value) {
  constexpr int kMaxCharacters = 60;
  std::string quoted = "«\u00A0";
  int characters = 0;
  for (size_t i = 0; i < value.size(); ++characters) {
    if (characters == kMaxCharacters) {
      quoted += "…";
      break;
    }
    UChar32 c;
    U8_NEXT_OR_FFFD(value.data(), i, value.size(), c);
    if (u_iscntrl(c)) c = ' ';
    char bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, c);
    quoted.append(bytes, static_cast<size_t>(length));
  }
  return quoted += "\u00A0»";
}

}  // namespace maillage
