// Random fleets of antennas and relays: records move, relays work offline, scopes widen and narrow, links break. In the end
// every site holds its territory and nothing else, and no edit is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/record_reader.h"
#include "replication/scope.h"
#include "replication/scrub.h"
#include "replication/stub.h"
#include "storage/keys.h"
#include "tests/replication/support/bundles.h"
#include "tests/replication/support/site.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

constexpr std::array<const char*, 4> kDepartments = {"73", "38", "01", ""};
constexpr std::array<const char*, 7> kScopes = {"73", "38", "73,38", "01", "01,73", "-", "*"};

struct Figures {
  uint64_t edits = 0;
  uint64_t moves = 0;
  uint64_t handovers = 0;
  uint64_t returns = 0;
  uint64_t scope_changes = 0;
  uint64_t stubs = 0;
  uint64_t bundles = 0;
};

class ScopeFleet {
 public:
  explicit ScopeFleet(uint64_t seed) : random_(seed) {
    for (const char* name : {"lyon", "clermont", "savoie", "isere", "alpes"}) {
      sites_.push_back(std::make_unique<TestSite>(name, random_.Next64(), &clock_));
    }
    Assign(*sites_[2], "73");
    Assign(*sites_[3], "38");
    Assign(*sites_[4], "73,38");
  }

  void Run(Figures& figures) {
    figures_ = &figures;
    for (uint64_t steps = 20 + random_.Below(80); steps > 0; --steps) Step();
    Heal();
    Check();
  }

 private:
  TestSite& Any() { return *sites_[random_.Below(sites_.size())]; }
  TestSite& AnyAntenna() { return *sites_[random_.Below(2)]; }

  void Step() {
    clock_.millis += random_.Below(5) * 700;
    TestSite& site = Any();
    switch (random_.Below(14)) {
      case 0:
        Create(site);
        break;
      case 1:
      case 2:
        Describe(site);
        break;
      case 3:
      case 4:
        Move(site);
        break;
      case 5:
        site.Restart();
        break;
      case 6:
        if (random_.Below(4) == 0) {
          Assign(*sites_[2 + random_.Below(3)], kScopes[random_.Below(kScopes.size())]);
          ++figures_->scope_changes;
        }
        break;
      case 7:
        Delete(site);
        break;
      case 8:
        Post(site, Any());
        break;
      case 9:
        Unpack();
        break;
      default:
        Meet(site, Any(), random_.Below(3) == 0);
    }
  }

  // A bundle on its way: it may arrive late, twice, cut, or never.
  void Post(TestSite& from, TestSite& to) {
    if (&from == &to) return;
    post_.emplace_back(&to, Export(from, to, /*whole=*/random_.Below(8) == 0));
  }
  void Unpack() {
    if (post_.empty()) return;
    const size_t which = random_.Below(post_.size());
    auto& [to, bundle] = post_[which];
    const bool cut = random_.Below(4) == 0;
    const auto outcome = Import(*to, bundle, cut ? random_.Below(bundle.frames.size() + 1) : SIZE_MAX);
    EXPECT_TRUE(outcome.ok() || absl::IsCancelled(outcome.status())) << outcome.status();
    ++figures_->bundles;
    if (random_.Below(4) > 0) post_.erase(post_.begin() + static_cast<ptrdiff_t>(which));
  }

  void Assign(const TestSite& site, const std::string& scope) {
    v1::Site content;
    content.set_scope(scope);
    Note({kSiteKind, *RecordId::FromBytes(site.id.bytes())},
         AnyAntenna().Update(*RecordId::FromBytes(site.id.bytes()), content, {"scope"}));
  }

  void Create(TestSite& site) {
    v1::Actor actor = NamedActor(absl::StrCat("fiche ", records_.size()), kDepartments[random_.Below(4)]);
    if (random_.Below(3) == 0) actor.add_departments(kDepartments[random_.Below(3)]);
    if (!records_.empty() && random_.Below(2) == 0) {
      actor.add_parents(FormatUuid(records_[random_.Below(records_.size())]));
    }
    const RecordId id = site.Create(actor);
    records_.push_back(id);
    const RecordState created = site.State(kActor, id);
    for (const VersionVector::Entry& entry : created.vector().entries()) {
      Note({kActor, id}, {entry.actor, entry.n});
    }
  }

  // One that the site holds.
  std::optional<RecordId> AnyOf(const TestSite& site) {
    std::vector<RecordId> held;
    for (const RecordId& id : records_) {
      if (!site.State(kActor, id).vector().empty()) held.push_back(id);
    }
    if (held.empty()) return std::nullopt;
    return held[random_.Below(held.size())];
  }

  void Describe(TestSite& site) {
    const auto id = AnyOf(site);
    if (!id.has_value()) return;
    v1::Actor actor;
    const bool renames = random_.Below(3) == 0;
    const std::string text = absl::StrCat("note ", ++notes_);
    renames ? actor.set_name(text) : actor.set_description(text);
    Note({kActor, *id}, site.Update(*id, actor, {renames ? "name" : "description"}));
  }

  void Move(TestSite& site) {
    const auto id = AnyOf(site);
    if (!id.has_value()) return;
    const v1::Actor actor = NamedActor("", kDepartments[random_.Below(4)]);
    if (site.Actor(*id).department() == actor.department()) return;
    Note({kActor, *id}, site.Update(*id, actor, {"department"}));
    ++figures_->moves;
  }

