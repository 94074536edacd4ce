// gRPC's side of mutual TLS between sites. The handshake proves each end's key; whether that key is let in, Door decides
// before the first byte of HTTP/2 is read, and again for each call.
#ifndef MAILLAGE_SERVER_TRUST_CREDENTIALS_H_
#define MAILLAGE_SERVER_TRUST_CREDENTIALS_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "server/trust/door.h"

namespace maillage::server {

// To be called before any other thread is started and before anything of gRPC: gRPC 1.51 has no option for the version of
// TLS, but takes the ciphers of TLS 1.2 from the environment. What is left there can't be negotiated, so TLS 1.3 remains.
void AllowTls13Alone();

// What a certificate and its key are to TLS, both PEM.
struct TlsIdentity {
  std::string key_pem;
  std::string certificate_pem;
};

// A server's, which reads key and certificate from files and follows their changes within seconds. A site whose certificate
// needs renewal may call RenewCertificate alone; other sites synchronise; what else is allowed to whom, README.md says.
std::shared_ptr<grpc::ServerCredentials> SiteServerCredentials(const std::filesystem::path& key_file,
                                                               const std::filesystem::path& certificate_file,
                                                               std::shared_ptr<const Door> door, const SiteId& here);

// Whom a channel found at its other end; empty until its handshake. Thread-safe.
class ProvenSite {
 public:
  SiteId Get() const {
    std::lock_guard lock(mutex_);
    return site_;
  }
  void Set(const SiteId& site) {
    std::lock_guard lock(mutex_);
    site_ = site;
  }

 private:
  mutable std::mutex mutex_;
  SiteId site_;
};

// A caller's.
std::shared_ptr<grpc::ChannelCredentials> SiteChannelCredentials(const TlsIdentity& identity,
                                                                 std::shared_ptr<const Door> door,
                                                                 std::shared_ptr<ProvenSite> proven);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_CREDENTIALS_H_
