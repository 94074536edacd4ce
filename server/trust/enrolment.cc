#include "server/trust/enrolment.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "proto/absl_view.h"
#include "proto/membership.grpc.pb.h"
#include "replication/membership.h"
#include "server/grpc_status.h"
#include "server/trust/certificate.h"
#include "server/trust/credentials.h"
#include "server/trust/door.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using replication::Membership;
using replication::SigningKey;

class WaitingEnrolment final : public Enrolment, public v1::EnrolmentService::Service {
 public:
  WaitingEnrolment(const JoinCode& code, Ports ports) : code_(code), ports_(std::move(ports)) {}
  ~WaitingEnrolment() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  }

  int port() const override { return port_; }

  absl::Status Start(const std::string& listen, const TlsIdentity& identity) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(listen, EnrolmentServerCredentials(identity), &port_);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kEnrolmentStreams);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMillis);
    builder.SetMaxReceiveMessageSize(kEnrolmentMessageBytes);
    grpc::ResourceQuota quota("enrolment");
    quota.Resize(kEnrolmentMemoryBytes).SetMaxThreads(kEnrolmentThreads);
    builder.SetResourceQuota(quota);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port_ != 0) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat(listen, " : impossible d'écouter ; l'adresse est-elle prise par un autre programme ? (--listen)"));
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
    answer_ = answer;
    absl::Status outcome = Close(answer.status());
    // Until the answer has left this thread's hands.
    changed_.wait(lock, [this] { return answered_; });
    return outcome;
  }

  grpc::Status Join(grpc::ServerContext*, const v1::JoinRequest* request, v1::JoinResponse* response) override {
    std::unique_lock lock(mutex_);
    absl::Status taken = CheckJoinRequest(code_, *request, ports_.clock->NowMillis());
    if (taken.ok() && (closed_ || pending_.has_value())) taken = absl::PermissionDeniedError("le code a déjà servi");
    if (!taken.ok()) {
      ports_.refused(taken);
      return ToGrpcStatus(taken);
    }
    pending_ = *request;
    changed_.notify_all();
    changed_.wait(lock, [this] { return closed_; });
    answered_ = true;
    changed_.notify_all();
    if (!answer_.has_value()) return {grpc::StatusCode::ABORTED, "l'antenne a interrompu l'invitation"};
    if (!answer_->ok()) return ToGrpcStatus(answer_->status());
    *response = **answer_;
    return grpc::Status::OK;
  }

 private:
  // With the mutex held: the code is worth nothing any more.
  absl::Status Close(absl::Status outcome) {
    closed_ = true;
    changed_.notify_all();
    return outcome;
  }

  const JoinCode code_;
  const Ports ports_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<v1::JoinRequest> pending_;
  std::optional<absl::StatusOr<v1::JoinResponse>> answer_;
  bool closed_ = false;
  bool answered_ = false;
  std::unique_ptr<grpc::Server> server_;
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
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = v1::EnrolmentService::NewStub(
      grpc::CreateCustomChannel(address, EnrolmentChannelCredentials(code.authority), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(code.expires_millis - now_millis));
  v1::JoinResponse response;
  const grpc::Status status = stub->Join(&context, MakeJoinRequest(code, key, authority_key), &response);
  if (status.ok()) return response;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::UnavailableError(absl::StrCat(
        address, " : l'antenne du code n'y répond pas ; l'invitation y attend-elle encore, à cette adresse et ce port ? "
                 "Rien n'a été envoyé. (", status.error_message(), ")"));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
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