  void Delete(TestSite& site) {
    const auto id = AnyOf(site);
    if (!id.has_value() || random_.Below(3) > 0) return;
    site.Delete(kActor, *id);
  }

  void Note(const RecordKey& record, const Dot& dot) {
    EXPECT_TRUE(issued_[record].insert(dot).second) << "a dot was issued twice";
    ++figures_->edits;
  }

  void Meet(TestSite& a, TestSite& b, bool cut) {
    if (&a == &b) return;
    Link link(&a, &b, /*known=*/random_.Below(2) == 0);
    if (cut) {
      link.RunUntilCut(random_.Below(30));
    } else {
      link.Run();
      clock_.millis += 3000;
      link.Run();
      ASSERT_FALSE(link.caller().closing()) << link.caller().progress().goodbye_message;
    }
  }

  void Heal() {
    for (int round = 0; round < 4; ++round) {
      for (const auto& a : sites_) {
        for (const auto& b : sites_) Meet(*a, *b, false);
      }
    }
  }

  void Check() {
    const TestSite& lyon = *sites_[0];
    for (const auto& site : sites_) {
      SCOPED_TRACE(site->name + " holds " + site->replica->scope().ToText());
      EXPECT_EQ(Inconsistency(*site->store, *site->replica), "");
      const auto scrubbed = Scrub(*site->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      EXPECT_EQ(scrubbed->damaged(), 0u);
      EXPECT_EQ(site->replica->identity().renewals, 0u);
      const Scope scope = site->replica->scope();
      EXPECT_EQ(site->replica->tree().Digest(scope), lyon.replica->tree().Digest(scope));
      EXPECT_EQ(site->replica->leaving(), 0u);
      for (const RecordId& id : records_) {
        const RecordState held = site->State(kActor, id);
        const RecordState whole = lyon.State(kActor, id);
        EXPECT_EQ(held, scope.HoldsAny(kActor, whole.Territories()) ? whole : RecordState());
      }
      CheckReferences(*site);
      CountEvictions(*site);
    }
    for (const auto& [record, dots] : issued_) {
      const RecordState state = lyon.State(record.kind, record.id);
      for (const Dot& dot : dots) EXPECT_TRUE(state.vector().Covers(dot)) << "an edit is lost: " << FormatDot(dot);
    }
  }

  // Whatever a record here refers to can be read here, as it is.
  void CheckReferences(const TestSite& site) {
    const TestSite& lyon = *sites_[0];
    for (const auto& [key, empty] : Rows(*site.store, storage::Table::kIndex)) {
      const auto reference = storage::ParseReferenceKey(key);
      if (!reference.has_value()) continue;
      const auto shown = site.replica->FindShown(reference->target);
      ASSERT_TRUE(shown.ok() && shown->has_value()) << site.name << ": a reference to nothing";
      const Stub whole = StubOf(kActor, lyon.State(kActor, reference->target), Schema::BuiltIn());
      EXPECT_EQ(StubFingerprint(reference->target, **shown), StubFingerprint(reference->target, whole));
      figures_->stubs += site.State(kActor, reference->target).vector().empty() ? 1 : 0;
    }
  }

  void CountEvictions(const TestSite& site) {
    for (const auto& [key, value] : Rows(*site.store, storage::Table::kMeta)) {
      const auto record = storage::ParseEvictedKey(key);
      if (!record.has_value()) continue;
      ++figures_->handovers;
      figures_->returns += site.State(record->kind, record->id).vector().empty() ? 0 : 1;
    }
  }

  SteppedClock clock_;
  SeededRandom random_;
  // Two antennas, then relays.
  std::vector<std::unique_ptr<TestSite>> sites_;
  std::vector<RecordId> records_;
  std::map<RecordKey, std::set<Dot>> issued_;
  uint64_t notes_ = 0;
  std::vector<std::pair<TestSite*, TestBundle>> post_;
  Figures unused_;
  Figures* figures_ = &unused_;
};

TEST(ScopeFleets, EverySiteHoldsItsTerritoryAndNoEditIsLost) {
  const uint64_t first = maillage::testing::TestSeed();
  const uint64_t fleets = maillage::testing::NumberFromEnvironment("MAILLAGE_SCOPES", maillage::testing::TestRounds(300));
  Figures figures;
  for (uint64_t seed = first; seed < first + fleets && !HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("MAILLAGE_SEED=", seed, " MAILLAGE_SCOPES=1"));
    ScopeFleet(seed).Run(figures);
  }
  std::cout << "figure: fleets with scopes " << fleets << ", " << figures.edits << " edits, " << figures.moves
            << " moves, " << figures.scope_changes << " changes of scope, " << figures.handovers
            << " records handed over, " << figures.returns << " of them back again, " << figures.stubs
            << " references to records elsewhere, " << figures.bundles << " bundles" << std::endl;
  EXPECT_GT(figures.handovers, fleets / 4);
  EXPECT_GT(figures.returns, fleets / 20);
  EXPECT_GT(figures.stubs, fleets / 4);
}

}  // namespace
}  // namespace maillage::replication::testing
