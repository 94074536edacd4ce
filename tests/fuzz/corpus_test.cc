// The kept inputs of every fuzz target, run by the ordinary builds: what was found once stays mended.
#include <gtest/gtest.h>

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

const std::filesystem::path kCorpus = MAILLAGE_SOURCE_DIR "/tests/fuzz/corpus";

std::vector<std::filesystem::path> FilesOf(const Target& target) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus / target.name)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, BreaksNoProperty) {
  const google::protobuf::LogSilencer silence;
  size_t taken = 0;
  const auto files = FilesOf(GetParam());
  for (const std::filesystem::path& file : files) {
    // A broken property ends the process: the last file named here is the one.
    SCOPED_TRACE(file.string());
    std::cerr << "input: " << file.string() << "\r";
    if (GetParam().run(ReadAll(file))) ++taken;
  }
  std::cerr << std::endl;
  // Inputs of both sorts, so that neither the decoder nor its refusals are left out.
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, files.size());
}

TEST_P(FuzzCorpus, TakesNoBytesAsWell) {
  const google::protobuf::LogSilencer silence;
  GetParam().run("");
}

INSTANTIATE_TEST_SUITE_P(Each, FuzzCorpus, ::testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(FuzzTargets, HaveACorpusEachAndNoOther) {
  std::set<std::string> wanted;
  for (const Target& target : kTargets) wanted.insert(target.name);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus)) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, wanted);
}

}  // namespace
}  // namespace maillage::fuzz
