#include "replication/record_state.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "proto/utf8.h"
#include "replication/check.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

auto CellOrder(const Cell& cell) { return std::tie(cell.field, cell.key); }

auto LowerBound(const std::vector<Cell>& cells, uint32_t field, std::string_view key) {
  return std::lower_bound(cells.begin(), cells.end(), std::make_pair(field, key),
                          [](const Cell& cell, const std::pair<uint32_t, std::string_view>& wanted) {
                            return std::make_pair(cell.field, std::string_view(cell.key)) < wanted;
                          });
}

// What survives of `mine`: a version that `theirs` holds too, or that their vector has not seen.
void KeepSurvivors(const std::vector<Version>& mine, const std::vector<Version>& theirs,
                   const VersionVector& their_vector, std::vector<Version>& out) {
  for (const Version& version : mine) {
    // Both are sorted: whoever sends a hundred thousand versions of one cell gets no more work done than that.
    const auto same = std::lower_bound(
        theirs.begin(), theirs.end(), version.dot,
        [](const Version& other, const Dot& wanted) { return other.dot < wanted; });
    const bool in_theirs = same != theirs.end() && same->dot == version.dot;
    if (in_theirs || !their_vector.Covers(version.dot)) out.push_back(version);
  }
}

std::vector<Version> JoinVersions(const std::vector<Version>& mine, const VersionVector& my_vector,
                                  const std::vector<Version>& theirs,
                                  const VersionVector& their_vector) {
  std::vector<Version> joined;
  KeepSurvivors(mine, theirs, their_vector, joined);
  KeepSurvivors(theirs, mine, my_vector, joined);
  // Beyond the dot only for sites that wrote twice under one identity: both sides then keep the same.
  // Of one that is withheld there and not here, what is here.
  const auto order = [](const Version& v) {
    return std::tie(v.dot, v.withheld, v.time, v.person, v.value, v.rule, v.territory, v.personal, v.commitment);
  };
  std::sort(joined.begin(), joined.end(),
            [&](const Version& a, const Version& b) { return order(a) < order(b); });
  const auto same_dot = [](const Version& a, const Version& b) { return a.dot == b.dot; };
  joined.erase(std::unique(joined.begin(), joined.end(), same_dot), joined.end());
  return joined;
}

bool IsReplaced(const Version& version, const Change& change, const Operation& operation) {
  if (operation.value.has_value()) {
    // An author's contribution to a counter replaces their own last one and nobody else's.
    if (operation.rule == v1::COUNTER) return version.dot.actor == change.dot.actor;
    if (operation.rule == v1::MAX && version.value > *operation.value) return false;
  }
  return change.context.Covers(version.dot);
}

// What the deletes cover together.
VersionVector CoveredByDeletes(const Cell& deletes) {
  std::vector<VersionVector::Entry> entries;
  for (const Version& version : deletes.versions) {
    const absl::StatusOr<VersionVector> covered = DecodeCovered(version.value);
    if (!covered.ok()) continue;
    entries.insert(entries.end(), covered->entries().begin(), covered->entries().end());
  }
  return VersionVector(std::move(entries));
}

// What a state says of a change that is void.
Version VoidVersion(const Change& change) { return {change.dot, change.time, change.person, "", v1::REGISTER, false}; }

Version VersionOf(const Change& change, const Operation& operation) {
  return {change.dot,          change.time,        change.person,        operation.value.value_or(""), operation.rule,
          operation.territory, operation.personal, operation.commitment, operation.is_withheld()};
}

// Of all versions of both cells, which may be null; sorted.
std::vector<Dot> DotsOf(const Cell* a, const Cell* b) {
  std::vector<Dot> dots;
  for (const Cell* cell : {a, b}) {
    if (cell == nullptr) continue;
    for (const Version& version : cell->versions) dots.push_back(version.dot);
  }
  std::sort(dots.begin(), dots.end());
  return dots;
}

}  // namespace

