#include "replication/signing.h"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_sign.h>
#include <sodium/utils.h>

#include <utility>

#include "replication/check.h"

namespace maillage::replication {
namespace {

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string Tagged(std::string_view domain, std::string_view message) {
  std::string tagged(domain);
  tagged.push_back('\0');
  return tagged.append(message);
}

}  // namespace

std::string Hash256(std::string_view bytes, std::string_view key) {
  std::string hash(kHashSize, '\0');
  crypto_generichash(Bytes(hash), hash.size(), Bytes(bytes), bytes.size(), key.empty() ? nullptr : Bytes(key),
                     key.size());
  return hash;
}

SiteId SiteIdOf(std::string_view public_key) {
  return *SiteId::FromBytes(std::string_view(Hash256(public_key)).substr(0, SiteId::kSize));
}

bool VerifySignature(std::string_view public_key, std::string_view domain, std::string_view message,
                     std::string_view signature) {
  if (public_key.size() != kPublicKeySize || signature.size() != kSignatureSize) return false;
  const std::string tagged = Tagged(domain, message);
  return crypto_sign_verify_detached(Bytes(signature), Bytes(tagged), tagged.size(), Bytes(public_key)) == 0;
}

SigningKey::SigningKey(std::string_view seed) : public_key_(kPublicKeySize, '\0') {
  MAILLAGE_CHECK(seed.size() == kKeySeedSize);
  crypto_sign_seed_keypair(Bytes(public_key_), secret_.data(), Bytes(seed));
}

SigningKey SigningKey::Generate(Random& random) {
  std::array<uint8_t, kKeySeedSize> seed;
  random.Fill(seed);
  SigningKey key({reinterpret_cast<const char*>(seed.data()), seed.size()});
  sodium_memzero(seed.data(), seed.size());
  return key;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), public_key_(std::move(other.public_key_)) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  std::swap(secret_, other.secret_);
  std::swap(public_key_, other.public_key_);
  return *this;
}

std::string SigningKey::Sign(std::string_view domain, std::string_view message) const {
  const std::string tagged = Tagged(domain, message);
  std::string signature(kSignatureSize, '\0');
  crypto_sign_detached(Bytes(signature), nullptr, Bytes(tagged), tagged.size(), secret_.data());
  return signature;
}

}  // namespace maillage::replication
