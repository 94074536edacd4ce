// Where the items of one batch are looked up and written: the replica's open batch, or a dry run
// over it that leaves no trace.
#ifndef MAILLAGE_SERVER_RECORDS_UPSERT_STORE_H_
#define MAILLAGE_SERVER_RECORDS_UPSERT_STORE_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/record_state.h"
#include "replication/replica.h"
#include "replication/schema.h"

namespace maillage::server {

// Each item sees what the items before it wrote. On the writer's thread alone.
class UpsertStore {
 public:
  virtual ~UpsertStore() = default;
  virtual absl::StatusOr<std::optional<replication::RecordState>> State(
      const RecordKey& record) = 0;
  // As Replica::FindInIndex.
  virtual absl::StatusOr<std::vector<RecordId>> Find(uint16_t kind, std::string_view prefix) = 0;
  // As Replica::Write.
  virtual absl::Status Write(replication::Replica::LocalWrite write) = 0;
};

class ReplicaUpsertStore final : public UpsertStore {
 public:
  // Must outlive this.
  explicit ReplicaUpsertStore(replication::Replica* replica) : replica_(replica) {}

  absl::StatusOr<std::optional<replication::RecordState>> State(const RecordKey& record) override;
  absl::StatusOr<std::vector<RecordId>> Find(uint16_t kind, std::string_view prefix) override;
  absl::Status Write(replication::Replica::LocalWrite write) override;

 private:
  replication::Replica* const replica_;
};

// Keeps what is written to itself, as states that a nameless actor changed.
class DryUpsertStore final : public UpsertStore {
 public:
  // Both must outlive this.
  DryUpsertStore(replication::Replica* replica, const replication::IndexSource* index)
      : replica_(replica), index_(index) {}

  absl::StatusOr<std::optional<replication::RecordState>> State(const RecordKey& record) override;
  absl::StatusOr<std::vector<RecordId>> Find(uint16_t kind, std::string_view prefix) override;
  absl::Status Write(replication::Replica::LocalWrite write) override;

 private:
  struct Written {
    replication::RecordState state;
    std::vector<std::string> index_keys;
  };

  replication::Replica* const replica_;
  const replication::IndexSource* const index_;
  absl::flat_hash_map<RecordKey, Written> written_;
  // Index keys of `written_`, which stands for the replica's index where its records are concerned.
  std::set<std::string, std::less<>> index_keys_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_UPSERT_STORE_H_
