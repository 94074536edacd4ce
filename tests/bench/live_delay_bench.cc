// From an edit on one node to the moment when it is durable on another and a watcher there sees it,
// over a live link at 100 edits a second; against the sum of one synced put and one ping-pong.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/id.h"
#include "proto/record_service.grpc.pb.h"
#include "proto/records.pb.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/node_pair.h"
#include "tests/bench/raw_grpc.h"
#include "tests/bench/raw_rocks.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause(10);
// Beyond the edits' own time, for the last of them to be seen.
constexpr std::chrono::seconds kPatience(60);

// Edit number i carries i in its text.
class Watcher {
 public:
  Watcher(const std::string& address, size_t edits)
      : stub_(v1::RecordService::NewStub(NewChannel(address))), seen_(edits) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience +
                          kPause * static_cast<int64_t>(edits));
    v1::WatchRecordsRequest request;
    request.set_kind("actor");
    reader_ = stub_->WatchRecords(&context_, request);
    // From then on the node tells everything.
    reader_->WaitForInitialMetadata();
    thread_ = std::thread([this] { Read(); });
  }
  ~Watcher() {
    context_.TryCancel();
    if (thread_.joinable()) thread_.join();
    reader_->Finish();
  }

  // When each edit was seen; returns once all were.
  const std::vector<Clock::time_point>& Await() {
    thread_.join();
    if (missing_ > 0) Die(absl::StrCat(missing_, " edits never arrived"));
    return seen_;
  }

 private:
  void Read() {
    missing_ = seen_.size();
    v1::RecordEvent event;
    while (missing_ > 0 && reader_->Read(&event)) {
      const Clock::time_point now = Clock::now();
      v1::Actor actor;
      size_t edit = 0;
      if (!event.record().content().UnpackTo(&actor) || !absl::SimpleAtoi(actor.acronym(), &edit) ||
          edit >= seen_.size()) {
        Die("an event that nobody expects");
      }
      seen_[edit] = now;
      --missing_;
    }
  }

  const std::unique_ptr<v1::RecordService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::RecordEvent>> reader_;
  std::vector<Clock::time_point> seen_;
  size_t missing_ = 0;
  std::thread thread_;
};

class Editor {
 public:
  explicit Editor(const std::string& address)
      : stub_(v1::RecordService::NewStub(NewChannel(address))) {}

  void Edit(const RecordKey& record, size_t number) {
    v1::UpdateRecordRequest request;
    request.mutable_record()->set_name(absl::StrCat("actor/", FormatUuid(record.id)));
    request.mutable_context()->set_person("Awa");
    v1::Actor actor;
    actor.set_acronym(absl::StrCat(number));
    request.mutable_record()->mutable_content()->PackFrom(actor);
    request.mutable_update_mask()->add_paths("acronym");
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::Record answer;
    const grpc::Status status = stub_->UpdateRecord(&context, request, &answer);
    if (!status.ok()) Die("UpdateRecord : " + status.error_message());
  }

 private:
  const std::unique_ptr<v1::RecordService::Stub> stub_;
};

// Gives the beat, whatever the work between takes.
class Pacer {
 public:
  // The moment that was due: a delay of the work before is part of what its successor waited.
  Clock::time_point AwaitNext() {
    const Clock::time_point due = next_;
    next_ += kPause;
    const bool late = Clock::now() > due;
    std::unique_lock lock(mutex_);
    // Nobody notifies: the deadline is the event.
    never_.wait_until(lock, due, [] { return false; });
    return late ? due : Clock::now();
  }

 private:
  Clock::time_point next_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable never_;
};

// Seconds from each edit's beginning on the first node until the second's watcher saw it.
std::vector<double> Delays(const NodePair& nodes, const std::vector<RecordKey>& actors) {
  const size_t edits = RunSizes().live_edits;
  Editor editor(nodes.first_address());
  Watcher watcher(nodes.second_address(), edits);
  std::vector<Clock::time_point> begun;
  Pacer pacer;
  for (size_t i = 0; i < edits; ++i) {
    begun.push_back(pacer.AwaitNext());
    editor.Edit(actors[i], i);
  }
  const std::vector<Clock::time_point>& seen = watcher.Await();
  std::vector<double> seconds;
  for (size_t i = 0; i < edits; ++i) {
    seconds.push_back(std::chrono::duration<double>(seen[i] - begun[i]).count());
  }
  return seconds;
}

void LiveDelay(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    CopySite(SyncedSites().first, folder.In("first"));
    CopySite(SyncedSites().second, folder.In("second"));
    std::vector<RecordKey> actors;
    uint64_t bytes_of_edit = 0;
    {
      DiskSite first(folder.In("first"));
      actors = first.Actors();
      first.store().ResetCounts();
      EditOneField(first.replica(), actors.back(), 1);
      MustBeOk(first.replica().Commit());
      bytes_of_edit = first.store().bytes();
    }
    std::vector<double> delays;
    {
      NodePair nodes(folder.In("first"), folder.In("second"));
      nodes.Connect();
      delays = Delays(nodes, actors);
    }
    constexpr size_t kFrameBytes = 200;
    RawRocks raw(folder.In("raw"));
    const EchoServer echo;
    const double put = Percentile(raw.SyncedPuts(RunSizes().raw_samples, bytes_of_edit), 0.5);
    const double ping_pong = Percentile(echo.PingPongs(RunSizes().raw_samples, kFrameBytes), 0.5);
    const double limit = (put + ping_pong) * 1e3;
    const double p50 = Percentile(delays, 0.5);
    state.SetIterationTime(p50);
    Report(state, "p50_ms", p50 * 1e3, limit);
    Report(state, "p99_ms", Percentile(delays, 0.99) * 1e3, limit);
    Report(state, "raw_put_p50_ms", put * 1e3);
    Report(state, "raw_ping_pong_p50_ms", ping_pong * 1e3);
  }
}
BENCHMARK(LiveDelay)
    ->Name("live_delay")
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
