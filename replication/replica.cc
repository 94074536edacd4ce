#include "replication/replica.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/check.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

// What an operation takes at most in a state beyond its bytes in a change.
constexpr size_t kOperationOverhead = 32 + kCommitmentSize;
// What an author who is new to a record adds to its state: an entry of its vector, a name. A correction of the same
// length passes, whoever makes it.
constexpr size_t kAuthorOverhead = kMaxPersonBytes + 64;

// A counter's value is a total per author; what a writer asks for is what to add to their own.
void AddToContribution(const RecordState& state, const Actor& actor, Operation& operation) {
  const Cell* cell = state.Find(operation.field, operation.key);
  if (cell == nullptr || !operation.value.has_value()) return;
  Cell own{cell->field, cell->key, {}};
  for (const Version& version : cell->versions) {
    if (version.dot.actor == actor) own.versions.push_back(version);
  }
  Version added;
  added.value = *operation.value;
  own.versions.push_back(added);
  operation.value = absl::StrCat(CounterSum(own));
}

}  // namespace

Replica::Replica(storage::Store* store, WallClock* clock, Random* random, const Options& options)
    : store_(store), wall_(clock), random_(random), index_(options.index), clock_(clock),
      network_(options.network), key_(options.key), verifier_(options.verifier), record_ids_(clock, random) {}

absl::StatusOr<std::unique_ptr<Replica>> Replica::Open(storage::Store* store, WallClock* clock,
                                                       Random* random, const Options& options) {
  std::unique_ptr<Replica> replica(new Replica(store, clock, random, options));
  if (absl::Status status = replica->Load(options); !status.ok()) return status;
  return replica;
}

absl::Status Replica::Reload(bool continuity_proven) {
  const SiteId site = committed_identity_.site;
  Discard();
  unsaved_cursors_.clear();
  failed_ = false;
  absl::Status loaded = Load({.site = site, .index = index_, .continuity_proven = continuity_proven});
  failed_ = !loaded.ok();
  return loaded;
}

absl::Status Replica::Load(const Options& options) {
  auto identity = store_->Get(Table::kMeta, storage::kIdentityKey);
  if (!identity.ok()) return identity.status();
  if (identity->has_value()) {
    absl::StatusOr<LocalIdentity> decoded = DecodeIdentity(**identity);
    if (!decoded.ok()) return decoded.status();
    if (decoded->site != options.site) {
      return absl::FailedPreconditionError(
          absl::StrCat("the data belongs to site ", FormatSiteId(decoded->site), ", not to ",
                       FormatSiteId(options.site)));
    }
    identity_ = committed_identity_ = *decoded;
    auto progress = store_->Get(Table::kMeta, storage::kProgressKey);
    if (!progress.ok()) return progress.status();
    if (!progress->has_value()) return absl::DataLossError("meta table: no progress");
    absl::StatusOr<LocalProgress> decoded_progress = DecodeProgress(**progress);
    if (!decoded_progress.ok()) return decoded_progress.status();
    committed_ = open_ = *decoded_progress;
    clock_.Observe(committed_.clock);
    if (absl::Status status = LoadContinuity(); !status.ok()) return status;
    if (!options.continuity_proven) RenewIncarnation(options.doubt, random_->Next64(), 0);
  } else {
    identity_ = {options.site, random_->Next64(), 0};
    PutMeta(std::string(storage::kIdentityKey), EncodeIdentity(identity_));
  }
  if (absl::Status status = LoadTree(); !status.ok()) return status;
  if (absl::Status status = LoadStubs(); !status.ok()) return status;
  if (absl::Status status = LoadLost(); !status.ok()) return status;
  if (absl::Status status = LoadMembership(); !status.ok()) return status;
  if (absl::Status status = LoadScopes(); !status.ok()) return status;
  if (absl::Status status = LoadReports(); !status.ok()) return status;
  if (absl::Status status = LoadRequests(); !status.ok()) return status;
  // What the store doesn't follow yet: the revocation was in what the site was told when it joined, or its row is damaged.
  absl::StatusOr<RevokedAuthors> followed = RevokedAuthors::FollowedBy(*store_);
  if (!followed.ok() && !absl::IsDataLoss(followed.status())) return followed.status();
  revoked_ = followed.ok() ? *std::move(followed) : RevokedAuthors();
  RevokedAuthors revoked = RevokedAuthors::Of(*membership_);
  // Who opens the store without its network, to repair it, goes by what the states follow.
  if (membership_->founded() && revoked != revoked_) {
    if (absl::Status status = FollowRevocations(std::move(revoked)); !status.ok()) return status;
  }
  instance_ = random_->Next64();
  PutMeta(std::string(storage::kOpeningKey), EncodeCount(++opening_));
  return Commit();
}

