#include "server/trust/credentials.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/security/auth_metadata_processor.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "proto/absl_view.h"
#include "server/grpc_status.h"
#include "server/trust/certificate.h"

namespace maillage::server {
namespace {

namespace tls = grpc::experimental;

// The certificate's file is looked at this often: it changes every 45 days, and gRPC takes a second or more.
constexpr unsigned kReloadSeconds = 5;

constexpr absl::string_view kRenewMethod = "/maillage.v1.TrustService/RenewCertificate";
constexpr absl::string_view kSyncService = "/maillage.v1.SyncService/";
// What an antenna watches of another site. It writes nothing there: the site would sign it.
constexpr absl::string_view kWatched[] = {"/maillage.v1.StatusService/GetStatus", "/maillage.v1.StatusService/ListPeers",
                                          "/grpc.health.v1.Health/Check"};

// Decides at the end of a handshake, synchronously.
template <typename Decide>
class Verifier final : public tls::ExternalCertificateVerifier {
 public:
  explicit Verifier(Decide decide) : decide_(std::move(decide)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const grpc::string_ref pem = request->peer_cert();
    *sync_status = ToGrpcStatus(decide_(std::string_view(pem.data(), pem.size())));
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  const Decide decide_;
};

template <typename Decide>
std::shared_ptr<tls::CertificateVerifier> MakeVerifier(Decide decide) {
  return tls::ExternalCertificateVerifier::Create<Verifier<Decide>>(std::move(decide));
}

// Looks at each call, since who is a member may have changed since the handshake.
class CallGuard final : public grpc::AuthMetadataProcessor {
 public:
  CallGuard(std::shared_ptr<const Door> door, const SiteId& here) : door_(std::move(door)), here_(here) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                       OutputMetadata*) override {
    const std::vector<grpc::string_ref> pem = context->FindPropertyValues("x509_pem_cert");
    if (pem.empty()) return {grpc::StatusCode::UNAUTHENTICATED, "un certificat de site est nécessaire"};
    const auto admitted = door_->Admit({pem[0].data(), pem[0].size()});
    if (!admitted.ok()) return ToGrpcStatus(admitted.status());
    const auto path = metadata.find(":path");
    const absl::string_view method =
        path == metadata.end() ? "" : absl::string_view(path->second.data(), path->second.size());
    return ToGrpcStatus(MayCall(*admitted, method));
  }

 private:
  absl::Status MayCall(const Door::Admitted& caller, absl::string_view method) const {
    if (method == kRenewMethod) return absl::OkStatus();
    if (caller.needs_renewal) {
      return absl::PermissionDeniedError("le certificat a expiré : ce site doit d'abord le renouveler auprès d'une antenne");
    }
    if (absl::StartsWith(method, kSyncService)) return absl::OkStatus();
    // Records and the node's administration from afar: with this site's own key.
    if (caller.site == here_) return absl::OkStatus();
    const bool watches = std::find(std::begin(kWatched), std::end(kWatched), method) != std::end(kWatched);
    if (caller.role == v1::ROLE_ANTENNA && watches) return absl::OkStatus();
    return absl::PermissionDeniedError(
        "un autre site ne peut que synchroniser ; pour lire et écrire ici, passez par la socket Unix de ce nœud");
  }

  const std::shared_ptr<const Door> door_;
  const SiteId here_;
};

}  // namespace

void AllowTls13Alone() {
  // A cipher of TLS 1.2 that needs a shared secret, which nobody has. OpenSSL refuses an empty list.
  setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
}

std::shared_ptr<grpc::ServerCredentials> SiteServerCredentials(const std::filesystem::path& key_file,
                                                               const std::filesystem::path& certificate_file,
                                                               std::shared_ptr<const Door> door, const SiteId& here) {
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      key_file.string(), certificate_file.string(), kReloadSeconds));
  options.watch_identity_key_cert_pairs();
  // The handshake proves the key; what OpenSSL knows of chains isn't what decides here.
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(MakeVerifier([door](std::string_view pem) { return door->Admit(pem).status(); }));
  options.set_check_call_host(false);
  std::shared_ptr<grpc::ServerCredentials> credentials = tls::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<CallGuard>(door, here));
  return credentials;
}

std::shared_ptr<grpc::ChannelCredentials> SiteChannelCredentials(const TlsIdentity& identity,
                                                                 std::shared_ptr<const Door> door,
                                                                 std::shared_ptr<ProvenSite> proven) {
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
      identity.certificate_pem,
      std::vector<tls::IdentityKeyCertPair>{{identity.key_pem, identity.certificate_pem}}));
  options.watch_identity_key_cert_pairs();
  // Decides nothing; without any gRPC would look for the roots of the machine.
  options.watch_root_certs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(MakeVerifier([door = std::move(door), proven = std::move(proven)](std::string_view pem) {
    const auto admitted = door->Admit(pem);
    if (admitted.ok()) proven->Set(admitted->site);
    return admitted.status();
  }));
  return tls::TlsCredentials(options);
}

}  // namespace maillage::server
