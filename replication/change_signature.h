// Who wrote a change, beyond doubt: its signature is the last field of its bytes (proto/change.proto), so that what was
// signed is what comes before it, as the author encoded it.
#ifndef MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_
#define MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_

#include <string>
#include <string_view>

#include "replication/membership.h"
#include "replication/signing.h"

namespace maillage::replication {

// Field and length before the signature, and the signature.
inline constexpr size_t kSignatureFieldSize = 2 + kSignatureSize;

// Adds the signature of the author's site to a change that has none.
void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes);
// Whether `key` signed exactly these bytes in this network. False as well where they bear no signature.
bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key);

// Verifies, or remembers that somebody has. A node verifies on the threads that read from its peers, and has the writer's
// thread remember.
class ChangeVerifier {
 public:
  virtual ~ChangeVerifier() = default;
  virtual bool Verify(std::string_view bytes, const NetworkId& network, std::string_view key) {
    return VerifyChange(bytes, network, key);
  }
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_
