// What systemd hears of the node that it started: that it is ready, how it is, that it still lives (sd_notify(3)).
#ifndef MAILLAGE_SERVER_SERVICE_MANAGER_H_
#define MAILLAGE_SERVER_SERVICE_MANAGER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "proto/status_service.pb.h"

namespace maillage::server {

// One line for « systemctl status », in French.
std::string ServiceStatusText(const v1::NodeStatus& status);

// Lives as long as the node serves. Does nothing where no service manager started the process.
class ServiceManager {
 public:
  // Asks the node how it is, at most for some seconds.
  using Probe = std::function<absl::StatusOr<v1::NodeStatus>()>;

  // Says READY, and from then on STATUS; and WATCHDOG, where the manager asks for it, as long as `probe` answers. So a node whose
  // writer hangs is started anew.
  explicit ServiceManager(Probe probe);
  // Says STOPPING.
  ~ServiceManager();

 private:
  void Beat();

  const Probe probe_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SERVICE_MANAGER_H_
