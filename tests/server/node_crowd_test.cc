// Five hundred real sessions over real gRPC, all from one thread of this process.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "proto/records.pb.h"
#include "proto/status_service.grpc.pb.h"
#include "server/node.h"
#include "tests/server/crowd.h"
#include "tests/storage/temporary_folder.h"
#include "tests/support/seed.h"

namespace maillage::server::testing {
namespace {

constexpr size_t kSites = 500;
// Every tenth brings a record of its own.
constexpr size_t kNewRecords = kSites / 10;

uint64_t ResidentMebibytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kibibytes = 0;
  while (status >> word) {
    if (word == "VmRSS:") status >> kibibytes;
  }
  return kibibytes / 1024;
}

// Each connection is two descriptors of this process.
bool RaiseDescriptorLimit() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 4 * kSites;
}

TEST(NodeCrowdTest, FiveHundredRealSessionsAtOnceEndEqual) {
  if (!RaiseDescriptorLimit()) GTEST_SKIP() << "this machine allows too few descriptors";
  storage::TemporaryFolder folder;
  Config config;
  config.site = "lyon";
  config.data = folder.In("data");
  config.listen = "127.0.0.1:0";
  auto node = Node::Start(config);
  ASSERT_TRUE(node.ok()) << node.status();
  replication::testing::SteppedClock clock;
  EventQueue queue;
  std::vector<std::unique_ptr<Caller>> callers;
  const uint64_t seed = maillage::testing::TestSeed();
  for (size_t i = 0; i < kSites; ++i) {
    callers.push_back(std::make_unique<Caller>(absl::StrCat("site-", i), seed + i, &clock, &queue));
    if (i % (kSites / kNewRecords) != 0) continue;
    v1::Actor actor;
    actor.set_name(absl::StrCat("A", i));
    callers.back()->site.Create(actor);
  }
  const uint64_t before = ResidentMebibytes();
  uint64_t peak = before;
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& caller : callers) caller->Call(DialSyncStream((*node)->address()));
  const auto has_all = [](const auto& caller) {
    const auto& kinds = caller->site.replica->progress().kinds;
    return caller->session->progress().agreements > 0 && kinds.contains(1) && kinds.at(1).alive == kNewRecords;
  };
  size_t ready = 0;
  for (uint64_t step = 0; ready < kSites; ++step) {
    queue.RunOne();
    while (ready < kSites && has_all(callers[ready])) ++ready;
    if (step % 1000 == 0) peak = std::max(peak, ResidentMebibytes());
  }
  peak = std::max(peak, ResidentMebibytes());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%zu sessions, %zu new records each: %.1f s, %lu MiB resident before, %lu MiB at the peak, both ends\n",
              kSites, kNewRecords, seconds.count(), static_cast<unsigned long>(before),
              static_cast<unsigned long>(peak));
  const std::string digest = callers[0]->site.Digest();
  for (const auto& caller : callers) EXPECT_EQ(caller->site.Digest(), digest);
  // What gRPC may take for the node, twice since both ends are here, and the sessions.
  EXPECT_LT(peak - before, 1024u);
  (*node)->Shutdown();
  // The streams tell their end before what they tell it to goes.
  while (std::any_of(callers.begin(), callers.end(), [](const auto& caller) { return !caller->closed; })) {
    queue.RunOne();
  }
}

}  // namespace
}  // namespace maillage::server::testing
