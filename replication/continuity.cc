// The replica's side of one question: is this site the only continuation of itself? README.md tells the whole.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/check.h"
#include "replication/record_reader.h"
#include "replication/renounce.h"
#include "replication/replica.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

// Reads one row of the meta table into `value`, which stays as it is where there is none.
template <typename Value, typename Decode>
absl::Status LoadRow(const storage::ReadView& view, std::string_view key, Decode decode, Value& value) {
  auto bytes = view.Get(Table::kMeta, key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::OkStatus();
  auto decoded = decode(**bytes);
  if (!decoded.ok()) return decoded.status();
  value = *std::move(decoded);
  return absl::OkStatus();
}

VersionVector DotsOf(const VersionVector& vector, const SiteId& site) {
  VersionVector own;
  for (const VersionVector::Entry& entry : vector.entries()) {
    if (entry.actor.site == site) own.Add({entry.actor, entry.n});
  }
  return own;
}

// What identifies an own change, whether or not its bytes are still here.
absl::StatusOr<EvictedChange> OwnInFeed(const FeedEntry& entry) {
  if (entry.type == FeedEntry::Type::kEvicted) return DecodeEvictedChange(entry.change);
  if (entry.type != FeedEntry::Type::kChange) return absl::NotFoundError("no change");
  absl::StatusOr<Change> change = DecodeChange(entry.change);
  if (!change.ok()) return change.status();
  return EvictedChange{change->dot.actor.incarnation, change->site_sequence, HashOfChange(entry.change)};
}

absl::StatusOr<VersionVector> DecodeVector(std::string_view bytes) {
  v1::VersionVector proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("meta table: damaged vector");
  }
  return FromProto(proto);
}

std::string ClashText(const Member& signer) {
  return absl::StrCat("« ", signer.name, " » a signé deux modifications sous ce numéro, et ce site a l'autre : son dossier ou sa clé existe "
                      "deux fois (maillage members)");
}

}  // namespace

absl::Status Replica::LoadContinuity() {
  absl::Status status = LoadRow(*store_, storage::kOpeningKey, DecodeCount, opening_);
  if (status.ok()) status = LoadRow(*store_, storage::kWitnessKey, DecodeWitnessMark, witness_);
  if (status.ok()) status = LoadRow(*store_, storage::kContinuityKey, DecodeContinuityNote, note_);
  if (!status.ok()) return status;
  auto authors = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kAuthorPrefix));
  for (; authors->Valid(); authors->Next()) {
    const auto key = storage::ParseAuthorKey(authors->key());
    absl::StatusOr<KnownAuthor> author = DecodeKnownAuthor(authors->value());
    if (!key.has_value() || !author.ok()) return absl::DataLossError("meta table: damaged author");
    authors_[{key->site, key->incarnation}] = *std::move(author);
  }
  if (!authors->status().ok()) return authors->status();
  auto renounced = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kRenouncedPrefix));
  for (; renounced->Valid(); renounced->Next()) {
    const auto record = storage::ParseRenouncedKey(renounced->key());
    auto renamings = DecodeRenamings(renounced->value());
    if (!record.has_value() || !renamings.ok()) return absl::DataLossError("meta table: damaged renaming");
    AddRenamings(*renamings, renounced_[*record]);
  }
  return renounced->status();
}

void Replica::PutContinuity() {
  for (const auto& [author, open] : open_authors_) {
    KnownAuthor& known = closing_authors_[author];
    known = {open.site_sequence, HashOfChange(open.bytes)};
    batch_.Put(Table::kMeta, storage::AuthorKey(author.first, author.second), EncodeKnownAuthor(known));
  }
  if (std::exchange(witness_unsaved_, false)) {
    batch_.Put(Table::kMeta, std::string(storage::kWitnessKey), EncodeWitnessMark(witness_));
  }
}

void Replica::RenewIncarnation(ContinuityDoubt doubt, uint64_t incarnation, uint64_t renamed) {
  identity_.incarnation = incarnation;
  ++identity_.renewals;
  ++open_withdrawals_;
  open_.site_sequence = renamed;
  note_ = {doubt, wall_->NowMillis(), renamed};
  PutMeta(std::string(storage::kIdentityKey), EncodeIdentity(identity_));
  PutMeta(std::string(storage::kContinuityKey), EncodeContinuityNote(note_));
  // Whatever is in doubt, what others' bundles brought may be missing.
  absl::StatusOr<std::vector<std::string>> had = HadKeys();
  // A store that can't say so is opened again before anything is written.
  if (!had.ok()) failed_ = true;
  if (had.ok()) {
    for (std::string& key : *had) PutMeta(std::move(key), std::nullopt);
  }
}

