#include "tests/storage/temporary_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace maillage::storage {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "maillage-storage-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error(name, {});
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::vector<std::string> FilesEndingIn(const std::string& folder, std::string_view ending) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.ends_with(ending)) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteFile(const std::string& file, std::string_view contents) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << contents;
  EXPECT_TRUE(out.flush()) << file;
}

void FlipBit(const std::string& file, size_t offset) {
  std::string contents = ReadFile(file);
  ASSERT_LT(offset, contents.size()) << file;
  contents[offset] = static_cast<char>(contents[offset] ^ 0x10);
  WriteFile(file, contents);
}

}  // namespace maillage::storage
