// Which bytes are text: UTF-8 as Protocol Buffers takes it in a field of type string (no surrogates, no overlong forms).
#ifndef MAILLAGE_PROTO_UTF8_H_
#define MAILLAGE_PROTO_UTF8_H_

#include <cstddef>
#include <string_view>

namespace maillage {

// Length of the longest beginning that is valid: the position of the first byte that isn't.
size_t ValidUtf8Bytes(std::string_view bytes);

inline bool IsUtf8(std::string_view bytes) { return ValidUtf8Bytes(bytes) == bytes.size(); }

// The longest beginning of at most `max_bytes` bytes that cuts no character in two. `text` is valid.
std::string_view FirstUtf8Bytes(std::string_view text, size_t max_bytes);

}  // namespace maillage

#endif  // MAILLAGE_PROTO_UTF8_H_
