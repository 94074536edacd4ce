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

std::string Root(Hashes leaves) {
  if (leaves.size() == 1) return leaves.front();
  const size_t left = LeftPart(leaves.size());
  return NodeHash(Root(leaves.first(left)), Root(leaves.subspan(left)));
}

// Appends the nodes beside the way from a leaf, in its order.
void AppendWay(size_t leaf, Hashes leaves, std::string& way) {
  if (leaves.size() == 1) return;
  const size_t left = LeftPart(leaves.size());
  if (leaf < left) {
    AppendWay(leaf, leaves.first(left), way);
    way.append(Root(leaves.subspan(left)));
  } else {
    AppendWay(leaf - left, leaves.subspan(left), way);
    way.append(Root(leaves.first(left)));
  }
}

std::string Head(size_t count, std::string_view root) { return std::string(1, static_cast<char>(count)).append(root); }

}  // namespace

SignatureTree MakeSignatureTree(const std::vector<std::string>& leaves) {
  MAILLAGE_CHECK(!leaves.empty() && leaves.size() <= kMaxSignedTogether);
  std::vector<std::string> hashes;
  hashes.reserve(leaves.size());
  for (const std::string& leaf : leaves) hashes.push_back(LeafHash(leaf));
  SignatureTree tree;
  tree.head = Head(leaves.size(), Root(hashes));
  for (size_t i = 0; i < leaves.size(); ++i) {
    std::string proof = {static_cast<char>(i), static_cast<char>(leaves.size())};
    AppendWay(i, hashes, proof);
    tree.proofs.push_back(std::move(proof));
  }
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
