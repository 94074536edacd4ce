#include "replication/range_reconciliation.h"

#include <array>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "replication/tuning.h"

namespace maillage::replication {
namespace {

using storage::PartitionKey;

absl::Status Malformed(const char* what) {
  return absl::InvalidArgumentError(std::string("ranges: ") + what);
}

absl::StatusOr<TriePrefix> ParsePrefix(const std::string& digits) {
  if (digits.size() > TriePrefix::kMaxDigits) return Malformed("a prefix that is too long");
  TriePrefix prefix;
  for (const char digit : digits) {
    if (static_cast<unsigned char>(digit) > 0xf) return Malformed("a digit beyond 15");
    prefix = prefix.Child(static_cast<uint8_t>(digit));
  }
  return prefix;
}

v1::Range StartRange(const PartitionKey& partition, const TriePrefix& prefix) {
  v1::Range range;
  range.set_kind(partition.kind);
  range.set_territory(partition.territory);
  for (uint8_t i = 0; i < prefix.digits; ++i) {
    range.mutable_prefix()->push_back(static_cast<char>(prefix.bits >> (60 - 4 * i) & 0xf));
  }
  return range;
}

void SetNode(const FingerprintSum& sum, uint64_t salt, v1::Range& range) {
  range.mutable_node()->set_sum(sum.Truncated(salt));
  range.mutable_node()->set_count(sum.count);
}

// What the peer says of one child.
struct PeerNode {
  uint64_t sum = 0;
  uint64_t count = 0;
};

absl::StatusOr<std::array<PeerNode, 16>> ParseChildren(const v1::Children& children) {
  const int present = std::popcount(children.present());
  if (children.present() > 0xffff || children.sum_size() != present ||
      children.count_size() != present) {
    return Malformed("children that don't add up");
  }
  std::array<PeerNode, 16> nodes;
  int next = 0;
  for (size_t digit = 0; digit < nodes.size(); ++digit) {
    if ((children.present() >> digit & 1) == 0) continue;
    nodes[digit] = {children.sum(next), children.count(next)};
    if (nodes[digit].count == 0) return Malformed("a present child without records");
    ++next;
  }
  return nodes;
}

// Reconciles the ranges of one frame.
class Reconciler {
 public:
  Reconciler(const FingerprintTree& tree, const storage::ReadView& view, const Scope& scope,
             uint64_t salt, RangeOutcome& outcome)
      : tree_(tree), view_(view), scope_(scope), salt_(salt), outcome_(outcome) {}

  absl::Status OnRange(const v1::Range& range) {
    if (range.kind() == 0 || range.kind() > UINT16_MAX) return Malformed("a kind out of range");
    if (range.territory().find('\0') != std::string::npos) return Malformed("a NUL in a territory");
    const PartitionKey partition{static_cast<uint16_t>(range.kind()), range.territory()};
    absl::StatusOr<TriePrefix> prefix = ParsePrefix(range.prefix());
    if (!prefix.ok()) return prefix.status();
    if (!scope_.Holds(partition)) return absl::OkStatus();
    switch (range.content_case()) {
      case v1::Range::kNode:
        return OnNode(partition, *prefix, {range.node().sum(), range.node().count()});
      case v1::Range::kChildren:
        return OnChildren(partition, *prefix, range.children());
      case v1::Range::kLeaf:
        return OnLeaf(partition, *prefix, range.leaf());
      case v1::Range::kEmpty:
        outcome_.whole_ranges_missing_there.push_back({partition, *prefix});
        return absl::OkStatus();
      case v1::Range::CONTENT_NOT_SET:
        return Malformed("a range without content");
    }
    return Malformed("a range without content");
  }

 private:
  absl::Status OnNode(const PartitionKey& partition, const TriePrefix& prefix,
                      const PeerNode& theirs) {
    absl::StatusOr<FingerprintSum> mine = tree_.Node(view_, partition, prefix);
    if (!mine.ok()) return mine.status();
    if (mine->count == theirs.count && mine->Truncated(salt_) == theirs.sum) return absl::OkStatus();
    if (mine->count == 0) return SayEmpty(partition, prefix);
    if (theirs.count == 0) {
      outcome_.whole_ranges_missing_there.push_back({partition, prefix});
      return absl::OkStatus();
    }
    if (mine->count <= kTrieLeafSize || prefix.digits == TriePrefix::kMaxDigits) {
      return SayLeaf(partition, prefix);
    }
    return SayChildren(partition, prefix);
  }

