// The hub under a crowd: real sessions over pipes, no sockets.
#include "server/peer_hub.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/schema.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"
#include "storage/memory_store.h"
#include "tests/server/crowd.h"
#include "tests/support/seed.h"

namespace maillage::server::testing {
namespace {

// A stream whose other end is another such stream. A write is done once the other end, which has to read, has it.
class Pipe final : public SyncStream, public std::enable_shared_from_this<Pipe> {
 public:
  static std::pair<std::shared_ptr<Pipe>, std::shared_ptr<Pipe>> Make() {
    auto one = std::make_shared<Pipe>();
    auto other = std::make_shared<Pipe>();
    one->other_ = other;
    other->other_ = one;
    return {one, other};
  }

  void Start(Events events) override {
    std::lock_guard lock(mutex_);
    events_ = std::move(events);
    if (ended_) std::exchange(events_, {}).on_closed(grpc::Status::OK);
  }
  void Read() override {
    {
      std::lock_guard lock(mutex_);
      reading_ = true;
    }
    Deliver();
  }
  void Take() override { ++taken; }
  void Write(const v1::SyncFrame& frame) override {
    const auto other = other_.lock();
    if (other == nullptr) return;
    {
      std::lock_guard lock(other->mutex_);
      other->incoming_ = frame;
    }
    other->Deliver();
  }
  std::atomic<size_t> taken = 0;
  void Finish() override { Cancel(); }
  void Cancel() override {
    const auto keep = shared_from_this();
    End();
    if (const auto other = other_.lock()) other->End();
  }

 private:
  void Deliver() {
    v1::SyncFrame frame;
    std::function<void(v1::SyncFrame)> on_frame;
    {
      std::lock_guard lock(mutex_);
      if (!reading_ || ended_ || !incoming_.has_value()) return;
      frame = *std::exchange(incoming_, std::nullopt);
      on_frame = events_.on_frame;
    }
    if (on_frame) on_frame(std::move(frame));
    if (const auto other = other_.lock()) other->Written();
  }
  void Written() {
    std::function<void()> on_written;
    {
      std::lock_guard lock(mutex_);
      on_written = events_.on_written;
    }
    if (on_written) on_written();
  }
  void End() {
    Events events;
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(ended_, true)) return;
      events = std::exchange(events_, {});
    }
    if (events.on_closed) events.on_closed(grpc::Status::OK);
  }

  std::mutex mutex_;
  Events events_;
  std::weak_ptr<Pipe> other_;
  std::optional<v1::SyncFrame> incoming_;
  bool reading_ = false;
  bool ended_ = false;
};

class AtomicClock final : public replication::WallClock {
 public:
  uint64_t NowMillis() override { return millis; }
  std::atomic<uint64_t> millis = 1'770'000'000'000;
};

class CrowdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = replication::Replica::Open(&store_, &clock_, &random_,
                                             {*SiteId::FromBytes("the antenna 0000"),
                                              &replication::Schema::BuiltIn(), true});
    ASSERT_TRUE(opened.ok()) << opened.status();
    replica_ = *std::move(opened);
    writer_ = std::make_unique<Writer>(replica_.get());
    hub_ = std::make_unique<PeerHub>(writer_.get(), replica_.get(), "lyon", std::vector<std::string>(),
                                     [](const std::string&) { return nullptr; });
    OnWriter([&] { ASSERT_TRUE(hub_->Start().ok()); });
  }
  void TearDown() override {
    for (const auto& caller : callers_) caller->HangUp();
    OnWriter([] {});
    writer_->Stop();
  }
  void OnWriter(const std::function<void()>& task) {
    ASSERT_TRUE(writer_->Run([&](replication::Replica&) { task(); }).ok());
  }
  Caller& Call(const std::string& name) {
    callers_.push_back(std::make_unique<Caller>(name, maillage::testing::NumberFromEnvironment("MAILLAGE_SEED", 1) +
                                                          callers_.size(),
                                                &callers_clock_, &queue_));
    return *callers_.back();
  }
  void Connect(Caller& caller) {
    auto [mine, theirs] = Pipe::Make();
    pipes_.push_back(theirs);
    hub_->Accept(theirs);
    caller.Call(mine);
  }
  void RunUntil(const std::function<bool()>& done) {
    while (!done()) {
      queue_.RunOne();
      EXPECT_LE(max_reconciling_, kMaxReconciling);
      if (++steps_ % 64 == 0) {
        OnWriter([&] { max_reconciling_ = std::max(max_reconciling_, hub_->reconciling()); });
      }
    }
  }

  storage::MemoryStore store_;
  AtomicClock clock_;
  replication::testing::SteppedClock callers_clock_;
  replication::testing::SeededRandom random_{1};
  std::unique_ptr<replication::Replica> replica_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<PeerHub> hub_;
  EventQueue queue_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::vector<std::shared_ptr<Pipe>> pipes_;
  size_t max_reconciling_ = 0;
  uint64_t steps_ = 0;
};

