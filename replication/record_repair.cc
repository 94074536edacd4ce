#include "replication/record_repair.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "replication/record_traces.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

std::vector<std::string> FingerprintKeys(const RecordKey& record, const RecordTraces& traces) {
  std::vector<std::string> keys;
  for (const std::string& territory : traces.territories) {
    keys.push_back(storage::FingerprintKey({record.kind, territory}, TriePosition(record), record.id));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> Without(const std::vector<std::string>& all, const std::vector<std::string>& others) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), others.begin(), others.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

void RecordRepairer::Renew() {
  // What this site wrote may be among what is given up: none of its dots may be used again.
  if (!std::exchange(tally_->renewed, true)) replica_->TakeNewIncarnation();
}

absl::Status RecordRepairer::SetAside(const std::string& what, const std::string& bytes) {
  if (bytes.empty()) return absl::OkStatus();
  return replica_->Quarantine({replica_->identity().site, absl::StrCat("réparation : ", what), bytes});
}

// ---- The feed ----

absl::Status RecordRepairer::EmptyPosition(uint64_t position, const std::string& bytes) {
  Renew();
  ++tally_->history_rows;
  replica_->PutRow(Table::kFeed, storage::FeedKey(position), EncodeFeedEntry({FeedEntry::Type::kLost, {}, {}, ""}));
  return SetAside(absl::StrCat("position ", position, " du journal"), bytes);
}

bool RecordRepairer::FitsHistory(const RecordKey& record, uint64_t position, const Dot& dot) const {
  const auto state = ReadState(replica_->store(), record);
  if (state.ok() && state->has_value() && !(*state)->vector().Covers(dot)) return false;
  const auto rows = ReadHistory(replica_->store(), record);
  if (!rows.ok()) return false;
  return std::none_of(rows->begin(), rows->end(),
                      [&](const HistoryRow& row) { return row.dot == dot && row.position != position; });
}

absl::Status RecordRepairer::FixChange(uint64_t position, FeedEntry entry, const std::string& bytes) {
  const auto change = DecodeChange(entry.change);
  if (!change.ok()) return EmptyPosition(position, bytes);
  const std::string row = storage::ChangeKey(change->record, position);
  const std::string dot = EncodeDot(change->dot);
  const auto stored = replica_->store().Get(Table::kChanges, row);
  const bool named = stored.ok() && stored->has_value() && **stored == dot;
  if (change->record != entry.record) {
    // The author's bytes and the history agree; what this site wrote before them is what is wrong.
    if (!named) return EmptyPosition(position, bytes);
    ++tally_->history_rows;
    entry.record = change->record;
    entry.source = replica_->identity().site;
    replica_->PutRow(Table::kFeed, storage::FeedKey(position), EncodeFeedEntry(entry));
    return absl::OkStatus();
  }
  if (named) return absl::OkStatus();
  const bool missing = !stored.ok() || !stored->has_value();
  if (!missing && !FitsHistory(change->record, position, change->dot)) return EmptyPosition(position, bytes);
  ++tally_->history_rows;
  replica_->PutRow(Table::kChanges, row, dot);
  return absl::OkStatus();
}

absl::Status RecordRepairer::FixPosition(uint64_t position) {
  const auto bytes = replica_->store().Get(Table::kFeed, storage::FeedKey(position));
  if (!bytes.ok() && !absl::IsDataLoss(bytes.status())) return bytes.status();
  if (!bytes.ok() || !bytes->has_value()) return EmptyPosition(position, "");
  const auto entry = DecodeFeedEntry(**bytes);
  if (!entry.ok()) return EmptyPosition(position, **bytes);
  switch (entry->type) {
    case FeedEntry::Type::kChange:
      return FixChange(position, *entry, **bytes);
    case FeedEntry::Type::kState: {
      const auto state = replica_->store().Get(Table::kStates, storage::StateKey(entry->record));
      const auto evicted = replica_->store().Get(Table::kMeta, storage::EvictedKey(entry->record));
      const bool may_name_nothing = replica_->IsLost(entry->record) || !evicted.ok() || evicted->has_value();
      const bool names_nothing = state.ok() && !state->has_value() && !may_name_nothing;
      return names_nothing ? EmptyPosition(position, **bytes) : absl::OkStatus();
    }
    case FeedEntry::Type::kLost:
    case FeedEntry::Type::kEvicted:
      break;
  }
  return absl::OkStatus();
}

// ---- One record ----

RecordRepairer::History RecordRepairer::ReadHistoryOf(const RecordKey& record) const {
  History history;
  std::set<Dot> dots;
  const storage::KeyRange range = storage::KeyRange::Prefix(storage::ChangePrefix(record));
  auto cursor = replica_->store().Scan(Table::kChanges, range);
  for (; cursor->Valid() || (cursor->SkipDamage() && cursor->Valid()); cursor->Next()) {
    ++history.rows;
    const auto position = storage::ParseChangeKeyPosition(cursor->key());
    const auto dot = DecodeDot(cursor->value());
    absl::StatusOr<Change> change = absl::DataLossError("no change");
    if (position.has_value() && dot.ok()) {
      const auto entry = ReadFeedEntry(replica_->store(), *position);
      if (entry.ok() && entry->type == FeedEntry::Type::kChange) change = replica_->revoked().Decode(entry->change);
    }
    const bool right = change.ok() && change->record == record && change->dot == *dot && dots.insert(*dot).second;
    if (right) {
      history.changes.push_back({*position, *std::move(change)});
    } else {
      history.wrong.emplace_back(cursor->key());
    }
  }
  return history;
}

absl::StatusOr<RecordRepairer::Found> RecordRepairer::Find(const RecordKey& record) const {
  Found found;
  auto bytes = replica_->store().Get(Table::kStates, storage::StateKey(record));
  if (!bytes.ok() && !absl::IsDataLoss(bytes.status())) return bytes.status();
  found.there = !bytes.ok() || bytes->has_value();
  if (!bytes.ok() || !bytes->has_value()) return found;
  found.bytes = **std::move(bytes);
  auto state = DecodeState(found.bytes);
  found.decodes = state.ok();
  if (state.ok()) found.state = *std::move(state);
  return found;
}

RecordState RecordRepairer::Replay(const History& history, RecordState base, std::vector<const Change*>& rest) {
  rest.clear();
  for (const Row& row : history.changes) {
    if (!base.vector().Covers(row.change.dot)) rest.push_back(&row.change);
  }
  size_t before = 0;
  do {
    before = rest.size();
    std::erase_if(rest, [&](const Change* change) {
      if (!base.CanApply(*change)) return false;
      base.Apply(*change);
      return true;
    });
  } while (rest.size() < before);
  return base;
}

RecordRepairer::Proof RecordRepairer::ProofOf(const RecordKey& record, const RecordState& state) const {
  const RecordTraces traces = TracesOfState(record, state, EncodeState(state), nullptr);
  std::vector<std::string> keys = FingerprintKeys(record, traces);
  if (const auto stray = stray_->find(record); stray != stray_->end()) {
    keys.insert(keys.end(), stray->second.begin(), stray->second.end());
  }
  Proof proof = Proof::kNone;
  for (const std::string& key : keys) {
    const auto stored = replica_->store().Get(Table::kFingerprints, key);
    if (!stored.ok() || !stored->has_value()) continue;
    if (**stored == traces.fingerprint->ToBytes()) return Proof::kProven;
    if (Fingerprint::FromBytes(**stored).has_value()) proof = Proof::kContradicted;
  }
  return proof;
}

absl::Status RecordRepairer::WriteTraces(const RecordKey& record, const RecordTraces& before,
                                         const RecordTraces& after) {
  const auto set = [&](Table table, const std::string& key, std::optional<std::string> value) {
    const auto stored = replica_->store().Get(table, key);
    if (stored.ok() && *stored == value) return;
    ++tally_->derived_rows;
    replica_->PutRow(table, key, std::move(value));
  };
  std::vector<std::string> fingerprints;
  if (after.fingerprint.has_value()) fingerprints = FingerprintKeys(record, after);
  for (const std::string& key : Without(FingerprintKeys(record, before), fingerprints)) {
    set(Table::kFingerprints, key, std::nullopt);
  }
  for (const std::string& key : fingerprints) set(Table::kFingerprints, key, after.fingerprint->ToBytes());
  for (const std::string& key : Without(before.index_keys, after.index_keys)) set(Table::kIndex, key, std::nullopt);
  for (const std::string& key : after.index_keys) set(Table::kIndex, key, "");
  return absl::OkStatus();
}

absl::Status RecordRepairer::Keep(const RecordKey& record, const Found& found) {
  const RecordTraces traces = TracesOfState(record, found.state, found.bytes, index_);
  return WriteTraces(record, traces, traces);
}

absl::Status RecordRepairer::Rebuild(const RecordKey& record, const Found& found, const RecordState& state) {
  Renew();
  ++tally_->rebuilt;
  std::string bytes = EncodeState(state);
  const RecordTraces after = TracesOfState(record, state, bytes, index_);
  const RecordTraces before = found.decodes ? TracesOfState(record, found.state, found.bytes, index_) : RecordTraces();
  replica_->PutRow(Table::kStates, storage::StateKey(record), std::move(bytes));
  if (replica_->IsLost(record)) replica_->SetLost(record, false);
  absl::Status kept = SetAside(absl::StrCat("fiche ", FormatUuid(record.id)), found.bytes);
  return kept.ok() ? WriteTraces(record, before, after) : kept;
}

absl::Status RecordRepairer::GiveUp(const RecordKey& record, const Found& found) {
  Renew();
  ++tally_->given_up;
  if (found.there) replica_->PutRow(Table::kStates, storage::StateKey(record), std::nullopt);
  replica_->SetLost(record, true);
  absl::Status kept = SetAside(absl::StrCat("fiche ", FormatUuid(record.id)), found.bytes);
  if (!kept.ok() || !found.decodes) return kept;
  return WriteTraces(record, TracesOfState(record, found.state, found.bytes, index_), RecordTraces());
}

absl::Status RecordRepairer::DropHistory(const History& history) {
  for (const Row& row : history.changes) {
    const auto bytes = replica_->store().Get(Table::kFeed, storage::FeedKey(row.position));
    if (!bytes.ok()) return bytes.status();
    replica_->PutRow(Table::kChanges, storage::ChangeKey(row.change.record, row.position), std::nullopt);
    if (absl::Status status = EmptyPosition(row.position, bytes->value_or("")); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordRepairer::Outcome> RecordRepairer::Judge(const RecordKey& record, const Found& found,
                                                              const History& history) {
  const auto done = [](const absl::Status& status) {
    return status.ok() ? absl::StatusOr<Outcome>(Outcome::kDone) : status;
  };
  const RecordState& state = found.state;
  const Proof proof = ProofOf(record, state);
  const bool proven = proof == Proof::kProven;
  std::vector<const Change*> rest;
  const RecordState replayed = Replay(history, {}, rest);
  const bool whole = rest.empty() && !history.changes.empty();
  const bool lacks = std::any_of(history.changes.begin(), history.changes.end(),
                                 [&](const Row& row) { return !state.vector().Covers(row.change.dot); });
  if (lacks && replica_->IsLost(record)) return done(Keep(record, found));
  if (lacks) {
    if (whole && replayed.vector().Covers(state.vector())) return done(Rebuild(record, found, replayed));
    const RecordState grown = Replay(history, state, rest);
    return done(proven && rest.empty() ? Rebuild(record, found, grown) : GiveUp(record, found));
  }
  const bool complete = whole && replayed.vector() == state.vector();
  if (complete && replayed != state && !proven) {
    const bool contradicted = ProofOf(record, replayed) == Proof::kContradicted;
    return done(contradicted ? GiveUp(record, found) : Rebuild(record, found, replayed));
  }
  // Where no fingerprint is left, the disk's own checksum vouches for the state: one loss is likelier than two.
  if (!complete && proof == Proof::kContradicted) return done(GiveUp(record, found));
  if (complete && replayed != state) {
    // The fingerprint vouches for the state: a change is wrong, and which one nobody can tell.
    if (absl::Status dropped = DropHistory(history); !dropped.ok()) return dropped;
  }
  return done(Keep(record, found));
}

absl::StatusOr<RecordRepairer::Outcome> RecordRepairer::Restore(const RecordKey& record, const Found& found,
                                                                const History& history, bool feed_is_proof) {
  std::vector<const Change*> rest;
  const RecordState replayed = Replay(history, {}, rest);
  const bool whole = rest.empty() && !history.changes.empty();
  const bool waits = replica_->IsLost(record) && !found.there;
  absl::Status status;
  if (whole && (feed_is_proof || Proven(record, replayed))) {
    status = Rebuild(record, found, replayed);
  } else if (whole && !waits) {
    return Outcome::kUndecided;
  } else if (!waits && (found.there || history.rows > 0)) {
    status = GiveUp(record, found);
  }
  return status.ok() ? absl::StatusOr<Outcome>(Outcome::kDone) : status;
}

absl::StatusOr<RecordRepairer::Outcome> RecordRepairer::FixRecord(const RecordKey& record, bool feed_is_proof) {
  if (replica_->HasOpenChanges(record)) return Outcome::kBusy;
  const absl::StatusOr<Found> found = Find(record);
  if (!found.ok()) return found.status();
  const History history = ReadHistoryOf(record);
  for (const std::string& key : history.wrong) {
    ++tally_->history_rows;
    replica_->PutRow(Table::kChanges, key, std::nullopt);
  }
  return found->decodes ? Judge(record, *found, history) : Restore(record, *found, history, feed_is_proof);
}

absl::Status RecordRepairer::GiveUpRecord(const RecordKey& record) {
  if (replica_->HasOpenChanges(record)) return absl::OkStatus();
  const absl::StatusOr<Found> found = Find(record);
  return found.ok() ? GiveUp(record, *found) : found.status();
}

// ---- Rows by themselves ----

absl::Status RecordRepairer::SetRowAside(Table table, const std::string& key) {
  const auto bytes = replica_->store().Get(table, key);
  if (!bytes.ok() && !absl::IsDataLoss(bytes.status())) return bytes.status();
  if (bytes.ok() && !bytes->has_value()) return absl::OkStatus();
  ++tally_->other_rows;
  replica_->PutRow(table, key, std::nullopt);
  return bytes.ok() ? SetAside(absl::StrCat("table ", std::string(TableName(table))), **bytes) : absl::OkStatus();
}

absl::StatusOr<bool> RecordRepairer::FixRow(Table table, const std::string& key) {
  const auto remove = [&](uint64_t& count) {
    ++count;
    replica_->PutRow(table, key, std::nullopt);
    return true;
  };
  const auto fingerprint = storage::ParseFingerprintKey(key);
  std::optional<RecordKey> record;
  if (table == Table::kFingerprints && fingerprint.has_value()) {
    record = RecordKey{fingerprint->partition.kind, fingerprint->id};
  } else if (table == Table::kIndex) {
    record = storage::ParseIndexedRecord(key);
  }
  if (!record.has_value()) return remove(tally_->derived_rows);
  if (replica_->HasOpenChanges(*record)) return false;
  const absl::StatusOr<Found> found = Find(*record);
  if (!found.ok()) return found.status();
  if (found->there && !found->decodes) return true;
  if (!found->there) {
    // Nobody makes such a key by accident: there was a record.
    const bool existed = table == Table::kFingerprints && fingerprint->hash == TriePosition(*record);
    if (existed && !replica_->IsLost(*record)) {
      if (absl::Status status = GiveUp(*record, *found); !status.ok()) return status;
    }
    return remove(tally_->derived_rows);
  }
  const RecordTraces traces = TracesOfState(*record, found->state, found->bytes, index_);
  const auto& wanted = table == Table::kIndex ? traces.index_keys : FingerprintKeys(*record, traces);
  if (!std::binary_search(wanted.begin(), wanted.end(), key)) remove(tally_->derived_rows);
  return true;
}

}  // namespace maillage::replication
