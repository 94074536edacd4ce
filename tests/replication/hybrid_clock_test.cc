#include "replication/hybrid_clock.h"

#include <gtest/gtest.h>

#include "replication/tuning.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {
namespace {

constexpr uint64_t kYear = 365ull * 24 * 3600 * 1000;

TEST(HybridClock, GrowsWhileTheWallClockStandsStill) {
  FakeWall wall;
  HybridClock clock(&wall);
  const HybridTime first = clock.Now();
  const HybridTime second = clock.Now();
  EXPECT_EQ(first, HybridTime::FromMillis(kMorning));
  EXPECT_GT(second, first);
  EXPECT_EQ(second.millis(), kMorning);
}

TEST(HybridClock, FollowsTheWallClockForward) {
  FakeWall wall;
  HybridClock clock(&wall);
  clock.Now();
  wall.millis += 10 * kYear;
  EXPECT_EQ(clock.Now(), HybridTime::FromMillis(kMorning + 10 * kYear));
}

TEST(HybridClock, GrowsWhileTheWallClockGoesBackALittle) {
  FakeWall wall;
  HybridClock clock(&wall);
  HybridTime last = clock.Now();
  for (const uint64_t back : {uint64_t{1}, uint64_t{1000}, kMaxClockLeadMillis}) {
    wall.millis = kMorning - back;
    const HybridTime now = clock.Now();
    EXPECT_GT(now, last);
    EXPECT_EQ(now.millis(), kMorning);
    last = now;
  }
}

TEST(HybridClock, BelievesAWallClockThatWasCorrectedByYears) {
  FakeWall wall(kMorning + 10 * kYear);
  HybridClock clock(&wall);
  clock.Now();
  wall.millis = kMorning;
  const HybridTime corrected = clock.Now();
  EXPECT_EQ(corrected, HybridTime::FromMillis(kMorning));
  EXPECT_GT(clock.Now(), corrected);
}

TEST(HybridClock, IsAfterWhatItObserved) {
  FakeWall wall;
  HybridClock clock(&wall);
  const HybridTime remote{HybridTime::FromMillis(kMorning + 5000).value + 7};
  EXPECT_TRUE(clock.Observe(remote));
  EXPECT_GT(clock.Now(), remote);
  EXPECT_TRUE(clock.Observe(HybridTime::FromMillis(kMorning - 10 * kYear)));
  EXPECT_GT(clock.Now(), remote);
}

TEST(HybridClock, TheTenMinuteRuleIsExact) {
  FakeWall wall;
  HybridClock clock(&wall);
  const HybridTime latest{(kMorning + kMaxClockLeadMillis) << 16 | 0xffff};
  EXPECT_FALSE(clock.Observe({latest.value + 1}));
  EXPECT_LT(clock.Now().millis(), kMorning + 1);
  EXPECT_TRUE(clock.Observe(latest));
  EXPECT_EQ(clock.last(), latest);
}

TEST(HybridClock, NeverFollowsTimesYearsAhead) {
  FakeWall wall;
  HybridClock clock(&wall);
  for (const uint64_t millis : {kMorning + 10 * kYear, (uint64_t{1} << 48) - 1}) {
    EXPECT_FALSE(clock.Observe(HybridTime::FromMillis(millis)));
  }
  EXPECT_EQ(clock.Now(), HybridTime::FromMillis(kMorning));
}

TEST(HybridClock, CountsOnIntoTheNextMillisecond) {
  FakeWall wall;
  HybridClock clock(&wall);
  ASSERT_TRUE(clock.Observe({HybridTime::FromMillis(kMorning).value | 0xffff}));
  EXPECT_EQ(clock.Now(), HybridTime::FromMillis(kMorning + 1));
}

TEST(HybridClock, ContinuesAfterARestart) {
  FakeWall wall;
  HybridClock before(&wall);
  before.Now();
  const HybridTime saved = before.Now();
  wall.millis -= 3000;
  HybridClock after(&wall);
  EXPECT_TRUE(after.Observe(saved));
  EXPECT_GT(after.Now(), saved);
}

TEST(HybridClock, StartsAnewWhereTheSavedTimeIsYearsAhead) {
  FakeWall wall;
  HybridClock clock(&wall);
  EXPECT_FALSE(clock.Observe(HybridTime::FromMillis(kMorning + 10 * kYear)));
  EXPECT_EQ(clock.Now(), HybridTime::FromMillis(kMorning));
}

TEST(HybridClock, WorksBeforeTheYear1980) {
  // The battery of the laptop's clock is empty.
  FakeWall wall(0);
  HybridClock clock(&wall);
  EXPECT_GT(clock.Now(), HybridTime());
  EXPECT_FALSE(clock.Observe(HybridTime::FromMillis(kMorning)));
  EXPECT_EQ(clock.Now().millis(), 0u);
}

}  // namespace
}  // namespace maillage::replication::testing
