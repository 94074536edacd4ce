#include "replication/renounce.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace maillage::replication {
namespace {

int64_t ContributionOf(const RecordState& state, const Operation& operation, const Actor& actor) {
  const Cell* cell = state.Find(operation.field, operation.key);
  if (cell == nullptr) return 0;
  Cell own{cell->field, cell->key, {}};
  for (const Version& version : cell->versions) {
    if (version.dot.actor == actor) own.versions.push_back(version);
  }
  return CounterSum(own);
}

std::string RenameCovered(const std::string& value, const std::vector<Renaming>& renamings) {
  v1::VersionVector proto;
  if (!proto.ParseFromString(value)) return value;
  absl::StatusOr<VersionVector> covered = FromProto(proto);
  return covered.ok() ? ToProto(Rename(*covered, renamings)).SerializeAsString() : value;
}

const Renaming* FindRenaming(const std::vector<Renaming>& renamings, const Dot& dot) {
  for (const Renaming& renaming : renamings) {
    if (renaming.from == dot.actor && dot.n >= renaming.first) return &renaming;
  }
  return nullptr;
}

// Plays a record's history twice: as it was, and with the renamed changes.
class Replay {
 public:
  Replay(const std::map<uint64_t, uint64_t>& new_sequences, uint64_t incarnation)
      : new_sequences_(new_sequences), incarnation_(incarnation) {}

  void Play(const HistoricChange& row) {
    const auto sequence = new_sequences_.find(row.position);
    Change change = row.change;
    if (sequence != new_sequences_.end()) change = Renamed(row.change, sequence->second);
    complete_ = complete_ && was_.CanApply(row.change) && is_.CanApply(change);
    if (complete_) {
      was_.Apply(row.change);
      is_.Apply(change);
    }
    if (sequence != new_sequences_.end()) renamed_.push_back({row.position, std::move(change), true});
  }

  // Every row built upon those before it, and together they make `state`.
  bool Makes(const RecordState& state) const { return complete_ && was_ == state; }

  RecordState is_;
  std::vector<HistoricChange> renamed_;
  std::vector<Renaming> renamings_;

 private:
  Change Renamed(Change change, uint64_t sequence) {
    if (FindRenaming(renamings_, change.dot) == nullptr) {
      Actor to = change.dot.actor;
      to.incarnation = incarnation_;
      to.epoch = sequence;
      renamings_.push_back({change.dot.actor, change.dot.n, to});
    }
    const Dot old = change.dot;
    change.dot = RenameDot(old, renamings_);
    change.site_sequence = sequence;
    change.context = Rename(change.context, renamings_);
    for (Operation& operation : change.operations) {
      if (!operation.value.has_value()) continue;
      if (operation.field == kLifeField) {
        operation.value = RenameCovered(*operation.value, renamings_);
      } else if (operation.rule == v1::COUNTER) {
        MakeRelative(operation, old.actor, change.dot.actor);
      }
    }
    return change;
  }

  // A counter holds its author's total. What the old name had before stays under the old name, so the new one counts
  // what this change added.
  void MakeRelative(Operation& operation, const Actor& old_actor, const Actor& new_actor) const {
    int64_t total = 0;
    if (!absl::SimpleAtoi(*operation.value, &total)) return;
    const uint64_t added = static_cast<uint64_t>(total) -
                           static_cast<uint64_t>(ContributionOf(was_, operation, old_actor));
    operation.value = absl::StrCat(static_cast<int64_t>(
        added + static_cast<uint64_t>(ContributionOf(is_, operation, new_actor))));
  }

