#include "replication/fingerprint_tree.h"

#include <limits>
#include <memory>

#include "replication/byte_codec.h"
#include "replication/check.h"
#include "replication/record_traces.h"
#include "replication/state_codec.h"

namespace maillage::replication {
namespace {

using storage::PartitionKey;
using storage::Table;

constexpr size_t kDigestSize = 16;

uint32_t LevelIndex(uint64_t position, size_t digits) {
  return static_cast<uint32_t>(position >> (64 - 4 * digits));
}

uint8_t DigitAt(uint64_t position, size_t digit) {
  return static_cast<uint8_t>(position >> (60 - 4 * digit) & 0xf);
}

void Replace(FingerprintSum& sum, const std::optional<Fingerprint>& before,
             const std::optional<Fingerprint>& after) {
  if (before.has_value()) sum.Subtract(*before);
  if (after.has_value()) sum.Add(*after);
}

storage::KeyRange RangeBelow(const PartitionKey& partition, const TriePrefix& prefix) {
  storage::KeyRange range = storage::KeyRange::Prefix(storage::FingerprintPrefix(partition));
  range.begin = storage::FingerprintBound(partition, prefix.first());
  if (prefix.last() != std::numeric_limits<uint64_t>::max()) {
    range.end = storage::FingerprintBound(partition, prefix.last() + 1);
  }
  return range;
}

// Calls visit(position, id, fingerprint) for each record below the prefix until it returns false.
// Passes over damaged places where it may: what is missing there is found different, compared, and
// found equal.
template <typename Visitor>
absl::Status Visit(const storage::ReadView& view, const storage::KeyRange& range, Visitor visit,
                   bool skip_damage = true) {
  auto cursor = view.Scan(Table::kFingerprints, range);
  while (true) {
    for (; cursor->Valid(); cursor->Next()) {
      const auto key = storage::ParseFingerprintKey(cursor->key());
      const auto fingerprint = Fingerprint::FromBytes(cursor->value());
      if (!key.has_value() || !fingerprint.has_value()) {
        if (skip_damage) continue;
        return absl::DataLossError("fingerprints table: a damaged entry");
      }
      if (!visit(*key, *fingerprint)) return absl::OkStatus();
    }
    const absl::Status status = cursor->status();
    if (status.ok() || !skip_damage || !cursor->SkipDamage()) return status;
  }
}

}  // namespace

TriePrefix TriePrefix::Child(uint8_t digit) const {
  MAILLAGE_CHECK(digits < kMaxDigits && digit < 16);
  TriePrefix child = *this;
  child.bits |= static_cast<uint64_t>(digit) << (60 - 4 * digits);
  ++child.digits;
  return child;
}

uint64_t TriePrefix::last() const {
  if (digits == 0) return std::numeric_limits<uint64_t>::max();
  if (digits == kMaxDigits) return bits;
  return bits | (std::numeric_limits<uint64_t>::max() >> (4 * digits));
}

absl::Status FingerprintTree::Load(const storage::ReadView& view, Of what) {
  tries_.clear();
  const std::string stubs = storage::StatePrefix(storage::kStubPartition);
  return Visit(
      view, what == Of::kStubs ? storage::KeyRange{stubs, ""} : storage::KeyRange{"", stubs},
      [this](const storage::ParsedFingerprintKey& key, const Fingerprint& fingerprint) {
        Apply(key.partition, key.hash, std::nullopt, fingerprint);
        return true;
      },
      /*skip_damage=*/false);
}

absl::Status FingerprintTree::LoadFromStates(const storage::ReadView& view, Unread& unread) {
  tries_.clear();
  for (uint64_t kind = 0; kind <= UINT16_MAX; ++kind) {
    // The next kind that holds a record.
    auto cursor =
        view.Scan(Table::kStates, {storage::StatePrefix(static_cast<uint16_t>(kind)), ""});
    if (!cursor->Valid() && !(cursor->status().ok() || cursor->SkipDamage()))
      return cursor->status();
    if (!cursor->Valid()) break;
    const auto next = storage::ParseStateKey(cursor->key());
    if (next.has_value()) kind = next->kind;
    absl::Status status = ScanStates(
        view, static_cast<uint16_t>(kind), std::nullopt,
        [&](const RecordKey& record, std::string_view bytes) {
          const absl::StatusOr<RecordState> state = DecodeState(bytes);
          if (!state.ok()) {
            unread.Note(UnreadableRecord(record, state.status()));
            return true;
          }
          const RecordTraces traces = TracesOfState(record, *state, bytes, nullptr);
          for (const std::string& territory : traces.territories) {
            Apply({record.kind, territory}, TriePosition(record), std::nullopt, traces.fingerprint);
          }
          return true;
        },
        &unread);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void FingerprintTree::Apply(const PartitionKey& partition, uint64_t position,
                            const std::optional<Fingerprint>& before,
                            const std::optional<Fingerprint>& after) {
  Trie& trie = tries_[partition];
  Replace(trie.root, before, after);
  for (size_t level = 0; level < kTrieLevelsInMemory; ++level) {
    const uint32_t index = LevelIndex(position, level + 1);
    FingerprintSum& node = trie.levels[level][index];
    Replace(node, before, after);
    if (node.count == 0) trie.levels[level].erase(index);
  }
  if (trie.root.count == 0) tries_.erase(partition);
}

FingerprintSum FingerprintTree::Root(const PartitionKey& partition) const {
  const auto trie = tries_.find(partition);
  return trie == tries_.end() ? FingerprintSum() : trie->second.root;
}

absl::StatusOr<FingerprintSum> FingerprintTree::Node(const storage::ReadView& view,
                                                     const PartitionKey& partition,
                                                     const TriePrefix& prefix) const {
  const auto trie = tries_.find(partition);
  if (trie == tries_.end()) return FingerprintSum();
  if (prefix.digits == 0) return trie->second.root;
  if (prefix.digits <= kTrieLevelsInMemory) {
    const auto& level = trie->second.levels[prefix.digits - 1];
    const auto node = level.find(LevelIndex(prefix.bits, prefix.digits));
    return node == level.end() ? FingerprintSum() : node->second;
  }
  FingerprintSum sum;
  absl::Status status = Visit(view, RangeBelow(partition, prefix),
                              [&](const storage::ParsedFingerprintKey&, const Fingerprint& fingerprint) {
                                sum.Add(fingerprint);
                                return true;
                              });
  if (!status.ok()) return status;
  return sum;
}

absl::StatusOr<std::array<FingerprintSum, 16>> FingerprintTree::Children(
    const storage::ReadView& view, const PartitionKey& partition, const TriePrefix& prefix) const {
  if (prefix.digits >= TriePrefix::kMaxDigits) {
    return absl::InvalidArgumentError("a position has no more digits");
  }
  std::array<FingerprintSum, 16> children;
  if (prefix.digits < kTrieLevelsInMemory) {
    for (uint8_t digit = 0; digit < 16; ++digit) {
      children[digit] = *Node(view, partition, prefix.Child(digit));
    }
    return children;
  }
  absl::Status status =
      Visit(view, RangeBelow(partition, prefix),
            [&](const storage::ParsedFingerprintKey& key, const Fingerprint& fingerprint) {
              children[DigitAt(key.hash, prefix.digits)].Add(fingerprint);
              return true;
            });
  if (!status.ok()) return status;
  return children;
}

absl::StatusOr<std::vector<LeafEntry>> FingerprintTree::Leaves(
    const storage::ReadView& view, const PartitionKey& partition, const TriePrefix& prefix,
    const std::optional<LeafEntry>& after, size_t limit) const {
  storage::KeyRange range = RangeBelow(partition, prefix);
  if (after.has_value()) {
    range.begin = storage::FingerprintKey(partition, after->position, after->id);
    range.begin.push_back('\0');
  }
  std::vector<LeafEntry> leaves;
  absl::Status status = Visit(
      view, range, [&](const storage::ParsedFingerprintKey& key, const Fingerprint& fingerprint) {
        if (leaves.size() == limit) return false;
        leaves.push_back({key.hash, key.id, fingerprint});
        return true;
      });
  if (!status.ok()) return status;
  return leaves;
}

std::vector<std::pair<PartitionKey, FingerprintSum>> FingerprintTree::Partitions(const Scope& scope) const {
  std::vector<std::pair<PartitionKey, FingerprintSum>> partitions;
  for (const auto& [key, trie] : tries_) {
    if (scope.Holds(key)) partitions.emplace_back(key, trie.root);
  }
  return partitions;
}

std::string FingerprintTree::Digest(const Scope& scope) const {
  std::string roots;
  ByteWriter writer(&roots);
  if (!scope.everything()) writer.String(scope.ToText());
  for (const auto& [key, trie] : tries_) {
    if (!scope.Holds(key)) continue;
    writer.Varint(key.kind);
    writer.String(key.territory);
    writer.Raw(trie.root.sum.ToBytes());
    writer.Varint(trie.root.count);
  }
  return Blake2b256({roots}).substr(0, kDigestSize);
}

}  // namespace maillage::replication
