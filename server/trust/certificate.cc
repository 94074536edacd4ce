#include "server/trust/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::server {
namespace {

using replication::kKeySeedSize;
using replication::kPublicKeySize;
using replication::SigningKey;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using BioPointer = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Freer<X509_free>>;
using ExtensionPointer = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using NumberPointer = std::unique_ptr<BIGNUM, Freer<BN_free>>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

KeyPointer SecretKey(const SigningKey& key) {
  return KeyPointer(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(key.seed()), kKeySeedSize));
}

KeyPointer PublicKey(std::string_view key) {
  return KeyPointer(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(key), key.size()));
}

bool SetName(X509_NAME* name, const SiteId& site) {
  const std::string text = FormatSiteId(site);
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, Bytes(text), static_cast<int>(text.size()), -1,
                                    0) == 1;
}

std::optional<SiteId> NameOf(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return std::nullopt;
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  const std::string hex(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                        static_cast<size_t>(ASN1_STRING_length(text)));
  if (hex.size() != 2 * SiteId::kSize || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  return SiteId::FromBytes(absl::HexStringToBytes(hex));
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  const ExtensionPointer extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetTimes(X509* certificate, uint64_t from_millis, uint64_t until_millis) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(from_millis / 1000)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(until_millis / 1000)) != nullptr;
}

bool SetSerial(X509* certificate, std::string_view serial) {
  // Positive, as RFC 5280 wants it.
  const NumberPointer number(BN_bin2bn(Bytes(serial), static_cast<int>(serial.size()), nullptr));
  if (number == nullptr) return false;
  BN_clear_bit(number.get(), static_cast<int>(serial.size()) * 8 - 1);
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

std::optional<uint64_t> MillisOf(const ASN1_TIME* time) {
  struct tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const time_t seconds = timegm(&parts);
  if (seconds < 0) return std::nullopt;
  return static_cast<uint64_t>(seconds) * 1000;
}

absl::Status Unusable(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("certificat inutilisable : ", ToAbsl(why)));
}

}  // namespace

std::string PrivateKeyPem(const SigningKey& key) {
  const BioPointer bio(BIO_new(BIO_s_secmem()));
  const KeyPointer secret = SecretKey(key);
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), secret.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) return "";
  return Contents(bio.get());
}

absl::StatusOr<std::string> IssueCertificate(const SigningKey& issuer, std::string_view public_key,
                                             std::string_view serial, uint64_t now_millis, uint64_t life_millis) {
  const X509Pointer certificate(X509_new());
  const KeyPointer subject = PublicKey(public_key);
  const KeyPointer secret = SecretKey(issuer);
  const uint64_t from = now_millis > kCertificateLeadMillis ? now_millis - kCertificateLeadMillis : 0;
  const bool made = certificate != nullptr && subject != nullptr && secret != nullptr &&
                    X509_set_version(certificate.get(), X509_VERSION_3) == 1 && SetSerial(certificate.get(), serial) &&
                    SetTimes(certificate.get(), from, now_millis + life_millis) &&
                    SetName(X509_get_subject_name(certificate.get()), replication::SiteIdOf(public_key)) &&
                    SetName(X509_get_issuer_name(certificate.get()), issuer.site()) &&
                    X509_set_pubkey(certificate.get(), subject.get()) == 1 &&
                    AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    AddExtension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
                    AddExtension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
                    X509_sign(certificate.get(), secret.get(), nullptr) > 0;
  const BioPointer bio(BIO_new(BIO_s_mem()));
  if (!made || PEM_write_bio_X509(bio.get(), certificate.get()) != 1) {
    return absl::InternalError("OpenSSL ne fait pas de certificat");
  }
  return Contents(bio.get());
}

absl::StatusOr<Certificate> Certificate::Parse(std::string_view pem) {
  const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509Pointer x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (x509 == nullptr) return Unusable("ce n'en est pas un");
  Certificate certificate;
  const EVP_PKEY* key = X509_get0_pubkey(x509.get());
  certificate.public_key_.resize(kPublicKeySize);
  size_t size = kPublicKeySize;
  const bool is_ed25519 =
      key != nullptr && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
      EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(certificate.public_key_.data()), &size) == 1;
  if (!is_ed25519) return Unusable("sa clé n'est pas de type Ed25519");
  const std::optional<SiteId> issuer = NameOf(X509_get_issuer_name(x509.get()));
  if (!issuer.has_value()) return Unusable("il ne nomme pas l'antenne qui l'a fait");
  const std::optional<uint64_t> from = MillisOf(X509_get0_notBefore(x509.get()));
  const std::optional<uint64_t> until = MillisOf(X509_get0_notAfter(x509.get()));
  if (!from.has_value() || !until.has_value()) return Unusable("ses dates sont illisibles");
  certificate.issuer_ = *issuer;
  certificate.from_millis_ = *from;
  certificate.until_millis_ = *until;
  certificate.x509_ = std::shared_ptr<X509>(std::move(x509));
  return certificate;
}

bool Certificate::SignedBy(std::string_view issuer_key) const {
  const KeyPointer key = PublicKey(issuer_key);
  return key != nullptr && X509_verify(x509_.get(), key.get()) == 1;
}

}  // namespace maillage::server