  const std::map<uint64_t, uint64_t>& new_sequences_;
  const uint64_t incarnation_;
  RecordState was_;
  bool complete_ = true;
};

// The same state under the new names. A counter's new total includes the old one, which the state then shows as replaced.
RecordState RenameInPlace(const RecordState& state, const std::vector<Renaming>& renamings) {
  std::vector<Cell> cells = state.cells();
  for (Cell& cell : cells) {
    for (Version& version : cell.versions) {
      version.dot = RenameDot(version.dot, renamings);
      if (cell.field == kLifeField) version.value = RenameCovered(version.value, renamings);
    }
    std::sort(cell.versions.begin(), cell.versions.end(),
              [](const Version& a, const Version& b) { return a.dot < b.dot; });
  }
  return RecordState::FromParts(Rename(state.vector(), renamings), std::move(cells));
}

}  // namespace

Dot RenameDot(const Dot& dot, const std::vector<Renaming>& renamings) {
  const Renaming* renaming = FindRenaming(renamings, dot);
  return renaming == nullptr ? dot : Dot{renaming->to, dot.n - renaming->first + 1};
}

VersionVector Rename(const VersionVector& vector, const std::vector<Renaming>& renamings) {
  VersionVector renamed;
  for (const VersionVector::Entry& entry : vector.entries()) {
    const Renaming* renaming = FindRenaming(renamings, {entry.actor, entry.n});
    if (renaming == nullptr) {
      renamed.Add({entry.actor, entry.n});
      continue;
    }
    if (renaming->first > 1) renamed.Add({entry.actor, renaming->first - 1});
    renamed.Add({renaming->to, entry.n - renaming->first + 1});
  }
  return renamed;
}

void AddRenamings(const std::vector<Renaming>& later, std::vector<Renaming>& renamings) {
  for (const Renaming& again : later) {
    for (Renaming& renaming : renamings) {
      if (renaming.to == again.from && again.first == 1) renaming.to = again.to;
    }
    renamings.push_back(again);
  }
}

bool NamesRenounced(const VersionVector& vector, const std::vector<Renaming>& renamings) {
  return std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& renaming) {
    return vector.Get(renaming.from) >= renaming.first && vector.Get(renaming.to) == 0;
  });
}

std::vector<uint64_t> ChangesToRename(const RecordBefore& before, const std::set<uint64_t>& doubtful,
                                      const std::set<uint64_t>& held_elsewhere) {
  VersionVector built_upon = before.seen_elsewhere;
  for (const HistoricChange& row : before.history) {
    if (!doubtful.contains(row.position)) built_upon.Merge(row.change.context);
  }
  std::vector<uint64_t> chosen;
  bool all_held = true;
  for (const HistoricChange& row : before.history) {
    // A state that was lost and begun anew doesn't hold all of its history: only what it holds can be renamed.
    if (!doubtful.contains(row.position) || !before.state.vector().Covers(row.change.dot)) continue;
    all_held = all_held && held_elsewhere.contains(row.position);
    if (built_upon.Covers(row.change.dot)) {
      chosen.clear();
      all_held = true;
    } else if (!all_held) {
      chosen.push_back(row.position);
    }
  }
  return chosen;
}

absl::StatusOr<RecordAfter> RenameChanges(const RecordBefore& before,
                                          const std::map<uint64_t, uint64_t>& new_sequences,
                                          uint64_t incarnation) {
  Replay replay(new_sequences, incarnation);
  for (const HistoricChange& row : before.history) replay.Play(row);
  RecordAfter after;
  after.renamed = std::move(replay.renamed_);
  after.renamings = std::move(replay.renamings_);
  for (const Renaming& renaming : after.renamings) {
    const auto last = std::find_if(after.renamed.rbegin(), after.renamed.rend(), [&](const auto& row) {
      return row.change.dot.actor == renaming.to;
    });
    if (before.state.vector().Get(renaming.from) != renaming.first + last->change.dot.n - 1) {
      return absl::DataLossError(absl::StrCat("history: the last change of ",
                                              FormatDot({renaming.from, renaming.first}), " is missing"));
    }
  }
  after.history_broken = !replay.Makes(before.state);
  after.state = after.history_broken ? RenameInPlace(before.state, after.renamings)
                                     : std::move(replay.is_);
  return after;
}

}  // namespace maillage::replication
