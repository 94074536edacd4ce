// A progress bar on a terminal.
#ifndef MAILLAGE_CLIENT_COMMANDS_PROGRESS_H_
#define MAILLAGE_CLIENT_COMMANDS_PROGRESS_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "client/commands/session.h"

namespace maillage::client::commands {

// Redraws one line of the error stream, "[#####     ] 2100/4190  1200 lignes/s  reste 2 s", and
// clears it when destroyed. Silent where the error stream is no terminal.
class Progress {
 public:
  // `unit`: what is counted; lines, where it is empty.
  Progress(const Session& session, size_t total, std::string unit = "");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(size_t done);

 private:
  const Session& session_;
  const size_t total_;
  const std::string unit_;
  const absl::Time start_;
};

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_PROGRESS_H_
