// What a running node has of trust: its keys, its certificate, the door. Absent where the node belongs to no network.
#ifndef MAILLAGE_SERVER_TRUST_SITE_TRUST_H_
#define MAILLAGE_SERVER_TRUST_SITE_TRUST_H_

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/membership.pb.h"
#include "replication/ports.h"
#include "replication/signing.h"
#include "server/log_limiter.h"
#include "server/sync_stream.h"
#include "server/trust/certificate.h"
#include "server/trust/credentials.h"
#include "server/trust/door.h"
#include "server/trust/verified_changes.h"
#include "server/tuning.h"

namespace maillage::server {

// Thread-safe.
class SiteTrust {
 public:
  // Reads the files of the data folder, and writes the one that TLS wants the key in. NotFound where the folder belongs
  // to no network. Clock and randomness must outlive it.
  static absl::StatusOr<std::unique_ptr<SiteTrust>> Load(const std::filesystem::path& data,
                                                         replication::SigningKey identity,
                                                         replication::WallClock* clock, replication::Random* random);
  ~SiteTrust();

  const v1::NetworkFile& network() const { return network_; }
  const std::shared_ptr<Door>& door() const { return door_; }
  const replication::SigningKey& key() const { return identity_; }
  VerifiedChanges& verified() { return verified_; }
  // Since 1970.
  uint64_t certificate_until_millis() const;

  std::shared_ptr<grpc::ServerCredentials> server_credentials() const;
  std::shared_ptr<SyncStream> Dial(const std::string& address) const;

  // A certificate for a key, by this site, as an antenna. FailedPrecondition, in French, where it is none.
  absl::StatusOr<std::string> Issue(std::string_view public_key) const;

  // Looks from time to time whether the certificate has to be renewed, and asks the nodes at `addresses` for a new one; an
  // antenna makes its own. Until the destructor.
  void KeepRenewed(std::vector<std::string> addresses);
  // Once, now: true where there is a new certificate.
  bool Renew(const std::vector<std::string>& addresses);

 private:
  SiteTrust(std::filesystem::path data, replication::SigningKey identity, replication::WallClock* clock,
            replication::Random* random);
  TlsIdentity tls_identity() const;
  absl::StatusOr<std::string> AskForCertificate(const std::string& address) const;
  absl::Status Take(const std::string& pem);

  const std::filesystem::path data_;
  const std::filesystem::path tls_key_file_;
  const replication::SigningKey identity_;
  const std::string key_pem_;
  replication::WallClock* const clock_;
  replication::Random* const random_;
  const std::shared_ptr<Door> door_;
  VerifiedChanges verified_{door_};
  v1::NetworkFile network_;

  mutable std::mutex mutex_;
  std::string certificate_pem_;
  uint64_t until_millis_ = 0;
  // A relay that is away for weeks is a line an hour.
  LogLimiter failures_log_{1, kRenewalLogMillis};
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread renewal_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_SITE_TRUST_H_
