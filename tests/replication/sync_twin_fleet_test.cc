// Random fleets in which a site is cloned, or an old copy of it takes its place. Every edit carries a name of its own, so
// that each can be followed to the end: it is visible, or somebody who had read it wrote over it, on every site.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kName = 901;
constexpr uint32_t kNote = 902;
constexpr uint32_t kTags = 903;
constexpr uint32_t kVisits = 904;
constexpr uint64_t kRecords = 3;

// One edit; `person` of the change is its name.
struct KnownEdit {
  RecordKey record;
  std::set<std::string> read;
  int64_t visits = 0;
};

struct Figures {
  uint64_t incidents = 0;
  uint64_t to_be_found = 0;
  uint64_t found = 0;
  uint64_t edits = 0;
  uint64_t renamed = 0;
  // Edits that a site doesn't hold in the end.
  uint64_t lost = 0;
};

// The changes of one record that a site keeps.
std::vector<Change> HistoryOf(const TestSite& site, const RecordKey& record) {
  std::vector<Change> changes;
  const auto rows = ReadHistory(*site.store, record);
  for (const HistoryRow& row : *rows) {
    changes.push_back(*DecodeChange(ReadFeedEntry(*site.store, row.position)->change));
  }
  return changes;
}

class TwinFleet {
 public:
  explicit TwinFleet(uint64_t seed) : random_(seed) {
    for (const char* name : {"lyon", "savoie", "isere", "loire"}) {
      sites_.push_back(std::make_unique<TestSite>(name, random_.Next64(), &clock_));
    }
  }

  void Run(Figures& figures) {
    for (uint64_t i = 2 + random_.Below(10); i > 0; --i) Step(sites_.size());
    // The last two are the two copies from here on, or the old one is gone.
    TestSite& original = *sites_.back();
    const bool restore = random_.Below(2) == 0;
    fork_ = original.replica->progress().site_sequence;
    incarnation_ = original.replica->identity().incarnation;
    auto copy = original.Clone(random_.Next64());
    for (uint64_t i = random_.Below(8); i > 0; --i) Step(sites_.size());
    if (restore) {
      Forget(original, *copy);
      sites_.back() = std::move(copy);
    } else {
      sites_.push_back(std::move(copy));
    }
    figures_ = &figures;
    ++figures.incidents;
    for (uint64_t i = 3 + random_.Below(12); i > 0; --i) Step(sites_.size());
    Heal();
    figures.edits += written_.size();
    for (const auto& site : sites_) figures.renamed += site->replica->continuity_note().renamed;
    Check();
  }

 private:
  TestSite& Any(size_t among) { return *sites_[random_.Below(among)]; }

  void Step(size_t among) {
    clock_.millis += random_.Below(3) * 700;
    TestSite& site = Any(among);
    if (random_.Below(2) == 0) return Write(site);
    Meet(site, Any(among), random_.Below(5) == 0);
  }

  std::vector<Operation> AnyOperations(const std::string& name, const VersionVector& context) {
    const auto number = std::to_string(static_cast<int64_t>(random_.Below(9)) + 1);
    switch (random_.Below(7)) {
      case 0:
        return {Put(kNote, name), AddElement(kTags, std::string(1, "abc"[random_.Below(3)]))};
      case 1:
        return {AddElement(kTags, std::string(1, "abc"[random_.Below(3)]))};
      case 2:
        return {RemoveSeen(kTags, v1::SET, std::string(1, "abc"[random_.Below(3)]))};
      case 3:
        return {Put(kVisits, number, v1::COUNTER)};
      case 4:
        return {DeleteOperation(context)};
      case 5:
        return {Put(kName, name), Put(kVisits, number, v1::COUNTER)};
      default:
        return {Put(kName, name)};
    }
  }

