#include "server/allowance.h"

#include <gtest/gtest.h>

namespace maillage::server {
namespace {

constexpr uint64_t kNow = 1'770'000'000'000;

TEST(Allowance, GivesABurstAndThenARate) {
  Allowance allowance(10, 100);
  allowance.Spend(100, kNow);
  EXPECT_EQ(allowance.WaitMillis(kNow), 0u);
  allowance.Spend(50, kNow);
  EXPECT_EQ(allowance.WaitMillis(kNow), 5'001u);
  EXPECT_EQ(allowance.WaitMillis(kNow + 4'000), 1'001u);
  EXPECT_EQ(allowance.WaitMillis(kNow + 5'000), 0u);
}

TEST(Allowance, SavesNoMoreThanTheBurst) {
  Allowance allowance(10, 100);
  allowance.Spend(0, kNow);
  allowance.Spend(101, kNow + 86'400'000);
  EXPECT_GT(allowance.WaitMillis(kNow + 86'400'000), 0u);
}

TEST(Allowance, AClockThatIsSetBackGivesNothing) {
  Allowance allowance(10, 100);
  allowance.Spend(150, kNow);
  EXPECT_EQ(allowance.WaitMillis(kNow - 3'600'000), 5'001u);
  EXPECT_EQ(allowance.WaitMillis(kNow - 3'600'000 + 5'000), 0u);
}

}  // namespace
}  // namespace maillage::server
