#include "replication/report_talk.h"

#include <algorithm>

#include "replication/tuning.h"

namespace maillage::replication {

uint64_t ReportTalk::Remember() {
  if (!remembered_) {
    remembered_ = true;
    digest_ = replica_->reports().digest();
    told_version_ = replica_->reports().version();
  }
  return digest_;
}

void ReportTalk::Compare(uint64_t theirs) {
  Remember();
  informed_ = theirs == digest_;
  list_due_ = !informed_;
  if (!informed_) told_version_ = 0;
}

absl::Status ReportTalk::OnReports(const v1::SiteReports& frame) {
  if (static_cast<size_t>(frame.known_size()) > kMaxMembershipEntries) {
    return absl::InvalidArgumentError("reports of more sites than a network has");
  }
  for (const v1::KnownReport& known : frame.known()) {
    const std::optional<SiteId> site = SiteId::FromBytes(known.site());
    if (!site.has_value()) return absl::InvalidArgumentError("a report of no site");
    uint64_t& number = known_[*site];
    number = std::max(number, known.number());
  }
  informed_ = informed_ || frame.lists();
  for (const v1::SignedSiteReport& told : frame.report()) {
    const absl::StatusOr<SiteReports::Entry> added = replica_->AddReport(told);
    if (!added.ok()) continue;
    uint64_t& number = known_[*SiteId::FromBytes(added->body.site())];
    number = std::max(number, added->body.number());
  }
  return absl::OkStatus();
}

void ReportTalk::List(v1::SiteReports& frame) const {
  frame.set_lists(true);
  for (const auto& [site, entry] : replica_->reports().entries()) {
    v1::KnownReport* const known = frame.add_known();
    known->set_site(std::string(site.bytes()));
    known->set_number(entry.body.number());
  }
}

bool ReportTalk::Fill(v1::SyncFrame* frame) {
  if (list_due_) {
    list_due_ = false;
    List(*frame->mutable_reports());
    return true;
  }
  const SiteReports& reports = replica_->reports();
  if (!informed_ || told_version_ == reports.version()) return false;
  size_t bytes = 0;
  for (auto next = reports.After(told_version_); next != reports.end() && bytes < kFrameBytes; ++next) {
    told_version_ = next->first;
    const SiteReports::Entry& entry = *reports.Find(next->second);
    uint64_t& number = known_[next->second];
    if (number >= entry.body.number()) continue;
    number = entry.body.number();
    *frame->mutable_reports()->add_report() = entry.told;
    bytes += entry.told.ByteSizeLong();
  }
  return bytes > 0;
}

}  // namespace maillage::replication
