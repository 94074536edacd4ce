#include "tests/model/clone_site.h"

#include <utility>

#include "replication/check.h"
#include "tests/replication/support/literals.h"

namespace maillage::model {

using replication::Actor;
using replication::Change;
using replication::Dot;
using replication::HistoricChange;
using replication::Operation;
using replication::RecordAfter;
using replication::RecordBefore;
using replication::RecordState;
using replication::VersionVector;
using replication::testing::IdOf;

const RecordKey& CloneSite::KeyOf(size_t record) {
  static const std::array<RecordKey, kRecords> keys{RecordKey{1, IdOf(1)}, RecordKey{1, IdOf(2)}};
  return keys[record];
}

void CloneSite::Write(size_t record, bool clears, const std::string& person) {
  auto change = std::make_shared<Change>();
  change->record = KeyOf(record);
  change->site_sequence = ++sequence_;
  change->dot.actor = {id_, incarnation_, sequence_};
  for (const VersionVector::Entry& entry : states_[record].vector().entries()) {
    const bool mine = entry.actor.site == id_ && entry.actor.incarnation == incarnation_;
    if (mine) change->dot.actor.epoch = entry.actor.epoch;
  }
  change->context = states_[record].vector();
  change->dot.n = change->context.Get(change->dot.actor) + 1;
  change->person = person;
  Operation operation;
  operation.field = 1;
  if (!clears) operation.value = person;
  change->operations = {std::move(operation)};
  states_[record].Apply(*change);
  NoteAuthor(*change);
  feed_.push_back({std::move(change), true});
}

CloneSite::Applied CloneSite::Apply(const ChangePtr& change, uint8_t from, bool from_author,
                                    ChangePtr* held) {
  RecordState& state = states_[IndexOf(change->record)];
  const bool covered = state.vector().Covers(change->dot);
  const bool mine = change->dot.actor.site == id_ && bug_ != CloneBug::kTakesTwinsChanges;
  if (mine && IsTwins(*change, covered)) return Applied::kTwin;
  if (covered) {
    const Row* row = from_author ? Find(change->record, change->dot, nullptr) : nullptr;
    if (row == nullptr || *row->change == *change) return Applied::kDuplicate;
    *held = row->change;
    return Applied::kClash;
  }
  if (!state.CanApply(*change)) return Applied::kMissingCauses;
  state.Apply(*change);
  NoteAuthor(*change);
  feed_.push_back({change, false, from});
  return Applied::kApplied;
}

bool CloneSite::IsTwins(const Change& change, bool covered) const {
  const uint64_t incarnation = change.dot.actor.incarnation;
  if (!covered) return incarnation == incarnation_ || HasUnwitnessed(incarnation);
  const Row* row = Find(change.record, change.dot, nullptr);
  if (row == nullptr) return false;
  const auto position = static_cast<uint64_t>(row - feed_.data()) + 1;
  return !witness_.Witnessed(position, incarnation) && row->own && !(*row->change == change);
}

bool CloneSite::Doubts(uint64_t incarnation, const Known& claim) const {
  const auto known = authors_.find(incarnation);
  if (known != authors_.end() && known->second == claim) return false;
  if (incarnation == incarnation_) {
    if (claim.sequence > sequence_) return true;
  } else if (bug_ != CloneBug::kDoubtsTheSettledPast && !HasUnwitnessed(incarnation)) {
    return false;
  }
  for (const Row& row : feed_) {
    const Change& change = *row.change;
    if (!row.own || change.dot.actor.incarnation != incarnation) continue;
    if (change.site_sequence < claim.sequence) continue;
    if (change.site_sequence > claim.sequence) return true;
    return bug_ != CloneBug::kHashNotCompared && change.person != claim.person;
  }
  return true;
}

CloneSite::Positions CloneSite::Unwitnessed() const {
  Positions unwitnessed;
  for (size_t i = 0; i < feed_.size(); ++i) {
    if (feed_[i].own && !witness_.Witnessed(i + 1, feed_[i].change->dot.actor.incarnation)) {
      unwitnessed.insert(i + 1);
    }
  }
  return unwitnessed;
}

bool CloneSite::HasUnwitnessed(uint64_t incarnation) const {
  const Positions unwitnessed = Unwitnessed();
  return std::any_of(unwitnessed.begin(), unwitnessed.end(), [&](uint64_t position) {
    return feed_[position - 1].change->dot.actor.incarnation == incarnation;
  });
}

CloneSite::Positions CloneSite::HeldBy(const CloneSite& other, const Positions& positions) const {
  Positions held;
  for (const uint64_t position : positions) {
    if (other.Holds(*feed_[position - 1].change)) held.insert(position);
  }
  return held;
}

RecordBefore CloneSite::Before(size_t record) const {
  RecordBefore before;
  before.state = states_[record];
  for (size_t i = 0; i < feed_.size(); ++i) {
    const Row& row = feed_[i];
    if (row.change->record == KeyOf(record))
      before.history.push_back({i + 1, *row.change, row.own});
  }
  return before;
}

std::map<uint64_t, size_t> CloneSite::ChooseRenames(const Word& word) const {
  const Positions unwitnessed = Unwitnessed();
  std::map<uint64_t, size_t> chosen;
  for (const size_t record : word.records) {
    Positions doubtful;
    for (const uint64_t position : unwitnessed) {
      if (feed_[position - 1].change->record == KeyOf(record)) doubtful.insert(position);
    }
    if (doubtful.empty() || bug_ == CloneBug::kRenewsWithoutRenaming) continue;
    const Positions kept = bug_ == CloneBug::kRenamesHeld ? Positions() : word.held;
    for (const uint64_t position : ChangesToRename(Before(record), doubtful, kept))
      chosen[position] = record;
  }
  const bool older = word.twins && !word.must_renew && bug_ != CloneBug::kTwinsRenameAnew;
  const bool all_present = std::all_of(chosen.begin(), chosen.end(), [&](const auto& change) {
    return feed_[change.first - 1].change->dot.actor.incarnation == incarnation_;
  });
  if (older && all_present) chosen.clear();
  return chosen;
}

size_t CloneSite::Renounce(const Word& word, uint64_t new_incarnation) {
  const std::map<uint64_t, size_t> chosen = ChooseRenames(word);
  const Positions unwitnessed = Unwitnessed();
  const bool complete = std::all_of(unwitnessed.begin(), unwitnessed.end(), [&](uint64_t position) {
    return word.held.contains(position) ||
           word.records.contains(IndexOf(feed_[position - 1].change->record));
  });
  const bool proves = complete && (!word.twins || bug_ == CloneBug::kTrustsTwins);
  if (chosen.empty() && proves) Witness(feed_.size());
  if (chosen.empty() && !word.must_renew) return 0;
  if (bug_ == CloneBug::kDropsInsteadOfRenaming) {
    Drop(chosen);
    Renew(new_incarnation, 0);
    return 0;
  }
  std::array<std::map<uint64_t, uint64_t>, kRecords> sequences;
  uint64_t count = 0;
  for (const auto& [position, record] : chosen) {
    const bool keeps = bug_ == CloneBug::kRenameKeepsSequences;
    const uint64_t kept = feed_[position - 1].change->site_sequence;
    sequences[record][position] = keeps ? kept : count + 1;
    ++count;
  }
  for (size_t record = 0; record < kRecords; ++record) {
    if (sequences[record].empty()) continue;
    absl::StatusOr<RecordAfter> after =
        RenameChanges(Before(record), sequences[record], new_incarnation);
    MAILLAGE_CHECK(after.ok() && !after->history_broken);
    states_[record] = std::move(after->state);
    for (HistoricChange& renamed : after->renamed) {
      NoteAuthor(renamed.change);
      feed_[renamed.position - 1].change = std::make_shared<Change>(std::move(renamed.change));
    }
  }
  Renew(new_incarnation, count);
  if (count > 0 && proves) {
    witness_.settled_position = feed_.size();
    witness_.settled_incarnation = new_incarnation;
  }
  return count;
}

void CloneSite::Drop(const std::map<uint64_t, size_t>& chosen) {
  std::vector<Row> kept;
  states_ = {};
  for (size_t i = 0; i < feed_.size(); ++i) {
    RecordState& state = states_[IndexOf(feed_[i].change->record)];
    if (chosen.contains(i + 1) || !state.CanApply(*feed_[i].change)) continue;
    state.Apply(*feed_[i].change);
    kept.push_back(feed_[i]);
  }
  feed_ = std::move(kept);
  witness_.position = feed_.size();
}

void CloneSite::Renew(uint64_t new_incarnation, uint64_t sequence) {
  incarnation_ = new_incarnation;
  sequence_ = sequence;
}

void CloneSite::NoteAuthor(const Change& change) {
  if (change.dot.actor.site != copied_) return;
  Known& known = authors_[change.dot.actor.incarnation];
  if (known.sequence < change.site_sequence) known = {change.site_sequence, change.person};
}

const CloneSite::Row* CloneSite::Find(const RecordKey& record, const Dot& dot,
                                      const Change* same) const {
  for (const Row& row : feed_) {
    if (row.change->record != record || row.change->dot != dot) continue;
    return same == nullptr || *row.change == *same ? &row : nullptr;
  }
  return nullptr;
}

bool CloneSite::HoldsPerson(const std::string& person) const {
  return std::any_of(feed_.begin(), feed_.end(),
                     [&](const Row& row) { return row.change->person == person; });
}

}  // namespace maillage::model
