// Bundles and snapshots over gRPC: real nodes, and callers who go away in the middle.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/admin_service.grpc.pb.h"
#include "proto/status_service.grpc.pb.h"
#include "server/node.h"
#include "tests/server/node_client.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

class BundleNode : public NodeClient {
 public:
  explicit BundleNode(std::string site) {
    config_.site = std::move(site);
    config_.data = folder_.In("data");
    config_.listen = "127.0.0.1:0";
    config_.log_level = "error";
    auto node = Node::Start(config_);
    EXPECT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    Connect(node_->address());
    const auto channel = grpc::CreateChannel(node_->address(), grpc::InsecureChannelCredentials());
    admin_ = v1::AdminService::NewStub(channel);
    explainer_ = v1::StatusService::NewStub(channel);
  }

  void Stop() { node_.reset(); }
  v1::AdminService::Stub& admin() { return *admin_; }

  grpc::Status Export(const std::string& receiver, std::vector<v1::BundlePart>& parts) {
    grpc::ClientContext context;
    v1::ExportBundleRequest request;
    request.set_receiver(receiver);
    const auto stream = admin_->ExportBundle(&context, request);
    v1::BundlePart part;
    while (stream->Read(&part)) parts.push_back(part);
    return stream->Finish();
  }
  std::vector<v1::BundlePart> Export(const std::string& receiver) {
    std::vector<v1::BundlePart> parts;
    const grpc::Status status = Export(receiver, parts);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return parts;
  }

  v1::BundleOutcome Import(const std::vector<v1::BundlePart>& parts) {
    grpc::ClientContext context;
    const auto stream = admin_->ImportBundle(&context);
    for (const v1::BundlePart& part : parts) {
      if (!stream->Write(part)) break;
    }
    stream->WritesDone();
    v1::ImportBundleProgress progress;
    v1::BundleOutcome outcome;
    while (stream->Read(&progress)) {
      if (progress.has_outcome()) outcome = progress.outcome();
    }
    const grpc::Status status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return outcome;
  }

  using ImportStream = grpc::ClientReaderWriter<v1::BundlePart, v1::ImportBundleProgress>;
  // An import that is under way.
  std::unique_ptr<ImportStream> BeginImport(grpc::ClientContext& context, const v1::BundlePart& first) {
    auto stream = admin_->ImportBundle(&context);
    v1::ImportBundleProgress progress;
    EXPECT_TRUE(stream->Write(first) && stream->Read(&progress));
    return stream;
  }

  v1::RecordExplanation Explain(const std::string& name) {
    grpc::ClientContext context;
    v1::ExplainRecordRequest request;
    request.set_name(name);
    v1::RecordExplanation told;
    const grpc::Status status = explainer_->ExplainRecord(&context, request, &told);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return told;
  }

  // The job before has ended, and the next one is taken.
  void WaitUntilIdle() {
    std::vector<v1::BundlePart> parts;
    while (Export("", parts).error_code() == grpc::StatusCode::ABORTED) parts.clear();
    EXPECT_FALSE(parts.empty());
  }

 private:
  storage::TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  std::unique_ptr<v1::StatusService::Stub> explainer_;
};

TEST(NodeBundleTest, TwoNodesMeetByFilesAlone) {
  BundleNode lyon("lyon");
  BundleNode savoie("savoie");
  const v1::Record there = lyon.Create("écrite à Lyon");
  savoie.Import(lyon.Export(""));
  EXPECT_EQ(savoie.NameOf(there.name()), "écrite à Lyon");
  const v1::Record here = savoie.Create("écrite en Savoie");
  EXPECT_TRUE(lyon.Import(savoie.Export("lyon")).equal());
  EXPECT_EQ(lyon.NameOf(here.name()), "écrite en Savoie");
  EXPECT_TRUE(savoie.Import(lyon.Export("savoie")).equal());
  EXPECT_EQ(savoie.Status().root(), lyon.Status().root());
  EXPECT_EQ(savoie.Explain(there.name()).presence(), v1::RecordExplanation::HERE);
}

TEST(NodeBundleTest, ASiteThatNobodyKnowsIsNotFound) {
  BundleNode lyon("lyon");
  std::vector<v1::BundlePart> parts;
  EXPECT_EQ(lyon.Export("chambery", parts).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(lyon.Export("lyon", parts).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(parts.empty());
}

TEST(NodeBundleTest, TheNextJobIsTakenAsSoonAsOneHasAnswered) {
  BundleNode lyon("lyon");
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(lyon.Export("").empty()) << i;
}

TEST(NodeBundleTest, WhoGoesAwayHoldsNobodyUp) {
  BundleNode lyon("lyon");
  for (int i = 0; i < 20; ++i) lyon.Create(std::string(60'000, 'x'));
  {
    grpc::ClientContext context;
    const auto stream = lyon.admin().ExportBundle(&context, {});
    v1::BundlePart part;
    ASSERT_TRUE(stream->Read(&part));
    context.TryCancel();
    stream->Finish();
  }
  lyon.WaitUntilIdle();
  const std::vector<v1::BundlePart> parts = lyon.Export("");
  {
    grpc::ClientContext context;
    const auto stream = lyon.admin().ImportBundle(&context);
    stream->Write(parts.front());
    context.TryCancel();
    stream->Finish();
  }
  lyon.WaitUntilIdle();
}

TEST(NodeBundleTest, OneJobAtATime) {
  BundleNode lyon("lyon");
  BundleNode savoie("savoie");
  grpc::ClientContext context;
  const auto stream = savoie.BeginImport(context, lyon.Export("").front());
  v1::ImportBundleProgress progress;
  std::vector<v1::BundlePart> none;
  EXPECT_EQ(savoie.Export("", none).error_code(), grpc::StatusCode::ABORTED);
  stream->WritesDone();
  while (stream->Read(&progress)) {
  }
  // What came of the file was not the whole of it.
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  savoie.WaitUntilIdle();
}

TEST(NodeBundleTest, ANodeThatStopsWaitsForNoCaller) {
  BundleNode lyon("lyon");
  BundleNode savoie("savoie");
  grpc::ClientContext context;
  const auto stream = savoie.BeginImport(context, lyon.Export("").front());
  v1::ImportBundleProgress progress;
  savoie.Stop();
  while (stream->Read(&progress)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
}

}  // namespace
}  // namespace maillage::server
