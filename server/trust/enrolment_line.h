// One question and its answer over TLS 1.3, by OpenSSL alone. An invitation has to listen to strangers, and gRPC keeps what
// they send: forty connections with endless headers take 900 MiB there. Here a connection costs a thread and what
// TLS needs of buffers, and says at most kEnrolmentMessageBytes before it is hung up on.
//
// Each direction carries one message: its length, four bytes, big-endian, and its bytes.
#ifndef MAILLAGE_SERVER_TRUST_ENROLMENT_LINE_H_
#define MAILLAGE_SERVER_TRUST_ENROLMENT_LINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/statusor.h"
#include "server/acceptor.h"

struct ssl_ctx_st;

namespace maillage::server {

// Both PEM.
struct LineIdentity {
  std::string key_pem;
  std::string certificate_pem;
};

// Listens, and answers each caller on a thread of its own, at most kEnrolmentConnections at a time; who comes beyond is
// hung up on at once, who says nothing within kEnrolmentPatienceMillis then.
class EnrolmentPort {
 public:
  // From the question's bytes to the answer's. Called on the threads of callers; may take as long as people do.
  using Handler = std::function<std::string(const std::string& question)>;

  // `listen`: HOST:PORT. Unavailable, in French, where nobody can listen there.
  static absl::StatusOr<std::unique_ptr<EnrolmentPort>> Listen(const std::string& listen, const LineIdentity& identity,
                                                               Handler handler);
  // Waits for the callers that are being answered: the handler must let them go.
  ~EnrolmentPort();
  EnrolmentPort(const EnrolmentPort&) = delete;
  EnrolmentPort& operator=(const EnrolmentPort&) = delete;

  int port() const { return port_; }

 private:
  struct Caller {
    std::thread thread;
    std::atomic<bool> answered = false;
  };

  EnrolmentPort(std::shared_ptr<ssl_ctx_st> context, int listener, Handler handler);
  void Meet(int connection);
  void Answer(int connection);

  const std::shared_ptr<ssl_ctx_st> context_;
  const Handler handler_;
  const int port_;
  // The acceptor's thread alone touches it, and whoever has waited for that one. Each thread is waited for: OpenSSL tidies up
  // at the end of a process, and a thread that is still ending then reads what is freed.
  std::list<Caller> callers_;
  std::unique_ptr<Acceptor> acceptor_;
};

// Asks whoever answers at `address` (HOST:PORT), and waits for the answer at most so long. `recognise` gets the public key
// that the other end has proven (32 bytes of Ed25519), before anything is sent: an error ends it there, and is returned.
// Unavailable where nobody answers.
absl::StatusOr<std::string> AskOverTls(const std::string& address,
                                       const std::function<absl::Status(std::string_view public_key)>& recognise,
                                       const std::string& question, uint64_t patience_millis);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_ENROLMENT_LINE_H_
