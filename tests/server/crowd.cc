#include "tests/server/crowd.h"

#include <gtest/gtest.h>

#include <utility>

namespace maillage::server::testing {

using replication::SyncSession;

Caller::Caller(std::string name, uint64_t seed, replication::testing::SteppedClock* clock, EventQueue* queue)
    : site(std::move(name), seed, clock), queue_(queue) {}

void Caller::Call(std::shared_ptr<SyncStream> stream) {
  stream_ = std::move(stream);
  SyncSession::Options options;
  options.caller = true;
  options.name = site.name;
  session = std::make_unique<SyncSession>(site.replica.get(), options);
  SyncStream::Events events;
  events.on_frame = [this](v1::SyncFrame frame) {
    queue_->Push([this, frame = std::move(frame)] { OnFrame(frame); });
  };
  events.on_written = [this] {
    queue_->Push([this] {
      writing_ = false;
      Pump();
    });
  };
  events.on_closed = [this](grpc::Status) { queue_->Push([this] { closed = true; }); };
  stream_->Start(std::move(events));
  stream_->Read();
  Pump();
}

void Caller::OnFrame(const v1::SyncFrame& frame) {
  if (turn == 0) turn = queue_->NextTurn();
  if (frozen) return;
  stream_->Take();
  ASSERT_TRUE(session->Receive(frame).ok());
  ASSERT_TRUE(site.replica->Commit().ok());
  Pump();
}

void Caller::Pump() {
  if (writing_ || closed || (frozen && turn > 0)) return;
  v1::SyncFrame frame;
  const auto filled = session->Next(&frame);
  ASSERT_TRUE(filled.ok()) << filled.status();
  if (!*filled) {
    if (session->closed()) stream_->Finish();
    return;
  }
  writing_ = true;
  stream_->Write(frame);
}

}  // namespace maillage::server::testing
