#include "tests/sim/registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/check.h"
#include "tests/replication/oracle.h"
#include "tests/replication/support/literals.h"

namespace maillage::sim {
namespace {

using replication::kLifeField;
using replication::Life;
using replication::Operation;

std::string VectorKey(const VersionVector& vector) {
  std::string key;
  for (const VersionVector::Entry& entry : vector.entries()) {
    absl::StrAppend(&key, ToAbsl(entry.actor.site.bytes()), ".", entry.actor.incarnation, ".", entry.actor.epoch, ".",
                    entry.n, ";");
  }
  return key;
}

}  // namespace

std::string Show(const ChangeName& name) {
  return absl::StrCat("change ", replication::testing::Show(name.dot), " of record ", name.record.kind, "/",
                      FormatUuid(name.record.id));
}

ChangeName Registry::Saw(std::string_view change_bytes) {
  std::string bytes(change_bytes);
  if (const auto named = names_.find(bytes); named != names_.end()) return named->second;
  auto change = replication::DecodeChange(bytes);
  if (!change.ok()) {
    report_("a change on disk that can't be decoded");
    return {};
  }
  const ChangeName name{change->record, change->dot};
  names_.emplace(bytes, name);
  const auto [known, is_new] = changes_.emplace(name, Known{std::move(bytes), *change});
  if (!is_new) {
    const Change& before = known->second.change;
    report_(absl::StrCat("two contents under one dot: ", Show(name), ", sequences ", before.site_sequence, " and ",
                         change->site_sequence, ", times ", before.time.value, " and ", change->time.value));
  }
  return name;
}

void Registry::Rename(const ChangeName& from, const ChangeName& to) {
  // The old name keeps its content: nobody may use it for another.
  if (acknowledged_.erase(from) > 0) acknowledged_.insert(to);
  if (lost_with_disks_.erase(from) > 0) lost_with_disks_.insert(to);
}

void Registry::Reported(const SiteId& site, uint64_t number, Holding holding) {
  if (!reported_.try_emplace({site, number}, std::move(holding)).second) reported_twice_.insert({site, number});
}

const Registry::Holding* Registry::FindReported(const SiteId& site, uint64_t number) const {
  const auto found = reported_.find({site, number});
  return found == reported_.end() || reported_twice_.contains({site, number}) ? nullptr : &found->second;
}

const Change* Registry::Find(const ChangeName& name) const {
  const auto found = changes_.find(name);
  return found == changes_.end() ? nullptr : &found->second.change;
}

void Registry::LoseDisk(const std::function<bool(const ChangeName&)>& elsewhere) {
  for (const ChangeName& name : acknowledged_) {
    if (!lost_with_disks_.contains(name) && !elsewhere(name)) lost_with_disks_.insert(name);
  }
}

std::vector<const Change*> Registry::ChangesOf(const RecordKey& record, const VersionVector& vector) {
  std::vector<const Change*> found;
  for (const VersionVector::Entry& entry : vector.entries()) {
    for (uint64_t n = 1; n <= entry.n; ++n) {
      const ChangeName name{record, {entry.actor, n}};
      if (const Change* change = Find(name)) {
        found.push_back(change);
      } else {
        report_(absl::StrCat("a vector names what nobody wrote: ", Show(name)));
      }
    }
  }
  return found;
}

void Registry::CheckState(const RecordKey& record, const RecordState& state, std::string_view bytes) {
  const auto [place, is_new] = states_.emplace(std::pair(record, VectorKey(state.vector())), bytes);
  if (!is_new) {
    if (place->second != bytes) report_("equal change sets, different states");
    return;
  }
  const std::vector<const Change*> changes = ChangesOf(record, state.vector());
  replication::testing::Oracle oracle;
  for (const Change* change : changes) oracle.Add(*change);
  const std::string disagreement = Disagreement(state, oracle);
  if (!disagreement.empty()) report_(absl::StrCat("a state is not what its changes make: ", disagreement));
  CheckLife(record, state, changes);
}

void Registry::CheckLife(const RecordKey& record, const RecordState& state,
                         const std::vector<const Change*>& changes) {
  if (state.life() != Life::kAlive) return;
  for (const Change* deleting : changes) {
    const bool deletes = std::any_of(
        deleting->operations.begin(), deleting->operations.end(), [](const Operation& operation) {
          return operation.field == kLifeField && operation.value.has_value();
        });
    if (!deletes) continue;
    const bool settled = std::any_of(changes.begin(), changes.end(), [&](const Change* later) {
      return later->context.Covers(deleting->dot) &&
             std::any_of(later->operations.begin(), later->operations.end(),
                         [](const Operation& operation) { return operation.field == kLifeField; });
    });
    if (!settled) {
      report_(absl::StrCat("a deleted record is back and nobody brought it: ", Show({record, deleting->dot})));
    }
  }
}

void Registry::CheckNothingLost(const std::function<bool(const ChangeName&)>& holds) {
  for (const ChangeName& name : acknowledged_) {
    if (!lost_with_disks_.contains(name) && !holds(name)) {
      report_(absl::StrCat("an acknowledged change is lost: ", Show(name)));
    }
  }
}

}  // namespace maillage::sim
