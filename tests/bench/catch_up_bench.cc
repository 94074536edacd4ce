// Two sites that hold the same records edit different ones while apart, and meet again: with the
// hint (each remembers how far it had the other's feed) and without (they compare their tries).
#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "replication/feed_entry.h"
#include "storage/keys.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/pipe.h"
#include "tests/bench/raw_rocks.h"
#include "tests/bench/run.h"
#include "tests/replication/support/ports.h"

namespace maillage::bench {
namespace {

enum class Hint { kRemembered, kForgotten };

// The change as its author encoded it: what has to travel at least.
uint64_t AuthorsBytesSince(DiskSite& site, uint64_t feed_head) {
  uint64_t bytes = 0;
  auto cursor = site.replica().store().Scan(storage::Table::kFeed, {storage::FeedKey(feed_head + 1), ""},
                                            storage::ScanOrder::kAscending);
  for (; cursor->Valid(); cursor->Next()) {
    bytes += Must(replication::DecodeFeedEntry(cursor->value())).change.size();
  }
  MustBeOk(cursor->status());
  return bytes;
}

// Returns the bytes of the changes.
uint64_t EditWhileApart(DiskSite& site, const std::vector<RecordKey>& records, size_t begin,
                        size_t end) {
  const uint64_t head = site.replica().progress().feed_head;
  for (size_t i = begin; i < end; ++i) EditOneField(site.replica(), records[i], i);
  MustBeOk(site.replica().Commit());
  return AuthorsBytesSince(site, head);
}

void Forget(DiskSite& site, const SiteId& peer) {
  site.replica().PutMeta(storage::CursorKey(peer), std::nullopt);
  MustBeOk(site.replica().Commit());
}

void CatchUp(benchmark::State& state, Hint hint) {
  // Each record is edited on one side at most.
  const size_t edits = std::min(static_cast<size_t>(state.range(0)), RunSizes().records / 4);
  for (auto _ : state) {
    ScratchFolder folder;
    CopySite(SyncedSites().first, folder.In("first"));
    CopySite(SyncedSites().second, folder.In("second"));
    DiskSite first(folder.In("first"));
    DiskSite second(folder.In("second"));
    std::vector<RecordKey> actors = first.Actors();
    replication::testing::SeededRandom random(edits);
    std::shuffle(actors.begin(), actors.end(), random.engine);
    const uint64_t author_bytes =
        EditWhileApart(first, actors, 0, edits) + EditWhileApart(second, actors, edits, 2 * edits);
    if (hint == Hint::kForgotten) {
      Forget(first, second.id());
      Forget(second, first.id());
    }
    first.store().ResetCounts();
    second.store().ResetCounts();
    const Traffic traffic = Synchronise(second, first, hint == Hint::kRemembered);
    state.SetIterationTime(traffic.seconds);

    const size_t commits = first.store().commits() + second.store().commits();
    RawRocks raw(folder.In("raw"));
    const double raw_seconds =
        raw.SecondsOfBatches(commits, std::max<size_t>(1, 2 * edits / commits),
                             first.store().bytes() + second.store().bytes());
    const auto all_edits = static_cast<double>(2 * edits);
    Report(state, "ms", traffic.seconds * 1e3, raw_seconds * 1e3);
    Report(state, "wire_bytes_per_edit", static_cast<double>(traffic.bytes) / all_edits,
           static_cast<double>(author_bytes) / all_edits);
    Report(state, "edits", all_edits);
    Report(state, "frames", static_cast<double>(traffic.frames));
    Report(state, "commits", static_cast<double>(commits));
    Report(state, "trie_comparisons", static_cast<double>(traffic.rounds));
  }
}
BENCHMARK_CAPTURE(CatchUp, with_hint, Hint::kRemembered)
    ->Name("catch_up_with_hint")
    ->ArgName("edits_each_side")
    ->Arg(100)
    ->Arg(1000)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CatchUp, without_hint, Hint::kForgotten)
    ->Name("catch_up_without_hint")
    ->ArgName("edits_each_side")
    ->Arg(100)
    ->Arg(1000)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