absl::Status Replica::LoadTree() {
  damage_.clear();
  absl::Status status = tree_.Load(*store_);
  if (!absl::IsDataLoss(status)) return status;
  Unread unread;
  if (absl::Status rebuilt = tree_.LoadFromStates(*store_, unread); !rebuilt.ok()) return rebuilt;
  damage_ = absl::StrCat(
      "la table des empreintes est endommagée (", status.message(),
      "), elles ont été recalculées à partir des fiches",
      unread.rows > 0 ? absl::StrCat(", dont ", unread.rows, " au moins sont illisibles") : "",
      " ; « maillage doctor --repair » répare");
  return absl::OkStatus();
}

absl::StatusOr<Replica::Staged*> Replica::Stage(const RecordKey& record) {
  if (failed_) {
    return absl::FailedPreconditionError(
        "a commit failed and its outcome is unknown: the store has to be opened again");
  }
  const auto found = staged_.find(record);
  if (found != staged_.end()) return found->second.get();
  auto bytes = store_->Get(Table::kStates, storage::StateKey(record));
  if (absl::IsDataLoss(bytes.status())) return UnreadableRecord(record, bytes.status());
  if (!bytes.ok()) return bytes.status();
  auto staged = std::make_unique<Staged>();
  if (bytes->has_value()) {
    absl::StatusOr<RecordState> state = DecodeState(**bytes);
    if (!state.ok()) return UnreadableRecord(record, state.status());
    staged->state = *std::move(state);
    staged->stored = **std::move(bytes);
    staged->longest = staged->stored->size();
  }
  if (absl::Status status = ReadEvicted(record, *staged); !status.ok()) return status;
  dirty_ = true;
  return (staged_[record] = std::move(staged)).get();
}

void Replica::Touch(const RecordKey& record, Staged& staged) {
  unindexed_.push_back(record);
  if (staged.changed) return;
  staged.changed = true;
  if (staged.stored.has_value()) staged.before = TracesOf(record, staged.state, *staged.stored);
}

Replica::Traces Replica::TracesOf(const RecordKey& record, const RecordState& state,
                                  std::string_view bytes) const {
  return TracesOfState(record, state, bytes, index_);
}

Actor Replica::ActorFor(const Staged& staged) const {
  // The highest epoch of this incarnation that the record knows; a record that doesn't know us gets a new one,
  // numbered by the site-wide sequence, which never repeats within an incarnation. So does one that came back: it may have
  // come without the last changes of this site.
  Actor actor{identity_.site, identity_.incarnation, open_.site_sequence + 1};
  const bool came_back = staged.evicted.has_value() && staged.evicted->incarnation == actor.incarnation;
  const uint64_t too_old = came_back ? staged.evicted->site_sequence : 0;
  for (const VersionVector::Entry& entry : staged.state.vector().entries()) {
    if (entry.actor.site == actor.site && entry.actor.incarnation == actor.incarnation &&
        entry.actor.epoch > too_old) {
      actor.epoch = entry.actor.epoch;
    }
  }
  return actor;
}

uint64_t Replica::AppendToFeed(FeedEntry entry, const std::optional<Dot>& dot, bool sign) {
  const uint64_t position = ++open_.feed_head;
  if (dot.has_value()) {
    batch_.Put(Table::kChanges, storage::ChangeKey(entry.record, position), EncodeDot(*dot));
  }
  if (sign) {
    unsigned_bytes_ += entry.change.size();
    unsigned_.emplace_back(position, std::move(entry));
  } else {
    batch_.Put(Table::kFeed, storage::FeedKey(position), EncodeFeedEntry(entry));
  }
  return position;
}

void Replica::SignOpenChanges() {
  std::vector<std::string*> changes;
  changes.reserve(unsigned_.size());
  for (auto& [position, entry] : unsigned_) changes.push_back(&entry.change);
  if (!changes.empty()) SignChanges(*key_, membership_->network(), changes);
  for (const auto& [position, entry] : unsigned_) batch_.Put(Table::kFeed, storage::FeedKey(position), EncodeFeedEntry(entry));
  unsigned_.clear();
  unsigned_bytes_ = 0;
}

