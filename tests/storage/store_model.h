// What a store ought to hold: every batch that was acknowledged, and perhaps, whole, the one whose answer never came.
#ifndef MAILLAGE_TESTS_STORAGE_STORE_MODEL_H_
#define MAILLAGE_TESTS_STORAGE_STORE_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "storage/store.h"

namespace maillage::storage {

class StoreModel {
 public:
  using Rows = std::map<std::pair<Table, std::string>, std::string>;

  // Puts, overwrites and deletes over all tables, now and then a large one.
  static CommitBatch RandomBatch(std::mt19937_64& random);

  void Acknowledged(const CommitBatch& batch);
  // The outcome is unknown until Settle.
  void Unanswered(const CommitBatch& batch);

  struct Verdict {
    // Answers that are neither right nor an error; empty where there is none.
    std::string wrong;
    // Reads that were refused.
    uint64_t errors = 0;
  };
  // Reads everything by scans and by single reads. `loss_is_told`: the last batches may be missing, since the store has
  // said so; what precedes them is whole.
  Verdict Compare(const ReadView& store, bool loss_is_told = false) const;
  // From now on what the store holds is what it ought to hold.
  void Settle(const ReadView& store);

  const Rows& rows() const { return rows_; }

 private:
  static size_t Hash(const Rows& rows);
  static void Apply(const CommitBatch& batch, Rows& rows);
  void Remember(const CommitBatch& batch);
  bool IsAllowed(const std::pair<Table, std::string>& key, const std::optional<std::string>& value,
                 bool loss_is_told) const;

  Rows rows_;
  Rows with_unanswered_;
  bool unanswered_ = false;
  // Hashes of the rows as each batch left them.
  std::set<size_t> moments_;
  // Every value that a key ever had.
  std::map<std::pair<Table, std::string>, std::set<std::string>> ever_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_STORE_MODEL_H_
