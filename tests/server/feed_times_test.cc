#include "server/feed_times.h"

#include <gtest/gtest.h>

namespace maillage::server {
namespace {

TEST(FeedTimesTest, TellsWhenTheOldestBehindAPositionCame) {
  FeedTimes times(10);
  times.Note(12, 1'000);
  times.Note(12, 1'500);
  times.Note(15, 2'000);
  EXPECT_EQ(times.SavedAfter(9), std::nullopt) << "of before the start";
  EXPECT_EQ(times.SavedAfter(10), 1'000u);
  EXPECT_EQ(times.SavedAfter(11), 1'000u);
  EXPECT_EQ(times.SavedAfter(12), 2'000u);
  EXPECT_EQ(times.SavedAfter(15), std::nullopt) << "there is none";
}

// Whoever is offline for a year is told too young by what was thinned out, and never too old.
TEST(FeedTimesTest, KeepsSoMuchAndNoMore) {
  FeedTimes times(0);
  for (uint64_t i = 1; i <= 100'000; ++i) times.Note(i, i * 1'000);
  for (const uint64_t position : {0u, 5u, 50'000u, 99'990u}) {
    const uint64_t told = times.SavedAfter(position).value();
    EXPECT_GE(told, (position + 1) * 1'000);
    if (position >= 99'000) {
      EXPECT_EQ(told, (position + 1) * 1'000) << "of late it is exact";
    }
  }
}

}  // namespace
}  // namespace maillage::server
