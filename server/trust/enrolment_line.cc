#include "server/trust/enrolment_line.h"

#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/signing.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using Clock = std::chrono::steady_clock;

// Twice as many as are answered at a time.
constexpr int kBacklog = 2 * kEnrolmentConnections;
// The log of a thousand sites has some 300 KiB.
constexpr size_t kMaxAnswerLineBytes = size_t{16} << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

struct SslFreer {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPointer = std::unique_ptr<SSL, SslFreer>;

// The addresses of HOST:PORT; "[::1]:7102" too.
struct AddressesFreer {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesFreer>;

Addresses Resolve(const std::string& address, bool to_listen) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return nullptr;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = to_listen ? AI_PASSIVE : 0;
  addrinfo* list = nullptr;
  getaddrinfo(host.empty() ? nullptr : host.c_str(), address.substr(colon + 1).c_str(), &hints, &list);
  return Addresses(list);
}

// Of each single read and write.
void SetPatience(int connection, uint64_t millis) {
  const timeval patience{static_cast<time_t>(millis / 1000), static_cast<suseconds_t>(millis % 1000 * 1000)};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

std::shared_ptr<SSL_CTX> NewContext(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Nobody comes back: no session is kept for it.
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

bool UseIdentity(SSL_CTX* context, const LineIdentity& identity) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> key_bio(
      BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())), BIO_free_all);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> certificate_bio(
      BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size())), BIO_free_all);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr), X509_free);
  return key != nullptr && certificate != nullptr && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

bool ReadAll(SSL* ssl, char* to, size_t size, Clock::time_point until) {
  while (size > 0) {
    if (Clock::now() >= until) return false;
    const int got = SSL_read(ssl, to, static_cast<int>(std::min<size_t>(size, 1 << 16)));
    if (got <= 0) return false;
    to += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

std::optional<std::string> ReadMessage(SSL* ssl, size_t longest, uint64_t patience_millis) {
  const Clock::time_point until = Clock::now() + std::chrono::milliseconds(patience_millis);
  unsigned char length[4];
  if (!ReadAll(ssl, reinterpret_cast<char*>(length), sizeof(length), until)) return std::nullopt;
  size_t size = 0;
  for (const unsigned char byte : length) size = size << 8 | byte;
  if (size > longest) return std::nullopt;
  std::string message(size, '\0');
  if (!ReadAll(ssl, message.data(), message.size(), until)) return std::nullopt;
  return message;
}

bool WriteMessage(SSL* ssl, std::string_view message) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(message.size() >> shift & 255));
  bytes.append(message);
  size_t written = 0;
  return SSL_write_ex(ssl, bytes.data(), bytes.size(), &written) == 1;
}

// Of Ed25519; empty where the other end has shown another one.
std::string KeyOf(SSL* ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  const EVP_PKEY* const key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  std::string raw(replication::kPublicKeySize, '\0');
  size_t size = raw.size();
  const bool read = key != nullptr && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                    EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) == 1;
  return read ? raw : "";
}

absl::Status CannotListen(const std::string& listen) {
  return absl::UnavailableError(
      absl::StrCat(listen, " : impossible d'écouter ; l'adresse est-elle prise par un autre programme ? (--listen)"));
}

int PortOf(int listener) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
  char port[NI_MAXSERV] = "0";
  getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, nullptr, 0, port, sizeof(port), NI_NUMERICSERV);
  return std::atoi(port);
}

int Connect(const std::string& address) {
  const Addresses found = Resolve(address, /*to_listen=*/false);
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    Descriptor connection(socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connection.number() < 0) continue;
    SetPatience(connection.number(), kEnrolmentPatienceMillis);
    if (connect(connection.number(), one->ai_addr, one->ai_addrlen) == 0) return connection.Release();
  }
  return -1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EnrolmentPort>> EnrolmentPort::Listen(const std::string& listen,
                                                                     const LineIdentity& identity, Handler handler) {
  // Who hangs up in the middle of an answer is no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  std::shared_ptr<SSL_CTX> context = NewContext(TLS_server_method());
  if (!UseIdentity(context.get(), identity)) return absl::InternalError("OpenSSL refuse la clé de l'antenne");
  const Addresses found = Resolve(listen, /*to_listen=*/true);
  if (found == nullptr) return CannotListen(listen);
  Descriptor listener(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int again = 1;
  setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &again, sizeof(again));
  if (bind(listener.number(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(listener.number(), kBacklog) != 0) {
    return CannotListen(listen);
  }
  return std::unique_ptr<EnrolmentPort>(
      new EnrolmentPort(std::move(context), listener.Release(), std::move(handler)));
}

EnrolmentPort::EnrolmentPort(std::shared_ptr<SSL_CTX> context, int listener, Handler handler)
    : context_(std::move(context)), handler_(std::move(handler)), port_(PortOf(listener)) {
  acceptor_ = std::make_unique<Acceptor>(listener, SOCK_CLOEXEC, [this](int connection) { Meet(connection); });
}

EnrolmentPort::~EnrolmentPort() {
  acceptor_.reset();
  for (Caller& caller : callers_) caller.thread.join();
}

void EnrolmentPort::Meet(int connection) {
  callers_.remove_if([](Caller& caller) {
    if (caller.answered) caller.thread.join();
    return !caller.thread.joinable();
  });
  if (callers_.size() >= kEnrolmentConnections) {
    close(connection);
    return;
  }
  Caller& caller = callers_.emplace_back();
  caller.thread = std::thread([this, connection, &caller] {
    Answer(connection);
    caller.answered = true;
  });
}

void EnrolmentPort::Answer(int connection) {
  const Descriptor owned(connection);
  SetPatience(connection, kEnrolmentPatienceMillis);
  const SslPointer ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), connection);
  if (SSL_accept(ssl.get()) != 1) return;
  const auto question = ReadMessage(ssl.get(), kEnrolmentMessageBytes, kEnrolmentPatienceMillis);
  if (!question.has_value()) return;
  WriteMessage(ssl.get(), handler_(*question));
  SSL_shutdown(ssl.get());
}

absl::StatusOr<std::string> AskOverTls(const std::string& address,
                                       const std::function<absl::Status(std::string_view)>& recognise,
                                       const std::string& question, uint64_t patience_millis) {
  std::signal(SIGPIPE, SIG_IGN);
  const Descriptor connection(Connect(address));
  if (connection.number() < 0) return absl::UnavailableError("personne n'y répond");
  const std::shared_ptr<SSL_CTX> context = NewContext(TLS_client_method());
  // Whose key it is, `recognise` decides; that the other end holds it, the handshake proves.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const SslPointer ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), connection.number());
  if (SSL_connect(ssl.get()) != 1) return absl::UnavailableError("ce qui y répond ne parle pas TLS 1.3");
  if (absl::Status known = recognise(KeyOf(ssl.get())); !known.ok()) return known;
  if (!WriteMessage(ssl.get(), question)) return absl::UnavailableError("la liaison a été coupée");
  SetPatience(connection.number(), patience_millis);
  auto answer = ReadMessage(ssl.get(), kMaxAnswerLineBytes, patience_millis);
  if (!answer.has_value()) return absl::UnavailableError("la liaison a été coupée avant la réponse");
  return *std::move(answer);
}

}  // namespace maillage::server
