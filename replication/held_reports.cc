#include "replication/held_reports.h"

namespace maillage::replication {
namespace {

HeldReports::Held HeldOf(const v1::SiteReport& report) { return {report.number(), report.time(), report.feed_head()}; }

bool IsReached(const v1::SiteReport& report, const std::optional<FedUpTo>& fed) {
  return fed.has_value() && fed->instance == report.instance() && fed->position >= report.feed_head() &&
         fed->withdrawals == report.withdrawals();
}

}  // namespace

bool HeldReports::Follow(const SiteId& site, const v1::SiteReport& told, const std::optional<FedUpTo>& fed,
                         const Scope& mine, const SiteId& here) {
  bool news = false;
  while (told.number() > held_[site].number) {
    v1::SiteReport& awaited = awaited_.try_emplace(site, told).first->second;
    const bool outdated = awaited.number() <= held_[site].number || awaited.instance() != told.instance() ||
                          awaited.withdrawals() != told.withdrawals();
    if (outdated) awaited = told;
    if (!IsReached(awaited, fed)) break;
    const v1::SiteReport reached = std::move(awaited);
    awaited_.erase(site);
    news = Fulfil(site, reached, mine, here) || news;
    if (held_[site].number < reached.number()) break;
  }
  return news;
}

bool HeldReports::Fulfil(const SiteId& site, const v1::SiteReport& report, const Scope& mine, const SiteId& here) {
  const absl::StatusOr<Scope> theirs = Scope::Parse(report.holds());
  if (!theirs.ok() || report.waiting() > 0) return false;
  bool news = false;
  if (report.leaving() == 0 && (mine.everything() || theirs->Contains(mine))) news = Raise(site, HeldOf(report));
  if (!theirs->Contains(mine)) return news;
  for (const v1::HeldReport& held : report.held()) {
    const std::optional<SiteId> author = SiteId::FromBytes(held.site());
    if (!author.has_value() || *author == here || *author == site) continue;
    news = Raise(*author, {held.number(), held.time(), held.position()}) || news;
  }
  return news;
}

bool HeldReports::Raise(const SiteId& site, const Held& to) {
  Held& held = held_[site];
  if (to.number <= held.number) return false;
  held = to;
  return true;
}

void HeldReports::Restore(const v1::SiteReport& own) {
  for (const v1::HeldReport& held : own.held()) {
    const std::optional<SiteId> site = SiteId::FromBytes(held.site());
    if (site.has_value()) Raise(*site, {held.number(), held.time(), held.position()});
  }
}

void HeldReports::Clear() {
  held_.clear();
  awaited_.clear();
}

}  // namespace maillage::replication
