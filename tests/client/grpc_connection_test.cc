#include "client/grpc_connection.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/record_service.grpc.pb.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;

// Answers with what it was asked; a watch sends two events and stays open until the client leaves.
class EchoService : public v1::RecordService::Service {
 public:
  grpc::Status GetRecord(grpc::ServerContext* context, const v1::GetRecordRequest* request,
                         v1::Record* record) override {
    has_deadline = context->deadline() != std::chrono::system_clock::time_point::max();
    if (request->name() == "actor/none") return {grpc::StatusCode::NOT_FOUND, "aucune fiche"};
    record->set_name(request->name());
    return grpc::Status::OK;
  }

  grpc::Status WatchRecords(grpc::ServerContext* context, const v1::WatchRecordsRequest*,
                            grpc::ServerWriter<v1::RecordEvent>* writer) override {
    v1::RecordEvent event;
    for (uint64_t position = 1; position <= 2; ++position) {
      event.set_position(position);
      writer->Write(event);
    }
    // Writes fail once the client has left.
    while (!context->IsCancelled() && writer->Write(event)) {
    }
    return grpc::Status::CANCELLED;
  }

  std::optional<bool> has_deadline;
};

class GrpcConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    connection_ = MakeGrpcConnection(
        {.address = absl::StrCat("127.0.0.1:", port), .stop = stop_.get_token()});
  }

  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
  std::stop_source stop_;
  std::shared_ptr<Connection> connection_;
};

TEST_F(GrpcConnectionTest, CallsHaveDeadlinesAndCarryStatuses) {
  v1::GetRecordRequest request;
  request.set_name("actor/1");
  const auto record = connection_->GetRecord(request);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->name(), "actor/1");
  EXPECT_EQ(service_.has_deadline, true);
  request.set_name("actor/none");
  EXPECT_EQ(connection_->GetRecord(request).status(), absl::NotFoundError("aucune fiche"));
}

TEST_F(GrpcConnectionTest, AMethodThatTheNodeLacksIsUnimplemented) {
  EXPECT_EQ(connection_->GetStatus({}).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(GrpcConnectionTest, AWatchEndsWhenTheHandlerHasEnough) {
  std::vector<uint64_t> seen;
  const absl::Status status =
      connection_->WatchRecords({}, absl::InfiniteFuture(), [&](const v1::RecordEvent& event) {
        seen.push_back(event.position());
        return seen.size() < 2;
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(GrpcConnectionTest, AWatchEndsWhenItsTimeIsUp) {
  const absl::Status status = connection_->WatchRecords(
      {}, absl::Now() + absl::Milliseconds(50), [](const v1::RecordEvent&) { return true; });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(GrpcConnectionTest, AStopEndsAWatchAndLaterCalls) {
  const absl::Status status =
      connection_->WatchRecords({}, absl::InfiniteFuture(), [&](const v1::RecordEvent&) {
        stop_.request_stop();
        return true;
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(connection_->GetRecord({}).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(GrpcConnectionTest, NoNodeIsUnavailable) {
  server_->Shutdown();
  EXPECT_EQ(connection_->GetRecord({}).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace maillage::client
