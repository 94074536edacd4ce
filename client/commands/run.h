// The whole command line as a function: the entry of the program and of its tests.
#ifndef MAILLAGE_CLIENT_COMMANDS_RUN_H_
#define MAILLAGE_CLIENT_COMMANDS_RUN_H_

#include <string>
#include <vector>

#include "client/commands/session.h"

namespace maillage::client::commands {

// Runs one command line, without the program's name, and returns the exit code: 0 fine, 1 failed,
// 64 wrong usage; `status --check` also 2 critical and 3 unknown. Results go to `out`, everything
// else to `err`.
int RunMaillage(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_RUN_H_
