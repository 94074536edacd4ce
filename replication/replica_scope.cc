// The replica's side of scopes: which records this site holds, and how it lets one go. README.md, "A site's territory".
#include <algorithm>
#include <utility>

#include "replication/byte_codec.h"
#include "replication/record_reader.h"
#include "replication/replica.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

// What a record of the list of sites says; everything where it says nothing that this version understands.
Scope ScopeFrom(const RecordState& site) {
  const Cell* cell = site.Find(kSiteScopeField);
  if (cell == nullptr) return {};
  return Scope::Parse(Winner(cell->versions).value).value_or(Scope());
}

std::string EncodeComplete(const std::pair<Scope, uint64_t>& complete) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Fixed64(complete.second);
  writer.Raw(complete.first.ToText());
  return bytes;
}

}  // namespace

Scope Replica::ScopeOf(const SiteId& site) const {
  const auto found = scopes_.find(site);
  return found == scopes_.end() ? RightsOf(site) : found->second.Intersect(RightsOf(site));
}

absl::Status Replica::LoadScopes() {
  scopes_.clear();
  Unread unread;
  absl::Status status = ScanStates(
      *store_, kSiteKind, std::nullopt,
      [&](const RecordKey& site, std::string_view bytes) {
        const absl::StatusOr<RecordState> state = DecodeState(bytes);
        if (state.ok()) scopes_[*SiteId::FromBytes(site.id.bytes())] = ScopeFrom(*state);
        return true;
      },
      &unread);
  if (!status.ok()) return status;
  if (absl::Status own = LoadOwnScope(); !own.ok()) return own;
  if (absl::Status complete = LoadComplete(); !complete.ok()) return complete;
  ++scope_version_;
  // A damaged row is told to whoever needs it; it is no reason not to start.
  auto evicted = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kEvictedPrefix));
  any_evicted_ = evicted->Valid() || !evicted->status().ok();
  uint64_t count = 0;
  auto leaving = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kLeavingPrefix));
  for (; leaving->Valid(); leaving->Next()) ++count;
  leaving_ = open_leaving_ = count;
  return leaving->status().ok() ? FindLeaving() : FindLeavingAnew();
}

// Where its own record in the list can't be read, the site goes on with what it held: everything would be fetched otherwise.
absl::Status Replica::LoadOwnScope() {
  scope_ = ScopeOf(identity_.site);
  if (scopes_.contains(identity_.site)) return absl::OkStatus();
  auto told = store_->Get(Table::kMeta, storage::kScopeKey);
  if (!told.ok()) return told.status();
  absl::StatusOr<Scope> held = Scope::Parse(told->value_or(""));
  if (!held.ok()) return absl::DataLossError("meta table: a damaged scope");
  scopes_[identity_.site] = *std::move(held);
  scope_ = ScopeOf(identity_.site);
  return absl::OkStatus();
}

absl::Status Replica::LoadComplete() {
  complete_.reset();
  const auto row = store_->Get(Table::kMeta, storage::kCompleteKey);
  if (absl::IsDataLoss(row.status())) return absl::OkStatus();
  if (!row.ok()) return row.status();
  const std::string bytes = row->value_or("");
  ByteReader reader(bytes);
  const uint64_t millis = reader.Fixed64();
  const absl::StatusOr<Scope> scope = Scope::Parse(reader.rest());
  // Otherwise the next agreement says so again.
  if (reader.ok() && scope.ok()) complete_.emplace(*scope, millis);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Replica::HadKeys() const {
  std::vector<std::string> keys;
  auto rows = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kHadPrefix));
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) keys.emplace_back(rows->key());
  if (!rows->status().ok()) return rows->status();
  return keys;
}

void Replica::NoteComplete() {
  if (scope_.everything() || complete_millis() > 0) return;
  complete_.emplace(scope_, wall_->NowMillis());
  PutMeta(std::string(storage::kCompleteKey), EncodeComplete(*complete_));
}

uint64_t Replica::complete_millis() const {
  return complete_.has_value() && complete_->first.Contains(scope_) ? complete_->second : 0;
}

