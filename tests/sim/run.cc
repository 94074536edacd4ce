#include "tests/sim/run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/keys.h"
#include "tests/replication/support/network.h"
#include "tests/replication/support/site.h"

namespace maillage::sim {
namespace {

constexpr uint64_t kChecks = 16;
// What the fleet gets to agree once nothing goes wrong any more.
constexpr uint64_t kHealing = 3 * kHour;
constexpr uint64_t kMostEvents = 3'000'000;
// Tells the seed of scopes from that of all else.
constexpr uint64_t kScopes = 0x5c0bed;
constexpr uint64_t kMembers = 0x3e3be2;
// Raw cells of every rule, of a kind that no schema knows.
constexpr uint16_t kUnknownKind = 77;

class Run {
 public:
  Run(uint64_t seed, const RunOptions& options)
      : options_(options),
        random_(seed),
        trace_(options.aloud),
        weather_(DrawWeather(random_, SeededRandom(seed ^ kScopes), SeededRandom(seed ^ kMembers))),
        network_of_members_(seed ^ kMembers),
        registry_(Reporter()),
        network_(&weather_, &events_, &sites_, &random_, &trace_, Reporter(),
                 [this](SimSite& site) { operators_.SiteFailed(site); }),
        operators_(&weather_, &events_, &sites_, &network_, &registry_, &random_, &trace_,
                   [this](const SimSite& original) -> SimSite& {
                     SimSite& clone = AddSite(original.id);
                     LetPeopleWork(clone);
                     return clone;
                   }) {}

  RunOutcome Do() {
    MakeRecords();
    MakeSites();
    for (uint64_t i = 1; i <= kChecks; ++i) {
      events_.After(weather_.span * i / kChecks, [this] { Check(/*thorough=*/false); });
    }
    RunUntil([this] { return events_.now() >= weather_.span; });
    Heal();
    return Outcome();
  }

 private:
  Registry::Report Reporter() {
    return [this](const std::string& violation) {
      trace_.Note(events_.now(), "violation", {}, violation);
      outcome_.violations.push_back(violation);
    };
  }

  void MakeRecords() {
    static constexpr uint16_t kKinds[] = {1, 2, 3, kUnknownKind};
    for (size_t i = 0; i < weather_.records; ++i) {
      uint8_t bytes[RecordId::kSize];
      random_.Fill(bytes);
      records_.push_back({kKinds[random_.Below(std::size(kKinds))],
                          *RecordId::FromBytes({reinterpret_cast<const char*>(bytes), sizeof(bytes)})});
    }
  }

  SimSite& AddSite(const SiteId& id) {
    sites_.push_back(std::make_unique<SimSite>(sites_.size(), id, options_.new_disk(), random_.Next64(), &events_,
                                               &registry_, Reporter()));
    sites_.back()->has_lease = options_.leases;
    if (const auto member = members_.find(id); member != members_.end()) sites_.back()->member = member->second;
    return *sites_.back();
  }

  // Each has been told who was there when it joined; the first antenna, who let them in, knows all.
  SiteId Join(size_t i) {
    using replication::SigningKey;
    SimSite::MemberFiles member;
    member.hears_late = !weather_.sound_transport();
    if (i == 0) {
      member.key = std::make_shared<const SigningKey>(network_of_members_.lyon.seed());
    } else {
      member.key = std::make_shared<const SigningKey>(SigningKey::Generate(network_of_members_.random));
      const SigningKey authority = SigningKey::Generate(network_of_members_.random);
      const bool antenna = i < weather_.antennas;
      const replication::testing::Signers both{&network_of_members_.lyon_authority, &network_of_members_.recovery};
      network_of_members_.Enrol(absl::StrCat("site", i), antenna ? v1::ROLE_ANTENNA : v1::ROLE_RELAY, "", *member.key,
                                antenna ? &authority : nullptr,
                                antenna ? both : replication::testing::Signers{});
    }
    member.network = network_of_members_.file;
    return members_.emplace(member.key->site(), member).first->first;
  }

  void MakeSites() {
    const size_t count = weather_.antennas + weather_.relays;
    for (size_t i = 0; i < count; ++i) {
      uint8_t bytes[SiteId::kSize];
      random_.Fill(bytes);
      AddSite(weather_.members ? Join(i) : *SiteId::FromBytes({reinterpret_cast<const char*>(bytes), sizeof(bytes)}));
    }
    if (weather_.members) {
      SimSite::MemberFiles& first = members_.at(sites_[0]->id);
      first.network = network_of_members_.file;
      sites_[0]->member = first;
    }
    for (size_t i = 0; i < count; ++i) {
      operators_.LookAfter(*sites_[i]);
      sites_[i]->PowerOn();
    }
    // Relays call an antenna or both, antennas each other, relays perhaps their neighbours.
    for (size_t i = 1; i < count; ++i) {
      const bool antenna = i < weather_.antennas;
      network_.AddLine(i, antenna ? 0 : random_.Below(weather_.antennas));
      if (!antenna && weather_.antennas > 1 && random_.OneIn(2)) {
        network_.AddLine(i, random_.Below(weather_.antennas));
      }
      if (weather_.relays_meet && i > weather_.antennas) network_.AddLine(i, i - 1);
    }
    for (size_t i = 0; i < count; ++i) LetPeopleWork(*sites_[i]);
    for (size_t i = weather_.antennas; i < count && weather_.scope_pause > 0; ++i) operators_.ChangeScope(*sites_[i]);
  }

