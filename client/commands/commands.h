// The commands of `maillage`. Each function adds its commands to the program; the one that is
// chosen puts what is to be done into `action`, which runs once the whole command line has been
// read.
#ifndef MAILLAGE_CLIENT_COMMANDS_COMMANDS_H_
#define MAILLAGE_CLIENT_COMMANDS_COMMANDS_H_

#include <functional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "client/commands/session.h"

namespace maillage::client::commands {

struct Program {
  CLI::App& app;
  Session& session;
  std::function<absl::Status()> action;

  // A command with its description, which runs `run`; the examples are lines of shell.
  CLI::App* Add(std::string name, std::string description, std::string examples,
                std::function<absl::Status()> run);
};

void AddReadCommands(Program& program);
void AddWriteCommands(Program& program);
void AddHistoryCommand(Program& program);
void AddExplainCommand(Program& program);
void AddConflictCommands(Program& program);
void AddWatchCommand(Program& program);
void AddImportCommand(Program& program);
void AddExportCommand(Program& program);
void AddStatusCommands(Program& program);
void AddPeerCommands(Program& program);
void AddSiteCommands(Program& program);
void AddAuditCommand(Program& program);
void AddQuarantineCommand(Program& program);
void AddMemberCommands(Program& program);
// Of maillaged, which gets the rest of the line as it is, --help included.
bool IsNodeCommand(std::string_view name);
void AddBackupCommands(Program& program);
void AddBundleCommands(Program& program);
void AddKindsCommand(Program& program);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_COMMANDS_H_