absl::Status Replica::FollowScopes() {
  bool changed = std::exchange(followed_membership_, membership_version_) != membership_version_;
  for (const auto& [record, staged] : staged_) {
    if (record.kind != kSiteKind || !staged->changed) continue;
    const SiteId site = *SiteId::FromBytes(record.id.bytes());
    Scope scope = ScopeFrom(staged->state);
    const auto known = scopes_.find(site);
    if (scope == (known == scopes_.end() ? Scope() : known->second)) continue;
    scopes_[site] = std::move(scope);
    changed = true;
  }
  if (!changed) return absl::OkStatus();
  ++scope_version_;
  scope_ = ScopeOf(committed_identity_.site);
  return FindLeaving();
}

absl::Status Replica::ReloadTree() {
  if (absl::Status status = LoadTree(); !status.ok()) return status;
  if (absl::Status status = LoadStubs(); !status.ok()) return status;
  return scope_.everything() ? absl::OkStatus() : FindLeavingAnew();
}

// The rows name what the scope of kScopeKey left outside. A crash between the commit of a new scope and this one is
// noticed at the next opening.
absl::Status Replica::FindLeaving() {
  auto told = store_->Get(Table::kMeta, storage::kScopeKey);
  if (!told.ok()) return told.status();
  return told->value_or("*") == scope_.ToText() ? absl::OkStatus() : FindLeavingAnew();
}

absl::Status Replica::FindLeavingAnew() {
  storage::CommitBatch batch;
  uint64_t count = 0;
  auto rows = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kLeavingPrefix));
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    batch.Delete(Table::kMeta, std::string(rows->key()));
  }
  // What was had of another scope, and has been let go since, isn't here any more.
  absl::StatusOr<std::vector<std::string>> had = HadKeys();
  if (!had.ok()) return had.status();
  for (std::string& key : *had) batch.Delete(Table::kMeta, std::move(key));
  // What others told is here as far as that scope went.
  fed_.clear();
  held_.Clear();
  for (const auto& [partition, sum] : tree_.Partitions()) {
    if (scope_.Holds(partition)) continue;
    absl::StatusOr<std::vector<LeafEntry>> records =
        tree_.Leaves(*store_, partition, {}, std::nullopt, sum.count);
    if (!records.ok()) return records.status();
    for (const LeafEntry& entry : *records) {
      const RecordKey record{partition.kind, entry.id};
      absl::StatusOr<std::optional<RecordState>> state = ReadState(*store_, record);
      if (!state.ok() && !absl::IsDataLoss(state.status())) return state.status();
      if (!state.ok() || !state->has_value()) continue;
      const std::vector<std::string> territories = (*state)->Territories();
      // One of several territories is met in each of them.
      const bool met = !territories.empty() && territories.front() != partition.territory;
      if (met || scope_.HoldsAny(record.kind, territories)) continue;
      batch.Put(Table::kMeta, storage::LeavingKey(record), "");
      ++count;
    }
  }
  batch.Put(Table::kMeta, std::string(storage::kScopeKey), scope_.ToText());
  if (complete_.has_value()) {
    // What this site no longer holds has to be found complete anew, should it come back.
    complete_->first = complete_->first.Intersect(scope_);
    batch.Put(Table::kMeta, std::string(storage::kCompleteKey), EncodeComplete(*complete_));
  }
  if (absl::Status status = store_->Commit(batch); !status.ok()) {
    failed_ = true;
    return status;
  }
  leaving_ = open_leaving_ = count;
  withdrawals_ += 1;
  open_withdrawals_ = withdrawals_;
  return absl::OkStatus();
}

void Replica::NoteLeaving(const RecordKey& record, const Traces& before, const Traces& after) {
  if (scope_.everything()) return;
  const bool left = before.fingerprint.has_value() && !scope_.HoldsAny(record.kind, before.territories);
  const bool leaves = !scope_.HoldsAny(record.kind, after.territories);
  if (left == leaves) return;
  if (leaves) {
    batch_.Put(Table::kMeta, storage::LeavingKey(record), "");
    ++open_leaving_;
    ++open_withdrawals_;
  } else {
    batch_.Delete(Table::kMeta, storage::LeavingKey(record));
    --open_leaving_;
  }
}

