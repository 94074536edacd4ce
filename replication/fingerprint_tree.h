// The sums of all partitions: a 16-way trie over the records' positions, its upper levels in memory, the leaves in
// the fingerprints table.
#ifndef MAILLAGE_REPLICATION_FINGERPRINT_TREE_H_
#define MAILLAGE_REPLICATION_FINGERPRINT_TREE_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/fingerprint.h"
#include "replication/record_reader.h"
#include "replication/scope.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace maillage::replication {

// A node of a trie: the records whose position begins with these hexadecimal digits.
struct TriePrefix {
  static constexpr size_t kMaxDigits = 16;

  uint8_t digits = 0;
  // The digits from the top of the word; the rest is 0.
  uint64_t bits = 0;

  // `digit` < 16, digits < kMaxDigits.
  TriePrefix Child(uint8_t digit) const;
  // First position below the prefix, and the last.
  uint64_t first() const { return bits; }
  uint64_t last() const;
  bool operator==(const TriePrefix&) const = default;
};

struct LeafEntry {
  uint64_t position = 0;
  RecordId id;
  Fingerprint fingerprint;
};

// Not thread-safe. Reads below the levels in memory go to the view that the caller passes, which must be of the
// same moment as the last Apply.
class FingerprintTree {
 public:
  // The partitions of records, or those of the stubs that they refer to (stub.h).
  enum class Of : uint8_t { kRecords, kStubs };
  // Reads all of the fingerprints table that is about these. DataLoss where a row of it is damaged.
  absl::Status Load(const storage::ReadView& view, Of what = Of::kRecords);
  // The same told from the states, where the table is damaged; what can't be read of them is in
  // `unread`.
  absl::Status LoadFromStates(const storage::ReadView& view, Unread& unread);

  // One record's fingerprint in one partition changes; nothing stands for absent.
  void Apply(const storage::PartitionKey& partition, uint64_t position,
             const std::optional<Fingerprint>& before, const std::optional<Fingerprint>& after);

  FingerprintSum Root(const storage::PartitionKey& partition) const;
  absl::StatusOr<FingerprintSum> Node(const storage::ReadView& view,
                                      const storage::PartitionKey& partition,
                                      const TriePrefix& prefix) const;
  // InvalidArgument where the prefix is a whole position.
  absl::StatusOr<std::array<FingerprintSum, 16>> Children(const storage::ReadView& view,
                                                          const storage::PartitionKey& partition,
                                                          const TriePrefix& prefix) const;
  // Records below the prefix by position, then id: at most `limit` of those that follow `after`.
  absl::StatusOr<std::vector<LeafEntry>> Leaves(const storage::ReadView& view,
                                                const storage::PartitionKey& partition,
                                                const TriePrefix& prefix,
                                                const std::optional<LeafEntry>& after,
                                                size_t limit) const;

  // Partitions of a scope that hold a record, sorted.
  std::vector<std::pair<storage::PartitionKey, FingerprintSum>> Partitions(const Scope& scope = {}) const;

  // 16 bytes over the partitions of a scope: equal digests, equal scopes and equal data.
  std::string Digest(const Scope& scope = {}) const;

 private:
  struct Trie {
    FingerprintSum root;
    // By level, then by the level's leading digits as a number. Nodes without records are absent.
    std::array<absl::flat_hash_map<uint32_t, FingerprintSum>, kTrieLevelsInMemory> levels;
  };

  std::map<storage::PartitionKey, Trie> tries_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_FINGERPRINT_TREE_H_
