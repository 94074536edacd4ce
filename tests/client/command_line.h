// The command line in process, against a node in memory.
#ifndef MAILLAGE_TESTS_CLIENT_COMMAND_LINE_H_
#define MAILLAGE_TESTS_CLIENT_COMMAND_LINE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/client/fake_node.h"

namespace maillage::client::testing {

struct Said {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Noé at Chambéry, 23 November 2026, 17:02 in Paris. In French, unless a test sets LANG.
class CommandLine : public ::testing::Test {
 protected:
  CommandLine();
  ~CommandLine() override;

  Said Run(const std::vector<std::string>& arguments);
  // The same with --output json, which must succeed.
  nlohmann::json Ask(std::vector<std::string> arguments);
  // Creates a record and returns its id.
  std::string Create(const std::vector<std::string>& kind_and_assignments);

  // A file in a folder of this test alone.
  std::string Path(std::string_view name) const { return (folder_ / name).string(); }
  std::string WriteFile(std::string_view name, std::string_view bytes) const;
  static std::string ReadFile(const std::string& path);

  std::shared_ptr<FakeNode> node_ = std::make_shared<FakeNode>();
  // Addresses that were connected to.
  std::vector<std::string> connected_;
  // Arguments with which maillaged was run; it ends with 7.
  std::vector<std::vector<std::string>> node_program_;
  std::map<std::string, std::string> variables_;
  size_t out_width_ = 0;
  bool err_is_terminal_ = false;
  bool stopped_ = false;
  // The user asks the run to stop once it has waited so often.
  int most_waits_ = 1;
  int waits_ = 0;

 private:
  std::filesystem::path folder_;
  int next_request_ = 0;
};

}  // namespace maillage::client::testing

#endif  // MAILLAGE_TESTS_CLIENT_COMMAND_LINE_H_
