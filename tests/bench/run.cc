#include "tests/bench/run.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <latch>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace maillage::bench {
namespace {

size_t RecordsFromEnvironment() {
  constexpr size_t kUsual = 100'000;
  constexpr size_t kLeast = 400;
  const char* text = std::getenv("MAILLAGE_BENCH_RECORDS");
  if (text == nullptr) return kUsual;
  size_t records = 0;
  if (!absl::SimpleAtoi(text, &records) || records < kLeast) {
    Die(absl::StrCat("MAILLAGE_BENCH_RECORDS=", text, " : un nombre d'au moins ", kLeast,
                     " est attendu"));
  }
  return records;
}

std::string MakeRunFolder() {
  const char* chosen = std::getenv("MAILLAGE_BENCH_FOLDER");
  const std::filesystem::path parent =
      chosen != nullptr ? std::filesystem::path(chosen) : std::filesystem::temp_directory_path();
  std::string name = (parent / "maillage-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::cerr << parent.string() << " : création d'un dossier impossible\n";
    std::exit(1);
  }
  return name;
}

}  // namespace

const Sizes& RunSizes() {
  static const Sizes sizes = [] {
    const size_t records = RecordsFromEnvironment();
    Sizes sizes;
    sizes.records = records;
    sizes.edits_of_one_writer = records / 20;
    sizes.edits_of_many_writers = records / 2;
    sizes.live_edits = std::min<size_t>(records / 50, 1000);
    sizes.reconnects = std::min<size_t>(records / 100, 200);
    sizes.raw_samples = std::min<size_t>(records / 20, 2000);
    return sizes;
  }();
  return sizes;
}

const std::string& RunFolder() {
  static const std::string folder = MakeRunFolder();
  return folder;
}

void RemoveRunFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(RunFolder(), ignored);
}

ScratchFolder::ScratchFolder() {
  static int count = 0;
  path_ = absl::StrCat(RunFolder(), "/", ++count);
  std::filesystem::create_directory(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Die(const std::string& why) {
  std::cerr << why << std::endl;
  RemoveRunFolder();
  // Nodes may still run: their threads must not meet half of the statics gone.
  std::_Exit(1);
}

void MustBeOk(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

double SecondsInThreads(size_t threads, size_t count,
                        const std::function<void(size_t thread, size_t i)>& body) {
  std::latch start(static_cast<ptrdiff_t>(threads) + 1);
  std::vector<std::thread> running;
  for (size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      start.arrive_and_wait();
      for (size_t i = 0; i < count; ++i) body(thread, i);
    });
  }
  start.arrive_and_wait();
  const Stopwatch watch;
  for (std::thread& thread : running) thread.join();
  return watch.Seconds();
}

double Percentile(std::vector<double> samples, double share) {
  if (samples.empty()) Die("a percentile of nothing");
  const auto last = static_cast<double>(samples.size() - 1);
  const auto rank = static_cast<ptrdiff_t>(share * last + 0.5);
  std::nth_element(samples.begin(), samples.begin() + rank, samples.end());
  return samples[static_cast<size_t>(rank)];
}

void Report(benchmark::State& state, const std::string& figure, double value, double limit) {
  state.counters[figure] = value;
  state.counters[figure + ".limit"] = limit;
  state.counters[figure + ".ratio"] = value / limit;
}

void Report(benchmark::State& state, const std::string& figure, double value) {
  state.counters[figure] = value;
}

}  // namespace maillage::bench
