#include "proto/utf8.h"

#include "unicode/utf8.h"

namespace maillage {

size_t ValidUtf8Bytes(std::string_view bytes) {
  size_t i = 0;
  while (i < bytes.size()) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
      continue;
    }
    const size_t begin = i;
    UChar32 c;
    U8_NEXT(bytes.data(), i, bytes.size(), c);
    if (c < 0) return begin;
  }
  return i;
}

std::string_view FirstUtf8Bytes(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  return text.substr(0, ValidUtf8Bytes(text.substr(0, max_bytes)));
}

}  // namespace maillage
