#include "replication/signature_tree.h"

#include <bit>
#include <span>

#include "replication/check.h"
#include "replication/signing.h"

namespace maillage::replication {
namespace {

using Hashes = std::span<const std::string>;

// A leaf never passes for a node.
std::string LeafHash(std::string_view leaf) { return Hash256(std::string(1, '\0').append(leaf)).substr(0, kTreeHashSize); }

std::string NodeHash(std::string_view left, std::string_view right) {
  return Hash256(std::string(1, '\1').append(left).append(right)).substr(0, kTreeHashSize);
}

// The left part of a tree is the largest that is full.
size_t LeftPart(size_t leaves) { return std::bit_floor(leaves - 1); }

// The root of a part of the tree; appends to the proof of each leaf the nodes beside its way there.
std::string Grow(Hashes leaves, std::span<std::string> proofs) {
  if (leaves.size() == 1) return leaves.front();
  const size_t split = LeftPart(leaves.size());
  const std::string left = Grow(leaves.first(split), proofs.first(split));
  const std::string right = Grow(leaves.subspan(split), proofs.subspan(split));
  for (std::string& proof : proofs.first(split)) proof.append(right);
  for (std::string& proof : proofs.subspan(split)) proof.append(left);
  return NodeHash(left, right);
}

std::string Head(size_t count, std::string_view root) { return std::string(1, static_cast<char>(count)).append(root); }

}  // namespace

SignatureTree MakeSignatureTree(const std::vector<std::string>& leaves) {
  MAILLAGE_CHECK(!leaves.empty() && leaves.size() <= kMaxSignedTogether);
  std::vector<std::string> hashes;
  hashes.reserve(leaves.size());
  for (const std::string& leaf : leaves) hashes.push_back(LeafHash(leaf));
  SignatureTree tree;
  for (size_t i = 0; i < leaves.size(); ++i) tree.proofs.push_back({static_cast<char>(i), static_cast<char>(leaves.size())});
  tree.head = Head(leaves.size(), Grow(hashes, tree.proofs));
  return tree;
}

std::optional<std::string> HeadOf(std::string_view proof, std::string_view leaf) {
  if (proof.size() < 2 || (proof.size() - 2) % kTreeHashSize != 0) return std::nullopt;
  size_t place = static_cast<uint8_t>(proof[0]);
  const size_t count = static_cast<uint8_t>(proof[1]);
  if (place >= count || count > kMaxSignedTogether) return std::nullopt;
  size_t last = count - 1;
  std::string hash = LeafHash(leaf);
  for (std::string_view way = proof.substr(2); !way.empty(); way.remove_prefix(kTreeHashSize)) {
    if (last == 0) return std::nullopt;
    const std::string_view beside = way.substr(0, kTreeHashSize);
    if (place % 2 == 1 || place == last) {
      hash = NodeHash(beside, hash);
      for (; place % 2 == 0 && place != 0; place /= 2) last /= 2;
    } else {
      hash = NodeHash(hash, beside);
    }
    place /= 2;
    last /= 2;
  }
  return last == 0 ? std::optional(Head(count, hash)) : std::nullopt;
}

}  // namespace maillage::replication
