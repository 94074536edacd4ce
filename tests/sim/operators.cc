#include "tests/sim/operators.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "replication/scope.h"

namespace maillage::sim {
namespace {

constexpr size_t kBackupsKept = 3;
constexpr uint64_t kMostClones = 2;
constexpr uint64_t kPatience = 10 * kSecond;

}  // namespace

Operators::Operators(const Weather* weather, EventQueue* events, Network::Sites* sites, Network* network,
                     Registry* registry, SeededRandom* random, Trace* trace, Cloner cloner)
    : weather_(weather),
      events_(events),
      sites_(sites),
      network_(network),
      registry_(registry),
      random_(random),
      trace_(trace),
      cloner_(std::move(cloner)) {}

void Operators::Every(uint64_t pause, SimSite& site, Action action) {
  if (pause == 0) return;
  events_->After(1 + Pause(*random_, pause), [this, pause, &site, action] {
    if (healing_ || site.retired) return;
    (this->*action)(site);
    Every(pause, site, action);
  });
}

void Operators::LookAfter(SimSite& site) {
  site.failed_commits_of_ten_thousand = weather_->failed_commits;
  if (weather_->clock_skew > 0) {
    site.clock.offset_millis =
        static_cast<int64_t>(random_->Below(2 * weather_->clock_skew)) - static_cast<int64_t>(weather_->clock_skew);
  }
  Every(weather_->crash_pause, site, &Operators::Crash);
  Every(weather_->disk_full_pause, site, &Operators::FillDisk);
  Every(weather_->clock_jump_pause, site, &Operators::JumpClock);
  Every(weather_->backup_pause, site, &Operators::BackUp);
  Every(weather_->restore_pause, site, &Operators::Restore);
  Every(weather_->clone_pause, site, &Operators::Clone);
  Every(weather_->retire_pause, site, &Operators::Retire);
  Every(weather_->link_pause_pause, site, &Operators::PauseLines);
  if (site.index >= weather_->antennas) Every(weather_->scope_pause, site, &Operators::ChangeScope);
}

void Operators::ChangeScope(SimSite& site) {
  // Of those that people write into records (tests/replication/support/random_message.cc).
  static constexpr const char* kTerritories[] = {"73", "x", "été", "2021-02"};
  SimSite& antenna = *sites_->front();
  if (!antenna.up()) return;
  std::set<std::string> territories;
  for (const char* territory : kTerritories) {
    if (random_->OneIn(2)) territories.insert(territory);
  }
  const replication::Scope scope = random_->OneIn(6) ? replication::Scope() : replication::Scope(territories);
  ++counts_.scope_changes;
  trace_->Note(events_->now(), "scope", {site.index}, scope.ToText());
  antenna.AssignScope(site.id, scope);
  network_->CommitSoon(antenna);
}

void Operators::StopMachine(SimSite& site) {
  network_->SiteStops(site);
  site.PowerOff();
}

void Operators::StartMachine(SimSite& site) {
  if (site.up() || site.retired) return;
  site.PowerOn();
  if (!site.up()) return;
  trace_->Note(events_->now(), "power on", {site.index, site.replica->identity().incarnation});
  network_->SiteStarts(site);
  events_->After(Pause(*random_, kPatience), [this, &site, life = site.life] {
    if (!site.up() || site.life != life) return;
    site.RetryUnanswered();
    network_->CommitSoon(site);
  });
}

void Operators::StartLater(SimSite& site, uint64_t pause) {
  events_->After(pause, [this, &site] { StartMachine(site); });
}

void Operators::NoteLoss() {
  // Names come record by record.
  std::optional<RecordKey> record;
  std::vector<VersionVector> vectors;
  registry_->LoseDisk([&](const ChangeName& name) {
    if (record != name.record) {
      record = name.record;
      vectors.clear();
      for (const auto& site : *sites_) {
        if (!site->retired) vectors.push_back(site->VectorOf(name.record));
      }
    }
    return std::any_of(vectors.begin(), vectors.end(),
                       [&](const VersionVector& vector) { return vector.Covers(name.dot); });
  });
}

void Operators::Crash(SimSite& site) {
  if (!site.up()) return;
  ++counts_.crashes;
  trace_->Note(events_->now(), "crash", {site.index});
  StopMachine(site);
  if (random_->Below(100) < weather_->crashes_with_damage_percent) {
    ++counts_.damaged;
    site.disk->DamageEnd(*random_);
    site.ForgetSaved();
    NoteLoss();
  }
  StartLater(site, Pause(*random_, weather_->down));
}

void Operators::SiteFailed(SimSite& site) {
  ++counts_.failed_commits;
  StopMachine(site);
  const uint64_t now = events_->now();
  const uint64_t space = site.full_until > now ? site.full_until - now : 0;
  StartLater(site, space + Pause(*random_, kMinute));
}

void Operators::FillDisk(SimSite& site) {
  if (!site.up()) return;
  ++counts_.full_disks;
  trace_->Note(events_->now(), "disk full", {site.index});
  site.full_until = events_->now() + Pause(*random_, kHour);
  if (random_->OneIn(3)) {
    // Nobody saw it coming: the next commit meets it.
    site.disk->FailNextCommit(*random_, absl::ResourceExhaustedError("no space"), /*noted=*/true);
  }
  network_->SiteStops(site);
  events_->After(site.full_until - events_->now(), [this, &site] {
    if (site.up()) network_->SiteStarts(site);
  });
}

void Operators::JumpClock(SimSite& site) {
  constexpr auto kTenYears = static_cast<int64_t>(10 * kYear);
  ++counts_.clock_jumps;
  const int64_t size = int64_t{1} << random_->Below(39);
  const int64_t jump = random_->OneIn(2) ? size : -size;
  site.clock.offset_millis = std::clamp(site.clock.offset_millis + jump, -kTenYears, kTenYears);
  trace_->Note(events_->now(), "clock jumps", {site.index});
}

void Operators::BackUp(SimSite& site) {
  auto& kept = backups_[site.index];
  if (kept.size() >= kBackupsKept) kept.erase(kept.begin());
  kept.push_back(site.disk->Copy());
}

void Operators::Restore(SimSite& site) {
  auto& kept = backups_[site.index];
  if (kept.empty()) return;
  ++counts_.restores;
  trace_->Note(events_->now(), "restore", {site.index});
  StopMachine(site);
  ++site.life;
  site.ReplaceDisk(kept[random_->Below(kept.size())]->Copy());
  NoteLoss();
  StartLater(site, Pause(*random_, weather_->down));
}

void Operators::Clone(SimSite& site) {
  // Copies of an antenna exchange nothing with each other, and by a relay no more than it holds.
  if (counts_.clones >= kMostClones || (weather_->scope_pause > 0 && site.index < weather_->antennas)) return;
  ++counts_.clones;
  SimSite& clone = cloner_(site);
  clone.ReplaceDisk(site.disk->Copy());
  trace_->Note(events_->now(), "clone", {site.index, clone.index});
  StartMachine(clone);
  network_->CopyLines(site.index, clone.index);
  LookAfter(clone);
}

void Operators::Retire(SimSite& site) {
  // Somebody has to stay, and not the twins of one site alone.
  const auto others = std::count_if(sites_->begin(), sites_->end(), [&](const auto& other) {
    return !other->retired && other->id != sites_->front()->id;
  });
  if (site.index == 0 || others < 2 || counts_.retired > 0) return;
  ++counts_.retired;
  trace_->Note(events_->now(), "retire", {site.index});
  StopMachine(site);
  site.retired = true;
  NoteLoss();
  network_->Replace(site.index);
}

void Operators::PauseLines(SimSite& site) { network_->PauseLines(site, Pause(*random_, weather_->link_down)); }

void Operators::Heal() {
  healing_ = true;
  for (const auto& site : *sites_) {
    site->full_until = 0;
    site->failed_commits_of_ten_thousand = 0;
    if (site->retired) continue;
    if (site->up()) {
      site->RetryUnanswered();
      network_->CommitSoon(*site);
    } else {
      StartMachine(*site);
    }
  }
}

}  // namespace maillage::sim
