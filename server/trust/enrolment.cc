#include "server/trust/enrolment.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/membership.h"
#include "server/trust/certificate.h"
#include "server/trust/door.h"
#include "server/trust/enrolment_line.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using replication::Membership;
using replication::SigningKey;

v1::JoinAnswer Refusal(const absl::Status& why) {
  v1::JoinAnswer answer;
  answer.set_code(static_cast<int32_t>(why.code()));
  answer.set_message(std::string(why.message()));
  return answer;
}

class WaitingEnrolment final : public Enrolment {
 public:
  WaitingEnrolment(const JoinCode& code, Ports ports) : code_(code), ports_(std::move(ports)) {}
  ~WaitingEnrolment() override {
    {
      const std::lock_guard lock(mutex_);
      Close(absl::OkStatus()).IgnoreError();
    }
    port_.reset();
  }

  int port() const override { return port_->port(); }

  absl::Status Start(const std::string& listen, const LineIdentity& identity) {
    auto port = EnrolmentPort::Listen(listen, identity, [this](const std::string& question) {
      v1::JoinRequest request;
      const bool readable = request.ParseFromString(question);
      return (readable ? Join(request) : Refusal(absl::InvalidArgumentError("question illisible"))).SerializeAsString();
    });
    if (!port.ok()) return port.status();
    port_ = *std::move(port);
    return absl::OkStatus();
  }

  absl::Status Wait() override {
    std::unique_lock lock(mutex_);
    while (!pending_.has_value()) {
      if (ports_.stopped != nullptr && ports_.stopped()) return Close(absl::CancelledError("arrêté ; le code ne vaut plus rien"));
      if (ports_.clock->NowMillis() >= code_.expires_millis) {
        return Close(absl::DeadlineExceededError("le code a expiré sans que personne ne se présente"));
      }
      changed_.wait_for(lock, std::chrono::milliseconds(kEnrolmentLookMillis));
    }
    const v1::JoinRequest request = *pending_;
    lock.unlock();
    absl::StatusOr<v1::JoinResponse> answer = absl::AbortedError("l'antenne a refusé");
    if (ports_.confirm(request)) answer = ports_.admit(request);
    lock.lock();
    answer_ = Refusal(answer.status());
    if (answer.ok()) *answer_->mutable_response() = *answer;
    return Close(answer.status());
  }

 private:
  // On a thread of the caller's.
  v1::JoinAnswer Join(const v1::JoinRequest& request) {
    std::unique_lock lock(mutex_);
    absl::Status taken = CheckJoinRequest(code_, request, ports_.clock->NowMillis());
    if (taken.ok() && (closed_ || pending_.has_value())) taken = absl::PermissionDeniedError("le code a déjà servi");
    if (!taken.ok()) {
      ports_.refused(taken);
      return Refusal(taken);
    }
    pending_ = request;
    changed_.notify_all();
    changed_.wait(lock, [this] { return closed_; });
    return answer_.has_value() ? *answer_ : Refusal(absl::AbortedError("l'antenne a interrompu l'invitation"));
  }

  // With the mutex held: the code is worth nothing any more.
  absl::Status Close(absl::Status outcome) {
    closed_ = true;
    changed_.notify_all();
    return outcome;
  }

  const JoinCode code_;
  const Ports ports_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<v1::JoinRequest> pending_;
  std::optional<v1::JoinAnswer> answer_;
  bool closed_ = false;
  std::unique_ptr<EnrolmentPort> port_;
};

absl::Status Untrue(std::string_view what) {
  return absl::PermissionDeniedError(absl::StrCat("la réponse de l'antenne est fausse : ", ToAbsl(what)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Enrolment>> Enrolment::Listen(const std::string& listen, const JoinCode& code,
                                                             const SigningKey& authority, std::string_view serial,
                                                             Ports ports) {
  const uint64_t now = ports.clock->NowMillis();
  const absl::StatusOr<std::string> certificate =
      IssueCertificate(authority, authority.public_key(), serial, now, kJoinCodeLifeMillis);
  if (!certificate.ok()) return certificate.status();
  auto enrolment = std::make_unique<WaitingEnrolment>(code, std::move(ports));
  absl::Status started = enrolment->Start(listen, {PrivateKeyPem(authority), *certificate});
  if (!started.ok()) return started;
  return enrolment;
}

absl::StatusOr<v1::JoinResponse> AskToJoin(const std::string& address, const JoinCode& code, const SigningKey& key,
                                           std::string_view authority_key, uint64_t now_millis) {
  if (now_millis >= code.expires_millis) {
    return absl::PermissionDeniedError(
        "le code a expiré, d'après l'horloge de cette machine ; si elle est juste, demandez-en un autre à l'antenne. "
        "Rien n'a été envoyé.");
  }
  const auto recognise = [&](std::string_view public_key) {
    if (Fingerprint(public_key) == code.authority) return absl::OkStatus();
    return absl::UnavailableError("qui y répond n'est pas l'antenne du code");
  };
  const absl::StatusOr<std::string> bytes =
      AskOverTls(address, recognise, MakeJoinRequest(code, key, authority_key).SerializeAsString(),
                 code.expires_millis - now_millis);
  if (!bytes.ok()) {
    return absl::UnavailableError(absl::StrCat(
        address, " : l'antenne du code n'y répond pas (", bytes.status().message(), ") ; l'invitation y attend-elle encore, à "
                 "cette adresse et ce port ? Rien de secret n'a été envoyé."));
  }
  v1::JoinAnswer answer;
  if (!answer.ParseFromString(*bytes)) return absl::UnavailableError(absl::StrCat(address, " : réponse illisible"));
  if (answer.code() != 0) return absl::Status(static_cast<absl::StatusCode>(answer.code()), answer.message());
  return answer.response();
}

absl::Status CheckJoined(const JoinCode& code, const SigningKey& key, const v1::JoinResponse& response,
                         replication::WallClock& clock) {
  const auto network = replication::NetworkId::FromBytes(response.network().network());
  if (!network.has_value()) return Untrue("elle ne nomme pas de réseau");
  absl::StatusOr<Membership> membership = Membership::Of(*network, response.network().log());
  if (!membership.ok()) return Untrue(ToStd(membership.status().message()));
  const replication::Member* const here = membership->Find(key.site());
  if (here == nullptr || here->revoked || here->name != code.site) return Untrue("ce site n'y est pas membre sous son nom");
  const auto& members = membership->members();
  const bool known = std::any_of(members.begin(), members.end(), [&](const auto& member) {
    return Fingerprint(member.second.authority_key) == code.authority &&
           membership->IsAuthority(member.second.authority_key);
  });
  if (!known) return Untrue("l'antenne du code n'en est pas une de ce réseau");
  Door door(&clock);
  door.Follow(std::make_shared<const Membership>(*std::move(membership)));
  const auto admitted = door.Admit(response.certificate());
  if (!admitted.ok()) return Untrue(ToStd(admitted.status().message()));
  if (admitted->site != key.site()) return Untrue("le certificat est celui d'un autre site");
  return absl::OkStatus();
}

}  // namespace maillage::server
