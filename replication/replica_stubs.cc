// The replica's side of references: who refers to what, and what is shown of records that aren't here. README.md, "Stubs".
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "proto/absl_view.h"
#include "replication/record_reader.h"
#include "replication/replica.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::PartitionKey;
using storage::Table;

namespace {

// Of this software's way to tell references and stubs from states. Another number in the store: they are told anew.
constexpr std::string_view kStubsVersion = "1";
// A rebuild commits so much at once.
constexpr size_t kRebuildBatchBytes = 1024 * 1024;

std::string StubRow(const PartitionKey& referrers, const RecordId& id) {
  return storage::FingerprintKey(StubPartitionOf(referrers), StubPosition(id), id);
}

// Writes that may be cut anywhere.
class Rebuild {
 public:
  explicit Rebuild(storage::Store* store) : store_(store) {}

  absl::Status Put(Table table, std::string key, std::string value) {
    batch_.Put(table, std::move(key), std::move(value));
    return batch_.byte_size() < kRebuildBatchBytes ? absl::OkStatus() : Flush();
  }
  absl::Status Delete(Table table, std::string key) {
    batch_.Delete(table, std::move(key));
    return batch_.byte_size() < kRebuildBatchBytes ? absl::OkStatus() : Flush();
  }
  absl::Status DeleteAll(Table table, const storage::KeyRange& range) {
    auto rows = store_->Scan(table, range);
    for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
      if (absl::Status status = Delete(table, std::string(rows->key())); !status.ok()) return status;
    }
    return Flush();
  }
  absl::Status Flush() {
    if (batch_.empty()) return absl::OkStatus();
    absl::Status status = store_->Commit(batch_);
    batch_.Clear();
    return status;
  }

 private:
  storage::Store* const store_;
  storage::CommitBatch batch_;
};

absl::Status PutReferences(const storage::Store& store, const IndexSource& index, Rebuild& rebuild) {
  auto rows = store.Scan(Table::kStates, {});
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    const auto record = storage::ParseStateKey(rows->key());
    const absl::StatusOr<RecordState> state = DecodeState(rows->value());
    // What can't be read is for the scrub to tell.
    if (!record.has_value() || !state.ok()) continue;
    for (std::string& key : index.IndexKeys(*record, *state)) {
      if (!storage::ParseReferenceKey(key).has_value()) continue;
      if (absl::Status status = rebuild.Put(Table::kIndex, std::move(key), ""); !status.ok()) return status;
    }
  }
  return rebuild.Flush();
}

absl::Status PutStubRows(const storage::Store& store, const IndexSource& index, Rebuild& rebuild) {
  storage::KeyRange range = storage::KeyRange::Prefix(storage::ReferencePrefix());
  while (true) {
    const auto row = store.Scan(Table::kIndex, range);
    if (!row->Valid() && !(row->SkipDamage() && row->Valid())) break;
    const auto reference = storage::ParseReferenceKey(row->key());
    range.begin = std::string(row->key()).append(1, '\0');
    if (!reference.has_value()) continue;
    range.begin = storage::KeyRange::Prefix(storage::ReferencePrefix(reference->target)).end;
    const absl::StatusOr<std::set<PartitionKey>> partitions = ReferredFrom(store, reference->target);
    const absl::StatusOr<std::optional<Stub>> stub = FindStub(store, index, reference->target);
    if (!partitions.ok() || !stub.ok() || !stub->has_value()) continue;
    const std::string fingerprint = StubFingerprint(reference->target, **stub).ToBytes();
    for (const PartitionKey& partition : *partitions) {
      absl::Status status = rebuild.Put(Table::kFingerprints, StubRow(partition, reference->target), fingerprint);
      if (!status.ok()) return status;
    }
  }
  return rebuild.Flush();
}

}  // namespace

absl::Status Replica::LoadStubs() {
  if (index_ == nullptr) return absl::OkStatus();
  auto version = store_->Get(Table::kMeta, storage::kStubsKey);
  if (!version.ok()) return version.status();
  if (version->value_or("") != kStubsVersion) {
    if (store_->Scan(Table::kStates, {})->Valid()) return RebuildStubs();
    PutMeta(std::string(storage::kStubsKey), std::string(kStubsVersion));
  }
  const absl::Status loaded = LoadStubTree();
  return absl::IsDataLoss(loaded) ? RebuildStubs() : loaded;
}