v1::Actor ActorNamed(const std::string& name) {
  v1::Actor actor;
  actor.set_name(name);
  return actor;
}

TEST_F(CrowdTest, FiveHundredSitesAtOnceAreAdmittedInTheOrderOfTheirComingAndEndEqual) {
  constexpr size_t kSites = 500;
  for (size_t i = 0; i < kSites; ++i) {
    Caller& caller = Call(absl::StrCat("site-", i));
    caller.site.Create(ActorNamed(absl::StrCat("A", i)));
  }
  for (const auto& caller : callers_) Connect(*caller);
  const auto has_all = [](const auto& caller) {
    return caller->session->progress().agreements > 0 &&
           caller->site.replica->progress().kinds.at(1).alive == kSites;
  };
  RunUntil([&] { return std::all_of(callers_.begin(), callers_.end(), has_all); });
  for (size_t i = 0; i < kSites; ++i) {
    EXPECT_EQ(callers_[i]->turn, i + 1) << callers_[i]->site.name;
    EXPECT_FALSE(callers_[i]->closed);
  }
  OnWriter([&] {
    for (const auto& caller : callers_) EXPECT_EQ(caller->site.Digest(), replica_->tree().Digest());
    EXPECT_EQ(hub_->reconciling(), 0u);
    EXPECT_EQ(hub_->waiting(), 0u);
  });
}

TEST_F(CrowdTest, WhoHangsUpLosesItsTurnAndWhoStandsStillGivesWay) {
  for (size_t i = 0; i < kMaxReconciling + 4; ++i) {
    Caller& caller = Call(absl::StrCat("site-", i));
    // Something to reconcile, so that a place is held until frames have gone both ways.
    caller.site.Create(ActorNamed(absl::StrCat("A", i)));
    caller.frozen = i < kMaxReconciling;
  }
  for (const auto& caller : callers_) Connect(*caller);
  RunUntil([&] { return callers_[kMaxReconciling - 1]->turn > 0; });
  OnWriter([&] {
    EXPECT_EQ(hub_->reconciling(), kMaxReconciling);
    EXPECT_EQ(hub_->waiting(), 4u);
  });
  callers_[kMaxReconciling]->HangUp();
  RunUntil([&] { return callers_[kMaxReconciling]->closed; });
  OnWriter([&] { EXPECT_EQ(hub_->waiting(), 3u); });
  clock_.millis += kStalledMillis;
  const auto agreed = [](const auto& caller) { return caller->session->progress().agreements > 0; };
  RunUntil([&] { return std::all_of(callers_.begin() + kMaxReconciling + 1, callers_.end(), agreed); });
  EXPECT_EQ(callers_[kMaxReconciling]->turn, 0u);
  EXPECT_LT(callers_[kMaxReconciling + 1]->turn, callers_[kMaxReconciling + 2]->turn);
}

// A pipe gives the next frame whether there is room for it or not; a real stream waits until room is given back.
TEST_F(CrowdTest, WhoSendsTooMuchIsReadMoreSlowlyAndToldSo) {
  PeerHub::SiteLimits limits;
  limits.bytes_burst = 8'000;
  limits.bytes_per_second = 100;
  OnWriter([&] { hub_->LimitSites(limits); });
  Caller& flood = Call("flood");
  Caller& other = Call("other");
  for (int i = 0; i < 100; ++i) flood.site.Create(ActorNamed(absl::StrCat("A", i)));
  Connect(flood);
  RunUntil([&] { return flood.session->progress().slowed_by_peer_until_millis > 0; });
  EXPECT_GT(flood.session->progress().slowed_by_peer_until_millis, callers_clock_.millis);
  const Pipe& pipe = *pipes_.front();
  OnWriter([&] {
    const v1::PeerStatus status = *hub_->Status("flood");
    EXPECT_TRUE(status.has_slowed_until_time());
    EXPECT_LT(pipe.taken, status.frames_received());
  });
  // Nobody else is held up by it.
  other.site.Create(ActorNamed("B"));
  Connect(other);
  RunUntil([&] { return other.session->progress().agreements > 0; });
  OnWriter([&] { EXPECT_FALSE(hub_->Status("other")->has_slowed_until_time()); });
  clock_.millis += 3'600'000;
  bool reads_on = false;
  while (!reads_on) OnWriter([&] { reads_on = pipe.taken >= hub_->Status("flood")->frames_received(); });
  OnWriter([&] { EXPECT_FALSE(hub_->Status("flood")->has_slowed_until_time()); });
}

