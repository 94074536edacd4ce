// Seeds of random tests: fixed unless the environment says otherwise, and printed, so that what failed can be
// run again:  MAILLAGE_SEED=42 build/tests/…/merge_test --gtest_filter=Merge.Commutes
#ifndef MAILLAGE_TESTS_SUPPORT_SEED_H_
#define MAILLAGE_TESTS_SUPPORT_SEED_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"

namespace maillage::testing {

// The number in an environment variable, or `otherwise` where it is unset. Fails the running test on what is
// no number.
inline uint64_t NumberFromEnvironment(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  uint64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  ADD_FAILURE() << variable << "=" << text << " is not a number";
  return otherwise;
}

// The seed of the running test: MAILLAGE_SEED, or 20210108. Prints it, and records it in the test's report.
inline uint64_t TestSeed() {
  const uint64_t seed = NumberFromEnvironment("MAILLAGE_SEED", 20210108);
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  std::cout << "seed: " << seed << " (MAILLAGE_SEED=" << seed << " runs it again)" << std::endl;
  return seed;
}

// How many random histories a test tries: `usual`, times MAILLAGE_SOAK where that is set.
inline uint64_t TestRounds(uint64_t usual) {
  return usual * NumberFromEnvironment("MAILLAGE_SOAK", 1);
}

}  // namespace maillage::testing

#endif  // MAILLAGE_TESTS_SUPPORT_SEED_H_
