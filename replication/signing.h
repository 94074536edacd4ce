// Ed25519 signatures (RFC 8032) and the hashes that name keys and signed bytes, by libsodium.
#ifndef MAILLAGE_REPLICATION_SIGNING_H_
#define MAILLAGE_REPLICATION_SIGNING_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "proto/id.h"
#include "replication/ports.h"

namespace maillage::replication {

inline constexpr size_t kKeySeedSize = 32;
inline constexpr size_t kPublicKeySize = 32;
inline constexpr size_t kSignatureSize = 64;
inline constexpr size_t kHashSize = 32;

// What a signature is about is signed with it, as "domain NUL message": one that was made for a purpose never passes for
// another.
inline constexpr std::string_view kMembershipDomain = "maillage membership entry";
inline constexpr std::string_view kChangeDomain = "maillage change";
inline constexpr std::string_view kChangesDomain = "maillage changes";
inline constexpr std::string_view kJoinDomain = "maillage join request";
inline constexpr std::string_view kReportDomain = "maillage site report";

// BLAKE2b-256 of the bytes alone, as anybody else computes it (Blake2b256 of fingerprint.h also hashes where parts end);
// keyed where `key` isn't empty (16 to 64 bytes).
std::string Hash256(std::string_view bytes, std::string_view key = {});

// First half of the hash of the public key.
SiteId SiteIdOf(std::string_view public_key);

// False as well where key or signature have another length.
bool VerifySignature(std::string_view public_key, std::string_view domain, std::string_view message,
                     std::string_view signature);

// A secret key. Movable, not copyable; wiped when it goes. Const methods are thread-safe.
class SigningKey {
 public:
  // `seed` has kKeySeedSize bytes.
  explicit SigningKey(std::string_view seed);
  static SigningKey Generate(Random& random);
  ~SigningKey();
  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  const std::string& public_key() const { return public_key_; }
  SiteId site() const { return SiteIdOf(public_key_); }
  std::string Sign(std::string_view domain, std::string_view message) const;
  // For whoever writes the key to its file.
  std::string_view seed() const { return {reinterpret_cast<const char*>(secret_.data()), kKeySeedSize}; }

 private:
  // The seed and the public key, as libsodium has them.
  std::array<unsigned char, kKeySeedSize + kPublicKeySize> secret_{};
  std::string public_key_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SIGNING_H_
