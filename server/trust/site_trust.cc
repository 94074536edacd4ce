#include "server/trust/site_trust.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "proto/membership.grpc.pb.h"
#include "server/backup_files.h"
#include "server/trust/network_file.h"
#include "server/tuning.h"
#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

using replication::Member;
using replication::Membership;

// TLS libraries read a key from a file of this format; the same key as identity.key.
constexpr char kTlsKeyFile[] = "tls-key.pem";

// A key that systemd keeps stays off the disk: what a service has at run time lies in memory.
std::filesystem::path KeyFolder(const std::filesystem::path& data) {
  const char* const runtime = std::getenv("RUNTIME_DIRECTORY");
  if (!IdentityCredential().has_value() || runtime == nullptr) return data;
  // A service may have several.
  const std::string_view folders(runtime);
  return folders.substr(0, folders.find(':'));
}

}  // namespace

SiteTrust::SiteTrust(std::filesystem::path data, replication::SigningKey identity, replication::WallClock* clock,
                     replication::Random* random)
    : data_(std::move(data)),
      tls_key_file_(KeyFolder(data_) / kTlsKeyFile),
      identity_(std::move(identity)),
      key_pem_(PrivateKeyPem(identity_)),
      clock_(clock),
      random_(random),
      door_(std::make_shared<Door>(clock)) {}

SiteTrust::~SiteTrust() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (renewal_.joinable()) renewal_.join();
}

absl::StatusOr<std::unique_ptr<SiteTrust>> SiteTrust::Load(const std::filesystem::path& data,
                                                           replication::SigningKey identity,
                                                           replication::WallClock* clock,
                                                           replication::Random* random) {
  absl::StatusOr<v1::NetworkFile> network = ReadNetworkFile(data);
  if (!network.ok()) return network.status();
  const absl::StatusOr<std::string> pem = ReadCertificate(data);
  if (!pem.ok()) return absl::FailedPreconditionError(pem.status().message());
  std::unique_ptr<SiteTrust> trust(new SiteTrust(data, std::move(identity), clock, random));
  trust->network_ = *std::move(network);
  if (absl::Status written = ReplaceFile(trust->tls_key_file_, trust->key_pem_); !written.ok()) return written;
  const absl::StatusOr<Certificate> certificate = Certificate::Parse(*pem);
  if (!certificate.ok()) {
    return absl::FailedPreconditionError(absl::StrCat((data / kCertificateFile).string(), " : ", certificate.status().message()));
  }
  if (certificate->public_key() != trust->identity_.public_key()) {
    return absl::FailedPreconditionError(
        absl::StrCat((data / kCertificateFile).string(), " : ce certificat est celui d'un autre site que identity.key"));
  }
  trust->certificate_pem_ = *pem;
  trust->until_millis_ = certificate->until_millis();
  return trust;
}

TlsIdentity SiteTrust::tls_identity() const {
  std::lock_guard lock(mutex_);
  return {key_pem_, certificate_pem_};
}

uint64_t SiteTrust::certificate_until_millis() const {
  std::lock_guard lock(mutex_);
  return until_millis_;
}

std::shared_ptr<grpc::ServerCredentials> SiteTrust::server_credentials() const {
  return SiteServerCredentials(tls_key_file_, data_ / kCertificateFile, door_, identity_.site());
}

std::shared_ptr<SyncStream> SiteTrust::Dial(const std::string& address) const {
  auto proven = std::make_shared<ProvenSite>();
  return DialSyncStream(address, SiteChannelCredentials(tls_identity(), door_, proven),
                        [proven] { return proven->Get(); });
}

absl::StatusOr<std::string> SiteTrust::Issue(std::string_view public_key) const {
  const std::shared_ptr<const Membership> membership = door_->membership();
  const Member* const here = membership->Find(identity_.site());
  if (here == nullptr || here->role != v1::ROLE_ANTENNA || here->revoked) {
    return absl::FailedPreconditionError("ce site n'est pas une antenne : il ne fait pas de certificat");
  }
  std::array<uint8_t, 16> serial;
  random_->Fill(serial);
  return IssueCertificate(identity_, public_key, {reinterpret_cast<const char*>(serial.data()), serial.size()},
                          clock_->NowMillis());
}

absl::StatusOr<std::string> SiteTrust::AskForCertificate(const std::string& address) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = grpc::CreateCustomChannel(
      address, SiteChannelCredentials(tls_identity(), door_, std::make_shared<ProvenSite>()), arguments);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(kRenewalCallMillis));
  v1::RenewCertificateResponse response;
  const grpc::Status status = v1::TrustService::NewStub(channel)->RenewCertificate(&context, {}, &response);
  if (!status.ok()) return absl::UnavailableError(status.error_message());
  return response.certificate();
}

absl::Status SiteTrust::Take(const std::string& pem) {
  const absl::StatusOr<Certificate> certificate = Certificate::Parse(pem);
  if (!certificate.ok()) return certificate.status();
  const auto admitted = door_->Admit(pem);
  if (!admitted.ok()) return admitted.status();
  if (certificate->public_key() != identity_.public_key() || admitted->needs_renewal) {
    return absl::InvalidArgumentError("le nouveau certificat n'est pas celui de ce site, ou a déjà expiré");
  }
  if (absl::Status written = WriteCertificate(data_, pem); !written.ok()) return written;
  std::lock_guard lock(mutex_);
  certificate_pem_ = pem;
  until_millis_ = certificate->until_millis();
  return absl::OkStatus();
}

bool SiteTrust::Renew(const std::vector<std::string>& addresses) {
  absl::StatusOr<std::string> pem = Issue(identity_.public_key());
  for (size_t i = 0; !pem.ok() && i < addresses.size(); ++i) pem = AskForCertificate(addresses[i]);
  const absl::Status taken = pem.ok() ? Take(*pem) : pem.status();
  if (taken.ok()) {
    spdlog::info("certificate renewed until_ms={}", certificate_until_millis());
  } else if (failures_log_.Admit(clock_->NowMillis()).has_value()) {
    spdlog::warn("certificate not renewed until_ms={} error=\"{}\"", certificate_until_millis(), taken.ToString());
  }
  return taken.ok();
}

void SiteTrust::KeepRenewed(std::vector<std::string> addresses) {
  renewal_ = std::thread([this, addresses = std::move(addresses)] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const std::string pem = certificate_pem_;
      lock.unlock();
      const absl::StatusOr<Certificate> certificate = Certificate::Parse(pem);
      const auto admitted = door_->Admit(pem);
      const bool invalid = admitted.ok() && admitted->needs_renewal;
      if (certificate.ok() && (invalid || certificate->RenewalDue(clock_->NowMillis()))) Renew(addresses);
      lock.lock();
      wake_.wait_for(lock, std::chrono::milliseconds(kRenewalLookMillis), [this] { return stopping_; });
    }
  });
}

}  // namespace maillage::server
