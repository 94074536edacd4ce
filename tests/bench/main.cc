// Runs the measures, and says on what machine. README.md tells what each figure and its limit mean.
#include <benchmark/benchmark.h>
#include <mntent.h>
#include <sodium.h>
#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

std::string Kernel() {
  utsname system;
  if (::uname(&system) != 0) return "?";
  return absl::StrCat(system.sysname, " ", system.release, " ", system.machine);
}

std::string Processor() {
  constexpr std::string_view kModel = "model name";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with(kModel) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "?";
}

// Device and type of the file system that `folder` is on.
std::string DiskOf(const std::string& folder) {
  std::string disk = "?";
  std::FILE* const mounts = ::setmntent("/proc/self/mounts", "r");
  if (mounts == nullptr) return disk;
  size_t longest = 0;
  while (const mntent* mount = ::getmntent(mounts)) {
    const std::string_view point = mount->mnt_dir;
    const bool holds =
        folder.starts_with(point) &&
        (point == "/" || folder.size() == point.size() || folder[point.size()] == '/');
    if (!holds || point.size() < longest) continue;
    longest = point.size();
    disk = absl::StrCat(mount->mnt_type, " on ", mount->mnt_fsname);
  }
  ::endmntent(mounts);
  return disk;
}

int Run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  if (::sodium_init() < 0) Die("libsodium ne démarre pas");
  // A node's news of its links would stand between the figures.
  spdlog::set_level(spdlog::level::err);
  benchmark::AddCustomContext("cores", absl::StrCat(std::thread::hardware_concurrency()));
  benchmark::AddCustomContext("processor", Processor());
  benchmark::AddCustomContext("kernel", Kernel());
  benchmark::AddCustomContext("disk", DiskOf(RunFolder()));
  benchmark::AddCustomContext("records", absl::StrCat(RunSizes().records));
  const size_t run = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  RemoveRunFolder();
  return run == 0 ? 1 : 0;
}

}  // namespace
}  // namespace maillage::bench

int main(int argc, char** argv) { return maillage::bench::Run(argc, argv); }
