// Filling a site: an import of records, and the first synchronisation of a new site with one that
// has them, in memory and over gRPC; against RocksDB's own synced batches of 1,000 that write as
// many bytes.
#include <algorithm>
#include <cstddef>
#include <string>

#include "tests/bench/disk_site.h"
#include "tests/bench/node_pair.h"
#include "tests/bench/pipe.h"
#include "tests/bench/raw_rocks.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

// RocksDB's time for as many bytes.
double RawSeconds(const ScratchFolder& folder, uint64_t bytes) {
  const size_t batches = std::max<size_t>(1, RunSizes().records / kImportBatch);
  RawRocks raw(folder.In("raw"));
  return raw.SecondsOfBatches(batches, RunSizes().records / batches, bytes);
}

void ReportRate(benchmark::State& state, const ScratchFolder& folder, double seconds,
                uint64_t stored_bytes) {
  const auto records = static_cast<double>(RunSizes().records);
  state.SetIterationTime(seconds);
  Report(state, "records_per_s", records / seconds, records / RawSeconds(folder, stored_bytes));
  Report(state, "stored_bytes_per_record", static_cast<double>(stored_bytes) / records);
}

void Import(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    DiskSite site(folder.In("site"));
    site.store().ResetCounts();
    const Imported imported = ImportActors(site, RunSizes().records);
    ReportRate(state, folder, imported.seconds, site.store().bytes());
    Report(state, "message_bytes_per_record",
           static_cast<double>(imported.message_bytes) / static_cast<double>(RunSizes().records));
  }
}
BENCHMARK(Import)->Name("import")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void FirstSyncInMemory(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    CopySite(ImportedSite(), folder.In("full"));
    DiskSite full(folder.In("full"));
    DiskSite fresh(folder.In("fresh"));
    fresh.store().ResetCounts();
    const Traffic traffic = Synchronise(fresh, full, /*known=*/false);
    ReportRate(state, folder, traffic.seconds, fresh.store().bytes());
    Report(state, "wire_bytes_per_record",
           static_cast<double>(traffic.bytes) / static_cast<double>(RunSizes().records));
    Report(state, "commits", static_cast<double>(fresh.store().commits()));
  }
}
BENCHMARK(FirstSyncInMemory)
    ->Name("first_sync_in_memory")
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void FirstSyncOverGrpc(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    CopySite(ImportedSite(), folder.In("full"));
    uint64_t wire_bytes = 0;
    double seconds = 0;
    {
      NodePair nodes(folder.In("full"), folder.In("fresh"));
      const Stopwatch watch;
      nodes.Connect();
      seconds = watch.Seconds();
      wire_bytes = nodes.WireBytes();
    }
    ReportRate(state, folder, seconds, DiskSite(folder.In("fresh")).StoredBytes());
    Report(state, "wire_bytes_per_record",
           static_cast<double>(wire_bytes) / static_cast<double>(RunSizes().records));
  }
}
BENCHMARK(FirstSyncOverGrpc)
    ->Name("first_sync_over_grpc")
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
