#include "tests/replication/oracle.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "proto/change.pb.h"
#include "tests/replication/support/changes.h"

namespace maillage::replication::testing {
namespace {

std::set<Dot> DotsOf(const VersionVector& vector) {
  std::set<Dot> dots;
  for (const VersionVector::Entry& entry : vector.entries()) {
    for (uint64_t n = 1; n <= entry.n; ++n) dots.insert({entry.actor, n});
  }
  return dots;
}

// Whether a change, by one of its operations, takes an earlier value of the same cell away.
bool TakesAway(const Change& change, const std::set<Dot>& read, const Operation& operation,
               const Version& value) {
  const bool seen = read.count(value.dot) == 1;
  if (!operation.value.has_value()) return seen;
  switch (operation.rule) {
    case v1::COUNTER:
      return value.dot.actor == change.dot.actor && value.dot.n < change.dot.n;
    case v1::MAX:
      return seen && value.value <= *operation.value;
    default:
      return seen;
  }
}

bool Later(const Version& a, const Version& b) {
  if (a.time.value != b.time.value) return a.time.value > b.time.value;
  return a.dot > b.dot;
}

std::string ShowAlive(const std::vector<Version>& versions) {
  std::string text;
  for (const Version& v : versions) absl::StrAppend(&text, " ", Show(v.dot), "=", v.value);
  return text;
}

std::string CellDisagreement(const Cell& cell, const std::vector<Version>& alive) {
  const std::string name = absl::StrCat("cell ", cell.field, "[", cell.key, "]: ");
  if (cell.versions != alive) {
    return absl::StrCat(name, "has", ShowAlive(cell.versions), ", should have", ShowAlive(alive));
  }
  if (!(Winner(cell.versions) == Oracle::WinnerOf(alive))) return absl::StrCat(name, "winner");
  std::vector<Version> others;
  for (const Version* version : OtherVersions(cell)) others.push_back(*version);
  if (others != Oracle::OthersOf(alive)) {
    return absl::StrCat(name, "keeps", ShowAlive(others), " beside, should keep",
                        ShowAlive(Oracle::OthersOf(alive)));
  }
  if (CounterSum(cell) != Oracle::SumOf(alive)) return absl::StrCat(name, "sum");
  return "";
}

std::vector<std::string> TerritoriesOf(
    const std::map<Oracle::CellName, std::vector<Version>>& cells) {
  std::set<std::string> codes;
  for (const auto& [name, versions] : cells) {
    for (const Version& version : versions) {
      if (!version.territory) continue;
      codes.insert(version.rule == v1::SET ? name.second : version.value);
    }
  }
  codes.erase("");
  std::erase_if(codes, [](const std::string& code) { return code.find('\0') != code.npos; });
  return {codes.begin(), codes.end()};
}

}  // namespace

void Oracle::Add(const Change& change) { changes_.push_back({change, DotsOf(change.context)}); }

std::map<Oracle::CellName, std::vector<Version>> Oracle::Cells() const {
  std::map<CellName, std::vector<Version>> cells;
  for (const Known& writer : changes_) {
    if (writer.change.is_void) {
      cells[{kLifeField, std::string(kVoidKey)}].push_back(
          {writer.change.dot, writer.change.time, writer.change.person, "", v1::REGISTER, false});
      continue;
    }
    for (const Operation& written : writer.change.operations) {
      if (!written.value.has_value() && !written.is_withheld()) continue;
      const Version value{writer.change.dot, writer.change.time, writer.change.person, written.value.value_or(""), written.rule,
                          written.territory, written.personal,   written.commitment,   written.is_withheld()};
      bool alive = true;
      for (const Known& other : changes_) {
        if (other.change.is_void) continue;
        for (const Operation& operation : other.change.operations) {
          if (operation.field != written.field || operation.key != written.key) continue;
          if (TakesAway(other.change, other.read, operation, value)) alive = false;
        }
      }
      if (alive) cells[{written.field, written.key}].push_back(value);
    }
  }
  for (auto& [name, versions] : cells) {
    std::sort(versions.begin(), versions.end(),
              [](const Version& a, const Version& b) { return a.dot < b.dot; });
  }
  return cells;
}

std::map<Actor, uint64_t> Oracle::Vector() const {
  std::map<Actor, uint64_t> vector;
  for (const Known& known : changes_) {
    uint64_t& n = vector[known.change.dot.actor];
    n = std::max(n, known.change.dot.n);
  }
  return vector;
}

Life Oracle::life() const {
  const auto cells = Cells();
  const auto deletes = cells.find({kLifeField, ""});
  const bool any_delete = deletes != cells.end();
  // A change is settled if it is void, or one of the deletes, or was read by who deleted.
  std::set<Dot> settled;
  for (const Known& known : changes_) {
    if (known.change.is_void) settled.insert(known.change.dot);
  }
  if (!any_delete && settled.empty()) return Life::kAlive;
  for (const Version& version : any_delete ? deletes->second : std::vector<Version>()) {
    settled.insert(version.dot);
    v1::VersionVector covered;
    covered.ParseFromString(version.value);
    settled.merge(DotsOf(*FromProto(covered)));
  }
  const bool all = std::all_of(changes_.begin(), changes_.end(), [&](const Known& known) {
    return settled.count(known.change.dot) == 1;
  });
  if (all) return Life::kDeleted;
  return any_delete ? Life::kContested : Life::kAlive;
}

Version Oracle::WinnerOf(const std::vector<Version>& alive) {
  const bool greatest =
      std::any_of(alive.begin(), alive.end(), [](const Version& v) { return v.rule == v1::MAX; });
  for (const Version& candidate : alive) {
    const bool beaten = std::any_of(alive.begin(), alive.end(), [&](const Version& other) {
      if (greatest && other.value != candidate.value) return other.value > candidate.value;
      return Later(other, candidate);
    });
    if (!beaten) return candidate;
  }
  return {};
}

std::vector<Version> Oracle::OthersOf(const std::vector<Version>& alive) {
  int rule = 0;
  for (const Version& version : alive) rule = std::max(rule, static_cast<int>(version.rule));
  if (rule != v1::REGISTER && rule != v1::MAP) return {};
  std::map<std::string, Version> latest;
  for (const Version& version : alive) {
    const auto [place, added] = latest.emplace(version.value, version);
    if (!added && Later(version, place->second)) place->second = version;
  }
  latest.erase(WinnerOf(alive).value);
  std::vector<Version> others;
  for (const auto& [value, version] : latest) others.push_back(version);
  std::sort(others.begin(), others.end(), Later);
  return others;
}

int64_t Oracle::SumOf(const std::vector<Version>& alive) {
  uint64_t sum = 0;
  for (const Version& version : alive) {
    int64_t part = 0;
    const char* end = version.value.data() + version.value.size();
    const auto read = std::from_chars(version.value.data(), end, part);
    if (read.ec == std::errc() && read.ptr == end) sum += static_cast<uint64_t>(part);
  }
  return static_cast<int64_t>(sum);
}

std::string Disagreement(const RecordState& state, const Oracle& oracle) {
  const auto vector = oracle.Vector();
  if (state.vector().entries().size() != vector.size()) return "the vector's actors";
  for (const auto& [actor, n] : vector) {
    if (state.vector().Get(actor) != n) return absl::StrCat("vector at ", Show(Dot{actor, n}));
  }
  const auto cells = oracle.Cells();
  if (state.cells().size() != cells.size()) return "the number of cells";
  auto cell = state.cells().begin();
  for (const auto& [name, alive] : cells) {
    if (name != std::make_pair(cell->field, cell->key)) return "the order of cells";
    if (std::string told = CellDisagreement(*cell, alive); !told.empty()) return told;
    if (state.Find(name.first, name.second) != &*cell) return "Find";
    ++cell;
  }
  if (state.life() != oracle.life()) return "life";
  if (state.Territories() != TerritoriesOf(cells)) return "territories";
  return "";
}

}  // namespace maillage::replication::testing