// The other end's machine sleeps, and its link says nothing of it.
TEST_F(CrowdTest, ASessionThatStandsStillIsAFaultWithANameAndBeginsAnew) {
  Caller& sleeper = Call("dormeur");
  Connect(sleeper);
  RunUntil([&] { return sleeper.session->progress().agreements > 0; });
  sleeper.frozen = true;
  clock_.millis += 10 * kStallMillis;
  OnWriter([&] { EXPECT_EQ(hub_->Status("dormeur")->stalls(), 0u) << "it had nothing to do"; });
  OnWriter([&] {
    const RecordKey record{1, replica_->NewRecordId()};
    ASSERT_TRUE(replica_->Write({record, {}, {{1, v1::REGISTER, "", "Attend", false}}, "Awa", ""}).ok());
  });
  // The hub's ticker sees it wait, and then, a minute later, that it still does.
  bool stalled = false;
  while (!stalled) {
    clock_.millis += kStallMillis / 4;
    OnWriter([&] { stalled = hub_->Status("dormeur")->stalls() > 0; });
  }
  OnWriter([&] { EXPECT_EQ(hub_->Status("dormeur")->stalls(), 1u); });
  RunUntil([&] { return sleeper.closed; });
  OnWriter([&] { EXPECT_NE(hub_->Status("dormeur")->last_error().find("rien n'avance depuis une minute"), std::string::npos); });
  sleeper.frozen = false;
  Caller& again = Call("dormeur-2");
  Connect(again);
  RunUntil([&] { return again.session->progress().agreements > 0; });
  EXPECT_EQ(again.site.replica->progress().kinds.at(1).alive, 1u);
}

TEST_F(CrowdTest, OneLinkTooManyIsSentAwayWithAWord) {
  std::vector<std::shared_ptr<Pipe>> silent;
  for (size_t i = 0; i < kMaxLinks; ++i) {
    auto [mine, theirs] = Pipe::Make();
    silent.push_back(mine);
    hub_->Accept(theirs);
  }
  Caller& late = Call("late");
  Connect(late);
  RunUntil([&] { return late.closed; });
  EXPECT_EQ(late.session->progress().goodbye, v1::Goodbye::BUSY);
  OnWriter([&] { EXPECT_EQ(hub_->waiting(), kMaxLinks - kMaxReconciling); });
  // Who hangs up leaves room for another one.
  silent.back()->Cancel();
  OnWriter([] {});
  Caller& next = Call("next");
  Connect(next);
  OnWriter([&] { EXPECT_EQ(hub_->waiting(), kMaxLinks - kMaxReconciling); });
  EXPECT_FALSE(next.closed);
  for (const auto& pipe : silent) pipe->Cancel();
  RunUntil([&] { return next.session->progress().agreements > 0; });
}

TEST_F(CrowdTest, AFloodOfUnreadableMessagesIsAFewLinesAndNoCrash) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  constexpr int kFloods = 300;
  int refused = 0;
  for (int i = 0; i < kFloods; ++i) {
    auto [mine, theirs] = Pipe::Make();
    hub_->Accept(theirs, "ipv4:192.0.2.1:4242");
    std::mutex mutex;
    bool closed = false;
    bool goodbye = false;
    std::condition_variable changed;
    SyncStream::Events events;
    events.on_frame = [&](v1::SyncFrame frame) {
      std::lock_guard lock(mutex);
      goodbye = frame.goodbye().reason() == v1::Goodbye::MALFORMED;
    };
    events.on_written = [] {};
    events.on_closed = [&](grpc::Status) {
      std::lock_guard lock(mutex);
      closed = true;
      changed.notify_one();
    };
    mine->Start(std::move(events));
    mine->Read();
    v1::SyncFrame frame;
    frame.mutable_changes()->add_change("no change at all");
    mine->Write(frame);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return closed; });
    refused += goodbye ? 1 : 0;
  }
  OnWriter([] {});
  spdlog::set_default_logger(before);
  EXPECT_EQ(refused, kFloods);
  size_t lines = 0;
  const std::string text = log.str();
  for (size_t at = 0; (at = text.find("unreadable message", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GT(lines, 0u);
  EXPECT_LE(lines, kMalformedLogLines);
  EXPECT_NE(text.find("192.0.2.1"), std::string::npos);
}

}  // namespace
}  // namespace maillage::server::testing