// ---- What others hold of this site ----

void Replica::NoteAuthor(const Actor& actor, uint64_t site_sequence, std::string_view bytes) {
  const AuthorKey author{actor.site, actor.incarnation};
  const auto committed = authors_.find(author);
  if (committed != authors_.end() && committed->second.site_sequence >= site_sequence) return;
  OpenAuthor& open = open_authors_[author];
  if (open.site_sequence < site_sequence) open = {site_sequence, std::string(bytes)};
}

std::map<uint64_t, KnownAuthor> Replica::KnownOf(const SiteId& site) const {
  std::map<uint64_t, KnownAuthor> known;
  for (const auto& [author, highest] : authors_) {
    if (author.first == site) known[author.second] = highest;
  }
  return known;
}

void Replica::Witness(uint64_t position) {
  if (position <= witness_.position) return;
  witness_.position = position;
  witness_unsaved_ = true;
}

absl::StatusOr<std::optional<std::string>> Replica::HashOfOwn(uint64_t incarnation,
                                                              uint64_t sequence) const {
  uint64_t position = 1;
  storage::KeyRange noted = storage::KeyRange::Prefix(storage::OwnSequencePrefix(incarnation));
  noted.end = storage::OwnSequenceKey(incarnation, sequence) + '\0';
  auto cursor = store_->Scan(Table::kMeta, noted, storage::ScanOrder::kDescending);
  if (cursor->Valid()) {
    absl::StatusOr<uint64_t> found = DecodeCount(cursor->value());
    if (!found.ok()) return found.status();
    position = *found;
  }
  if (!cursor->status().ok()) return cursor->status();
  std::optional<std::string> hash;
  absl::Status status = ScanFeed(*store_, position - 1, [&](uint64_t, FeedEntry entry) {
    if (entry.source != identity_.site) return true;
    absl::StatusOr<EvictedChange> own = OwnInFeed(entry);
    if (!own.ok() || own->incarnation != incarnation) return true;
    if (own->site_sequence == sequence) hash = own->hash;
    return own->site_sequence < sequence;
  });
  if (!status.ok()) return status;
  return hash;
}

absl::StatusOr<ContinuityDoubt> Replica::Judge(uint64_t incarnation, const KnownAuthor& claim) {
  const auto known = authors_.find({committed_identity_.site, incarnation});
  if (known != authors_.end() && known->second == claim) return ContinuityDoubt::kNone;
  if (incarnation == committed_identity_.incarnation) {
    if (claim.site_sequence > committed_.site_sequence) return ContinuityDoubt::kPeerKnowsMore;
  } else {
    // Of an earlier incarnation others may well know more; it matters only where own changes may clash with that.
    absl::StatusOr<bool> unwitnessed = HasUnwitnessed(incarnation);
    if (!unwitnessed.ok()) return unwitnessed.status();
    if (!*unwitnessed) return ContinuityDoubt::kNone;
  }
  auto own = HashOfOwn(incarnation, claim.site_sequence);
  if (!own.ok()) return own.status();
  if (!own->has_value()) return ContinuityDoubt::kPeerKnowsMore;
  return **own == claim.hash ? ContinuityDoubt::kNone : ContinuityDoubt::kPeerKnowsOther;
}

absl::StatusOr<std::vector<Replica::OwnChange>> Replica::UnwitnessedChanges() const {
  std::vector<OwnChange> unwitnessed;
  absl::Status damaged;
  absl::Status status = ScanFeed(*store_, witness_.position, [&](uint64_t position, FeedEntry entry) {
    if (entry.source != committed_identity_.site || entry.type != FeedEntry::Type::kChange) return true;
    absl::StatusOr<Change> change = DecodeChange(entry.change);
    if (!change.ok()) damaged = absl::DataLossError("feed table: a damaged change");
    if (!change.ok()) return false;
    if (!witness_.Witnessed(position, change->dot.actor.incarnation)) {
      unwitnessed.push_back({position, change->record, change->dot, HashOfChange(entry.change),
                             change->time});
    }
    return true;
  });
  if (!status.ok()) return status;
  if (!damaged.ok()) return damaged;
  return unwitnessed;
}

