// What writes did, for their retries.
#include <algorithm>
#include <utility>

#include "replication/replica.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

absl::Status Replica::LoadRequests() {
  const std::string prefix = storage::RequestKey("");
  std::vector<std::pair<uint64_t, std::string>> kept;
  auto cursor = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(prefix));
  // A damaged row is refused to whoever asks for it; it is no reason not to start.
  for (; cursor->Valid() || (cursor->SkipDamage() && cursor->Valid()); cursor->Next()) {
    absl::StatusOr<RequestOutcome> outcome = DecodeRequestOutcome(cursor->value());
    if (!outcome.ok()) continue;
    if (outcome->position + kRememberedRequests <= committed_.feed_head) {
      PutMeta(std::string(cursor->key()), std::nullopt);
    } else {
      kept.emplace_back(outcome->position, cursor->key().substr(prefix.size()));
    }
  }
  std::sort(kept.begin(), kept.end());
  remembered_.clear();
  for (auto& [position, id] : kept) remembered_.push_back(std::move(id));
  return cursor->status();
}

void Replica::Remember(const std::string& request_id, const RequestOutcome& outcome) {
  if (request_id.empty()) return;
  dirty_ = true;
  batch_.Put(Table::kMeta, storage::RequestKey(request_id), EncodeRequestOutcome(outcome));
  if (requests_.insert_or_assign(request_id, outcome).second) new_requests_.push_back(request_id);
}

absl::Status Replica::RememberRequest(const std::string& request_id, const RecordKey& record) {
  absl::StatusOr<Staged*> staged = Stage(record);
  if (!staged.ok()) return staged.status();
  const auto& entries = (*staged)->state.vector().entries();
  if (entries.empty()) return absl::NotFoundError("a request without a record");
  // It made no change of its own: any that the record holds stands for it.
  Remember(request_id, {open_.feed_head, record, {entries.back().actor, entries.back().n}});
  return absl::OkStatus();
}

size_t Replica::ForgetOldRequests() {
  size_t forgotten = 0;
  while (forgotten < remembered_.size() &&
         remembered_.size() - forgotten + new_requests_.size() > kRememberedRequests) {
    batch_.Delete(Table::kMeta, storage::RequestKey(remembered_[forgotten++]));
  }
  return forgotten;
}

void Replica::KeepRequests(size_t forgotten) {
  remembered_.erase(remembered_.begin(), remembered_.begin() + static_cast<ptrdiff_t>(forgotten));
  for (std::string& id : new_requests_) remembered_.push_back(std::move(id));
  new_requests_.clear();
}

absl::StatusOr<std::optional<RequestOutcome>> Replica::FindRequest(
    std::string_view request_id) const {
  const auto open = requests_.find(std::string(request_id));
  if (open != requests_.end()) return open->second;
  auto bytes = store_->Get(Table::kMeta, storage::RequestKey(request_id));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<RequestOutcome> outcome = DecodeRequestOutcome(**bytes);
  if (!outcome.ok()) return outcome.status();
  return *outcome;
}

}  // namespace maillage::replication
