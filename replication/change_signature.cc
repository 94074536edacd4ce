#include "replication/change_signature.h"

#include "replication/check.h"

namespace maillage::replication {
namespace {

// Field 15, of bytes; 64 of them.
constexpr std::string_view kSignatureField = "\x7a\x40";

std::string Signed(std::string_view content, const NetworkId& network) {
  return std::string(network.bytes()).append(content);
}

}  // namespace

void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes) {
  const std::string signature = key.Sign(kChangeDomain, Signed(bytes, network));
  MAILLAGE_CHECK(kSignatureField.size() + signature.size() == kSignatureFieldSize);
  bytes.append(kSignatureField).append(signature);
}

bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key) {
  if (bytes.size() < kSignatureFieldSize) return false;
  const size_t content = bytes.size() - kSignatureFieldSize;
  if (bytes.substr(content, kSignatureField.size()) != kSignatureField) return false;
  return VerifySignature(key, kChangeDomain, Signed(bytes.substr(0, content), network),
                         bytes.substr(content + kSignatureField.size()));
}

}  // namespace maillage::replication
