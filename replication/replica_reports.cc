// What sites tell of themselves, as the replica keeps it. README.md, "What sites tell of themselves".
#include <algorithm>
#include <utility>
#include <vector>

#include "replication/replica.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

void TellHeld(const std::map<SiteId, HeldReports::Held>& held, v1::SiteReport& report) {
  std::vector<std::pair<SiteId, HeldReports::Held>> newest(held.begin(), held.end());
  std::erase_if(newest, [](const auto& one) { return one.second.number == 0; });
  std::sort(newest.begin(), newest.end(), [](const auto& a, const auto& b) { return a.second.millis > b.second.millis; });
  if (newest.size() > kMaxHeldReports) newest.resize(kMaxHeldReports);
  std::sort(newest.begin(), newest.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [site, one] : newest) {
    v1::HeldReport* const told = report.add_held();
    told->set_site(std::string(site.bytes()));
    told->set_number(one.number);
    told->set_time(one.millis);
    told->set_position(one.position);
  }
}

std::string HoldsText(const Scope& scope) { return scope.everything() ? "" : scope.ToText(); }

}  // namespace

absl::Status Replica::LoadReports() {
  reports_ = SiteReports();
  held_.Clear();
  unsaved_reports_.clear();
  fed_.clear();
  sites_to_follow_.clear();
  if (!membership_->founded()) return absl::OkStatus();
  auto rows = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kReportPrefix));
  // What is damaged comes again from any peer.
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    v1::SignedSiteReport told;
    if (told.ParseFromString(std::string(rows->value()))) reports_.Add(*membership_, told).IgnoreError();
  }
  if (!rows->status().ok()) return rows->status();
  const SiteReports::Entry* const own = reports_.Find(identity_.site);
  if (own != nullptr && own->body.holds() == HoldsText(scope_)) held_.Restore(own->body);
  for (const auto& [site, entry] : reports_.entries()) sites_to_follow_.insert(site);
  return absl::OkStatus();
}

absl::StatusOr<SiteReports::Entry> Replica::AddReport(const v1::SignedSiteReport& told) {
  absl::StatusOr<bool> added = reports_.Add(*membership_, told);
  if (!added.ok()) return added.status();
  v1::SiteReport body;
  body.ParseFromString(told.report());
  const SiteId site = *SiteId::FromBytes(body.site());
  if (*added) {
    unsaved_reports_.insert(site);
    sites_to_follow_.insert(site);
  }
  return *reports_.Find(site);
}

void Replica::FollowReports() {
  for (const auto& [peer, position] : std::exchange(open_fed_, {})) {
    fed_[peer] = position;
    sites_to_follow_.insert(peer);
  }
  for (const SiteId& site : std::exchange(sites_to_follow_, {})) {
    const SiteReports::Entry* const entry = reports_.Find(site);
    if (entry == nullptr || site == identity_.site) continue;
    const auto fed = fed_.find(site);
    const Member* const member = membership_->Find(site);
    held_.Follow({site, entry->body, fed != fed_.end() ? std::optional(fed->second) : std::nullopt,
                  member != nullptr && member->role == v1::ROLE_ANTENNA},
                 {identity_.site, scope_});
  }
}

bool Replica::ReportIsOutdated() const {
  if (!Signs()) return false;
  const SiteReports::Entry* const own = reports_.Find(identity_.site);
  if (own == nullptr) return true;
  const v1::SiteReport& told = own->body;
  if (told.feed_head() != committed_.feed_head || told.instance() != instance_ ||
      told.holds() != HoldsText(scope_) || told.leaving() != leaving_ || told.withdrawals() != withdrawals_ || told.waiting() != lost_.size()) {
    return true;
  }
  // Not where it is but the time of another report: each would call for one of every other site, forever.
  v1::SiteReport now;
  TellHeld(held_.held(), now);
  const auto same = [](const v1::HeldReport& a, const v1::HeldReport& b) {
    return a.site() == b.site() && a.position() == b.position();
  };
  return !std::equal(told.held().begin(), told.held().end(), now.held().begin(), now.held().end(), same);
}

void Replica::PublishReport(const v1::SiteFacts& facts) {
  if (!Signs() || failed_) return;
  // Perhaps one of before this site was restored, which a peer has kept.
  const SiteReports::Entry* const last = reports_.Find(identity_.site);
  v1::SiteReport report;
  report.set_network(std::string(membership_->network().bytes()));
  report.set_site(std::string(committed_identity_.site.bytes()));
  report.set_time(wall_->NowMillis());
  // The time, where it grows: a site that came back from a backup is then ahead of what it told before.
  report.set_number(std::max(report.time(), last != nullptr ? last->body.number() + 1 : 1));
  report.set_instance(instance_);
  report.set_feed_head(committed_.feed_head);
  report.set_holds(HoldsText(scope_));
  report.set_digest(tree_.Digest());
  TellHeld(held_.held(), report);
  for (const auto& [kind, counts] : committed_.kinds) {
    v1::ReportedKind* const told = report.add_kind();
    told->set_kind(kind);
    told->set_records(counts.alive);
    told->set_deleted(counts.deleted);
  }
  report.set_conflicts(committed_.conflicts);
  report.set_quarantined(committed_.quarantined);
  report.set_leaving(leaving_);
  report.set_waiting(lost_.size());
  report.set_withdrawals(withdrawals_);
  *report.mutable_facts() = facts;
  // Refused where this site was revoked: nobody else would take it either.
  if (AddReport(SignReport(*key_, report)).ok()) KeepReports();
}

void Replica::KeepReports() {
  for (const SiteId& site : std::exchange(unsaved_reports_, {})) {
    const SiteReports::Entry* const entry = reports_.Find(site);
    PutMeta(storage::ReportKey(site),
            entry == nullptr ? std::nullopt : std::optional<std::string>(entry->told.SerializeAsString()));
  }
}

}  // namespace maillage::replication
