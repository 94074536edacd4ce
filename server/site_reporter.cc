#include "server/site_reporter.h"

#include <algorithm>

#include "proto/status_service.pb.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using State = v1::PeerStatus;

int NewsOf(uint32_t state) {
  switch (state) {
    case State::SYNCING:
    case State::UP_TO_DATE:
    case State::BEHIND:
      return State::UP_TO_DATE;
    case State::CONNECTING:
    case State::UNKNOWN:
      return State::OFFLINE;
    default:
      return static_cast<int>(state);
  }
}

}  // namespace

bool SiteReporter::IsDue(const Links& links, uint64_t now_millis) const {
  if (told_millis_ == 0 || now_millis < told_millis_) return true;
  const uint64_t since = now_millis - told_millis_;
  const uint64_t sites = replica_->membership()->members().size();
  if (links != told_links_ && since >= kReportLinkMillis + links.size() * kReportMillisPerLink) return true;
  const uint64_t pause = std::max(kReportChangeMillis, sites * kReportMillisPerSite);
  const bool is_active = changed_millis_ > 0 && now_millis - changed_millis_ < kReportAfterglowMillis;
  return since >= kReportIdleMillis || (since >= pause && is_active);
}

void SiteReporter::Tick(const std::vector<v1::ReportedLink>& links, uint64_t now_millis) {
  if (!replica_->membership()->founded()) return;
  Links now;
  for (const v1::ReportedLink& link : links) now[link.site()] = NewsOf(link.state());
  if (replica_->ReportIsOutdated()) changed_millis_ = now_millis;
  if (replica_->HasUnsavedReports() && now_millis - kept_millis_ >= kReportKeepMillis) {
    replica_->KeepReports();
    kept_millis_ = now_millis;
  }
  if (!IsDue(now, now_millis)) return;
  v1::SiteFacts facts = facts_();
  for (const v1::ReportedLink& link : links) *facts.add_link() = link;
  replica_->PublishReport(facts);
  told_links_ = std::move(now);
  told_millis_ = kept_millis_ = now_millis;
}

}  // namespace maillage::server
