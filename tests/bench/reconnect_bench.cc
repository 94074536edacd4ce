// Two sites that hold the same meet again: what the wire carries, and the time until both know,
// against a connection that carries one ping and one pong of as many bytes.
#include <cstddef>
#include <string>
#include <vector>

#include "proto/sync.grpc.pb.h"
#include "replication/sync_session.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/node_pair.h"
#include "tests/bench/pipe.h"
#include "tests/bench/raw_grpc.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

using replication::SyncSession;
using replication::SyncState;

void MustAnswer(bool answered) {
  if (!answered) Die("the node ended the stream");
}

// The calling end, in this thread: connects, greets and hears that nothing differs. Seconds until
// that is on disk.
double Reconnect(DiskSite& caller, const std::string& address, const SiteId& peer) {
  const Stopwatch watch;
  const auto stub = v1::SyncService::NewStub(NewChannel(address));
  grpc::ClientContext context;
  const auto stream = stub->Sync(&context);
  SyncSession session(&caller.replica(), {true, "appelant", peer});
  v1::SyncFrame frame;
  while (session.progress().state != SyncState::kLive) {
    if (Must(session.Next(&frame))) {
      MustAnswer(stream->Write(frame));
    } else {
      MustAnswer(stream->Read(&frame));
      MustBeOk(session.Receive(frame));
      MustBeOk(caller.replica().Commit());
    }
  }
  const double seconds = watch.Seconds();
  session.Close(v1::Goodbye::SHUTTING_DOWN, "");
  if (Must(session.Next(&frame))) stream->Write(frame);
  stream->WritesDone();
  while (stream->Read(&frame)) {
  }
  stream->Finish();
  return seconds;
}

void UnchangedReconnect(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    CopySite(SyncedSites().first, folder.In("first"));
    CopySite(SyncedSites().second, folder.In("second"));
    SiteId first_site;
    {
      DiskSite first(folder.In("first"));
      DiskSite second(folder.In("second"));
      first_site = first.id();
      const Traffic traffic = Synchronise(second, first, /*known=*/true);
      Report(state, "wire_bytes", static_cast<double>(traffic.bytes));
      Report(state, "round_trips", static_cast<double>(traffic.frames) / 2, 1);
    }
    NodePair nodes(folder.In("first"), "");
    DiskSite second(folder.In("second"));
    // The node has a name of its own to tell first.
    Reconnect(second, nodes.first_address(), first_site);
    std::vector<double> seconds;
    for (size_t i = 0; i < RunSizes().reconnects; ++i) {
      seconds.push_back(Reconnect(second, nodes.first_address(), first_site));
    }
    const double p50 = Percentile(seconds, 0.5);
    state.SetIterationTime(p50);
    constexpr size_t kGreetingBytes = 90;
    const EchoServer echo;
    const double raw_p50 =
        Percentile(echo.ConnectedPingPongs(RunSizes().reconnects, kGreetingBytes), 0.5);
    Report(state, "p50_ms", p50 * 1e3, raw_p50 * 1e3);
    Report(state, "p99_ms", Percentile(seconds, 0.99) * 1e3, raw_p50 * 1e3);
  }
}
BENCHMARK(UnchangedReconnect)
    ->Name("unchanged_reconnect")
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
