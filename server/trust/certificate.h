// X.509 certificates of sites (RFC 5280), for TLS alone: a certificate says that an antenna has lately seen the site. Who the
// site is, its key says; what it may do, the membership log.
#ifndef MAILLAGE_SERVER_TRUST_CERTIFICATE_H_
#define MAILLAGE_SERVER_TRUST_CERTIFICATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/signing.h"

struct x509_st;

namespace maillage::server {

// 90 days, renewed at half of it: a relay that meets an antenna once in six weeks never notices.
inline constexpr uint64_t kCertificateLifeMillis = uint64_t{90} * 24 * 3600 * 1000;
// A certificate is valid from a day before it was made: clocks of laptops are wrong by hours.
inline constexpr uint64_t kCertificateLeadMillis = uint64_t{24} * 3600 * 1000;

// PKCS #8, for TLS libraries.
std::string PrivateKeyPem(const replication::SigningKey& key);

// PEM. The certificate of an Ed25519 key, signed by `issuer`, which may be that very key; `serial` has 16 bytes, random.
absl::StatusOr<std::string> IssueCertificate(const replication::SigningKey& issuer, std::string_view public_key,
                                             std::string_view serial, uint64_t now_millis,
                                             uint64_t life_millis = kCertificateLifeMillis);

// What is read of one. Values; thread-safe.
class Certificate {
 public:
  // InvalidArgument, in French, where it is none, or none of an Ed25519 key that names its issuer.
  static absl::StatusOr<Certificate> Parse(std::string_view pem);

  const std::string& public_key() const { return public_key_; }
  SiteId site() const { return replication::SiteIdOf(public_key_); }
  // As it claims.
  const SiteId& issuer() const { return issuer_; }
  bool SignedBy(std::string_view issuer_key) const;
  // Milliseconds since 1970.
  uint64_t from_millis() const { return from_millis_; }
  uint64_t until_millis() const { return until_millis_; }
  // Half of its life is over.
  bool RenewalDue(uint64_t now_millis) const { return now_millis >= from_millis_ + (until_millis_ - from_millis_) / 2; }

 private:
  std::shared_ptr<x509_st> x509_;
  std::string public_key_;
  SiteId issuer_;
  uint64_t from_millis_ = 0;
  uint64_t until_millis_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_CERTIFICATE_H_
