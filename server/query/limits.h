// Bounds on what a client may ask in a list request, each with its reason.
#ifndef MAILLAGE_SERVER_QUERY_LIMITS_H_
#define MAILLAGE_SERVER_QUERY_LIMITS_H_

#include <cstddef>

namespace maillage {

// A hundred conditions on ids fit in; parsing it takes well under a millisecond.
inline constexpr size_t kMaxFilterBytes = 8192;
// Parentheses inside of each other: far above what people write, far below what the stack bears.
inline constexpr int kMaxFilterDepth = 32;
// Every field of the order is in every sort key, so in every page token.
inline constexpr size_t kMaxOrderByFields = 8;
// Code points of a text that take part in its order, so that a page token on a description stays
// short. Texts that begin with the same 128 are ordered by id.
inline constexpr size_t kMaxSortedCharacters = 128;
// Above the longest token of kMaxOrderByFields texts; what is longer was not made here.
inline constexpr size_t kMaxPageTokenBytes = 65536;

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_LIMITS_H_
