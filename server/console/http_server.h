// The node's own HTTP door: for the browser of whoever sits at this machine, and for Prometheus. On loopback alone.
#ifndef MAILLAGE_SERVER_CONSOLE_HTTP_SERVER_H_
#define MAILLAGE_SERVER_CONSOLE_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace maillage::server {

struct HttpReply {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// A request is answered where its Host is this machine by name or number: a page of another site that had its name lead here gets
// 421. Nothing that is answered may be framed, guessed at, cached, or read by another site's page.
class HttpServer {
 public:
  // Called on the server's threads, several at once.
  using Handler = std::function<HttpReply()>;

  HttpServer();
  // Stops.
  ~HttpServer();

  // Before Start.
  void Get(const std::string& path, Handler handler);

  // HOST:PORT, loopback; port 0 takes a free one. InvalidArgument; FailedPrecondition where the port is taken; in French.
  absl::Status Start(const std::string& address);
  // Waits for the requests under way. Idempotent.
  void Stop();
  // HOST:PORT; empty before Start.
  const std::string& address() const { return address_; }

 private:
  bool IsOwnHost(const httplib::Request& request) const;

  std::unique_ptr<httplib::Server> server_;
  std::string address_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_CONSOLE_HTTP_SERVER_H_
