#include "server/records/upsert_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "proto/absl_view.h"
#include "replication/change.h"
#include "storage/keys.h"

namespace maillage::server {

using replication::RecordState;
using replication::Replica;

absl::StatusOr<std::optional<RecordState>> ReplicaUpsertStore::State(const RecordKey& record) {
  return replica_->State(record);
}

absl::StatusOr<std::vector<RecordId>> ReplicaUpsertStore::Find(uint16_t kind,
                                                               std::string_view prefix) {
  return replica_->FindInIndex(kind, prefix);
}

absl::Status ReplicaUpsertStore::Write(Replica::LocalWrite write) {
  return replica_->Write(std::move(write)).status();
}

absl::StatusOr<std::optional<RecordState>> DryUpsertStore::State(const RecordKey& record) {
  const auto found = written_.find(record);
  if (found != written_.end()) return found->second.state;
  return replica_->State(record);
}

absl::StatusOr<std::vector<RecordId>> DryUpsertStore::Find(uint16_t kind, std::string_view prefix) {
  absl::StatusOr<std::vector<RecordId>> ids = replica_->FindInIndex(kind, prefix);
  if (!ids.ok()) return ids;
  std::erase_if(*ids, [&](const RecordId& id) { return written_.contains(RecordKey{kind, id}); });
  for (auto key = index_keys_.lower_bound(prefix);
       key != index_keys_.end() && absl::StartsWith(*key, ToAbsl(prefix)); ++key) {
    const auto id = storage::ParseIndexedId(*key);
    if (id.has_value()) ids->push_back(*id);
  }
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  return ids;
}

absl::Status DryUpsertStore::Write(Replica::LocalWrite write) {
  absl::StatusOr<std::optional<RecordState>> state = State(write.record);
  if (!state.ok()) return state.status();
  Written& written = written_[write.record];
  written.state = state->has_value() ? **std::move(state) : RecordState();
  replication::Change change;
  change.record = write.record;
  change.dot.n = written.state.vector().Get(change.dot.actor) + 1;
  change.context = std::move(write.context);
  change.operations = std::move(write.operations);
  written.state.Apply(change);
  for (const std::string& key : written.index_keys) index_keys_.erase(key);
  written.index_keys = index_->IndexKeys(write.record, written.state);
  index_keys_.insert(written.index_keys.begin(), written.index_keys.end());
  return absl::OkStatus();
}

}  // namespace maillage::server
