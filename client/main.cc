// The program `maillage`: the command line with its real surroundings.
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/commands/run.h"
#include "client/grpc_connection.h"
#include "client/retrying_connection.h"
#include "client/uuid.h"

namespace {

using maillage::client::commands::Environment;

// The full name of the system's user where it has one, else the login.
std::string SystemUser() {
  const passwd* const entry = getpwuid(geteuid());
  if (entry == nullptr) return "";
  const std::string gecos = entry->pw_gecos == nullptr ? "" : entry->pw_gecos;
  const std::string full_name = gecos.substr(0, gecos.find(','));
  return full_name.empty() ? entry->pw_name : full_name;
}

size_t TerminalWidth() {
  winsize size{};
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

// Turns the first Ctrl-C into a request to stop, which calls under way obey; a second one ends the
// process. To be called before any other thread exists, so that they all leave the signals to this
// one.
std::stop_token StopOnSignal() {
  static std::stop_source source;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    source.request_stop();
    sigwait(&signals, &signal);
    _exit(128 + signal);
  }).detach();
  return source.get_token();
}

// Sleeps, unless and until the run is to stop.
void SleepUntilStopped(absl::Duration pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, absl::ToChronoMilliseconds(pause), [] { return false; });
}

std::shared_ptr<maillage::client::Connection> Connect(const std::string& address,
                                                      const std::stop_token& stop) {
  maillage::client::GrpcConnectionOptions options;
  options.address = address;
  options.stop = stop;
  maillage::client::RetryOptions retry;
  retry.sleep = [stop](absl::Duration pause) { SleepUntilStopped(pause, stop); };
  return maillage::client::MakeRetryingConnection(
      maillage::client::MakeGrpcConnection(std::move(options)), std::move(retry));
}

// Beside this program, as installed, or where the build leaves it, or in PATH.
std::string NodeProgram() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const std::filesystem::path& place : {folder / "maillaged", folder.parent_path() / "server" / "maillaged"}) {
    if (std::filesystem::exists(place, error)) return place.string();
  }
  return "maillaged";
}

absl::StatusOr<int> RunNodeProgram(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {NodeProgram()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  // Ctrl-C is for the program that works, not only for this one.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int error = posix_spawnp(&child, pointers[0], nullptr, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return absl::NotFoundError("maillaged est introuvable : installez le nœud sur cette machine, ou complétez PATH");
  }
  int ended = 0;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
}

}  // namespace

int main(int argc, char** argv) {
  // Node addresses are in the command's own messages; the transport's log would only repeat them.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const std::stop_token stop = StopOnSignal();
  Environment environment{
      .out = std::cout,
      .err = std::cerr,
      .connect = [stop](const std::string& address) { return Connect(address, stop); },
      .variable =
          [](const char* name) {
            const char* const value = std::getenv(name);
            return std::string(value == nullptr ? "" : value);
          },
      .now = absl::Now,
      .request_id = maillage::client::RandomUuid,
      .default_person = SystemUser(),
      .out_width = TerminalWidth(),
      .err_is_terminal = isatty(STDERR_FILENO) != 0,
      .stopped = [stop] { return stop.stop_requested(); },
      .wait = [stop](absl::Duration pause) { SleepUntilStopped(pause, stop); },
      .run_node_program = RunNodeProgram,
  };
  return maillage::client::commands::RunMaillage({argv + 1, argv + argc}, environment);
}
