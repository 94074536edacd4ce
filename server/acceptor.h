// A listening descriptor with a thread that accepts.
#ifndef MAILLAGE_SERVER_ACCEPTOR_H_
#define MAILLAGE_SERVER_ACCEPTOR_H_

#include <functional>
#include <thread>

namespace maillage::server {

// Where no descriptor is left for another connection, it waits for one to be closed; callers stay in the kernel's queue.
class Acceptor {
 public:
  // Takes a connected descriptor, and with it the closing of it; on the acceptor's thread.
  using Handler = std::function<void(int connection)>;

  // Owns `listener`, which must not block. `flags` are accept4's.
  Acceptor(int listener, int flags, Handler handler);
  // Takes no more, and waits for the handler to return.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  void Run();

  const int listener_;
  const int flags_;
  // An eventfd: readable once the thread has to end.
  const int wake_;
  const Handler handler_;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_ACCEPTOR_H_
