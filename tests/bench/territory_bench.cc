// A relay whose territory is a hundredth of the antenna's database: its first synchronisation, a reconnect in which nothing
// differs, 100 changes, one record that moves away; against the same with an antenna that holds nothing but that territory.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "replication/scope.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/pipe.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

constexpr char kTerritory[] = "73B";
constexpr char kElsewhere[] = "38B";

size_t TerritorySize() { return std::max<size_t>(1, RunSizes().records / 100); }

// An antenna and a relay that holds the territory, both on disk.
class Pair {
 public:
  // `whole`: the antenna holds all of the region, too.
  explicit Pair(bool whole) {
    if (whole) CopySite(ImportedSite(), folder_.In("antenna"));
    antenna_ = std::make_unique<DiskSite>(folder_.In("antenna"));
    relay_ = std::make_unique<DiskSite>(folder_.In("relay"));
    ImportActors(*antenna_, TerritorySize(), kTerritory);
    AssignScope(antenna_->replica(), relay_->id(), kTerritory);
    MustBeOk(antenna_->replica().Commit());
  }

  Traffic Meet(bool known) { return Synchronise(*relay_, *antenna_, known); }
  DiskSite& antenna() { return *antenna_; }
  const DiskSite& relay() const { return *relay_; }

 private:
  ScratchFolder folder_;
  std::unique_ptr<DiskSite> antenna_;
  std::unique_ptr<DiskSite> relay_;
};

void ReportBeside(benchmark::State& state, const Traffic& whole, const Traffic& alone) {
  state.SetIterationTime(whole.seconds);
  Report(state, "ms", whole.seconds * 1e3, alone.seconds * 1e3);
  Report(state, "wire_bytes", static_cast<double>(whole.bytes), static_cast<double>(alone.bytes));
  Report(state, "territory_records", static_cast<double>(TerritorySize()));
  Report(state, "frames", static_cast<double>(whole.frames));
}

// What `change` does to a pair that has met, told by the meeting that follows.
template <typename Change>
void MeasureAfter(benchmark::State& state, Change change) {
  for (auto _ : state) {
    std::vector<Traffic> traffic;
    for (const bool whole : {true, false}) {
      Pair pair(whole);
      pair.Meet(/*known=*/false);
      pair.Meet(/*known=*/true);
      change(pair);
      traffic.push_back(pair.Meet(/*known=*/true));
    }
    ReportBeside(state, traffic[0], traffic[1]);
  }
}

void FirstSync(benchmark::State& state) {
  for (auto _ : state) {
    Pair whole(true);
    const Traffic of_whole = whole.Meet(/*known=*/false);
    Pair alone(false);
    ReportBeside(state, of_whole, alone.Meet(/*known=*/false));
  }
}
BENCHMARK(FirstSync)->Name("territory_first_sync")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void Reconnect(benchmark::State& state) {
  MeasureAfter(state, [](Pair&) {});
}
BENCHMARK(Reconnect)
    ->Name("territory_unchanged_reconnect")
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void Changes(benchmark::State& state) {
  MeasureAfter(state, [](Pair& pair) {
    const std::vector<RecordKey> held = pair.relay().Actors();
    for (size_t i = 0; i < std::min<size_t>(100, held.size()); ++i) EditOneField(pair.antenna().replica(), held[i], i);
    MustBeOk(pair.antenna().replica().Commit());
  });
}
BENCHMARK(Changes)->Name("territory_100_changes")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void MoveOne(benchmark::State& state) {
  MeasureAfter(state, [](Pair& pair) {
    MoveActor(pair.antenna().replica(), pair.relay().Actors().front(), kElsewhere);
    MustBeOk(pair.antenna().replica().Commit());
  });
}
BENCHMARK(MoveOne)->Name("territory_one_record_moves")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
