#include "replication/held_reports.h"

#include <utility>

namespace maillage::replication {
namespace {

HeldReports::Held HeldOf(const v1::SiteReport& report) { return {report.number(), report.time(), report.feed_head()}; }

bool IsReached(const v1::SiteReport& report, const std::optional<FedUpTo>& fed) {
  return fed.has_value() && fed->instance == report.instance() && fed->position >= report.feed_head() &&
         fed->withdrawals == report.withdrawals();
}

}  // namespace

void HeldReports::Follow(const Heard& heard, const Reader& here) {
  const auto held = [&] { return held_[heard.site].number; };
  const v1::SiteReport& told = heard.report;
  while (told.number() > held()) {
    v1::SiteReport& awaited = awaited_.try_emplace(heard.site, told).first->second;
    const bool outdated = awaited.number() <= held() || awaited.instance() != told.instance() ||
                          awaited.withdrawals() != told.withdrawals();
    if (outdated) awaited = told;
    if (!IsReached(awaited, heard.fed)) break;
    const v1::SiteReport reached = std::move(awaited);
    awaited_.erase(heard.site);
    Fulfil({heard.site, reached, heard.fed, heard.is_antenna}, here);
    if (held() < reached.number()) break;
  }
}

void HeldReports::Fulfil(const Heard& heard, const Reader& here) {
  const v1::SiteReport& report = heard.report;
  const absl::StatusOr<Scope> theirs = Scope::Parse(report.holds());
  if (!theirs.ok() || report.waiting() > 0) return;
  const bool contains_this = theirs->Contains(here.territory);
  if (report.leaving() == 0 && (here.territory.everything() || contains_this)) Raise(heard.site, HeldOf(report));
  if (!contains_this || !heard.is_antenna) return;
  for (const v1::HeldReport& held : report.held()) {
    const std::optional<SiteId> author = SiteId::FromBytes(held.site());
    if (!author.has_value() || *author == here.site || *author == heard.site) continue;
    Raise(*author, {held.number(), held.time(), held.position()});
  }
}

void HeldReports::Raise(const SiteId& site, const Held& to) {
  Held& held = held_[site];
  if (to.number > held.number) held = to;
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
