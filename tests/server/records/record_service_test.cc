// The adapter, over gRPC.
#include "server/records/record_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::HasSubstr;

class RecordServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Over a socket, whose order ThreadSanitizer sees; in gRPC's in-process transport it takes
    // every byte for a race.
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    // Windows that don't grow: a client that doesn't read stops the server after 64 KB.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    stub_ = v1::RecordService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments));
  }

  void TearDown() override {
    service_.Shutdown();
    server_->Shutdown();
    writer_.Stop();
  }

  grpc::Status Create(const google::protobuf::Message& content, v1::Record* record,
                      const v1::WriteContext& who = By("Awa")) {
    grpc::ClientContext context;
    v1::CreateRecordRequest request;
    request.mutable_record()->mutable_content()->PackFrom(content);
    *request.mutable_context() = who;
    return stub_->CreateRecord(&context, request, record);
  }

  v1::Record CreateActor(const std::string& actor) {
    v1::Record record;
    const grpc::Status status = Create(Parse<v1::Actor>(actor), &record);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return record;
  }

  // A watch that is under way.
  struct Watch {
    Watch(v1::RecordService::Stub& stub, const std::string& request)
        : reader(stub.WatchRecords(&context, Parse<v1::WatchRecordsRequest>(request))) {
      reader->WaitForInitialMetadata();
    }
    std::string Next() {
      v1::RecordEvent event;
      if (!reader->Read(&event)) return "the end";
      position = event.position();
      return event.record().name();
    }

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::RecordEvent>> reader;
    uint64_t position = 0;
  };

  Site lyon_{'l'};
  Writer writer_{&lyon_.replica()};
  RecordService service_{&lyon_.schema(), &lyon_.store(), &writer_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::RecordService::Stub> stub_;
};

