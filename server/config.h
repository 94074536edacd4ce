// What a node is told at its start: flags, or a TOML file with the same names; flags win.
#ifndef MAILLAGE_SERVER_CONFIG_H_
#define MAILLAGE_SERVER_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace maillage::server {

struct Config {
  // Name of the site, for people: lower-case letters, digits and dashes.
  std::string site;
  std::filesystem::path data;
  // Where the site notes which data folder ran last (lease.h): not inside of it. Empty: DATA.lease.
  std::filesystem::path lease;
  // What the site holds at first, as the list of sites writes it: "73", "73,74". Empty: everything. Once the list says
  // something, the list decides.
  std::string scope;
  // HOST:PORT; port 0 takes a free one.
  std::string listen = "127.0.0.1:7101";
  // HOST:PORT of the node's HTTP door, on loopback; port 0 takes a free one. Empty: none.
  std::string http;
  // The Unix socket for programs of this machine. Empty: DATA/maillage.sock.
  std::filesystem::path socket;
  // HOST:PORT of the nodes that this one dials.
  std::vector<std::string> peers;
  // trace, debug, info, warn, error
  std::string log_level = "info";
  // Memory for blocks read from disk, in MiB.
  uint64_t cache_mib = 32;
};

// Adds to `config` what the file says. InvalidArgument with file, line and what to do where the file is unreadable,
// holds an unknown name or a value of the wrong type.
absl::Status ReadConfigFile(const std::filesystem::path& file, Config& config);
// The same of the file's text; `source` names it in messages.
absl::Status ReadConfig(std::string_view toml, std::string_view source, Config& config);

// Lower-case letters, digits and dashes, at most 40.
bool IsSiteName(const std::string& name);

// InvalidArgument where something is missing or has a wrong form.
absl::Status CheckConfig(const Config& config);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_CONFIG_H_
