#include "server/service_manager.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

void Say(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

// Within half of what the manager waits for, as its manual advises.
std::chrono::milliseconds Pause() {
  uint64_t micros = 0;
  const std::chrono::milliseconds usual(kServiceStatusMillis);
  if (sd_watchdog_enabled(/*unset_environment=*/0, &micros) <= 0) return usual;
  return std::min(usual, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(micros / 2)));
}

}  // namespace

std::string ServiceStatusText(const v1::NodeStatus& status) {
  int64_t records = 0;
  for (const v1::KindCount& kind : status.kinds()) records += kind.records();
  const auto up_to_date = std::count_if(status.peers().begin(), status.peers().end(), [](const v1::PeerStatus& peer) {
    return peer.state() == v1::PeerStatus::UP_TO_DATE;
  });
  std::string text = absl::StrCat(records, " fiches ; pairs : ", status.peers_size(), ", dont ", up_to_date, " à jour");
  if (status.conflicts() > 0) absl::StrAppend(&text, " ; versions à comparer : ", status.conflicts());
  if (status.quarantined() > 0) absl::StrAppend(&text, " ; en quarantaine : ", status.quarantined());
  if (!status.read_only_reason().empty()) absl::StrAppend(&text, " ; lecture seule : ", status.read_only_reason());
  // A line of its own would be another statement to the manager.
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

ServiceManager::ServiceManager(Probe probe) : probe_(std::move(probe)) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  Say("READY=1");
  thread_ = std::thread([this] { Beat(); });
}

ServiceManager::~ServiceManager() {
  if (!thread_.joinable()) return;
  Say("STOPPING=1");
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ServiceManager::Beat() {
  const std::chrono::milliseconds pause = Pause();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::StatusOr<v1::NodeStatus> status = probe_();
    if (status.ok()) Say(absl::StrCat("WATCHDOG=1\nSTATUS=", ServiceStatusText(*status)));
    if (!status.ok()) Say(absl::StrCat("STATUS=", std::string(status.status().message())));
    lock.lock();
    wake_.wait_for(lock, pause, [this] { return stopping_; });
  }
}

}  // namespace maillage::server