absl::Status Replica::LoadStubTree() {
  ++stub_version_;
  referred_to_.clear();
  any_may_be_referred_to_ = false;
  auto rows = store_->Scan(Table::kIndex, storage::KeyRange::Prefix(storage::ReferencePrefix()));
  for (; rows->Valid(); rows->Next()) {
    const auto reference = storage::ParseReferenceKey(rows->key());
    if (reference.has_value()) referred_to_.insert(reference->target);
  }
  any_may_be_referred_to_ = !rows->status().ok();
  return stub_tree_.Load(*store_, FingerprintTree::Of::kStubs);
}

absl::Status Replica::RebuildStubs() {
  if (index_ == nullptr) return absl::OkStatus();
  Rebuild rebuild(store_);
  // Should this be cut, it begins anew at the next opening.
  absl::Status status = rebuild.DeleteAll(Table::kMeta, storage::KeyRange::Prefix(storage::kStubsKey));
  if (status.ok()) {
    status = rebuild.DeleteAll(Table::kIndex, storage::KeyRange::Prefix(storage::ReferencePrefix()));
  }
  if (status.ok()) status = PutReferences(*store_, *index_, rebuild);
  if (status.ok()) {
    status = rebuild.DeleteAll(Table::kFingerprints, {storage::StatePrefix(storage::kStubPartition), ""});
  }
  if (status.ok()) status = PutStubRows(*store_, *index_, rebuild);
  if (status.ok()) status = rebuild.Put(Table::kMeta, std::string(storage::kStubsKey), std::string(kStubsVersion));
  if (status.ok()) status = rebuild.Flush();
  if (!status.ok()) {
    failed_ = true;
    return status;
  }
  return LoadStubTree();
}

void Replica::PutIndex(std::string key) {
  if (const auto reference = storage::ParseReferenceKey(key); reference.has_value()) {
    stubs_touched_.insert(reference->target);
    referred_to_.insert(reference->target);
    removed_references_.erase(key);
    added_references_.insert(key);
  }
  batch_.Put(Table::kIndex, std::move(key), "");
}

void Replica::DeleteIndex(std::string key) {
  if (const auto reference = storage::ParseReferenceKey(key); reference.has_value()) {
    stubs_touched_.insert(reference->target);
    added_references_.erase(key);
    removed_references_.insert(key);
  }
  batch_.Delete(Table::kIndex, std::move(key));
}

absl::StatusOr<bool> Replica::MergeStub(const RecordId& id, const Stub& told) {
  if (index_ == nullptr) return false;
  // No more than a stub has.
  Stub stub = StubOf(told.kind, told.state, *index_);
  absl::StatusOr<std::set<PartitionKey>> referrers = ReferredFrom(*store_, id);
  if (!referrers.ok()) return referrers.status();
  if (referrers->empty()) return false;
  absl::StatusOr<ShownRecord> shown = ShownAfter(id);
  if (!shown.ok()) return shown.status();
  if (shown->here) return false;
  if (shown->stub.has_value()) {
    stub = JoinStubs(*shown->stub, stub);
    if (stub == *shown->stub) return false;
  }
  open_stubs_[id] = std::move(stub);
  stubs_touched_.insert(id);
  dirty_ = true;
  return true;
}

absl::StatusOr<Replica::ShownRecord> Replica::ShownAfter(const RecordId& id) const {
  for (const uint16_t kind : index_->ReferableKinds()) {
    absl::StatusOr<std::optional<RecordState>> state = State({kind, id});
    if (absl::IsDataLoss(state.status())) continue;
    if (!state.ok()) return state.status();
    if (state->has_value()) return ShownRecord{StubOf(kind, **state, *index_), /*here=*/true};
  }
  const auto open = open_stubs_.find(id);
  if (open != open_stubs_.end()) return ShownRecord{open->second, /*here=*/false};
  absl::StatusOr<std::optional<Stub>> stub = ReadStub(*store_, id);
  if (!stub.ok()) return stub.status();
  return ShownRecord{*std::move(stub), /*here=*/false};
}

