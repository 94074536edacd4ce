#include "tests/client/command_line.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "client/commands/run.h"

namespace maillage::client::testing {

CommandLine::CommandLine() {
  const auto& test = *::testing::UnitTest::GetInstance()->current_test_info();
  folder_ = std::filesystem::temp_directory_path() /
            absl::StrCat("maillage-", test.test_suite_name(), "-", test.name(), "-", getpid());
  std::filesystem::create_directories(folder_);
}

CommandLine::~CommandLine() { std::filesystem::remove_all(folder_); }

Said CommandLine::Run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  commands::Environment environment{
      .out = out,
      .err = err,
      .connect =
          [this](const std::string& address) {
            connected_.push_back(address);
            return node_;
          },
      .variable = [this](const char* name) { return variables_[name]; },
      .now = [] { return absl::FromUnixSeconds(FakeNode::kStartSeconds) + absl::Hours(3); },
      .request_id = [this] { return absl::StrCat("request-", ++next_request_); },
      .default_person = "Noé",
      .out_width = out_width_,
      .err_is_terminal = err_is_terminal_,
      .stopped = [this] { return stopped_; },
      .wait = [this](absl::Duration) { stopped_ = ++waits_ >= most_waits_; },
      .run_node_program = [this](const std::vector<std::string>& words) -> absl::StatusOr<int> {
        node_program_.push_back(words);
        return 7;
      },
  };
  const int exit_code = commands::RunMaillage(arguments, environment);
  return {exit_code, out.str(), err.str()};
}

nlohmann::json CommandLine::Ask(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--output", "json"});
  const Said said = Run(arguments);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  return nlohmann::json::parse(said.out);
}

std::string CommandLine::Create(const std::vector<std::string>& kind_and_assignments) {
  std::vector<std::string> arguments = {"create"};
  arguments.insert(arguments.end(), kind_and_assignments.begin(), kind_and_assignments.end());
  return Ask(arguments)["id"];
}

std::string CommandLine::WriteFile(std::string_view name, std::string_view bytes) const {
  std::ofstream(Path(name), std::ios::binary) << bytes;
  return Path(name);
}

std::string CommandLine::ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace maillage::client::testing
