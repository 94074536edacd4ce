// The sites, dots and version vectors of the tests, as people write them down:
//
//   "a3"_dot          Alice's third change to a record
//   "a3 b1"_vv        all of Alice's up to the third, and Bob's first
//   "a'1"_dot         the first of Alice's second epoch; each prime is an epoch more
//   "a~1"_dot         the first of Alice's second incarnation; each tilde is an incarnation more
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_LITERALS_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_LITERALS_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "proto/id.h"
#include "replication/version_vector.h"

namespace maillage::replication {

// For GoogleTest's messages.
void PrintTo(const VersionVector& vector, std::ostream* out);
void PrintTo(const Dot& dot, std::ostream* out);

namespace testing {

// 16 times the letter. Alice < Bob < Carol < Dora, in the order of their dots too.
SiteId SiteOf(char letter);
inline SiteId Alice() { return SiteOf('a'); }
inline SiteId Bob() { return SiteOf('b'); }
inline SiteId Carol() { return SiteOf('c'); }

RecordId IdOf(uint64_t number);

// Both abort on what is no dot: a test can't go on from there.
Dot ParseDot(std::string_view text);
VersionVector ParseVector(std::string_view text);

// The notation above; ids of other sites are shown by FormatDot.
std::string Show(const Dot& dot);
std::string Show(const VersionVector& vector);

std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

inline namespace literals {

inline Dot operator""_dot(const char* text, size_t size) { return ParseDot({text, size}); }
inline VersionVector operator""_vv(const char* text, size_t size) {
  return ParseVector({text, size});
}

}  // namespace literals
}  // namespace testing
}  // namespace maillage::replication

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_LITERALS_H_
