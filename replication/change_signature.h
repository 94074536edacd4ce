// Who wrote a change, beyond doubt, and still so when one of its values has been erased.
//
// What the author signs, and what the hash of a change is over, is its *signed part*: its bytes (proto/change.proto) with
//   - each operation's value (field 4) replaced, in its place, by a commitment to it (field 7): BLAKE2b-256 of the 16 bytes of its
//     salt and the value; of operations that are personal (field 9) the key (field 3) likewise (field 10), with the hash keyed
//     "maillage key";
//   - the salts (field 11, and field 8 of operations), the proof (field 14) and the signature left out.
// The signature is over the BLAKE2b-256 of that, since Ed25519 hashes what it signs twice, with a slower hash; or, of changes that
// are committed together, over the root of a tree of which that is a leaf (signature_tree.h).
// The salts of a change's operations, in their order, are the stream of ChaCha20 that libsodium's randombytes_buf_deterministic
// makes of BLAKE2b-256 of field 11. So a value can be taken out: its commitment stays in its place, field 11 is emptied, and the
// other operations get their own salts as field 8. The signature and the hash stay what they were, and nobody can find the value by
// trying, because its salt is gone. (Commitments to values instead of values: Schneier and Kelsey, "Secure Audit Logs to Support
// Computer Forensics", 1999, section 3.) Everything else of the author's bytes is taken verbatim, what is unknown here as well. A
// change without field 11, of a time before it or of no network, is signed as it is.
#ifndef MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_
#define MAILLAGE_REPLICATION_CHANGE_SIGNATURE_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "replication/change.h"
#include "replication/membership.h"
#include "replication/signature_tree.h"
#include "replication/signing.h"

namespace maillage::replication {

// Field and length before the signature, and the signature.
inline constexpr size_t kSignatureFieldSize = 2 + kSignatureSize;

// First 16 bytes of BLAKE2b-256: of the signed part, or, as Blake2b256 of fingerprint.h, of all bytes of a change without salts or
// that is no message.
std::string HashOfChange(std::string_view bytes);

// A change that is yet to be signed, with room in the place of its signature: its hash is that of the signed one. Of one without
// either HashOfChange can't tell whether its last bytes are a signature.
std::string WithRoomForSignature(std::string_view unsigned_bytes);

// What a signature adds to a change at most.
inline constexpr size_t kMaxSignatureSize = 2 + kMaxTreeProofSize + kSignatureFieldSize;

// Adds the signature of the author's site to a change that has none.
void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes);
// The same of several at once, each with a salt: one signature for kMaxSignedTogether of them.
void SignChanges(const SigningKey& key, const NetworkId& network, const std::vector<std::string*>& changes);

// Roots whose signatures were verified, so that of changes that were signed together one costs a signature. Not thread-safe.
class VerifiedRoots {
 public:
  bool Contains(const std::string& name) const { return names_.contains(name); }
  void Add(std::string name) {
    if (names_.size() >= kMost) names_.clear();
    names_.insert(std::move(name));
  }

 private:
  static constexpr size_t kMost = 256;
  std::set<std::string> names_;
};

// Whether `key` signed this change in this network. False as well where it bears no signature. `roots` may be null.
bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key, VerifiedRoots* roots = nullptr);

// The change with commitments in the place of all its values: what proves that it was signed, and tells none of them.
// InvalidArgument where the change has no salt, or is no message.
absl::StatusOr<std::string> WithoutValues(std::string_view bytes);
// The same of one operation, by its number from 0; InvalidArgument where there is none.
absl::StatusOr<std::string> WithoutValue(std::string_view bytes, size_t operation);

// What a site that may only read gets: the change with commitments in the place of its internal values; nothing where it has none.
// InvalidArgument as above.
absl::StatusOr<std::optional<std::string>> WithoutInternal(std::string_view bytes);

// Of one of a change's operations, by its number from 0; of the change's salt. 16 bytes.
std::string SaltOfValue(std::string_view change_salt, size_t operation);
// kCommitmentSize bytes.
std::string CommitmentTo(std::string_view value, std::string_view salt);

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
