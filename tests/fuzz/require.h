// Properties that no input may break. A broken one ends the process, as a crash does: that is how libFuzzer keeps the
// input, and it fails the test that replays it.
#ifndef MAILLAGE_TESTS_FUZZ_REQUIRE_H_
#define MAILLAGE_TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "absl/status/status.h"
#include "proto/absl_view.h"
#include "proto/utf8.h"

#define MAILLAGE_REQUIRE(condition)                                                        \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "%s:%d: property broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)

namespace maillage::fuzz {

// A refusal has the code that the decoder promises, and words that a person can read.
inline void RequireRefusal(const absl::Status& status, absl::StatusCode code) {
  if (status.code() != code) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  MAILLAGE_REQUIRE(status.code() == code);
  MAILLAGE_REQUIRE(!status.message().empty());
  MAILLAGE_REQUIRE(IsUtf8(ToStd(status.message())));
}

}  // namespace maillage::fuzz

#endif  // MAILLAGE_TESTS_FUZZ_REQUIRE_H_
