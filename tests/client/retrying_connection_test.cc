#include "client/retrying_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "proto/records.pb.h"
#include "tests/client/fake_node.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using testing::FakeNode;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RetryingConnectionTest : public ::testing::Test {
 protected:
  // Pauses are noted, not slept; half of each bound is drawn.
  std::shared_ptr<Connection> Retrying() {
    RetryOptions options;
    options.max_attempts = 4;
    options.initial_backoff = absl::Milliseconds(100);
    options.max_backoff = absl::Milliseconds(300);
    options.sleep = [this](absl::Duration pause) { pauses_.push_back(pause); };
    options.uniform = [this] { return draw_; };
    return MakeRetryingConnection(node_, options);
  }

  std::shared_ptr<FakeNode> node_ = std::make_shared<FakeNode>();
  std::vector<absl::Duration> pauses_;
  double draw_ = 0.5;
};

TEST_F(RetryingConnectionTest, RepeatsReadsWithGrowingPauses) {
  node_->failures = {absl::UnavailableError("1"), absl::DeadlineExceededError("2"),
                     absl::UnavailableError("3")};
  EXPECT_TRUE(Retrying()->GetStatus({}).ok());
  EXPECT_THAT(pauses_, ElementsAre(absl::Milliseconds(50), absl::Milliseconds(100),
                                   absl::Milliseconds(150)));
}

TEST_F(RetryingConnectionTest, TheJitterIsFull) {
  node_->failures = {absl::UnavailableError("1"), absl::UnavailableError("2")};
  draw_ = 0;
  EXPECT_TRUE(Retrying()->GetStatus({}).ok());
  EXPECT_THAT(pauses_, ElementsAre(absl::ZeroDuration(), absl::ZeroDuration()));
}

TEST_F(RetryingConnectionTest, GivesUpWithTheLastStatus) {
  for (int i = 1; i <= 5; ++i) node_->failures.push_back(absl::UnavailableError(std::to_string(i)));
  EXPECT_EQ(Retrying()->GetStatus({}).status(), absl::UnavailableError("4"));
  EXPECT_THAT(node_->failures, SizeIs(1));
}

TEST_F(RetryingConnectionTest, OtherErrorsAreNotRepeated) {
  node_->failures = {absl::NotFoundError("non")};
  EXPECT_EQ(Retrying()->GetRecord({}).status(), absl::NotFoundError("non"));
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(RetryingConnectionTest, AWriteIsRepeatedUnderOneRequestId) {
  node_->failures = {absl::UnavailableError("1"), absl::DeadlineExceededError("2")};
  int next = 0;
  Client client(Retrying(),
                {.person = "Awa", .request_id = [&] { return absl::StrCat("r", ++next); }});
  v1::Actor actor;
  actor.set_name("ADOS");
  ASSERT_TRUE(client.Create(actor).ok());
  ASSERT_THAT(node_->contexts, SizeIs(1));
  EXPECT_EQ(node_->contexts[0].request_id(), "r1");
  EXPECT_EQ(next, 1);
}

TEST_F(RetryingConnectionTest, AWriteOfUnknownOutcomeIsSentAgainUnderItsRequestId) {
  node_->failures = {absl::UnknownError("the disk did not confirm"), absl::UnavailableError("read-only")};
  int next = 0;
  Client client(Retrying(),
                {.person = "Awa", .request_id = [&] { return absl::StrCat("r", ++next); }});
  v1::Actor actor;
  actor.set_name("ADOS");
  ASSERT_TRUE(client.Create(actor).ok());
  EXPECT_EQ(node_->contexts.back().request_id(), "r1");
  EXPECT_EQ(next, 1);
  node_->failures = {absl::UnknownError("a read has no unknown outcome")};
  EXPECT_FALSE(Retrying()->GetRecord({}).ok());
}

TEST_F(RetryingConnectionTest, AWriteWithoutARequestIdIsNot) {
  node_->failures = {absl::UnavailableError("1")};
  v1::CreateRecordRequest request;
  request.mutable_record()->mutable_content()->PackFrom(v1::Actor());
  EXPECT_EQ(Retrying()->CreateRecord(request).status(), absl::UnavailableError("1"));
  EXPECT_THAT(node_->records, IsEmpty());
}

TEST_F(RetryingConnectionTest, SyncIsNotBegunAgainAfterItsHalfHour) {
  node_->failures = {absl::DeadlineExceededError("1")};
  EXPECT_EQ(Retrying()->SyncPeer({}).status(), absl::DeadlineExceededError("1"));
  node_->failures = {absl::UnavailableError("2")};
  EXPECT_TRUE(Retrying()->SyncPeer({}).ok());
}

TEST_F(RetryingConnectionTest, AWatchResumesAfterWhatWasSeen) {
  for (uint64_t position : {7, 8, 9}) node_->events.emplace_back().set_position(position);
  node_->failures = {absl::OkStatus(), absl::UnavailableError("cut"), absl::OkStatus()};
  std::vector<uint64_t> seen;
  const absl::Status status =
      Retrying()->WatchRecords({}, absl::InfiniteFuture(), [&](const v1::RecordEvent& event) {
        seen.push_back(event.position());
        return true;
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(7, 8, 9));
  ASSERT_THAT(node_->watches, SizeIs(2));
  EXPECT_FALSE(node_->watches[0].has_after());
  EXPECT_EQ(node_->watches[1].after(), 7u);
  EXPECT_THAT(pauses_, SizeIs(1));
}

TEST_F(RetryingConnectionTest, AWatchThatNeverBeginsGivesUp) {
  for (int i = 0; i < 10; ++i) node_->failures.push_back(absl::UnavailableError("no"));
  EXPECT_FALSE(
      Retrying()
          ->WatchRecords({}, absl::InfiniteFuture(), [](const v1::RecordEvent&) { return true; })
          .ok());
  EXPECT_THAT(node_->watches, SizeIs(4));
}

}  // namespace
}  // namespace maillage::client