absl::Status Replica::CheckLength(Staged& staged, const Change& change, size_t change_bytes) {
  const size_t longest = staged.longest + change_bytes + change.operations.size() * kOperationOverhead;
  if (longest <= kMaxStateBytes) {
    staged.longest = longest;
    return absl::OkStatus();
  }
  RecordState after = staged.state;
  after.Apply(change);
  const size_t before_bytes = EncodeState(staged.state).size();
  const size_t after_bytes = EncodeState(after).size();
  const bool only_life = std::all_of(change.operations.begin(), change.operations.end(),
                                     [](const Operation& operation) { return operation.field == kLifeField; });
  if (!only_life && after_bytes > kMaxStateBytes && after_bytes > before_bytes + kAuthorOverhead) {
    return absl::InvalidArgumentError(
        absl::StrCat("la fiche aurait ", after_bytes, " octets, et peut en avoir ", kMaxStateBytes,
                     " : raccourcissez-la, ou mettez les textes longs dans un document que la fiche cite"));
  }
  staged.longest = after_bytes;
  return absl::OkStatus();
}

absl::StatusOr<Dot> Replica::Write(LocalWrite write) {
  absl::StatusOr<Staged*> staged = Stage(write.record);
  if (!staged.ok()) return staged.status();
  RecordState& state = (*staged)->state;
  if (!state.vector().Covers(write.context)) {
    return absl::FailedPreconditionError(
        "cet etag vient d'un autre site : ce nœud n'a pas encore reçu ce que vous avez lu");
  }
  const auto renounced = renounced_.find(write.record);
  if (renounced != renounced_.end() && NamesRenounced(write.context, renounced->second)) {
    return absl::FailedPreconditionError(
        "cet etag date d'avant la restauration ou la copie de ce site : relisez la fiche et recommencez");
  }
  if (state.vector().empty() && IsLost(write.record)) return WaitsForPeer(write.record);
  Change change;
  change.record = write.record;
  change.dot.actor = ActorFor(**staged);
  change.dot.n = state.vector().Get(change.dot.actor) + 1;
  change.site_sequence = open_.site_sequence + 1;
  change.time = clock_.Now();
  change.person = std::move(write.person);
  change.context = std::move(write.context);
  change.operations = std::move(write.operations);
  for (Operation& operation : change.operations) {
    if (operation.rule == v1::COUNTER) AddToContribution(state, change.dot.actor, operation);
  }
  std::sort(change.operations.begin(), change.operations.end(),
            [](const Operation& a, const Operation& b) {
              return std::tie(a.field, a.key) < std::tie(b.field, b.key);
            });
  if (absl::Status status = CheckOwnRights(change, **staged); !status.ok()) return status;
  if (absl::Status status = PrepareToSign(**staged, change); !status.ok()) return status;
  std::string bytes = EncodeChange(change);
  const size_t signature_bytes = Signs() ? kMaxSignatureSize : 0;
  if (bytes.size() + signature_bytes > kMaxChangeBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("modification de plus de ", kMaxChangeBytes, " octets : à écrire en plusieurs fois"));
  }
  // What the others would refuse must not be issued: its dot would bar the author's later changes to the record.
  absl::StatusOr<Change> decoded = DecodeChange(bytes);
  if (!decoded.ok()) return decoded.status();
  // With its commitments.
  change = *std::move(decoded);
  if (absl::Status status = CheckLength(**staged, change, bytes.size()); !status.ok()) return status;
  Touch(change.record, **staged);
  std::vector<std::string> places = PlacesOf(state);
  state.Apply(change);
  open_.site_sequence = change.site_sequence;
  open_.clock = change.time;
  const std::string& hashed = Signs() ? WithRoomForSignature(bytes) : bytes;
  NoteAuthor(change.dot.actor, change.site_sequence, hashed);
  (*staged)->applied.emplace_back(change.dot, hashed);
  const uint64_t position = AppendToFeed(
      {FeedEntry::Type::kChange, identity_.site, change.record, std::move(bytes),
       AllPlaces(std::move(places), state)},
      change.dot, Signs());
  if (change.site_sequence % kOwnSequenceStep == 1) {
    batch_.Put(Table::kMeta, storage::OwnSequenceKey(identity_.incarnation, change.site_sequence),
               EncodeCount(position));
  }
  Remember(write.request_id, {position, change.record, change.dot});
  return change.dot;
}

