// Files of bytes that must never change by accident: tests/golden/README.md.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_GOLDEN_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_GOLDEN_H_

#include <string>
#include <string_view>

namespace maillage::replication::testing {

// Collects named bytes, then compares them with the file.
class GoldenFile {
 public:
  // `path` below tests/golden/, `about` its first line.
  GoldenFile(std::string path, std::string_view about);

  GoldenFile& Add(std::string_view name, std::string_view bytes);

  // Fails the running test where the file differs. With MAILLAGE_UPDATE_GOLDEN=1 it writes the file
  // instead, and fails all the same, so that no run that changed a golden file ever passes.
  void Compare() const;

 private:
  const std::string path_;
  std::string text_;
};

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_GOLDEN_H_