bool IsTerritory(std::string_view code) {
  return !code.empty() && code.size() <= kMaxTerritoryBytes && code.find('\0') == std::string_view::npos &&
         IsUtf8(code);
}

const Cell* VoidChanges(const RecordState& state) { return state.Find(kLifeField, kVoidKey); }

const Cell* RecordState::Find(uint32_t field, std::string_view key) const {
  const auto found = LowerBound(cells_, field, key);
  return found != cells_.end() && found->field == field && found->key == key ? &*found : nullptr;
}

std::pair<const Cell*, const Cell*> RecordState::FieldCells(uint32_t field) const {
  const auto begin = LowerBound(cells_, field, {});
  const auto end = std::find_if(begin, cells_.end(),
                                [field](const Cell& cell) { return cell.field != field; });
  return {cells_.data() + (begin - cells_.begin()), cells_.data() + (end - cells_.begin())};
}

bool RecordState::CanApply(const Change& change) const {
  return vector_.IsNext(change.dot) && vector_.Covers(change.context);
}

void RecordState::Apply(const Change& change) {
  MAILLAGE_CHECK(CanApply(change));
  if (change.is_void) {
    PutVersion(kLifeField, kVoidKey, VoidVersion(change));
  } else {
    for (const Operation& operation : change.operations) ApplyOperation(change, operation);
  }
  vector_.Add(change.dot);
}

void RecordState::MakeVoid(const Change& change) {
  for (Cell& cell : cells_) {
    std::erase_if(cell.versions, [&](const Version& version) { return version.dot == change.dot; });
  }
  std::erase_if(cells_, [](const Cell& cell) { return cell.versions.empty(); });
  PutVersion(kLifeField, kVoidKey, VoidVersion(change));
}

void RecordState::PutVersion(uint32_t field, std::string_view key, Version version) {
  auto cell = cells_.begin() + (LowerBound(cells_, field, key) - cells_.begin());
  if (cell == cells_.end() || cell->field != field || cell->key != key) {
    cell = cells_.insert(cell, Cell{field, std::string(key), {}});
  }
  const auto place = std::lower_bound(cell->versions.begin(), cell->versions.end(), version,
                                      [](const Version& a, const Version& b) { return a.dot < b.dot; });
  cell->versions.insert(place, std::move(version));
}

void RecordState::ApplyOperation(const Change& change, const Operation& operation) {
  auto cell = cells_.begin() + (LowerBound(cells_, operation.field, operation.key) - cells_.begin());
  const bool exists =
      cell != cells_.end() && cell->field == operation.field && cell->key == operation.key;
  if (exists) {
    std::erase_if(cell->versions, [&](const Version& version) {
      return IsReplaced(version, change, operation);
    });
  }
  if (operation.value.has_value() || operation.is_withheld()) {
    PutVersion(operation.field, operation.key, VersionOf(change, operation));
  } else if (exists && cell->versions.empty()) {
    cells_.erase(cell);
  }
}

void RecordState::Join(const RecordState& other) {
  std::vector<Cell> joined;
  static const std::vector<Version> kNone;
  static const VersionVector kNothingSeen;
  auto mine = cells_.begin();
  auto theirs = other.cells_.begin();
  while (mine != cells_.end() || theirs != other.cells_.end()) {
    const bool take_mine = theirs == other.cells_.end() ||
                           (mine != cells_.end() && CellOrder(*mine) <= CellOrder(*theirs));
    const bool take_theirs = mine == cells_.end() ||
                             (theirs != other.cells_.end() && CellOrder(*theirs) <= CellOrder(*mine));
    const Cell& shape = take_mine ? *mine : *theirs;
    // Nothing takes back that a change is void, not even that the other has seen it when it wasn't.
    const bool names_void = shape.field == kLifeField && shape.key == kVoidKey;
    Cell cell{shape.field, shape.key,
              JoinVersions(take_mine ? mine->versions : kNone, names_void ? kNothingSeen : vector_,
                           take_theirs ? theirs->versions : kNone, names_void ? kNothingSeen : other.vector_)};
    if (!cell.versions.empty()) joined.push_back(std::move(cell));
    if (take_mine) ++mine;
    if (take_theirs) ++theirs;
  }
  cells_ = std::move(joined);
  vector_.Merge(other.vector_);
}

