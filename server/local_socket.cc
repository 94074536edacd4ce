#include "server/local_socket.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;

// Connections that wait to be accepted: programs of this machine, which are accepted within a moment.
constexpr int kBacklog = 128;

absl::Status Failed(const fs::path& path, const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(path.string(), " : ", what, " (", std::strerror(errno), ")"));
}

sockaddr_un AddressOf(const fs::path& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

bool SomebodyListens(const sockaddr_un& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  return connected;
}

bool InGroup(uid_t user, gid_t primary, gid_t group) {
  if (primary == group) return true;
  const passwd* const entry = getpwuid(user);
  if (entry == nullptr) return false;
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  if (getgrouplist(entry->pw_name, primary, groups.data(), &count) < 0) {
    groups.resize(static_cast<size_t>(count));
    getgrouplist(entry->pw_name, primary, groups.data(), &count);
  }
  return std::find(groups.begin(), groups.begin() + count, group) != groups.begin() + count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalSocket>> LocalSocket::Listen(const fs::path& path, Handler handler) {
  const sockaddr_un address = AddressOf(path);
  if (path.string().size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path.string(), " : un chemin de socket a au plus ", sizeof(address.sun_path) - 1,
        " octets ; donnez-en un plus court, --socket /run/maillage/maillage.sock"));
  }
  if (SomebodyListens(address)) {
    return absl::FailedPreconditionError(absl::StrCat(path.string(), " : un autre nœud y écoute déjà"));
  }
  unlink(path.c_str());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return Failed(path, "socket impossible");
  // The mode is that of the file from its first moment on.
  const mode_t mask = umask(S_IXUSR | S_IXGRP | S_IRWXO);
  const bool bound = bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  umask(mask);
  if (!bound || listen(listener, kBacklog) != 0) {
    const absl::Status failed = Failed(path, "écoute impossible");
    close(listener);
    return failed;
  }
  return std::unique_ptr<LocalSocket>(new LocalSocket(path, listener, std::move(handler)));
}

LocalSocket::LocalSocket(fs::path path, int listener, Handler handler)
    : path_(std::move(path)), handler_(std::move(handler)) {
  struct stat info = {};
  stat(path_.c_str(), &info);
  group_ = info.st_gid;
  acceptor_ = std::make_unique<Acceptor>(listener, SOCK_CLOEXEC | SOCK_NONBLOCK,
                                         [this, listener](int connection) { Admit(listener, connection); });
}

LocalSocket::~LocalSocket() {
  acceptor_.reset();
  unlink(path_.c_str());
}

bool LocalSocket::MayEnter(int connection) const {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == geteuid() || InGroup(peer.uid, peer.gid, group_)) return true;
  spdlog::warn("local client refused uid={} pid={}", peer.uid, peer.pid);
  return false;
}

void LocalSocket::Admit(int listener, int connection) const {
  if (MayEnter(connection)) {
    handler_(listener, connection);
  } else {
    close(connection);
  }
}

}  // namespace maillage::server