absl::StatusOr<std::vector<RecordKey>> Replica::Leaving(const std::optional<RecordKey>& after, size_t limit) const {
  storage::KeyRange range = storage::KeyRange::Prefix(storage::kLeavingPrefix);
  if (after.has_value()) range.begin = storage::LeavingKey(*after) + '\0';
  std::vector<RecordKey> records;
  auto cursor = store_->Scan(Table::kMeta, range);
  for (; cursor->Valid() && records.size() < limit; cursor->Next()) {
    const auto record = storage::ParseLeavingKey(cursor->key());
    if (!record.has_value()) return absl::DataLossError("meta table: a damaged key");
    records.push_back(*record);
  }
  if (!cursor->status().ok()) return cursor->status();
  return records;
}

absl::Status Replica::ReadEvicted(const RecordKey& record, Staged& staged) const {
  if (!any_evicted_) return absl::OkStatus();
  auto bytes = store_->Get(Table::kMeta, storage::EvictedKey(record));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::OkStatus();
  absl::StatusOr<EvictedRecord> evicted = DecodeEvictedRecord(**bytes);
  if (!evicted.ok()) return evicted.status();
  staged.evicted = *std::move(evicted);
  return absl::OkStatus();
}

// The positions stay, so that cursors do; of this site's own changes what proves them, and nothing else. All is read before
// any of it is written: a history that can't be read stays.
absl::Status Replica::EvictHistory(const RecordKey& record) {
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(*store_, record);
  if (!rows.ok()) return rows.status();
  std::vector<std::pair<uint64_t, FeedEntry>> entries;
  for (const HistoryRow& row : *rows) {
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, row.position);
    if (!entry.ok()) return entry.status();
    FeedEntry evicted{FeedEntry::Type::kEvicted, entry->source, record, ""};
    if (entry->source == identity_.site) {
      absl::StatusOr<Change> change = DecodeChange(entry->change);
      if (!change.ok()) return absl::DataLossError("feed table: a damaged change");
      evicted.change = EncodeEvictedChange(
          {change->dot.actor.incarnation, change->site_sequence, HashOfChange(entry->change)});
    }
    entries.emplace_back(row.position, std::move(evicted));
  }
  for (const auto& [position, entry] : entries) {
    batch_.Put(Table::kFeed, storage::FeedKey(position), EncodeFeedEntry(entry));
    batch_.Delete(Table::kChanges, storage::ChangeKey(record, position));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Replica::Evict(const RecordKey& record, const VersionVector& kept, const SiteId& keeper) {
  const auto open = staged_.find(record);
  if (open != staged_.end() && open->second->changed) return false;
  absl::StatusOr<Staged*> found = Stage(record);
  if (!found.ok()) return found.status();
  Staged& staged = **found;
  if (!staged.stored.has_value() || IsLost(record) || !kept.Covers(staged.state.vector())) return false;
  const Traces traces = TracesOf(record, staged.state, *staged.stored);
  if (scope_.HoldsAny(record.kind, traces.territories)) return false;
  if (absl::Status status = EvictHistory(record); !status.ok()) return status;
  EvictedRecord evicted{identity_.incarnation, open_.site_sequence,       wall_->NowMillis(),
                        keeper,                staged.state.Territories(), staged.state.vector()};
  if (staged.evicted.has_value()) evicted.vector.Merge(staged.evicted->vector);
  PutMeta(storage::EvictedKey(record), EncodeEvictedRecord(evicted));
  PutMeta(storage::LeavingKey(record), std::nullopt);
  --open_leaving_;
  for (const std::string& key : traces.index_keys) DeleteIndex(key);
  // Others may refer to it: what was known of it here is shown until somebody tells more.
  if (index_ != nullptr) open_stubs_[record.id] = StubOf(record.kind, staged.state, *index_);
  stubs_touched_.insert(record.id);
  const uint64_t position = TriePosition(record);
  for (const std::string& territory : traces.territories) {
    const storage::PartitionKey partition{record.kind, territory};
    batch_.Delete(Table::kFingerprints, storage::FingerprintKey(partition, position, record.id));
    open_updates_.push_back({partition, position, traces.fingerprint, std::nullopt});
  }
  batch_.Delete(Table::kStates, storage::StateKey(record));
  KindCounts& counts = open_.kinds[record.kind];
  --(traces.deleted ? counts.deleted : counts.alive);
  open_.conflicts -= traces.conflicting ? 1 : 0;
  // What comes later in this batch finds the record gone.
  staged.stored.reset();
  staged.state = RecordState();
  staged.longest = 0;
  staged.evicted = std::move(evicted);
  any_evicted_ = true;
  return true;
}

}  // namespace maillage::replication
