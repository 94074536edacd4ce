#include "server/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/log_limiter.h"

namespace maillage::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AdmissionTest, TheFirstComeGoFirst) {
  Admission admission(2);
  for (uint64_t link = 1; link <= 5; ++link) admission.Arrive(link);
  EXPECT_THAT(admission.Admit(0), ElementsAre(1, 2));
  EXPECT_THAT(admission.Admit(0), IsEmpty());
  EXPECT_EQ(admission.waiting(), 3);
  admission.Leave(2);
  EXPECT_THAT(admission.Admit(0), ElementsAre(3));
}

TEST(AdmissionTest, WhoHangsUpLosesItsTurn) {
  Admission admission(1);
  for (uint64_t link = 1; link <= 3; ++link) admission.Arrive(link);
  EXPECT_THAT(admission.Admit(0), ElementsAre(1));
  admission.Leave(2);
  admission.Leave(1);
  admission.Leave(1);
  EXPECT_THAT(admission.Admit(0), ElementsAre(3));
}

TEST(AdmissionTest, WhoStandsStillGivesWayOnlyIfOthersWait) {
  Admission admission(2);
  admission.Arrive(1);
  admission.Arrive(2);
  admission.Admit(1000);
  EXPECT_THAT(admission.Stalled(100'000, 60'000), IsEmpty());
  admission.Arrive(3);
  admission.NoteProgress(1, 50'000);
  EXPECT_THAT(admission.Stalled(60'999, 60'000), IsEmpty());
  EXPECT_THAT(admission.Stalled(61'000, 60'000), ElementsAre(2));
  // The clock was set back.
  EXPECT_THAT(admission.Stalled(0, 60'000), IsEmpty());
}

TEST(LogLimiterTest, SaysHowManyItKeptBack) {
  LogLimiter limiter(2, 1000);
  EXPECT_EQ(limiter.Admit(5000), 0);
  EXPECT_EQ(limiter.Admit(5001), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.Admit(5002), std::nullopt);
  EXPECT_EQ(limiter.Admit(6000), 1000);
  EXPECT_EQ(limiter.Admit(6001), 0);
  // A clock that was set back begins a new period.
  EXPECT_EQ(limiter.Admit(10), 0);
}

}  // namespace
}  // namespace maillage::server
