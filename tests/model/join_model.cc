#include "tests/model/join_model.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "replication/state_codec.h"
#include "tests/replication/support/literals.h"

namespace maillage::model {

using replication::Actor;
using replication::Cell;
using replication::Change;
using replication::Dot;
using replication::kLifeField;
using replication::Life;
using replication::Operation;
using replication::RecordState;
using replication::Version;
using replication::VersionVector;
using replication::testing::SiteOf;

namespace {

constexpr std::array<const char*, JoinModel::kSites> kNames{"Alice", "Bob", "Carol"};

std::string FieldName(uint32_t field) { return field == 1 ? "a" : "b"; }

Actor NextActor(const JoinModel::Site& site, size_t at, JoinBug bug) {
  Actor actor{SiteOf(static_cast<char>('a' + at)), site.incarnation, site.sequence + 1};
  if (bug == JoinBug::kEpochReusedAfterEviction) actor.epoch = 1;
  for (const VersionVector::Entry& entry : site.state.vector().entries()) {
    if (entry.actor.site == actor.site && entry.actor.incarnation == actor.incarnation) {
      actor.epoch = entry.actor.epoch;
    }
  }
  return actor;
}

// Each value alive by the definition of replication/README.md, from the set of changes alone: (field, dot).
std::set<std::pair<uint32_t, Dot>> AliveOf(const JoinModel::State& state, const std::set<Dot>& seen) {
  std::set<std::pair<uint32_t, Dot>> alive;
  for (const Dot& dot : seen) {
    const uint32_t field = state.written.at(dot).operations[0].field;
    const bool taken = std::any_of(seen.begin(), seen.end(), [&](const Dot& other) {
      const Change& change = state.written.at(other);
      return change.operations[0].field == field && change.context.Covers(dot);
    });
    if (!taken) alive.emplace(field, dot);
  }
  return alive;
}

Life LifeOf(const JoinModel::State& state, const std::set<Dot>& seen) {
  std::vector<Dot> deletes;
  for (const auto& [field, dot] : AliveOf(state, seen)) {
    if (field == kLifeField) deletes.push_back(dot);
  }
  if (deletes.empty()) return Life::kAlive;
  const bool all_known = std::all_of(seen.begin(), seen.end(), [&](const Dot& dot) {
    return std::any_of(deletes.begin(), deletes.end(), [&](const Dot& deleted) {
      return deleted == dot || state.written.at(deleted).context.Covers(dot);
    });
  });
  return all_known ? Life::kDeleted : Life::kContested;
}

std::string CheckSite(const JoinModel::State& state, const JoinModel::Site& site) {
  uint64_t dots = 0;
  for (const VersionVector::Entry& entry : site.state.vector().entries()) dots += entry.n;
  const bool covered = std::all_of(site.seen.begin(), site.seen.end(), [&](const Dot& dot) {
    return site.state.vector().Covers(dot);
  });
  if (dots != site.seen.size() || !covered) return "a vector claims other changes than were seen";
  std::set<std::pair<uint32_t, Dot>> held;
  for (const Cell& cell : site.state.cells()) {
    for (const Version& version : cell.versions) held.emplace(cell.field, version.dot);
  }
  const std::set<std::pair<uint32_t, Dot>> alive = AliveOf(state, site.seen);
  if (!std::includes(held.begin(), held.end(), alive.begin(), alive.end())) {
    return "a value is gone that nobody who read it replaced";
  }
  if (held != alive) return "a value is back that was replaced";
  if (site.state.life() != LifeOf(state, site.seen)) return "a record's life is not what its changes say";
  return "";
}

// A deleted record may be shown again only where somebody undeleted it or edited it beside the delete.
std::string CheckDeletes(const JoinModel::State& state, const JoinModel::Site& site) {
  if (site.state.life() == Life::kDeleted) return "";
  for (const Dot& deleted : site.seen) {
    if (state.written.at(deleted).operations[0].field != kLifeField) continue;
    const bool excused = std::any_of(site.seen.begin(), site.seen.end(), [&](const Dot& dot) {
      return dot != deleted && !state.written.at(deleted).context.Covers(dot);
    });
    if (!excused) return "a deleted record is back";
  }
  return "";
}

}  // namespace

void JoinModel::Learn(Site& site, size_t at, const std::set<Dot>& dots) const {
  for (const Dot& dot : dots) {
    const bool news = site.seen.insert(dot).second;
    const bool own = dot.actor.site == SiteOf(static_cast<char>('a' + at)) &&
                     dot.actor.incarnation == site.incarnation;
    if (news && own && bug_ != JoinBug::kOwnDotsComeBackUnnoticed) {
      ++site.incarnation;
      site.sequence = 0;
    }
  }
}

RecordState JoinModel::Join(const RecordState& mine, const RecordState& theirs) const {
  RecordState joined = mine;
  joined.Join(theirs);
  if (bug_ == JoinBug::kJoinTakesTheirs) return RecordState::FromParts(joined.vector(), theirs.cells());
  if (bug_ != JoinBug::kJoinKeepsRemoved) return joined;
  // Without the other's vector nothing is known to be removed.
  RecordState blind = RecordState::FromParts({}, theirs.cells());
  RecordState all = RecordState::FromParts({}, mine.cells());
  all.Join(blind);
  return RecordState::FromParts(joined.vector(), all.cells());
}

void JoinModel::Write(State& state, size_t at, uint32_t field, const VersionVector& context) const {
  Site& site = state.sites[at];
  Change change;
  change.dot.actor = NextActor(site, at, bug_);
  change.dot.n = site.state.vector().Get(change.dot.actor) + 1;
  change.site_sequence = ++site.sequence;
  change.context = context;
  Operation operation;
  operation.field = field;
  operation.value = field == kLifeField ? ToProto(context).SerializeAsString() : "v";
  change.operations = {operation};
  if (state.written.contains(change.dot)) {
    state.broken = "a dot is used twice: " + replication::testing::Show(change.dot);
    return;
  }
  site.read_before = site.state.vector();
  Change applied = change;
  if (bug_ == JoinBug::kWriteCoversUnread) applied.context = site.state.vector();
  if (bug_ == JoinBug::kDeleteSwallowsLaterEdits && field == kLifeField) {
    VersionVector all = context;
    for (const auto& [dot, other] : state.written) all.Add(dot);
    applied.operations[0].value = ToProto(all).SerializeAsString();
  }
  site.state.Apply(applied);
  site.seen.insert(change.dot);
  state.written[change.dot] = std::move(applied);
  state.written[change.dot].context = context;
}

void JoinModel::Writes(const State& state, size_t at, const Visit& visit) const {
  const Site& site = state.sites[at];
  const VersionVector current = site.state.vector();
  std::vector<std::pair<std::string, VersionVector>> contexts{{"", current}};
  if (site.read_before != current && current.Covers(site.read_before)) {
    contexts.emplace_back(", having read an older state", site.read_before);
  }
  for (const auto& [how, context] : contexts) {
    for (const uint32_t field : {1U, 2U, kLifeField}) {
      State next = state;
      next.sites[at].acted = true;
      const std::string what = field == kLifeField ? " deletes" : " writes " + FieldName(field);
      Write(next, at, field, context);
      visit(kNames[at] + what + how, std::move(next));
    }
  }
}

void JoinModel::Arrivals(const State& state, size_t at, const Visit& visit) const {
  for (const auto& [dot, change] : state.written) {
    if (!state.sites[at].state.CanApply(change)) continue;
    State next = state;
    Site& site = next.sites[at];
    site.acted = true;
    site.read_before = site.state.vector();
    Learn(site, at, {dot});
    site.state.Apply(change);
    visit(std::string(kNames[at]) + " receives " + replication::testing::Show(dot), std::move(next));
  }
  for (size_t from = 0; from < kSites; ++from) {
    const Site& source = state.sites[from];
    if (from == at || state.sites[at].state.vector().Covers(source.state.vector())) continue;
    State next = state;
    Site& site = next.sites[at];
    site.acted = true;
    site.read_before = site.state.vector();
    Learn(site, at, source.seen);
    site.state = Join(site.state, source.state);
    visit(std::string(kNames[at]) + " joins the whole state of " + kNames[from], std::move(next));
  }
}

void JoinModel::Mishaps(const State& state, size_t at, const Visit& visit) const {
  const Site& site = state.sites[at];
  if (!site.state.vector().empty()) {
    State evicted = state;
    evicted.sites[at].state = {};
    evicted.sites[at].seen.clear();
    evicted.sites[at].read_before = {};
    visit(std::string(kNames[at]) + " evicts the record", std::move(evicted));
  }
  if (!site.has_backup || site.backup_sequence != site.sequence || site.backup != site.state) {
    State kept = state;
    Site& copied = kept.sites[at];
    copied.acted = copied.has_backup = true;
    copied.backup = copied.state;
    copied.backup_seen = copied.seen;
    copied.backup_sequence = copied.sequence;
    visit(std::string(kNames[at]) + " makes a backup", std::move(kept));
  }
  if (!site.has_backup) return;
  State restored = state;
  Site& old = restored.sites[at];
  old.state = old.backup;
  old.seen = old.backup_seen;
  old.read_before = {};
  old.sequence = old.backup_sequence;
  if (bug_ != JoinBug::kSameIncarnationAfterRestore) {
    ++old.incarnation;
    old.sequence = 0;
  }
  visit(std::string(kNames[at]) + " restores the backup", std::move(restored));
}

void JoinModel::Successors(const State& state, const Visit& visit) const {
  for (size_t at = 0; at < kSites; ++at) {
    Writes(state, at, visit);
    Arrivals(state, at, visit);
    Mishaps(state, at, visit);
    // Sites that did nothing yet are alike: the first of them stands for all.
    if (!state.sites[at].acted) break;
  }
}

std::string JoinModel::Violation(const State& state) const {
  if (!state.broken.empty()) return state.broken;
  for (const Site& site : state.sites) {
    for (const auto& law : {CheckSite(state, site), CheckDeletes(state, site)}) {
      if (!law.empty()) return law;
    }
  }
  const RecordState& a = state.sites[0].state;
  const RecordState& b = state.sites[1].state;
  const RecordState& c = state.sites[2].state;
  if (state.sites[0].seen == state.sites[1].seen && !(a == b)) return "equal changes, unequal states";
  if (!(Join(a, b) == Join(b, a)) || !(Join(b, c) == Join(c, b))) return "join depends on the order";
  if (!(Join(a, a) == a)) return "joining a state with itself changes it";
  if (!(Join(Join(a, b), c) == Join(a, Join(b, c)))) return "join depends on the grouping";
  return "";
}

std::string JoinModel::Key(const State& state) const {
  std::string key;
  const auto add = [&key](const std::string& bytes) { key += std::to_string(bytes.size()) + ":" + bytes; };
  for (const auto& [dot, change] : state.written) add(EncodeChange(change));
  for (const Site& site : state.sites) {
    add(EncodeState(site.state));
    for (const Dot& dot : site.seen) add(FormatDot(dot));
    add(EncodeEtag(site.read_before));
    add(std::to_string(site.incarnation) + " " + std::to_string(site.sequence) + " " +
        std::to_string(site.backup_sequence) + (site.acted ? "a" : "-") + (site.has_backup ? "b" : "-"));
    add(EncodeState(site.backup));
    for (const Dot& dot : site.backup_seen) add(FormatDot(dot));
  }
  return key + state.broken;
}

}  // namespace maillage::model
