// Who wrote a change, beyond doubt, and still so when one of its values has been erased.
//
// What the author signs, and what the hash of a change is over, is its *signed part*: its bytes (proto/change.proto) with
//   - each operation's value (field 4) replaced, in its place, by a commitment to it (field 7): BLAKE2b-256 of the 16 bytes of its
//     salt and the value;
//   - the salts (field 11, and field 8 of operations) and the signature left out.
// The signature is over the BLAKE2b-256 of that, since Ed25519 hashes what it signs twice, with a slower hash.
// The salts of a change's operations, in their order, are the stream of ChaCha20 that libsodium's randombytes_buf_deterministic
// makes of BLAKE2b-256 of field 11. So a value can be taken out: its commitment stays in its place, field 11 is emptied, and the
// other operations get their own salts as field 8. The signature and the hash stay what they were, and nobody can find the value by
// trying, because its salt is gone. (Commitments to values instead of values: Schneier and Kelsey, "Secure Audit Logs to Support
// Computer Forensics", 1999, section 3.) Everything else of the author's bytes is taken verbatim, what is unknown here as well. A
// change without field 11, of a time before it or of no network, is signed as it is.
#ifndef MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_
#define MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/change.h"
#include "replication/membership.h"
#include "replication/signing.h"

namespace maillage::replication {

// Field and length before the signature, and the signature.
inline constexpr size_t kSignatureFieldSize = 2 + kSignatureSize;

// First 16 bytes of BLAKE2b-256: of the signed part, or, as Blake2b256 of fingerprint.h, of all bytes of a change without salts or
// that is no message.
std::string HashOfChange(std::string_view bytes);

// Adds the signature of the author's site to a change that has none.
void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes);
// Whether `key` signed this change in this network. False as well where it bears no signature.
bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key);

// The change with commitments in the place of all its values: what proves that it was signed, and tells none of them.
// InvalidArgument where the change has no salt, or is no message.
absl::StatusOr<std::string> WithoutValues(std::string_view bytes);
// The same of one operation, by its number from 0; InvalidArgument where there is none.
absl::StatusOr<std::string> WithoutValue(std::string_view bytes, size_t operation);

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