absl::StatusOr<Replica::ApplyResult> Replica::Apply(std::string_view change_bytes,
                                                    const SiteId& source, bool returns) {
  const bool reads_internal = MayReadInternal(identity_.site);
  absl::StatusOr<std::optional<std::string>> without = std::nullopt;
  if (!reads_internal) without = WithoutInternal(change_bytes);
  if (!without.ok()) return without.status();
  if (without->has_value()) change_bytes = **without;
  absl::StatusOr<Change> change = DecodeChange(change_bytes);
  if (!change.ok()) return change.status();
  absl::StatusOr<Staged*> staged = Stage(change->record);
  if (!staged.ok()) return staged.status();
  RecordState& state = (*staged)->state;
  const bool covered = state.vector().Covers(change->dot);
  const bool handed_over = (*staged)->evicted.has_value() && (*staged)->evicted->vector.Covers(change->dot);
  if (!covered) {
    if (absl::Status author = CheckAuthor(*change, change_bytes); !author.ok()) return author;
  }
  if (change->dot.actor.site == identity_.site && !handed_over) {
    absl::StatusOr<bool> twins = IsTwins(*change, change_bytes, covered);
    if (!twins.ok()) return twins.status();
    if (*twins && covered) {
      if (absl::Status author = CheckAuthor(*change, change_bytes); !author.ok()) return author;
    }
    if (*twins) return ApplyResult{Applied::kTwin, change->record};
  }
  if (covered) return CompareWithHeld(*change, change_bytes, source);
  if (reads_internal && change->withholds()) {
    return absl::InvalidArgumentError("une valeur interne en a été retirée : un autre site que ce lecteur doit l'envoyer");
  }
  if (handed_over && !returns && state.vector().empty()) {
    return ApplyResult{Applied::kHandedOver, change->record};
  }
  if (!state.CanApply(*change)) return ApplyResult{Applied::kMissingCauses, change->record};
  change->is_void = revoked().Voids(*change, change_bytes);
  if (absl::Status chained = CheckChain(*change, change_bytes, **staged); !chained.ok()) return chained;
  absl::Status effect = change->is_void ? QuarantineVoid(*change, change_bytes, source) : CheckRightsOf(*change, **staged);
  if (!effect.ok()) return effect;
  if (!clock_.Observe(change->time)) ++open_.changes_from_the_future;
  open_.clock = clock_.last();
  // A lost record's changes are in the feed already, as far as they could be read.
  const bool in_feed = IsLost(change->record) && InHistory(change->record, change->dot);
  Touch(change->record, **staged);
  std::vector<std::string> places = PlacesOf(state);
  state.Apply(*change);
  (*staged)->longest += change_bytes.size() + change->operations.size() * kOperationOverhead;
  NoteAuthor(change->dot.actor, change->site_sequence, change_bytes);
  ApplyResult result{Applied::kApplied, change->record};
  if (in_feed) return result;
  result.position = AppendToFeed(
      {FeedEntry::Type::kChange, source, change->record, std::string(change_bytes),
       AllPlaces(std::move(places), state)},
      change->dot);
  (*staged)->applied.emplace_back(change->dot, change_bytes);
  return result;
}

void Replica::ObserveNewTimes(const RecordState& theirs, const VersionVector& known) {
  std::set<Dot> from_the_future;
  for (const Cell& cell : theirs.cells()) {
    for (const Version& version : cell.versions) {
      if (known.Covers(version.dot) || clock_.Observe(version.time)) continue;
      from_the_future.insert(version.dot);
    }
  }
  open_.changes_from_the_future += from_the_future.size();
  open_.clock = clock_.last();
}

absl::StatusOr<bool> Replica::Merge(const RecordKey& record, std::string_view state_bytes,
                                    const SiteId& source) {
  absl::StatusOr<RecordState> theirs = DecodeState(state_bytes);
  if (!theirs.ok()) return theirs.status();
  absl::StatusOr<Staged*> staged = Stage(record);
  if (!staged.ok()) return staged.status();
  RecordState& state = (*staged)->state;
  if (!MayReadInternal(identity_.site)) theirs = theirs->WithoutInternal();
  if (state.vector().Covers(theirs->vector())) return false;
  const VersionVector handed_over = (*staged)->evicted.value_or(EvictedRecord()).vector;
  for (const VersionVector::Entry& entry : theirs->vector().entries()) {
    const uint64_t held = std::max(state.vector().Get(entry.actor), handed_over.Get(entry.actor));
    if (entry.actor.site != identity_.site || entry.n <= held) continue;
    Change latest;
    latest.dot = {entry.actor, entry.n};
    absl::StatusOr<bool> twins = IsTwins(latest, {}, /*covered=*/false);
    if (!twins.ok()) return twins.status();
    if (*twins) return absl::AbortedError("a state holds changes of this site that it didn't write");
  }
  if (absl::Status status = NoteSeenElsewhere(record, theirs->vector()); !status.ok()) return status;
  ObserveNewTimes(*theirs, state.vector());
  Touch(record, **staged);
  std::vector<std::string> places = PlacesOf(state);
  state.Join(*theirs);
  (*staged)->longest += state_bytes.size();
  AppendToFeed({FeedEntry::Type::kState, source, record, "", AllPlaces(std::move(places), state)},
               std::nullopt);
  return true;
}

