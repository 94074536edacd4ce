// How many random histories a test plays: MAILLAGE_HISTORIES, or what its build affords.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_HISTORIES_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_HISTORIES_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {

// `share` of the usual number, for tests whose histories are dear.
inline uint64_t Histories(double share = 1) {
  const auto usual = static_cast<uint64_t>(MAILLAGE_USUAL_HISTORIES * share);
  return maillage::testing::NumberFromEnvironment("MAILLAGE_HISTORIES",
                                                  maillage::testing::TestRounds(usual));
}

// Plays histories, each from a seed of its own, until one fails; says which.
template <typename Body>
void ForEachHistory(Body body, double share = 1) {
  const uint64_t first = maillage::testing::TestSeed();
  const uint64_t count = Histories(share);
  for (uint64_t i = 0; i < count; ++i) {
    SCOPED_TRACE("MAILLAGE_SEED=" + std::to_string(first + i) + " MAILLAGE_HISTORIES=1");
    SeededRandom random(first + i);
    body(random);
    if (::testing::Test::HasFatalFailure()) return;
  }
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::cout << "figure: random histories " << count << ", " << test->test_suite_name() << "." << test->name()
            << std::endl;
}

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_HISTORIES_H_