  absl::Status OnChildren(const PartitionKey& partition, const TriePrefix& prefix,
                          const v1::Children& children) {
    if (prefix.digits == TriePrefix::kMaxDigits) return Malformed("children below the last digit");
    absl::StatusOr<std::array<PeerNode, 16>> theirs = ParseChildren(children);
    if (!theirs.ok()) return theirs.status();
    absl::StatusOr<std::array<FingerprintSum, 16>> mine = tree_.Children(view_, partition, prefix);
    if (!mine.ok()) return mine.status();
    for (uint8_t digit = 0; digit < 16; ++digit) {
      absl::Status status =
          OnChild(partition, prefix.Child(digit), (*mine)[digit], (*theirs)[digit]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status OnChild(const PartitionKey& partition, const TriePrefix& prefix,
                       const FingerprintSum& mine, const PeerNode& theirs) {
    if (mine.count == 0 && theirs.count == 0) return absl::OkStatus();
    if (theirs.count == 0) {
      outcome_.whole_ranges_missing_there.push_back({partition, prefix});
      return absl::OkStatus();
    }
    if (mine.count == 0) return SayEmpty(partition, prefix);
    if (mine.count == theirs.count && mine.Truncated(salt_) == theirs.sum) return absl::OkStatus();
    if (mine.count <= kTrieLeafSize || prefix.digits == TriePrefix::kMaxDigits) {
      return SayLeaf(partition, prefix);
    }
    // The peer has few: its leaf is the shorter text.
    if (theirs.count <= kTrieLeafSize) {
      v1::Range range = StartRange(partition, prefix);
      SetNode(mine, salt_, range);
      outcome_.answers.push_back(std::move(range));
      return absl::OkStatus();
    }
    return SayChildren(partition, prefix);
  }

  absl::Status OnLeaf(const PartitionKey& partition, const TriePrefix& prefix,
                      const v1::Leaf& leaf) {
    constexpr size_t kIdSize = RecordId::kSize;
    const size_t count = static_cast<size_t>(leaf.fingerprint_size());
    if (leaf.ids().size() != count * kIdSize) return Malformed("a leaf that doesn't add up");
    std::map<RecordId, uint64_t> theirs;
    for (size_t i = 0; i < count; ++i) {
      const auto id = RecordId::FromBytes(std::string_view(leaf.ids()).substr(i * kIdSize, kIdSize));
      theirs[*id] = leaf.fingerprint(static_cast<int>(i));
    }
    std::set<RecordId> seen;
    absl::Status status = VisitLeaves(partition, prefix, [&](const LeafEntry& mine) {
      seen.insert(mine.id);
      const auto other = theirs.find(mine.id);
      const RecordKey record{partition.kind, mine.id};
      if (other == theirs.end()) {
        outcome_.missing_there.push_back(record);
      } else if (other->second != mine.fingerprint.Truncated(salt_, 1)) {
        outcome_.different.push_back(record);
      }
    });
    for (const auto& [id, fingerprint] : theirs) {
      if (!seen.contains(id)) outcome_.missing_here.push_back({partition.kind, id});
    }
    return status;
  }

  absl::Status SayEmpty(const PartitionKey& partition, const TriePrefix& prefix) {
    outcome_.answers.push_back(StartRange(partition, prefix));
    outcome_.answers.back().set_empty(true);
    return absl::OkStatus();
  }

  absl::Status SayLeaf(const PartitionKey& partition, const TriePrefix& prefix) {
    v1::Range range = StartRange(partition, prefix);
    v1::Leaf* leaf = range.mutable_leaf();
    absl::Status status = VisitLeaves(partition, prefix, [&](const LeafEntry& entry) {
      leaf->mutable_ids()->append(entry.id.bytes());
      leaf->add_fingerprint(entry.fingerprint.Truncated(salt_, 1));
    });
    outcome_.answers.push_back(std::move(range));
    return status;
  }

  absl::Status SayChildren(const PartitionKey& partition, const TriePrefix& prefix) {
    absl::StatusOr<std::array<FingerprintSum, 16>> mine = tree_.Children(view_, partition, prefix);
    if (!mine.ok()) return mine.status();
    v1::Range range = StartRange(partition, prefix);
    v1::Children* children = range.mutable_children();
    uint32_t present = 0;
    for (size_t digit = 0; digit < mine->size(); ++digit) {
      const FingerprintSum& sum = (*mine)[digit];
      if (sum.count == 0) continue;
      present |= 1u << digit;
      children->add_sum(sum.Truncated(salt_));
      children->add_count(sum.count);
    }
    children->set_present(present);
    outcome_.answers.push_back(std::move(range));
    return absl::OkStatus();
  }

  template <typename Visitor>
  absl::Status VisitLeaves(const PartitionKey& partition, const TriePrefix& prefix, Visitor visit) {
    constexpr size_t kPage = 1024;
    std::optional<LeafEntry> after;
    while (true) {
      absl::StatusOr<std::vector<LeafEntry>> page =
          tree_.Leaves(view_, partition, prefix, after, kPage);
      if (!page.ok()) return page.status();
      for (const LeafEntry& entry : *page) visit(entry);
      if (page->size() < kPage) return absl::OkStatus();
      after = page->back();
    }
  }

  const FingerprintTree& tree_;
  const storage::ReadView& view_;
  const Scope& scope_;
  const uint64_t salt_;
  RangeOutcome& outcome_;
};

}  // namespace

bool IsQuestion(const v1::Range& range) { return range.has_node() || range.has_children(); }

v1::Ranges DescribeRoots(const FingerprintTree& tree, const Scope& scope, uint64_t salt) {
  v1::Ranges frame;
  frame.set_salt(salt);
  frame.set_roots(true);
  if (!scope.everything()) frame.set_scope(scope.ToText());
  for (const auto& [partition, sum] : tree.Partitions(scope)) {
    v1::Range range = StartRange(partition, {});
    SetNode(sum, salt, range);
    *frame.add_range() = std::move(range);
  }
  return frame;
}

absl::Status Reconcile(const FingerprintTree& tree, const storage::ReadView& view, const Scope& scope,
                       const v1::Ranges& frame, RangeOutcome& outcome) {
  Reconciler reconciler(tree, view, scope, frame.salt(), outcome);
  std::set<PartitionKey> listed;
  for (const v1::Range& range : frame.range()) {
    if (absl::Status status = reconciler.OnRange(range); !status.ok()) return status;
    listed.insert({static_cast<uint16_t>(range.kind()), range.territory()});
  }
  if (!frame.roots()) return absl::OkStatus();
  const absl::StatusOr<Scope> theirs = Scope::Parse(frame.scope());
  if (!theirs.ok()) return Malformed("roots of no scope");
  for (const auto& [partition, sum] : tree.Partitions(scope.Intersect(*theirs))) {
    if (!listed.contains(partition)) outcome.whole_ranges_missing_there.push_back({partition, {}});
  }
  return absl::OkStatus();
}

}  // namespace maillage::replication
