#include "replication/signature_tree.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/signing.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

std::vector<std::string> Leaves(size_t count) {
  std::vector<std::string> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back(Hash256(std::to_string(i)));
  return leaves;
}

TEST(SignatureTree, EachLeafProvesItselfAndNoOther) {
  for (size_t count = 1; count <= kMaxSignedTogether; ++count) {
    const std::vector<std::string> leaves = Leaves(count);
    const SignatureTree tree = MakeSignatureTree(leaves);
    ASSERT_EQ(tree.proofs.size(), count);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_LE(tree.proofs[i].size(), kMaxTreeProofSize);
      for (size_t other = 0; other < count; ++other) {
        ASSERT_EQ(HeadOf(tree.proofs[i], leaves[other]) == tree.head, i == other) << i << " of " << count;
      }
    }
  }
}

TEST(SignatureTree, TreesOfOtherLeavesHaveOtherHeads) {
  EXPECT_NE(MakeSignatureTree(Leaves(5)).head, MakeSignatureTree(Leaves(6)).head);
  // A node's hash is no leaf, and the last leaf twice is another tree.
  std::vector<std::string> doubled = Leaves(3);
  doubled.push_back(doubled.back());
  EXPECT_NE(MakeSignatureTree(doubled).head.substr(1), MakeSignatureTree(Leaves(3)).head.substr(1));
}

TEST(SignatureTree, AlteredProofsProveNothing) {
  SeededRandom random(TestSeed());
  for (uint64_t round = 0; round < TestRounds(2'000); ++round) {
    const size_t count = 1 + random.Below(kMaxSignedTogether);
    const std::vector<std::string> leaves = Leaves(count);
    const SignatureTree tree = MakeSignatureTree(leaves);
    const size_t leaf = random.Below(count);
    std::string proof = tree.proofs[leaf];
    proof[random.Below(proof.size())] ^= static_cast<char>(1 << random.Below(8));
    EXPECT_NE(HeadOf(proof, leaves[leaf]), tree.head);
    const std::string& whole = tree.proofs[leaf];
    EXPECT_NE(HeadOf(whole.substr(0, random.Below(whole.size())), leaves[leaf]), tree.head);
    EXPECT_NE(HeadOf(whole + std::string(kTreeHashSize, 'x'), leaves[leaf]), tree.head);
  }
}

}  // namespace
}  // namespace maillage::replication::testing
