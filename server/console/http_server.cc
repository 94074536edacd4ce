#include "server/console/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "server/loopback.h"
#include "server/tuning.h"
#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

// Nothing but what this very door serves, and nowhere but in a window of its own.
const httplib::Headers& SafeHeaders() {
  static const httplib::Headers* const headers = new httplib::Headers{
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", "no-store"}};
  return *headers;
}

// Without SO_REUSEPORT, with which a second node would take the same port, and every other request.
void ReuseAddress(socket_t socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

// As gRPC and URLs write it, and as the socket takes it.
std::string BareHost(const std::string& address) {
  const std::string host(HostOf(address));
  return host == "[::1]" ? "::1" : host;
}

}  // namespace

HttpServer::HttpServer() : server_(std::make_unique<httplib::Server>()) {
  server_->new_task_queue = [] { return new httplib::ThreadPool(kHttpThreads); };
  server_->set_socket_options(ReuseAddress);
  server_->set_default_headers(SafeHeaders());
  server_->set_payload_max_length(kMaxHttpBodyBytes);
  server_->set_read_timeout(kHttpPatienceSeconds);
  server_->set_write_timeout(kHttpPatienceSeconds);
  server_->set_keep_alive_timeout(kHttpIdleSeconds);
  server_->set_tcp_nodelay(true);
  server_->set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (IsOwnHost(request)) return httplib::Server::HandlerResponse::Unhandled;
    response.status = 421;
    response.set_content("cette adresse n'est pas celle de ce noeud\n", "text/plain; charset=utf-8");
    return httplib::Server::HandlerResponse::Handled;
  });
  // What an exception says is for the log.
  server_->set_exception_handler([](const httplib::Request& request, httplib::Response& response, std::exception_ptr failure) {
    try {
      std::rethrow_exception(std::move(failure));
    } catch (const std::exception& error) {
      spdlog::error("http request failed path={} error=\"{}\"", request.path, error.what());
    } catch (...) {
      spdlog::error("http request failed path={}", request.path);
    }
    response.status = 500;
  });
}

HttpServer::~HttpServer() { Stop(); }

bool HttpServer::IsOwnHost(const httplib::Request& request) const {
  const std::string host = request.get_header_value("Host");
  for (const char* own : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host == absl::StrCat(own, ":", port_)) return true;
  }
  return host == address_;
}

void HttpServer::Get(const std::string& path, Handler handler) {
  server_->Get(path, [handler = std::move(handler)](const httplib::Request&, httplib::Response& response) {
    HttpReply reply = handler();
    response.status = reply.status;
    response.set_content(std::move(reply.body), reply.type.c_str());
  });
}

absl::Status HttpServer::Start(const std::string& address) {
  uint32_t port = 0;
  const bool has_port = absl::SimpleAtoi(ToAbsl(std::string_view(address).substr(address.rfind(':') + 1)), &port);
  if (!has_port || port > UINT16_MAX || !IsLoopback(address)) {
    return absl::InvalidArgumentError(absl::StrCat("--http ", address, " : attendu 127.0.0.1:PORT"));
  }
  const std::string host = BareHost(address);
  int bound = static_cast<int>(port);
  if (port == 0) {
    bound = server_->bind_to_any_port(host);
  } else if (!server_->bind_to_port(host, bound)) {
    bound = -1;
  }
  if (bound <= 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--http ", address, " : l'adresse est prise, ou n'est pas celle de cette machine"));
  }
  port_ = static_cast<uint16_t>(bound);
  address_ = absl::StrCat(ToAbsl(HostOf(address)), ":", bound);
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  // Before that a Stop would go unheard.
  while (!server_->is_running()) std::this_thread::yield();
  return absl::OkStatus();
}

void HttpServer::Stop() {
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace maillage::server
