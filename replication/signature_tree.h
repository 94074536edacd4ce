// One signature for many changes: they are the leaves of a Merkle tree, and its root is signed. Each change bears the nodes beside its
// way to the root, so it proves itself alone, wherever it travels (RFC 9162, sections 2.1.1 and 2.1.3, with BLAKE2b-256 of which the
// first 16 bytes are taken, as everywhere that changes are named by their hash).
#ifndef MAILLAGE_REPLICATION_SIGNATURE_TREE_H_
#define MAILLAGE_REPLICATION_SIGNATURE_TREE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maillage::replication {

// Beyond that one signature for all is no cheaper, and proofs are longer.
inline constexpr size_t kMaxSignedTogether = 64;
inline constexpr size_t kTreeHashSize = 16;
// Place, number, and the nodes of the longest way.
inline constexpr size_t kMaxTreeProofSize = 2 + 6 * kTreeHashSize;

struct SignatureTree {
  // What is signed: the number of leaves, one byte, and the root.
  std::string head;
  // Of each leaf.
  std::vector<std::string> proofs;
};
// Of 1 to kMaxSignedTogether leaves, of any length.
SignatureTree MakeSignatureTree(const std::vector<std::string>& leaves);

// The head of the tree in which the proof has this leaf; nothing where it is no proof.
std::optional<std::string> HeadOf(std::string_view proof, std::string_view leaf);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SIGNATURE_TREE_H_
