#include "server/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/tuning.h"
#include "tests/replication/support/ports.h"

namespace maillage::server {
namespace {

using ::testing::HasSubstr;
using v1::NodeStatus;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class FakeDisk final : public Disk {
 public:
  absl::StatusOr<uint64_t> FreeBytes(const std::filesystem::path&) override { return free_bytes; }
  absl::Status TryWrite(const std::filesystem::path&) override { return writing; }

  uint64_t free_bytes = 1000 * kMiB;
  absl::Status writing;
};

class RecoveryTest : public ::testing::Test {
 protected:
  Recovery::Ports Ports() {
    return {&clock_, &disk_, "data", 100 * kMiB,
            [this] {
              ++reopenings_;
              return reopening_;
            },
            [this] { ++changes_; }};
  }
  // A batch after `millis`.
  void After(uint64_t millis) {
    clock_.millis += millis;
    recovery_.BeforeBatch(0);
  }
  NodeStatus Status() {
    NodeStatus status;
    recovery_.Describe(status);
    return status;
  }

  replication::testing::FakeWall clock_;
  FakeDisk disk_;
  absl::Status reopening_;
  int reopenings_ = 0;
  int changes_ = 0;
  Recovery recovery_{Ports()};
};

TEST_F(RecoveryTest, StopsBelowTheReserveAndResumesAboveTwice) {
  After(0);
  EXPECT_EQ(Status().write_state(), NodeStatus::WRITING);
  disk_.free_bytes = 99 * kMiB;
  After(kDiskLookMillis);
  const absl::Status refused = recovery_.MayWrite();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("99 Mio libres"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("rien n'a été écrit"));
  EXPECT_EQ(Status().write_state(), NodeStatus::READ_ONLY_DISK_FULL);
  EXPECT_FALSE(recovery_.store_failed());
  disk_.free_bytes = 199 * kMiB;
  After(kDiskLookMillis);
  EXPECT_FALSE(recovery_.writing());
  disk_.free_bytes = 200 * kMiB;
  After(kDiskLookMillis);
  EXPECT_TRUE(recovery_.writing());
  EXPECT_EQ(Status().read_only_reason(), "");
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(reopenings_, 0);
}

TEST_F(RecoveryTest, LooksAtOnceAfterMuchWasWritten) {
  After(0);
  disk_.free_bytes = 0;
  recovery_.BeforeBatch(kDiskLookBytes - 1);
  EXPECT_TRUE(recovery_.writing());
  recovery_.BeforeBatch(1);
  EXPECT_FALSE(recovery_.writing());
}

TEST_F(RecoveryTest, AFailedCommitIsReopenedOnceTheDiskTakesWrites) {
  After(0);
  disk_.writing = absl::InternalError("injected");
  recovery_.OnCommitFailed(absl::InternalError("sync"));
  EXPECT_EQ(recovery_.MayWrite().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Status().write_state(), NodeStatus::READ_ONLY_STORE_ERROR);
  EXPECT_TRUE(recovery_.store_failed());
  for (int i = 0; i < 4; ++i) After(kMaxReopenMillis);
  EXPECT_EQ(reopenings_, 0);
  EXPECT_THAT(Status().read_only_reason(), HasSubstr("injected"));
  disk_.writing = absl::OkStatus();
  After(kMaxReopenMillis);
  EXPECT_TRUE(recovery_.writing());
  EXPECT_FALSE(recovery_.store_failed());
  EXPECT_EQ(reopenings_, 1);
  EXPECT_EQ(Status().failed_commits(), 1);
  EXPECT_EQ(Status().store_reopenings(), 1);
}

TEST_F(RecoveryTest, ReopeningIsTriedAtGrowingIntervals) {
  After(0);
  reopening_ = absl::InternalError("still broken");
  recovery_.OnCommitFailed(absl::InternalError("sync"));
  // Ten minutes of looks a second: without the growing delay there would be 600.
  for (int i = 0; i < 600; ++i) After(1000);
  EXPECT_GE(reopenings_, 10);
  EXPECT_LE(reopenings_, 25);
}

TEST_F(RecoveryTest, AFullDiskMetByACommitHasToHaveRoomBeforeTheReopening) {
  After(0);
  disk_.free_bytes = 150 * kMiB;
  recovery_.OnCommitFailed(absl::ResourceExhaustedError("no space"));
  EXPECT_EQ(Status().write_state(), NodeStatus::READ_ONLY_DISK_FULL);
  EXPECT_EQ(recovery_.MayWrite().code(), absl::StatusCode::kResourceExhausted);
  After(kMaxReopenMillis);
  EXPECT_EQ(reopenings_, 0);
  disk_.free_bytes = 200 * kMiB;
  After(kMaxReopenMillis);
  EXPECT_EQ(reopenings_, 1);
  EXPECT_TRUE(recovery_.writing());
}

TEST_F(RecoveryTest, AClockSetBackByYearsDelaysNothingForYears) {
  After(0);
  clock_.millis -= uint64_t{10} * 365 * 86'400'000;
  disk_.free_bytes = 0;
  After(0);
  EXPECT_FALSE(recovery_.writing());
}

}  // namespace
}  // namespace maillage::server