  void LetPeopleWork(SimSite& site) {
    events_.After(1 + Pause(random_, weather_.edit_pause), [this, &site] {
      if (healing_ || site.retired) return;
      if (site.up() && events_.now() >= site.full_until) {
        const uint64_t edits = random_.OneIn(4) ? 1 + random_.Below(6) : 1;
        for (uint64_t i = 0; i < edits; ++i) {
          site.Edit(records_[random_.Below(records_.size())],
                    random_.Below(100) < weather_.stale_reads_percent);
          ++outcome_.edits;
        }
        network_.CommitSoon(site);
      }
      LetPeopleWork(site);
    });
  }

  template <typename Condition>
  void RunUntil(Condition reached) {
    while (outcome_.violations.empty() && !events_.empty() && !reached()) {
      events_.RunNext();
      if (events_.done() > kMostEvents) Reporter()("too many events");
    }
  }

  void Check(bool thorough) {
    // Equal fingerprints if and only if equal states.
    std::map<std::string, std::string> states_of_digest;
    std::map<std::string, std::string> digest_of_states;
    for (const auto& site : sites_) {
      if (!site->up()) continue;
      site->Check(thorough);
      std::string states;
      for (const auto& [key, value] : replication::testing::Rows(*site->disk->store(), storage::Table::kStates)) {
        absl::StrAppend(&states, key.size(), ":", key, value.size(), ":", value);
      }
      const std::string digest = site->replica->tree().Digest();
      const bool agrees = states_of_digest.emplace(digest, states).first->second == states &&
                          digest_of_states.emplace(states, digest).first->second == digest;
      if (!agrees) Reporter()(absl::StrCat("site ", site->index, ": fingerprint and states tell two stories"));
    }
    network_.CheckReceipts();
  }

  // Each holds of its territory what the first, which holds everything, holds of it, and nothing else.
  bool AllEqual() const { return Different().empty(); }
  std::string Different() const {
    for (const auto& site : sites_) {
      if (site->retired) continue;
      if (!site->up() || !sites_[0]->up()) return absl::StrCat("site ", site->index, " or the first is off");
      const replication::Scope& scope = site->replica->scope();
      const bool equal = site->replica->tree().Digest(scope) == sites_[0]->replica->tree().Digest(scope);
      if (equal && site->replica->leaving() == 0) continue;
      return absl::StrCat("site ", site->index, ", which holds ", scope.ToText(), " (the first takes it for ",
                          sites_[0]->replica->ScopeOf(site->id).ToText(), "), ", equal ? "equal" : "different", ", ",
                          site->replica->leaving(), " records leaving; ");
    }
    return "";
  }

  void Heal() {
    healing_ = true;
    operators_.Heal();
    network_.Heal();
    const uint64_t deadline = events_.now() + kHealing;
    uint64_t looked = 0;
    bool settled = false;
    RunUntil([&] {
      if (events_.now() - looked < kSecond) return false;
      looked = events_.now();
      settled = AllEqual() && network_.Unsettled().empty();
      return settled || looked > deadline;
    });
    if (!outcome_.violations.empty()) return;
    if (!settled) {
      Reporter()(absl::StrCat(AllEqual() ? "all are equal and a session doesn't know it: " : "sites stay apart: ",
                              Different(), network_.Unsettled()));
      return;
    }
    Check(/*thorough=*/true);
    registry_.CheckNothingLost([this](const ChangeName& name) { return sites_[0]->Holds(name); });
  }

  RunOutcome Outcome() {
    outcome_.trace_hash = trace_.Hash();
    outcome_.events = events_.done();
    outcome_.site_millis = events_.now() * sites_.size();
    outcome_.acknowledged = registry_.acknowledged();
    outcome_.lost_with_disks = registry_.lost_with_disks();
    for (const auto& site : sites_) {
      auto rows = site->disk->content().Scan(storage::Table::kMeta, storage::KeyRange::Prefix(storage::kEvictedPrefix));
      for (; rows->Valid(); rows->Next()) ++outcome_.handed_over;
    }
    outcome_.network = network_.counts();
    outcome_.operators = operators_.counts();
    return std::move(outcome_);
  }

  const RunOptions options_;
  RunOutcome outcome_;
  SeededRandom random_;
  Trace trace_;
  EventQueue events_;
  const Weather weather_;
  replication::testing::TestNetwork network_of_members_;
  std::map<SiteId, SimSite::MemberFiles> members_;
  Registry registry_;
  Network::Sites sites_;
  Network network_;
  Operators operators_;
  std::vector<RecordKey> records_;
  bool healing_ = false;
};

}  // namespace

RunOutcome RunSeed(uint64_t seed, const RunOptions& options) { return Run(seed, options).Do(); }

}  // namespace maillage::sim