absl::Status Replica::Quarantine(const QuarantineEntry& entry) {
  constexpr size_t kDigestSize = 16;
  const std::string key = storage::QuarantineKey(Blake2b256({entry.bytes}).substr(0, kDigestSize));
  auto known = store_->Get(Table::kMeta, key);
  if (!known.ok()) return known.status();
  const uint64_t most = entry.bytes.size() <= kShortQuarantinedBytes ? kMaxQuarantined : kMaxLongQuarantined;
  const bool too_many = entry.source != identity_.site && open_.quarantined >= most;
  if (known->has_value() || too_many || !quarantined_.insert(key).second) return absl::OkStatus();
  ++open_.quarantined;
  PutMeta(key, EncodeQuarantineEntry(entry));
  return absl::OkStatus();
}

void Replica::ForgetQuarantined(std::string key) {
  --open_.quarantined;
  PutMeta(std::move(key), std::nullopt);
}

void Replica::PutMeta(std::string key, std::optional<std::string> value) {
  dirty_ = true;
  if (value.has_value()) {
    batch_.Put(Table::kMeta, std::move(key), *std::move(value));
  } else {
    batch_.Delete(Table::kMeta, std::move(key));
  }
}

void Replica::UpdateIndex(const Traces& before, const Traces& after) {
  std::vector<std::string> removed;
  std::set_difference(before.index_keys.begin(), before.index_keys.end(), after.index_keys.begin(),
                      after.index_keys.end(), std::back_inserter(removed));
  for (std::string& key : removed) DeleteIndex(std::move(key));
  std::vector<std::string> added;
  std::set_difference(after.index_keys.begin(), after.index_keys.end(), before.index_keys.begin(),
                      before.index_keys.end(), std::back_inserter(added));
  for (std::string& key : added) PutIndex(std::move(key));
}

void Replica::UpdateFingerprints(const RecordKey& record, const Traces& before, const Traces& after,
                                 std::vector<TreeUpdate>& updates) {
  const uint64_t position = TriePosition(record);
  std::vector<std::string> left;
  std::set_difference(before.territories.begin(), before.territories.end(),
                      after.territories.begin(), after.territories.end(), std::back_inserter(left));
  for (std::string& territory : left) {
    const storage::PartitionKey partition{record.kind, std::move(territory)};
    batch_.Delete(Table::kFingerprints, storage::FingerprintKey(partition, position, record.id));
    updates.push_back({partition, position, before.fingerprint, std::nullopt});
  }
  for (const std::string& territory : after.territories) {
    const storage::PartitionKey partition{record.kind, territory};
    const bool was_there = std::binary_search(before.territories.begin(), before.territories.end(),
                                              territory);
    batch_.Put(Table::kFingerprints, storage::FingerprintKey(partition, position, record.id),
               after.fingerprint->ToBytes());
    updates.push_back({partition, position, was_there ? before.fingerprint : std::nullopt,
                       after.fingerprint});
  }
}

void Replica::UpdateCounts(uint16_t kind, const Traces& before, const Traces& after) {
  KindCounts& counts = open_.kinds[kind];
  if (before.fingerprint.has_value()) --(before.deleted ? counts.deleted : counts.alive);
  ++(after.deleted ? counts.deleted : counts.alive);
  open_.conflicts += (after.conflicting ? 1 : 0);
  open_.conflicts -= (before.conflicting ? 1 : 0);
}

void Replica::FinishRecord(const RecordKey& record, const Staged& staged,
                           std::vector<TreeUpdate>& updates) {
  if (!staged.changed) return;
  std::string bytes = EncodeState(staged.state);
  const Traces after = TracesOf(record, staged.state, bytes);
  if (after.fingerprint == staged.before.fingerprint) return;
  UpdateIndex(staged.before, after);
  UpdateFingerprints(record, staged.before, after, updates);
  UpdateCounts(record.kind, staged.before, after);
  NoteLeaving(record, staged.before, after);
  stubs_touched_.insert(record.id);
  batch_.Put(Table::kStates, storage::StateKey(record), std::move(bytes));
}

