// Durable edits per second on one site, through the node's writer, against RocksDB's own synced
// puts of as many bytes.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "server/writer.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/raw_rocks.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

constexpr int64_t kManyWriters = 64;

// Figure and limit by turns, so that a disk that others use for a while slows both.
constexpr size_t kSlices = 10;

// Every writer edits records of its own, as people do.
void LocalEdits(benchmark::State& state) {
  const auto writers = static_cast<size_t>(state.range(0));
  const size_t wanted =
      writers == 1 ? RunSizes().edits_of_one_writer : RunSizes().edits_of_many_writers;
  const size_t each = std::max<size_t>(1, wanted / writers / kSlices);
  ScratchFolder folder;
  CopySite(SyncedSites().first, folder.In("site"));
  DiskSite site(folder.In("site"));
  const std::vector<RecordKey> actors = site.Actors();
  RawRocks raw(folder.In("raw"));
  for (auto _ : state) {
    site.store().ResetCounts();
    server::Writer writer(&site.replica());
    double seconds = 0;
    double raw_seconds = 0;
    size_t edits = 0;
    for (size_t slice = 0; slice < kSlices; ++slice) {
      seconds += SecondsInThreads(writers, each, [&](size_t thread, size_t i) {
        const size_t edit = edits + i * writers + thread;
        // A round of its own for each pass over the actors, so that no edit repeats a value.
        MustBeOk(writer.Run([&](replication::Replica& replica) {
          EditOneField(replica, actors[edit % actors.size()], 1 + edit / actors.size());
        }));
      });
      edits += each * writers;
      raw_seconds += raw.SecondsOfPuts(writers, each, site.store().bytes() / edits);
    }
    writer.Stop();
    state.SetIterationTime(seconds);
    const auto count = static_cast<double>(edits);
    Report(state, "edits_per_s", count / seconds, count / raw_seconds);
    Report(state, "stored_bytes_per_edit", static_cast<double>(site.store().bytes()) / count);
    Report(state, "edits_per_commit", count / static_cast<double>(site.store().commits()));
  }
}
BENCHMARK(LocalEdits)
    ->Name("local_edits")
    ->ArgName("writers")
    ->Arg(1)
    ->Arg(kManyWriters)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