absl::StatusOr<bool> Replica::HasUnwitnessed(uint64_t incarnation) {
  if (witnessed_incarnations_.contains(incarnation)) return false;
  absl::StatusOr<std::vector<OwnChange>> unwitnessed = UnwitnessedChanges();
  if (!unwitnessed.ok()) return unwitnessed.status();
  const bool found = std::any_of(unwitnessed->begin(), unwitnessed->end(), [&](const OwnChange& change) {
    return change.dot.actor.incarnation == incarnation;
  });
  if (!found && incarnation != identity_.incarnation) witnessed_incarnations_.insert(incarnation);
  return found;
}

absl::StatusOr<std::optional<HistoryRow>> Replica::FindInHistory(const RecordKey& record,
                                                                 const Dot& dot) const {
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(*store_, record);
  if (!rows.ok()) return rows.status();
  for (const HistoryRow& row : *rows) {
    if (row.dot == dot) return row;
  }
  return std::nullopt;
}

absl::StatusOr<bool> Replica::Holds(const OwnChange& change) const {
  absl::StatusOr<std::optional<HistoryRow>> row = FindInHistory(change.record, change.dot);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return HoldsAlive(change);
  absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, (*row)->position);
  if (!entry.ok()) return entry.status();
  return HashOfChange(entry->change) == change.hash;
}

absl::StatusOr<bool> Replica::HoldsAlive(const OwnChange& change) const {
  absl::StatusOr<std::optional<RecordState>> state = ReadState(*store_, change.record);
  if (!state.ok()) return state.status();
  if (!state->has_value()) return false;
  for (const Cell& cell : (*state)->cells()) {
    for (const Version& version : cell.versions) {
      if (version.dot == change.dot) return version.time == change.time;
    }
  }
  return false;
}

absl::StatusOr<bool> Replica::IsTwins(const Change& change, std::string_view bytes, bool covered) {
  const Actor& actor = change.dot.actor;
  if (!covered && actor.incarnation == identity_.incarnation) return true;
  if (!covered) return HasUnwitnessed(actor.incarnation);
  absl::StatusOr<std::optional<HistoryRow>> row = FindInHistory(change.record, change.dot);
  if (!row.ok()) return row.status();
  // In the open batch, or part of a state: the next greeting tells, if there is anything to tell.
  if (!row->has_value() || witness_.Witnessed((*row)->position, actor.incarnation)) return false;
  absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, (*row)->position);
  if (!entry.ok()) return entry.status();
  return entry->source == identity_.site && entry->change != bytes && HashOfChange(entry->change) != HashOfChange(bytes);
}

absl::StatusOr<Replica::ApplyResult> Replica::CompareWithHeld(const Change& change, std::string_view bytes,
                                                              const SiteId& source) {
  const ApplyResult duplicate{Applied::kDuplicate, change.record};
  // Everyone hears of a change from several others. Its author is the one who has to know, and the one who says it once. Who
  // signed both is told to all, from whomever they come.
  const bool by_author = source == change.dot.actor.site && source != identity_.site;
  if (!by_author && !membership_->founded()) return duplicate;
  absl::StatusOr<std::optional<HistoryRow>> row = FindInHistory(change.record, change.dot);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return duplicate;
  absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, (*row)->position);
  if (!entry.ok()) return entry.status();
  if (entry->change == bytes || HashOfChange(entry->change) == HashOfChange(bytes)) return duplicate;
  if (absl::Status author = CheckAuthor(change, bytes); !author.ok()) return author;
  if (absl::Status told = TellEquivocation(change, entry->change, bytes); !told.ok()) return told;
  if (const Member* const signer = open_membership().Find(change.dot.actor.site); signer != nullptr) {
    // The other one is held; this one isn't lost either.
    absl::Status kept = Quarantine({source, ClashText(*signer), std::string(bytes)});
    if (!kept.ok()) return kept;
  }
  if (!by_author) return duplicate;
  absl::StatusOr<Change> held = DecodeChange(entry->change);
  if (!held.ok()) return absl::DataLossError("feed table: a damaged change");
  return ApplyResult{Applied::kClash, change.record, 0, *std::move(held), HashOfChange(entry->change)};
}

