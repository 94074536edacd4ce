// The node's Unix socket: how programs of the same machine reach it. The kernel says which user is at the other end.
#ifndef MAILLAGE_SERVER_LOCAL_SOCKET_H_
#define MAILLAGE_SERVER_LOCAL_SOCKET_H_

#include <filesystem>
#include <functional>
#include <memory>

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "server/acceptor.h"

namespace maillage::server {

// Accepts connections on a thread of its own, and hands on those of the node's own user, of root, and of members of the
// group that owns the socket; others are closed at once. A socket file that nobody listens on is replaced; where somebody
// does, Listen is FailedPrecondition.
class LocalSocket {
 public:
  // Takes a connected descriptor; on the socket's thread.
  using Handler = std::function<void(int listener, int connection)>;

  // The path has at most 107 bytes; InvalidArgument, in French, otherwise.
  static absl::StatusOr<std::unique_ptr<LocalSocket>> Listen(const std::filesystem::path& path, Handler handler);
  // Takes no more, and removes the file.
  ~LocalSocket();
  LocalSocket(const LocalSocket&) = delete;
  LocalSocket& operator=(const LocalSocket&) = delete;

 private:
  LocalSocket(std::filesystem::path path, int listener, Handler handler);
  void Admit(int listener, int connection) const;
  bool MayEnter(int connection) const;

  const std::filesystem::path path_;
  const Handler handler_;
  gid_t group_ = 0;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_LOCAL_SOCKET_H_