TEST_F(RecordServiceTest, EveryMethodAnswers) {
  const v1::Record record = CreateActor("name: 'ADOS'");
  v1::Record answer;
  const auto call = [&](auto method, const auto& request, auto* response) {
    grpc::ClientContext context;
    const grpc::Status status = ((*stub_).*method)(&context, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  };
  using Stub = v1::RecordService::Stub;
  v1::UpdateRecordRequest update;
  *update.mutable_record() = record;
  update.mutable_record()->mutable_content()->PackFrom(Parse<v1::Actor>("acronym: 'A'"));
  call(&Stub::UpdateRecord, update, &answer);
  EXPECT_EQ(Unpack<v1::Actor>(answer).acronym(), "A");
  v1::DeleteRecordRequest remove;
  remove.set_name(record.name());
  call(&Stub::DeleteRecord, remove, &answer);
  EXPECT_TRUE(answer.deleted());
  v1::UndeleteRecordRequest restore;
  restore.set_name(record.name());
  call(&Stub::UndeleteRecord, restore, &answer);
  v1::GetRecordRequest get;
  get.set_name(record.name());
  v1::Record got;
  call(&Stub::GetRecord, get, &got);
  EXPECT_EQ(Line(got), Line(answer));
  v1::ListRecordsResponse listed;
  call(&Stub::ListRecords, Parse<v1::ListRecordsRequest>("kind: 'actor'"), &listed);
  EXPECT_EQ(listed.records_size(), 1);
  v1::ListRecordChangesRequest history;
  history.set_name(record.name());
  v1::ListRecordChangesResponse changes;
  call(&Stub::ListRecordChanges, history, &changes);
  EXPECT_EQ(changes.changes_size(), 4);
  v1::ListConflictsResponse conflicts;
  call(&Stub::ListConflicts, v1::ListConflictsRequest(), &conflicts);
  EXPECT_EQ(conflicts.conflicts_size(), 0);
  v1::ListKindsResponse kinds;
  call(&Stub::ListKinds, v1::ListKindsRequest(), &kinds);
  EXPECT_EQ(kinds.kinds(0).record_count(), 1);
  v1::BatchUpsertRecordsRequest upsert;
  upsert.set_kind("actor");
  upsert.add_content()->PackFrom(Parse<v1::Actor>("name: 'CIEDEL'"));
  v1::BatchUpsertRecordsResponse upserted;
  call(&Stub::BatchUpsertRecords, upsert, &upserted);
  EXPECT_EQ(upserted.results(0).outcome(), v1::UpsertResult::CREATED);
}

TEST_F(RecordServiceTest, ErrorsKeepTheirCodeAndMessage) {
  v1::Record record;
  grpc::Status status = Create(Parse<v1::Actor>("name: 'X' departments: '7300'"), &record);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("departments"));
  grpc::ClientContext context;
  v1::GetRecordRequest request;
  request.set_name("actor/" + Uuid(1));
  status = stub_->GetRecord(&context, request, &record);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(RecordServiceTest, AWriteWhoseCommitFailedHasAnUnknownOutcome) {
  lyon_.store().FailNextCommit(absl::DataLossError("disk"), storage::MemoryStore::Outcome::kLost);
  v1::Record record;
  const grpc::Status status = Create(Parse<v1::Actor>("name: 'X'"), &record);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_THAT(status.error_message(), HasSubstr("request_id"));
}

TEST_F(RecordServiceTest, ARefusalIsNoUnknownOutcome) {
  lyon_.store().FailNextCommit(absl::DataLossError("disk"), storage::MemoryStore::Outcome::kLost);
  v1::Record record;
  EXPECT_EQ(Create(Parse<v1::Actor>("acronym: 'X'"), &record).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RecordServiceTest, AfterTheWritersStopWritesAreUnavailable) {
  writer_.Stop();
  v1::Record record;
  EXPECT_EQ(Create(Parse<v1::Actor>("name: 'X'"), &record).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RecordServiceTest, AWatchTellsWhatIsCommittedFromNowOn) {
  CreateActor("name: 'Avant'");
  Watch watch(*stub_, "");
  const v1::Record first = CreateActor("name: 'ADOS'");
  EXPECT_EQ(watch.Next(), first.name());
  const v1::Record second = CreateActor("name: 'CIEDEL'");
  EXPECT_EQ(watch.Next(), second.name());
  watch.context.TryCancel();
  EXPECT_EQ(watch.Next(), "the end");
}

TEST_F(RecordServiceTest, AWatchResumesAfterAPosition) {
  // More than a turn reads at once, with another kind between.
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back(CreateActor("name: 'A'").name());
  v1::Record event;
  ASSERT_TRUE(Create(Parse<v1::Event>("title: 'Repas'"), &event).ok());
  names.push_back(CreateActor("name: 'B'").name());
  uint64_t middle = 0;
  {
    Watch watch(*stub_, "after: 0 kind: 'actor'");
    for (int i = 0; i < 150; ++i) EXPECT_EQ(watch.Next(), names[i]);
    middle = watch.position;
  }
  Watch watch(*stub_, "after: " + std::to_string(middle) + " kind: 'actor'");
  for (size_t i = 150; i < names.size(); ++i) ASSERT_EQ(watch.Next(), names[i]);
}

TEST_F(RecordServiceTest, TwoWatchersSeeAllAndASlowOneHoldsUpNobody) {
  Watch slow(*stub_, "");
  Watch quick(*stub_, "");
  for (int i = 0; i < 100; ++i) {
    const v1::Record record = CreateActor("name: 'A'");
    EXPECT_EQ(quick.Next(), record.name());
  }
  const uint64_t last = quick.position;
  while (slow.position < last) ASSERT_NE(slow.Next(), "the end");
}

TEST_F(RecordServiceTest, AWatchThatCannotBeSaysWhy) {
  Watch unknown(*stub_, "kind: 'acteur'");
  EXPECT_EQ(unknown.Next(), "the end");
  EXPECT_EQ(unknown.reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  Watch ahead(*stub_, "after: 1000");
  EXPECT_EQ(ahead.Next(), "the end");
  EXPECT_EQ(ahead.reader->Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(RecordServiceTest, ShutdownEndsEveryWatch) {
  Watch idle(*stub_, "");
  service_.Shutdown();
  EXPECT_EQ(idle.Next(), "the end");
  EXPECT_EQ(idle.reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  Watch late(*stub_, "");
  EXPECT_EQ(late.Next(), "the end");
  EXPECT_EQ(late.reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RecordServiceTest, ShutdownDoesNotWaitForAClientThatDoesNotRead) {
  Watch watch(*stub_, "after: 0");
  const std::string text(60'000, 'x');
  // Far more than the stream's window.
  for (int i = 0; i < 16; ++i) {
    v1::Actor actor = Parse<v1::Actor>("name: 'A'");
    actor.set_description(text);
    v1::Record record;
    ASSERT_TRUE(Create(actor, &record).ok());
  }
  service_.Shutdown();
  while (watch.Next() != "the end") {
  }
  EXPECT_FALSE(watch.reader->Finish().ok());
}

}  // namespace
}  // namespace maillage::server::testing