absl::Status Replica::NoteSeenElsewhere(const RecordKey& record, const VersionVector& vector) {
  VersionVector own = DotsOf(vector, identity_.site);
  if (own.empty()) return absl::OkStatus();
  const std::string key = storage::SeenKey(record);
  VersionVector seen;
  if (absl::Status status = LoadRow(*store_, key, DecodeVector, seen); !status.ok()) return status;
  own.Merge(seen);
  if (own != seen) PutMeta(key, ToProto(own).SerializeAsString());
  return absl::OkStatus();
}

// ---- Giving up dots ----

absl::StatusOr<RecordBefore> Replica::ReadBefore(const RecordKey& record) {
  absl::StatusOr<std::optional<RecordState>> state = ReadState(*store_, record);
  if (!state.ok()) return state.status();
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(*store_, record);
  if (!rows.ok()) return rows.status();
  RecordBefore before;
  before.state = state->value_or(RecordState());
  for (const HistoryRow& row : *rows) {
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, row.position);
    if (!entry.ok()) return entry.status();
    absl::StatusOr<Change> change = revoked().Decode(entry->change);
    if (!change.ok()) return absl::DataLossError("feed table: a damaged change");
    before.history.push_back({row.position, *std::move(change), entry->source == identity_.site});
  }
  absl::Status status = LoadRow(*store_, storage::SeenKey(record), DecodeVector, before.seen_elsewhere);
  if (!status.ok()) return status;
  return before;
}

absl::StatusOr<Replica::Renames> Replica::ChooseRenames(const std::set<uint64_t>& held,
                                                        const absl::flat_hash_set<RecordKey>* only,
                                                        bool older) {
  absl::StatusOr<std::vector<OwnChange>> unwitnessed = UnwitnessedChanges();
  if (!unwitnessed.ok()) return unwitnessed.status();
  Renames renames;
  std::map<RecordKey, std::set<uint64_t>> doubtful;
  std::set<uint64_t> present;
  for (const OwnChange& change : *unwitnessed) {
    if (only != nullptr && !only->contains(change.record)) {
      renames.complete = renames.complete && held.contains(change.position);
      continue;
    }
    doubtful[change.record].insert(change.position);
    if (change.dot.actor.incarnation == committed_identity_.incarnation) present.insert(change.position);
  }
  std::map<uint64_t, RecordKey> chosen;
  for (const auto& [record, positions] : doubtful) {
    absl::StatusOr<RecordBefore> before = ReadBefore(record);
    if (!before.ok()) return before.status();
    for (const uint64_t position : ChangesToRename(*before, positions, held)) chosen[position] = record;
  }
  const auto is_present = [&](const auto& change) { return present.contains(change.first); };
  if (older && std::all_of(chosen.begin(), chosen.end(), is_present)) chosen.clear();
  // Numbered in feed order, as they would have been.
  uint64_t sequence = 0;
  for (const auto& [position, record] : chosen) renames.by_record[record][position] = ++sequence;
  return renames;
}

void Replica::PutRenamed(const HistoricChange& renamed, bool history_broken, std::map<Actor, std::string>& chain) {
  Change change = renamed.change;
  change.previous.clear();
  std::string& last = chain[change.dot.actor];
  if (Signs()) {
    // One that it has stays: the record's state holds commitments that were made with it.
    if (change.salt.empty()) change.salt = NewSalt();
    if (change.dot.n > 1) change.previous = last;
  }
  std::string bytes = EncodeChange(change);
  SignOwn(bytes);
  last = HashOfChange(bytes);
  NoteAuthor(change.dot.actor, change.site_sequence, bytes);
  if (change.site_sequence % kOwnSequenceStep == 1) {
    batch_.Put(Table::kMeta, storage::OwnSequenceKey(change.dot.actor.incarnation, change.site_sequence),
               EncodeCount(renamed.position));
  }
  FeedEntry entry{FeedEntry::Type::kChange, identity_.site, change.record, std::move(bytes)};
  if (history_broken) {
    entry.type = FeedEntry::Type::kState;
    entry.change.clear();
    batch_.Delete(Table::kChanges, storage::ChangeKey(change.record, renamed.position));
  } else {
    batch_.Put(Table::kChanges, storage::ChangeKey(change.record, renamed.position),
               EncodeDot(change.dot));
  }
  batch_.Put(Table::kFeed, storage::FeedKey(renamed.position), EncodeFeedEntry(entry));
}

