// The two ends of joining: an antenna that waits for the one machine that it invited, and that machine.
#ifndef MAILLAGE_SERVER_TRUST_ENROLMENT_H_
#define MAILLAGE_SERVER_TRUST_ENROLMENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/membership.pb.h"
#include "replication/ports.h"
#include "replication/signing.h"
#include "server/trust/join_code.h"

namespace maillage::server {

// A server of its own, for one code. It says nothing to whoever doesn't know the code, and ends with it.
class Enrolment {
 public:
  struct Ports {
    replication::WallClock* clock = nullptr;
    // Asks the operator; on the thread of Wait.
    std::function<bool(const v1::JoinRequest&)> confirm;
    // Makes the machine a member, and says what it is told. On the thread of Wait.
    std::function<absl::StatusOr<v1::JoinResponse>(const v1::JoinRequest&)> admit;
    // Somebody was refused, and why; on any thread.
    std::function<void(const absl::Status&)> refused;
    // Whether to give up waiting; asked several times a second.
    std::function<bool()> stopped;
  };

  virtual ~Enrolment() = default;
  // The port that was taken.
  virtual int port() const = 0;
  // Until the machine has joined: OK. DeadlineExceeded: the code expired; Aborted: the operator said no; Cancelled.
  virtual absl::Status Wait() = 0;

  // `listen`: HOST:PORT. `authority` signs the log; the machine knows it by its fingerprint in the code.
  static absl::StatusOr<std::unique_ptr<Enrolment>> Listen(const std::string& listen, const JoinCode& code,
                                                           const replication::SigningKey& authority,
                                                           std::string_view serial, Ports ports);
};

// Asks the antenna at `address` to let this machine in, and waits until its operator has answered, at most until the code
// expires. Nothing is sent before the antenna has proven to be the code's. `authority_key`: in case it becomes an antenna.
absl::StatusOr<v1::JoinResponse> AskToJoin(const std::string& address, const JoinCode& code,
                                           const replication::SigningKey& key, std::string_view authority_key,
                                           uint64_t now_millis);

// What the answer says is true: the log is signed, the code's authority is one of its own, this machine is a member under
// the code's name, and the certificate is its. PermissionDenied, in French, otherwise.
absl::Status CheckJoined(const JoinCode& code, const replication::SigningKey& key, const v1::JoinResponse& response,
                         replication::WallClock& clock);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_ENROLMENT_H_