  void Write(TestSite& site) {
    const RecordKey record{kKind, IdOf(random_.Below(kRecords))};
    const VersionVector context = random_.Below(4) == 0 ? VersionVector() : site.State(kKind, record.id).vector();
    const std::string name = absl::StrCat("edit-", ++named_);
    std::vector<Operation> operations = AnyOperations(name, context);
    KnownEdit& written = written_[name];
    written.record = record;
    for (const Change& change : HistoryOf(site, record)) {
      if (context.Covers(change.dot)) written.read.insert(change.person);
    }
    for (const Operation& operation : operations) {
      if (operation.rule == v1::COUNTER) written.visits = std::stoll(*operation.value);
    }
    ASSERT_TRUE(site.replica->Write({record, context, std::move(operations), name, ""}).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }

  // The other copy of this one, while both run and share an incarnation.
  TestSite* TwinOf(const TestSite& site) {
    for (const auto& other : sites_) {
      if (other.get() != &site && other->id == site.id) return other.get();
    }
    return nullptr;
  }
  bool IsUndecided(const TestSite& site) const {
    return site.replica->identity().incarnation == incarnation_;
  }
  // Holds changes that the other copy of `site` wrote after the two parted.
  bool KnowsTwinOf(const TestSite& knower, const TestSite& site) const {
    const auto known = knower.replica->KnownOf(site.id);
    const auto found = known.find(incarnation_);
    return found != known.end() && found->second.site_sequence > fork_ &&
           const_cast<Replica&>(*site.replica).Judge(incarnation_, found->second).value() !=
               ContinuityDoubt::kNone;
  }

  // Two copies that gave clashing dots to disjoint groups of peers are beyond repair today (README.md): here a copy
  // doesn't meet those who know nothing of the other one, once the other has told anybody.
  bool MayMeet(const TestSite& copy, const TestSite& peer) {
    if (copy.id != sites_[3]->id || !IsUndecided(copy) || peer.id == copy.id) return true;
    if (KnowsTwinOf(peer, copy)) return true;
    return std::none_of(sites_.begin(), sites_.end(), [&](const auto& other) {
      return other->id != copy.id && KnowsTwinOf(*other, copy);
    });
  }

  void Meet(TestSite& a, TestSite& b, bool cut) {
    if (&a == &b || !MayMeet(a, b) || !MayMeet(b, a)) return;
    const bool a_undecided = figures_ != nullptr && IsUndecided(a) && a.id != b.id && KnowsTwinOf(b, a);
    const bool b_undecided = figures_ != nullptr && IsUndecided(b) && a.id != b.id && KnowsTwinOf(a, b);
    const bool twins = figures_ != nullptr && a.id == b.id && IsUndecided(a) && IsUndecided(b);
    Link link(&a, &b, random_.Below(2) == 0);
    if (cut) {
      link.RunUntilCut(random_.Below(12));
      return;
    }
    Settle(link);
    for (const auto& [due, site] : {std::pair(a_undecided || twins, &a),
                                    std::pair(b_undecided || twins, &b)}) {
      if (!due) continue;
      ++figures_->to_be_found;
      if (!IsUndecided(*site)) ++figures_->found;
    }
  }

  void Settle(Link& link) {
    for (int turn = 0; turn < 6; ++turn) {
      link.Run();
      clock_.millis += 1100;
    }
  }

  // The original's disk is gone: what only it held is lost to everyone, and nobody's fault.
  void Forget(const TestSite& original, const TestSite& copy) {
    std::set<std::string> kept;
    std::vector<const TestSite*> others{&copy};
    for (const auto& site : sites_) {
      if (site.get() != &original) others.push_back(site.get());
    }
    for (const TestSite* site : others) {
      for (uint64_t i = 0; i < kRecords; ++i) {
        for (const Change& change : HistoryOf(*site, {kKind, IdOf(i)})) kept.insert(change.person);
      }
    }
    std::erase_if(written_, [&](const auto& edit) { return !kept.contains(edit.first); });
  }

  void Heal() {
    for (int round = 0; round < 4; ++round) {
      for (const auto& a : sites_) {
        for (const auto& b : sites_) {
          if (a->id != b->id) Meet(*a, *b, /*cut=*/false);
        }
      }
    }
  }

  void Check() {
    const std::string digest = sites_[0]->Digest();
    for (const auto& site : sites_) ASSERT_EQ(site->Digest(), digest) << site->name;
    for (const auto& site : sites_) {
      for (uint64_t i = 0; i < kRecords; ++i) CheckRecord(*site, {kKind, IdOf(i)});
    }
  }

  void CheckRecord(const TestSite& site, const RecordKey& record) {
    const std::vector<Change> history = HistoryOf(site, record);
    const RecordState state = site.State(kKind, record.id);
    std::map<std::string, std::vector<const Change*>> by_name;
    for (const Change& change : history) by_name[change.person].push_back(&change);
    int64_t visits = 0;
    bool twice = false;
    for (const auto& [name, written] : written_) {
      if (written.record != record) continue;
      if (!by_name.contains(name)) ++figures_->lost;
      ASSERT_TRUE(by_name.contains(name)) << name << " is lost at " << site.name;
      twice = twice || by_name[name].size() > 1;
      visits += written.visits;
      for (const Change* change : by_name[name]) CheckChange(name, *change, history, state);
    }
    const Cell* counter = state.Find(kVisits);
    if (twice) return;
    ASSERT_EQ(counter == nullptr ? 0 : CounterSum(*counter), visits) << Show(state);
  }

  void CheckChange(const std::string& name, const Change& change, const std::vector<Change>& history,
                   const RecordState& state) {
    ASSERT_TRUE(state.vector().Covers(change.dot));
    std::set<std::pair<uint32_t, std::string>> covered;
    for (const Change& later : history) {
      if (!later.context.Covers(change.dot)) continue;
      const auto writer = written_.find(later.person);
      if (writer == written_.end()) continue;
      ASSERT_TRUE(writer->second.read.contains(name))
          << later.person << " covers " << name << " without having read it";
      for (const Operation& operation : later.operations) covered.emplace(operation.field, operation.key);
    }
    for (const Operation& operation : change.operations) {
      if (!operation.value.has_value() || operation.rule == v1::COUNTER) continue;
      const Cell* cell = state.Find(operation.field, operation.key);
      const bool alive = cell != nullptr && std::any_of(cell->versions.begin(), cell->versions.end(),
                                                        [&](const Version& v) { return v.dot == change.dot; });
      ASSERT_TRUE(alive || covered.contains({operation.field, operation.key})) << name << " vanished";
    }
  }

  SeededRandom random_;
  SteppedClock clock_;
  std::vector<std::unique_ptr<TestSite>> sites_;
  std::map<std::string, KnownEdit> written_;
  uint64_t named_ = 0;
  // Of the site that is copied, at that moment.
  uint64_t fork_ = 0;
  uint64_t incarnation_ = 0;
  Figures* figures_ = nullptr;
};

TEST(TwinFleets, EveryCloneAndRestoreIsFoundInOneExchangeAndNoEditIsLost) {
  const uint64_t seed = maillage::testing::TestSeed();
  const uint64_t rounds =
      maillage::testing::NumberFromEnvironment("MAILLAGE_TWINS", maillage::testing::TestRounds(500));
  Figures figures;
  for (uint64_t i = 0; i < rounds; ++i) {
    SCOPED_TRACE(absl::StrCat("MAILLAGE_SEED=", seed + i, " MAILLAGE_TWINS=1"));
    TwinFleet fleet(seed + i);
    fleet.Run(figures);
    if (HasFatalFailure()) break;
  }
  std::cout << "figure: clones and restores: " << figures.incidents << ", met by somebody who could tell: "
            << figures.to_be_found << ", found in that exchange: " << figures.found
            << ", edits: " << figures.edits << ", renamed: " << figures.renamed << ", lost: " << figures.lost << "\n";
  EXPECT_EQ(figures.found, figures.to_be_found);
  EXPECT_GT(figures.renamed, rounds / 10);
}

}  // namespace
}  // namespace maillage::replication::testing
