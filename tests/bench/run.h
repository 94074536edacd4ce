// What all measures share: how large they are, where they write, how they report.
#ifndef MAILLAGE_TESTS_BENCH_RUN_H_
#define MAILLAGE_TESTS_BENCH_RUN_H_

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::bench {

// Counts, all in proportion to the environment's MAILLAGE_BENCH_RECORDS (100,000 where it is unset;
// at least 400).
struct Sizes {
  size_t records;
  // What one writer does alone, and 64 writers together.
  size_t edits_of_one_writer;
  size_t edits_of_many_writers;
  // At 100 a second.
  size_t live_edits;
  size_t reconnects;
  // Samples of a limit's latency.
  size_t raw_samples;
};
const Sizes& RunSizes();

// Records of one commit of an import, here and in the limits that stand beside it.
inline constexpr size_t kImportBatch = 1000;

// A folder below MAILLAGE_BENCH_FOLDER (the system's temporary folder where it is unset) that goes
// away with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  std::string In(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The folder that holds all scratch folders of this process; made by the first call.
const std::string& RunFolder();
void RemoveRunFolder();

// Ends the process with exit code 1 and without its folder where something failed: a measure of
// half the work is none.
[[noreturn]] void Die(const std::string& why);
void MustBeOk(const absl::Status& status);
template <typename T>
T Must(absl::StatusOr<T> result) {
  MustBeOk(result.status());
  return *std::move(result);
}

class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Runs `body(thread, i)` for i in [0, count) in each of `threads` threads, started together;
// seconds until all are done.
double SecondsInThreads(size_t threads, size_t count,
                        const std::function<void(size_t thread, size_t i)>& body);

// The value that a part `share` (0 to 1) of the samples doesn't exceed. Not of nothing.
double Percentile(std::vector<double> samples, double share);

// A figure beside its limit, measured in the same run: counters `figure`, `figure.limit` and
// `figure.ratio` (figure by limit). run.sh makes its table of them.
void Report(benchmark::State& state, const std::string& figure, double value, double limit);
// A figure that has no limit to stand beside.
void Report(benchmark::State& state, const std::string& figure, double value);

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_RUN_H_
