#include "server/console/health.h"

#include <string>

#include "nlohmann/json.hpp"

namespace maillage::server {
namespace {

constexpr int kUnavailable = 503;

HttpReply Answer(const char* question, bool yes, const std::string& reason) {
  nlohmann::ordered_json json = {{question, yes}};
  if (!reason.empty()) json["reason"] = reason;
  return {yes ? 200 : kUnavailable, "application/json; charset=utf-8", json.dump() + "\n"};
}

}  // namespace

HttpReply Livez(const absl::StatusOr<v1::NodeStatus>& status) {
  return Answer("alive", status.ok(), status.ok() ? "" : std::string(status.status().message()));
}

HttpReply Readyz(const absl::StatusOr<v1::NodeStatus>& status) {
  if (!status.ok()) return Answer("ready", false, std::string(status.status().message()));
  const bool open = status->write_state() != v1::NodeStatus::READ_ONLY_STORE_ERROR;
  return Answer("ready", open, status->read_only_reason());
}

}  // namespace maillage::server