absl::Status Replica::RenameRecord(const RecordKey& record,
                                   const std::map<uint64_t, uint64_t>& new_sequences,
                                   uint64_t incarnation, std::map<RecordKey, std::vector<Renaming>>& renamed) {
  absl::StatusOr<RecordBefore> before = ReadBefore(record);
  if (!before.ok()) return before.status();
  absl::StatusOr<RecordAfter> after = RenameChanges(*before, new_sequences, incarnation);
  if (!after.ok()) return after.status();
  absl::StatusOr<Staged*> staged = Stage(record);
  if (!staged.ok()) return staged.status();
  Touch(record, **staged);
  (*staged)->state = std::move(after->state);
  std::map<Actor, std::string> chain;
  for (const HistoricChange& change : after->renamed) PutRenamed(change, after->history_broken, chain);
  renamed[record] = after->renamings;
  std::vector<Renaming> renamings;
  const auto earlier = renounced_.find(record);
  if (earlier != renounced_.end()) renamings = earlier->second;
  AddRenamings(after->renamings, renamings);
  PutMeta(storage::RenouncedKey(record), EncodeRenamings(renamings));
  renounced_[record] = std::move(renamings);
  return absl::OkStatus();
}

absl::Status Replica::RenameRequests(const std::map<RecordKey, std::vector<Renaming>>& renamed) {
  auto cursor = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::RequestKey("")));
  for (; cursor->Valid(); cursor->Next()) {
    absl::StatusOr<RequestOutcome> outcome = DecodeRequestOutcome(cursor->value());
    if (!outcome.ok()) return outcome.status();
    const auto renamings = renamed.find(outcome->record);
    if (renamings == renamed.end()) continue;
    outcome->dot = RenameDot(outcome->dot, renamings->second);
    PutMeta(std::string(cursor->key()), EncodeRequestOutcome(*outcome));
  }
  return cursor->status();
}

absl::Status Replica::Renounce(ContinuityDoubt doubt, const std::set<uint64_t>& held, bool must_renew,
                               const absl::flat_hash_set<RecordKey>* only) {
  // What is open belongs to the old incarnation, and is given up with the rest.
  if (absl::Status status = Commit(); !status.ok()) return status;
  // Copies of one past confirm to each other what the world may hold differently. What the twin doesn't hold of the
  // present incarnation, which is this copy's alone, is no reason by itself: else each meeting would rename again.
  const bool twins_word = doubt == ContinuityDoubt::kTwinMet;
  absl::StatusOr<Renames> renames = ChooseRenames(held, only, /*older=*/twins_word && !must_renew);
  if (!renames.ok()) return renames.status();
  const bool proves = !twins_word && renames->complete;
  if (renames->by_record.empty() && proves) Witness(committed_.feed_head);
  if (renames->by_record.empty() && !must_renew) return absl::OkStatus();
  const uint64_t incarnation = random_->Next64();
  std::map<RecordKey, std::vector<Renaming>> renamed;
  uint64_t count = 0;
  absl::Status status;
  for (const auto& [record, new_sequences] : renames->by_record) {
    status = RenameRecord(record, new_sequences, incarnation, renamed);
    count += new_sequences.size();
    if (!status.ok()) break;
  }
  if (status.ok()) status = RenameRequests(renamed);
  if (!status.ok()) {
    // Half of it must not reach the disk; renounced_ may say too much, which refuses a few etags until the next opening.
    Discard();
    return status;
  }
  RenewIncarnation(doubt, incarnation, count);
  if (count > 0 && proves) {
    // What kept its dot is known elsewhere.
    witness_.settled_position = committed_.feed_head;
    witness_.settled_incarnation = incarnation;
    witness_unsaved_ = true;
  }
  witnessed_incarnations_.clear();
  return Commit();
}

}  // namespace maillage::replication
