#include "tests/replication/support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/replication/support/literals.h"

namespace maillage::replication::testing {
namespace {

constexpr size_t kBytesPerLine = 32;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Updating() {
  const char* update = std::getenv("MAILLAGE_UPDATE_GOLDEN");
  return update != nullptr && std::string_view(update) == "1";
}

}  // namespace

GoldenFile::GoldenFile(std::string path, std::string_view about)
    : path_(std::string(MAILLAGE_SOURCE_DIR "/tests/golden/") + path) {
  text_.append("# ").append(about).append("\n");
}

GoldenFile& GoldenFile::Add(std::string_view name, std::string_view bytes) {
  text_.append("\n").append(name).append("\n");
  for (size_t i = 0; i < bytes.size(); i += kBytesPerLine) {
    text_.append("  ").append(ToHex(bytes.substr(i, kBytesPerLine))).append("\n");
  }
  return *this;
}

void GoldenFile::Compare() const {
  if (Updating()) {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    std::ofstream(path_, std::ios::binary) << text_;
    ADD_FAILURE() << path_ << " was written anew: review the difference, then run without "
                  << "MAILLAGE_UPDATE_GOLDEN";
    return;
  }
  EXPECT_EQ(text_, ReadAll(path_)) << "What is on disks and on the wire no longer fits " << path_
                                   << ". tests/golden/README.md says when that is right.";
}

}  // namespace maillage::replication::testing
