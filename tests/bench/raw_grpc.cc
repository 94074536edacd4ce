#include "tests/bench/raw_grpc.h"

#include "absl/strings/str_cat.h"
#include "proto/sync.grpc.pb.h"
#include "tests/bench/run.h"

namespace maillage::bench {

class EchoServer::Service final : public v1::SyncService::Service {
 public:
  grpc::Status Sync(grpc::ServerContext*,
                    grpc::ServerReaderWriter<v1::SyncFrame, v1::SyncFrame>* stream) override {
    v1::SyncFrame frame;
    while (stream->Read(&frame)) stream->Write(frame);
    return grpc::Status::OK;
  }
};

namespace {

class PingPongStream {
 public:
  explicit PingPongStream(const std::string& address)
      : stub_(v1::SyncService::NewStub(NewChannel(address))), stream_(stub_->Sync(&context_)) {}
  ~PingPongStream() {
    stream_->WritesDone();
    stream_->Finish();
  }

  void RoundTrip(const v1::SyncFrame& frame) {
    v1::SyncFrame answer;
    if (!stream_->Write(frame) || !stream_->Read(&answer)) Die("the echo server is silent");
  }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<v1::SyncService::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::SyncFrame, v1::SyncFrame>> stream_;
};

v1::SyncFrame FrameOf(size_t bytes) {
  v1::SyncFrame frame;
  frame.mutable_changes()->add_change(std::string(bytes, 'x'));
  return frame;
}

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

EchoServer::EchoServer() : service_(std::make_unique<Service>()) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) Die("127.0.0.1:0 : impossible d'écouter");
  address_ = absl::StrCat("127.0.0.1:", port);
}

EchoServer::~EchoServer() { server_->Shutdown(); }

std::vector<double> EchoServer::PingPongs(size_t count, size_t bytes) const {
  const v1::SyncFrame frame = FrameOf(bytes);
  PingPongStream stream(address_);
  stream.RoundTrip(frame);
  std::vector<double> seconds;
  for (size_t i = 0; i < count; ++i) {
    const Stopwatch watch;
    stream.RoundTrip(frame);
    seconds.push_back(watch.Seconds());
  }
  return seconds;
}

std::vector<double> EchoServer::ConnectedPingPongs(size_t count, size_t bytes) const {
  const v1::SyncFrame frame = FrameOf(bytes);
  std::vector<double> seconds;
  for (size_t i = 0; i < count; ++i) {
    const Stopwatch watch;
    PingPongStream stream(address_);
    stream.RoundTrip(frame);
    seconds.push_back(watch.Seconds());
  }
  return seconds;
}

}  // namespace maillage::bench