Life RecordState::life() const {
  const Cell* deletes = Find(kLifeField);
  const Cell* voids = VoidChanges(*this);
  if (deletes == nullptr && voids == nullptr) return Life::kAlive;
  VersionVector covered = deletes == nullptr ? VersionVector() : CoveredByDeletes(*deletes);
  // Sorted by dot, so a run of deletes and void changes by one actor extends the covered part step by step.
  for (const Dot& dot : DotsOf(deletes, voids)) {
    if (covered.IsNext(dot)) covered.Add(dot);
  }
  if (covered.Covers(vector_)) return Life::kDeleted;
  return deletes == nullptr ? Life::kAlive : Life::kContested;
}

std::vector<std::string> RecordState::Territories() const {
  std::vector<std::string> territories;
  for (const Cell& cell : cells_) {
    for (const Version& version : cell.versions) {
      if (!version.territory) continue;
      const std::string& code = version.rule == v1::SET ? cell.key : version.value;
      if (IsTerritory(code)) territories.push_back(code);
    }
  }
  std::sort(territories.begin(), territories.end());
  territories.erase(std::unique(territories.begin(), territories.end()), territories.end());
  return territories;
}

bool RecordState::HasInternal() const {
  return std::any_of(cells_.begin(), cells_.end(), [](const Cell& cell) {
    return std::any_of(cell.versions.begin(), cell.versions.end(),
                       [](const Version& version) { return !version.commitment.empty() && !version.withheld; });
  });
}

RecordState RecordState::WithoutInternal() const {
  RecordState state = *this;
  for (Cell& cell : state.cells_) {
    for (Version& version : cell.versions) {
      if (version.commitment.empty()) continue;
      version.withheld = true;
      version.value.clear();
    }
  }
  return state;
}

RecordState RecordState::FromParts(VersionVector vector, std::vector<Cell> cells) {
  RecordState state;
  state.vector_ = std::move(vector);
  state.cells_ = std::move(cells);
  return state;
}

v1::MergeRule RuleOf(const Cell& cell) {
  v1::MergeRule rule = v1::MERGE_RULE_UNSPECIFIED;
  for (const Version& version : cell.versions) rule = std::max(rule, version.rule);
  return rule;
}

const Version& Winner(const std::vector<Version>& versions) {
  MAILLAGE_CHECK(!versions.empty());
  const bool by_value = std::any_of(versions.begin(), versions.end(),
                                    [](const Version& v) { return v.rule == v1::MAX; });
  return *std::max_element(versions.begin(), versions.end(), [&](const Version& a, const Version& b) {
    if (by_value && a.value != b.value) return a.value < b.value;
    return std::tie(a.time, a.dot) < std::tie(b.time, b.dot);
  });
}

std::vector<const Version*> OtherVersions(const Cell& cell) {
  const v1::MergeRule rule = RuleOf(cell);
  if (rule != v1::REGISTER && rule != v1::MAP) return {};
  const Version& winner = Winner(cell.versions);
  std::vector<const Version*> sorted;
  for (const Version& version : cell.versions) {
    if (!version.withheld) sorted.push_back(&version);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Version* a, const Version* b) {
    return std::tie(b->time, b->dot) < std::tie(a->time, a->dot);
  });
  std::vector<const Version*> others;
  std::set<std::string_view> told = {winner.value};
  for (const Version* version : sorted) {
    if (told.insert(version->value).second) others.push_back(version);
  }
  return others;
}

int64_t CounterSum(const Cell& cell) {
  int64_t sum = 0;
  for (const Version& version : cell.versions) {
    int64_t part = 0;
    if (absl::SimpleAtoi(version.value, &part)) {
      sum = static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(part));
    }
  }
  return sum;
}

}  // namespace maillage::replication
