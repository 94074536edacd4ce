// maillaged init, invite, join, revoke, rights: how a network comes to be, and who belongs to it. They hold the antenna's
// authority key, which the running node never reads; `maillage` of the same names runs them.
#ifndef MAILLAGE_SERVER_TRUST_TRUST_COMMANDS_H_
#define MAILLAGE_SERVER_TRUST_TRUST_COMMANDS_H_

#include <filesystem>
#include <optional>
#include <string>

#include "CLI/App.hpp"
#include "absl/status/status.h"

namespace maillage::server {

class TrustCommands {
 public:
  // Adds the commands to the program's.
  void Describe(CLI::App& app);
  // What the chosen one came to, or nothing where none was chosen. They talk to a person on standard input and output.
  std::optional<absl::Status> Run() const;

 private:
  absl::Status Init() const;
  absl::Status Invite() const;
  absl::Status Join() const;
  absl::Status Revoke() const;
  absl::Status ChangeRights() const;

  CLI::App* init_ = nullptr;
  CLI::App* invite_ = nullptr;
  CLI::App* join_ = nullptr;
  CLI::App* revoke_ = nullptr;
  CLI::App* rights_ = nullptr;
  std::filesystem::path data_;
  std::filesystem::path socket_;
  std::filesystem::path recovery_;
  std::string network_ = "Maillage";
  std::string site_;
  std::string role_ = "relay";
  std::string territory_;
  std::string listen_ = "0.0.0.0:7102";
  std::string code_;
  std::string address_;
  std::string reason_;
  std::string person_;
  bool yes_ = false;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_TRUST_COMMANDS_H_
