#include "server/config.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/loopback.h"
#include "proto/absl_view.h"
#include "toml++/toml.h"

namespace maillage::server {
namespace {

constexpr size_t kMaxSiteName = 40;

absl::Status Wrong(std::string_view source, const toml::source_region& where,
                   const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(source), ", ligne ", where.begin.line, " : ", what));
}

absl::Status ReadValue(std::string_view source, const std::string& name,
                       const toml::node& value, Config& config) {
  const auto text = value.value<std::string>();
  if (name == "site" && text) {
    config.site = *text;
  } else if (name == "data" && text) {
    config.data = *text;
  } else if (name == "lease" && text) {
    config.lease = *text;
  } else if (name == "scope" && text) {
    config.scope = *text;
  } else if (name == "listen" && text) {
    config.listen = *text;
  } else if (name == "socket" && text) {
    config.socket = *text;
  } else if (name == "http" && text) {
    config.http = *text;
  } else if (name == "log_level" && text) {
    config.log_level = *text;
  } else if (name == "cache_mib" && value.is_integer() && *value.value<int64_t>() > 0) {
    config.cache_mib = static_cast<uint64_t>(*value.value<int64_t>());
  } else if (name == "peers" && value.is_array()) {
    config.peers.clear();
    for (const toml::node& peer : *value.as_array()) {
      const auto address = peer.value<std::string>();
      if (!address) return Wrong(source, peer.source(), "une adresse est un texte, \"HÔTE:PORT\"");
      config.peers.push_back(*address);
    }
  } else {
    return Wrong(source, value.source(),
                 absl::StrCat("« ", name, " » est inconnu ou d'un autre type ; noms connus : site, "
                                          "data, lease, scope, listen, socket, http, peers, log_level, cache_mib"));
  }
  return absl::OkStatus();
}

template <typename Parse>
absl::Status ReadTable(Parse parse, std::string_view source, Config& config) {
  toml::table table;
  try {
    table = parse();
  } catch (const toml::parse_error& error) {
    return Wrong(source, error.source(), std::string(error.description()));
  }
  for (const auto& [name, value] : table) {
    absl::Status status = ReadValue(source, std::string(name.str()), value, config);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(const std::string& address, bool may_be_any_port) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  const bool valid = colon != std::string::npos && colon > 0 &&
                     absl::SimpleAtoi(address.substr(colon + 1), &port) && port <= 65535 &&
                     (port > 0 || may_be_any_port);
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("« ", address, " » n'est pas une adresse : HÔTE:PORT, par exemple 127.0.0.1:7101"));
}

absl::Status CheckHttp(const std::string& address) {
  if (address.empty()) return absl::OkStatus();
  if (absl::Status status = CheckAddress(address, true); !status.ok()) return status;
  if (IsLoopback(address)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--http ", address, " : la porte HTTP n'écoute que sur sa propre machine (127.0.0.1) ; pour la voir d'une autre : "
      "ssh -L 7180:127.0.0.1:7180 MACHINE"));
}

}  // namespace

bool IsSiteName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxSiteName &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

absl::Status ReadConfigFile(const std::filesystem::path& file, Config& config) {
  return ReadTable([&] { return toml::parse_file(file.string()); }, file.string(), config);
}

absl::Status ReadConfig(std::string_view toml, std::string_view source, Config& config) {
  return ReadTable([&] { return toml::parse(toml, source); }, source, config);
}

absl::Status CheckConfig(const Config& config) {
  if (!IsSiteName(config.site)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "« ", config.site,
        " » n'est pas un nom de site : minuscules sans accent, chiffres et tirets (--site haute-savoie)"));
  }
  if (config.data.empty()) {
    return absl::InvalidArgumentError("il manque le dossier des données (--data DOSSIER)");
  }
  if (absl::Status status = CheckAddress(config.listen, true); !status.ok()) return status;
  if (absl::Status status = CheckHttp(config.http); !status.ok()) return status;
  for (const std::string& peer : config.peers) {
    if (absl::Status status = CheckAddress(peer, false); !status.ok()) return status;
  }
  static constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log_level) == std::end(kLevels)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "« ", config.log_level, " » n'est pas un niveau de journal : trace, debug, info, warn, error"));
  }
  return absl::OkStatus();
}

}  // namespace maillage::server
