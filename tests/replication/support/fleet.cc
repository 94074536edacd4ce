#include "tests/replication/support/fleet.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/check.h"
#include "replication/edit.h"
#include "replication/state_codec.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/literals.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kDisputedField = 7;

std::string AnyValue(SeededRandom& random) {
  static const std::string kValues[] = {"x", "y", "z", "", "73", "69", std::string("\0\xff", 2)};
  return kValues[random.Below(std::size(kValues))];
}

std::string AnyKey(SeededRandom& random) { return std::string(1, "klm"[random.Below(3)]); }

std::string AnyNumber(SeededRandom& random) {
  if (random.OneIn(12)) return "9223372036854775807";
  if (random.OneIn(12)) return "no number";
  return absl::StrCat(static_cast<int64_t>(random.Below(7)) - 3);
}

Operation AnyOperation(SeededRandom& random) {
  const auto field = static_cast<uint32_t>(1 + random.Below(kDisputedField));
  v1::MergeRule rule = v1::REGISTER;
  if (field >= 3 && field <= 6) rule = static_cast<v1::MergeRule>(field - 1);
  if (field == kDisputedField) rule = static_cast<v1::MergeRule>(1 + random.Below(5));
  Operation operation{field, rule, "", std::nullopt, field == 2 || (field == 3 && random.OneIn(2))};
  if (rule == v1::SET || rule == v1::MAP) operation.key = AnyKey(random);
  if (random.Below(3) == 0) return operation;
  operation.value = rule == v1::SET       ? ""
                    : rule == v1::COUNTER ? AnyNumber(random)
                                          : AnyValue(random);
  return operation;
}

Actor NextActor(const Actor& actor, SeededRandom& random) {
  Actor next = actor;
  if (random.OneIn(3)) {
    ++next.incarnation;
    next.epoch = 1;
  } else {
    ++next.epoch;
  }
  return next;
}

}  // namespace

std::vector<Operation> WriteAnyCells(SeededRandom& random, const RecordState&,
                                     const VersionVector& context) {
  std::map<std::pair<uint32_t, std::string>, Operation> operations;
  for (uint64_t left = random.Below(4); left > 0; --left) {
    Operation operation = AnyOperation(random);
    operations[{operation.field, operation.key}] = std::move(operation);
  }
  if (random.OneIn(8)) {
    operations[{kLifeField, ""}] = random.OneIn(3) ? UndeleteOperation() : DeleteOperation(context);
  }
  std::vector<Operation> sorted;
  for (auto& [cell, operation] : operations) sorted.push_back(std::move(operation));
  return sorted;
}

Fleet::Fleet(SeededRandom* random, size_t sites, Writer writer)
    : random_(random), writer_(std::move(writer)) {
  MAILLAGE_CHECK(sites >= 2 && sites <= 8);
  for (size_t i = 0; i < sites; ++i) {
    Copy copy;
    copy.actor = {SiteOf(static_cast<char>('a' + i)), 1, 1};
    copies_.push_back(std::move(copy));
  }
}

VersionVector Fleet::AnyContext(const Copy& copy) {
  switch (random_->Below(8)) {
    case 0:
      return {};
    case 1: {
      VersionVector part;
      for (const VersionVector::Entry& entry : copy.state.vector().entries()) {
        const uint64_t n = random_->Below(entry.n + 1);
        if (n > 0) part.Add({entry.actor, n});
      }
      return part;
    }
    case 2:
    case 3:
      if (!copy.read.empty()) return copy.read[random_->Below(copy.read.size())];
      [[fallthrough]];
    default:
      return copy.state.vector();
  }
}

void Fleet::Write(Copy& copy) {
  static const std::string kPeople[] = {"Zoé", "Adèle", "", "O'Neil"};
  if (random_->OneIn(10)) copy.actor = NextActor(copy.actor, *random_);
  Change change;
  change.record = {kKind, IdOf(1)};
  change.dot = {copy.actor, copy.state.vector().Get(copy.actor) + 1};
  change.site_sequence = changes_.size() + 1;
  change.time = {random_->Below(4) << 16 | random_->Below(2)};
  change.person = kPeople[random_->Below(std::size(kPeople))];
  change.context = AnyContext(copy);
  change.operations = writer_(*random_, copy.state, change.context);
  copy.state.Apply(change);
  copy.seen.insert(changes_.size());
  copy.read.push_back(copy.state.vector());
  changes_.push_back(std::move(change));
}

void Fleet::PassChanges(const Copy& from, Copy& to) {
  const bool all = random_->OneIn(2);
  for (const size_t index : from.seen) {
    if (to.seen.count(index) != 0 || (!all && random_->OneIn(3))) continue;
    if (!to.state.CanApply(changes_[index])) continue;
    to.state.Apply(changes_[index]);
    to.seen.insert(index);
  }
  to.read.push_back(to.state.vector());
}

void Fleet::PassState(const Copy& from, Copy& to) {
  if (random_->OneIn(4)) {
    const auto decoded = DecodeState(EncodeState(from.state));
    MAILLAGE_CHECK(decoded.ok());
    to.state.Join(*decoded);
  } else {
    to.state.Join(from.state);
  }
  to.seen.insert(from.seen.begin(), from.seen.end());
  to.read.push_back(to.state.vector());
}

void Fleet::Step() {
  Copy& copy = AnyCopy();
  const Copy& other = AnyCopy();
  if (&copy == &other || random_->OneIn(2)) {
    Write(copy);
  } else if (random_->OneIn(2)) {
    PassChanges(other, copy);
  } else {
    PassState(other, copy);
  }
}

void Fleet::Run(size_t steps) {
  for (size_t i = 0; i < steps; ++i) Step();
}

std::set<size_t> Fleet::All() const {
  std::set<size_t> all;
  for (size_t i = 0; i < changes_.size(); ++i) all.insert(i);
  return all;
}

std::vector<Change> Fleet::InSomeCausalOrder(const std::set<size_t>& which) {
  std::vector<size_t> waiting(which.begin(), which.end());
  std::vector<Change> ordered;
  VersionVector done;
  while (!waiting.empty()) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < waiting.size(); ++i) {
      const Change& change = changes_[waiting[i]];
      if (done.IsNext(change.dot) && done.Covers(change.context)) ready.push_back(i);
    }
    MAILLAGE_CHECK(!ready.empty());
    const size_t chosen = ready[random_->Below(ready.size())];
    ordered.push_back(changes_[waiting[chosen]]);
    done.Add(ordered.back().dot);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  return ordered;
}

}  // namespace maillage::replication::testing