absl::Status Replica::Commit() {
  if (failed_) return absl::FailedPreconditionError("the store has to be opened again");
  KeepCursors();
  if (!dirty_) {
    FollowReports();
    return absl::OkStatus();
  }
  for (const auto& [record, staged] : staged_) {
    if (!staged->changed || !IsLost(record)) continue;
    if (absl::Status status = RecoverHistory(record, *staged); !status.ok()) return status;
  }
  std::vector<TreeUpdate> updates = std::move(open_updates_);
  for (const auto& [record, staged] : staged_) FinishRecord(record, *staged, updates);
  if (absl::Status status = FinishStubs(); !status.ok()) {
    // Half of the batch is made: it can't be made again.
    failed_ = true;
    return status;
  }
  if (batch_.empty() && unsigned_.empty()) {
    FollowReports();
    Discard();
    return absl::OkStatus();
  }
  SignOpenChanges();
  for (const auto& [peer, cursor] : unsaved_cursors_) {
    batch_.Put(Table::kMeta, storage::CursorKey(peer), EncodeCursor(cursor));
  }
  unsaved_cursors_.clear();
  const size_t forgotten = ForgetOldRequests();
  PutContinuity();
  batch_.Put(Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(open_));
  if (absl::Status status = store_->Commit(batch_); !status.ok()) {
    failed_ = true;
    return status;
  }
  for (const TreeUpdate& update : updates) {
    tree_.Apply(update.partition, update.position, update.before, update.after);
  }
  ApplyStubUpdates();
  committed_ = open_;
  committed_identity_ = identity_;
  leaving_ = open_leaving_;
  withdrawals_ = open_withdrawals_;
  KeepRequests(forgotten);
  for (auto& [author, known] : closing_authors_) authors_[author] = std::move(known);
  KeepMembership();
  absl::Status followed = FollowScopes();
  FollowReports();
  Discard();
  return followed;
}

void Replica::Discard() {
  open_ = committed_;
  identity_ = committed_identity_;
  batch_.Clear();
  unsigned_.clear();
  unsigned_bytes_ = 0;
  staged_.clear();
  requests_.clear();
  new_requests_.clear();
  staged_index_.clear();
  unindexed_.clear();
  quarantined_.clear();
  cursors_.clear();
  open_fed_.clear();
  open_authors_.clear();
  closing_authors_.clear();
  open_membership_.reset();
  open_revoked_.reset();
  open_updates_.clear();
  DiscardStubs();
  open_leaving_ = leaving_;
  open_withdrawals_ = withdrawals_;
  dirty_ = false;
}

absl::StatusOr<std::optional<RecordState>> Replica::State(const RecordKey& record) const {
  const auto found = staged_.find(record);
  if (found == staged_.end()) return ReadState(*store_, record);
  if (found->second->state.vector().empty()) return std::nullopt;
  return found->second->state;
}

void Replica::IndexStagedRecords() {
  for (const RecordKey& record : unindexed_) {
    Staged& staged = *staged_.at(record);
    for (const std::string& key : staged.index_keys) staged_index_.erase(key);
    staged.index_keys = TracesOf(record, staged.state, {}).index_keys;
    staged_index_.insert(staged.index_keys.begin(), staged.index_keys.end());
  }
  unindexed_.clear();
}

absl::StatusOr<std::vector<RecordId>> Replica::FindInIndex(uint16_t kind, std::string_view prefix) {
  IndexStagedRecords();
  std::vector<RecordId> ids;
  auto cursor = store_->Scan(Table::kIndex, storage::KeyRange::Prefix(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const auto id = storage::ParseIndexedId(cursor->key());
    if (!id.has_value()) return absl::DataLossError("index table: a damaged key");
    // What the batch changed is read from the batch.
    const auto staged = staged_.find(RecordKey{kind, *id});
    if (staged == staged_.end() || !staged->second->changed) ids.push_back(*id);
  }
  if (!cursor->status().ok()) return cursor->status();
  for (auto key = staged_index_.lower_bound(prefix);
       key != staged_index_.end() && absl::StartsWith(*key, ToAbsl(prefix)); ++key) {
    const auto id = storage::ParseIndexedId(*key);
    if (id.has_value()) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

size_t Replica::open_batch_bytes() const { return batch_.byte_size() + unsigned_bytes_; }

}  // namespace maillage::replication
