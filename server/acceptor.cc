#include "server/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace maillage::server {
namespace {

// A listener stays readable while nothing can be accepted: without a pause the thread would turn round at once.
constexpr int kNoDescriptorPauseMillis = 100;

}  // namespace

Acceptor::Acceptor(int listener, int flags, Handler handler)
    : listener_(listener), flags_(flags), wake_(eventfd(0, EFD_CLOEXEC)), handler_(std::move(handler)) {
  thread_ = std::thread([this] { Run(); });
}

Acceptor::~Acceptor() {
  eventfd_write(wake_, 1);
  thread_.join();
  close(listener_);
  close(wake_);
}

void Acceptor::Run() {
  pollfd waits[] = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
  bool pause = false;
  while (true) {
    // While it pauses it looks at the end alone.
    const int ready = poll(waits, pause ? 1 : 2, pause ? kNoDescriptorPauseMillis : -1);
    pause = false;
    if (ready < 0) continue;
    if ((waits[0].revents & POLLIN) != 0) return;
    const int connection = accept4(listener_, nullptr, nullptr, flags_);
    if (connection >= 0) handler_(connection);
    pause = connection < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  }
}

}  // namespace maillage::server
