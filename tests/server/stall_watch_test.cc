#include "server/stall_watch.h"

#include <gtest/gtest.h>

namespace maillage::server {
namespace {

using replication::SyncProgress;

TEST(StallWatchTest, NothingMovesForAMinuteWhileSomethingWaits) {
  StallWatch watch;
  SyncProgress progress;
  progress.frames_sent = 7;
  EXPECT_FALSE(watch.Look(progress, true, 1'000));
  EXPECT_FALSE(watch.Look(progress, true, 1'000 + kStallMillis - 1));
  EXPECT_TRUE(watch.Look(progress, true, 1'000 + kStallMillis));
}

TEST(StallWatchTest, AnyMoveBeginsAnew) {
  StallWatch watch;
  SyncProgress progress;
  uint64_t now = 1'000;
  for (uint64_t SyncProgress::*moves : {&SyncProgress::frames_sent, &SyncProgress::frames_received, &SyncProgress::sent_position,
                                        &SyncProgress::stored_position, &SyncProgress::applied_position, &SyncProgress::agreements}) {
    EXPECT_FALSE(watch.Look(progress, true, now));
    now += kStallMillis - 1;
    ++(progress.*moves);
    EXPECT_FALSE(watch.Look(progress, true, now));
    EXPECT_FALSE(watch.Look(progress, true, now + kStallMillis - 1));
  }
}

TEST(StallWatchTest, WhoIsDoneMayBeStillForADay) {
  StallWatch watch;
  const SyncProgress progress;
  EXPECT_FALSE(watch.Look(progress, false, 1'000));
  EXPECT_FALSE(watch.Look(progress, false, 1'000 + 86'400'000));
  EXPECT_FALSE(watch.Look(progress, true, 1'001 + 86'400'000)) << "the minute begins when something waits";
}

// A clock that was set back is no stall.
TEST(StallWatchTest, AClockThatIsSetBackIsNoStall) {
  StallWatch watch;
  const SyncProgress progress;
  EXPECT_FALSE(watch.Look(progress, true, 1'000'000));
  EXPECT_FALSE(watch.Look(progress, true, 1'000));
}

}  // namespace
}  // namespace maillage::server