absl::StatusOr<std::optional<Stub>> Replica::FindShown(const RecordId& id) const {
  if (index_ == nullptr) return std::nullopt;
  absl::StatusOr<ShownRecord> shown = ShownAfter(id);
  if (!shown.ok()) return shown.status();
  return std::move(shown->stub);
}

absl::Status Replica::FinishStubs() {
  if (index_ == nullptr) return absl::OkStatus();
  for (const RecordId& id : stubs_touched_) {
    absl::Status status = FinishStub(id);
    // What is damaged there is for a repair, which tells all of it anew; records are written all the same.
    if (!status.ok() && !absl::IsDataLoss(status)) return status;
  }
  return absl::OkStatus();
}

absl::Status Replica::FinishStub(const RecordId& id) {
  if (!any_may_be_referred_to_ && !referred_to_.contains(id)) return absl::OkStatus();
  absl::StatusOr<std::set<PartitionKey>> before = ReferredFrom(*store_, id);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::set<PartitionKey>> after = ReferredFrom(*store_, id, removed_references_);
  if (!after.ok()) return after.status();
  const std::string prefix = storage::ReferencePrefix(id);
  for (auto key = added_references_.lower_bound(prefix);
       key != added_references_.end() && absl::StartsWith(*key, prefix); ++key) {
    after->insert(storage::ParseReferenceKey(*key)->partition);
  }
  if (before->empty() && after->empty()) return absl::OkStatus();
  absl::StatusOr<ShownRecord> shown = ShownAfter(id);
  if (!shown.ok()) return shown.status();
  std::optional<Fingerprint> fingerprint;
  if (shown->stub.has_value()) fingerprint = StubFingerprint(id, *shown->stub);
  std::set<PartitionKey> partitions = *before;
  partitions.insert(after->begin(), after->end());
  for (const PartitionKey& partition : partitions) {
    absl::Status status = FinishStubRow(partition, id, after->contains(partition) ? fingerprint : std::nullopt);
    if (!status.ok()) return status;
  }
  return KeepStub(id, *shown, /*wanted=*/!after->empty());
}

absl::Status Replica::FinishStubRow(const PartitionKey& referrers, const RecordId& id,
                                    const std::optional<Fingerprint>& after) {
  const std::string key = StubRow(referrers, id);
  auto row = store_->Get(Table::kFingerprints, key);
  if (!row.ok()) return row.status();
  const std::optional<Fingerprint> before = Fingerprint::FromBytes(row->value_or(""));
  if (before == after) return absl::OkStatus();
  if (after.has_value()) {
    batch_.Put(Table::kFingerprints, key, after->ToBytes());
  } else {
    batch_.Delete(Table::kFingerprints, key);
  }
  open_stub_updates_.push_back({StubPartitionOf(referrers), StubPosition(id), before, after});
  return absl::OkStatus();
}

absl::Status Replica::KeepStub(const RecordId& id, const ShownRecord& shown, bool wanted) {
  const std::string key = storage::StubKey(id);
  if (wanted && shown.stub.has_value() && !shown.here) {
    if (open_stubs_.contains(id)) batch_.Put(Table::kMeta, key, EncodeStub(*shown.stub));
    return absl::OkStatus();
  }
  auto stored = store_->Get(Table::kMeta, key);
  if (!stored.ok()) return stored.status();
  if (stored->has_value()) batch_.Delete(Table::kMeta, key);
  return absl::OkStatus();
}

void Replica::ApplyStubUpdates() {
  if (open_stub_updates_.empty()) return;
  ++stub_version_;
  for (const TreeUpdate& update : open_stub_updates_) {
    stub_tree_.Apply(update.partition, update.position, update.before, update.after);
  }
}

void Replica::DiscardStubs() {
  stubs_touched_.clear();
  removed_references_.clear();
  added_references_.clear();
  open_stubs_.clear();
  open_stub_updates_.clear();
}

}  // namespace maillage::replication
