// A folder that goes away with the test.
#ifndef MAILLAGE_TESTS_STORAGE_TEMPORARY_FOLDER_H_
#define MAILLAGE_TESTS_STORAGE_TEMPORARY_FOLDER_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace maillage::storage {

class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  // A path inside; nothing is made there.
  std::string In(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Paths in `folder` whose names end so, sorted. The folders inside are not looked into.
std::vector<std::string> FilesEndingIn(const std::string& folder, std::string_view ending);
std::string ReadFile(const std::string& file);
void WriteFile(const std::string& file, std::string_view contents);
// Inverts one bit of the byte at `offset`.
void FlipBit(const std::string& file, size_t offset);

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_TEMPORARY_FOLDER_H_
