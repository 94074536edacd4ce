#include "server/fleet_status.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "replication/watermark.h"
#include "server/peer_text.h"
#include "server/site_list.h"

namespace maillage::server {
namespace {

using google::protobuf::Timestamp;
using replication::Member;
using replication::Replica;
using replication::Schema;
using replication::SiteReports;

// 0: it isn't known, or never was.
void SetTime(uint64_t millis, Timestamp* (v1::SiteStanding::*mutable_time)(), v1::SiteStanding& standing) {
  if (millis > 0) SetMillis(millis, (standing.*mutable_time)());
}

std::string NameOf(const Replica& replica, const SiteId& site) {
  const Member* const member = replica.membership()->Find(site);
  return member != nullptr ? member->name : FormatSiteId(site);
}

void DescribeLink(const Replica& replica, const v1::ReportedLink& told, v1::SiteLink& link) {
  const SiteId site = *SiteId::FromBytes(told.site());
  link.set_site(NameOf(replica, site));
  link.set_site_id(FormatSiteId(site));
  const bool is_known = v1::PeerStatus::State_IsValid(static_cast<int>(told.state()));
  link.set_state(is_known ? static_cast<v1::PeerStatus::State>(told.state()) : v1::PeerStatus::UNKNOWN);
  if (told.last_contact_time() > 0) SetMillis(told.last_contact_time(), link.mutable_last_contact_time());
  if (told.last_agreement_time() > 0) SetMillis(told.last_agreement_time(), link.mutable_last_agreement_time());
  link.set_pending_changes(told.pending());
}

void DescribeFacts(const v1::SiteFacts& facts, v1::SiteStanding& standing) {
  standing.set_version(facts.version());
  SetTime(facts.start_time(), &v1::SiteStanding::mutable_start_time, standing);
  SetTime(facts.backup_time(), &v1::SiteStanding::mutable_backup_time, standing);
  SetTime(facts.certificate_time(), &v1::SiteStanding::mutable_certificate_expire_time, standing);
  standing.set_disk_bytes(facts.disk_bytes());
  standing.set_free_disk_bytes(facts.free_disk_bytes());
  standing.set_read_only_reason(facts.read_only_reason());
}

void DescribeReport(const Schema& schema, const Replica& replica, const v1::SiteReport& report,
                    v1::SiteStanding& standing) {
  SetMillis(report.time(), standing.mutable_report_time());
  standing.set_scope(ScopeText(schema, replication::Scope::Parse(report.holds()).value_or(replication::Scope())));
  standing.set_feed_head(report.feed_head());
  standing.set_conflicts(static_cast<int64_t>(report.conflicts()));
  standing.set_quarantined(static_cast<int64_t>(report.quarantined()));
  standing.set_leaving_records(report.leaving());
  standing.set_waiting_records(report.waiting());
  standing.set_root(absl::BytesToHexString(report.digest()));
  for (const v1::ReportedKind& kind : report.kind()) {
    v1::KindCount* const count = standing.add_kinds();
    count->set_kind(KindName(schema, kind.kind()));
    count->set_records(static_cast<int64_t>(kind.records()));
    count->set_deleted(static_cast<int64_t>(kind.deleted()));
  }
  DescribeFacts(report.facts(), standing);
  for (const v1::ReportedLink& link : report.facts().link()) DescribeLink(replica, link, *standing.add_links());
}

// This site knows of itself what is so now.
void DescribeHere(const v1::NodeStatus& status, uint64_t now, v1::SiteStanding& standing) {
  standing.set_here(true);
  SetMillis(now, standing.mutable_report_time());
  standing.set_version(status.version());
  standing.set_scope(status.scope());
  *standing.mutable_start_time() = status.start_time();
  if (status.has_backup_time()) *standing.mutable_backup_time() = status.backup_time();
  if (status.has_certificate_expire_time()) *standing.mutable_certificate_expire_time() = status.certificate_expire_time();
  standing.set_disk_bytes(status.disk_bytes());
  standing.set_free_disk_bytes(status.free_disk_bytes());
  standing.set_read_only_reason(status.read_only_reason());
  *standing.mutable_kinds() = status.kinds();
  standing.set_feed_head(status.feed_head());
  standing.set_conflicts(status.conflicts());
  standing.set_quarantined(status.quarantined());
  standing.set_leaving_records(status.leaving_records());
  standing.set_waiting_records(status.waiting_records());
  standing.set_root(status.root());
}

// Of this node's feed: the further of what the site told of all that it holds, and what it has confirmed here.
void DescribeLack(const PeerHub& hub, uint64_t confirmed, const replication::Completeness& completeness, uint64_t head,
                  v1::SiteStanding& standing) {
  const uint64_t told = completeness.of_here.has_value() ? completeness.of_here->position : 0;
  const uint64_t position = std::min(std::max(told, confirmed), head);
  if (position == 0 && head > 0) return;
  standing.set_lacking_changes(head - position);
  SetTime(hub.SavedAfter(position), &v1::SiteStanding::mutable_lacking_since_time, standing);
}

}  // namespace

std::string KindName(const Schema& schema, uint32_t number) {
  const replication::KindSchema* const kind = schema.FindKind(static_cast<uint16_t>(number));
  return kind != nullptr && number == kind->number ? kind->name : absl::StrFormat("kind-%d", number);
}

void DescribeFleet(const Schema& schema, const Replica& replica, const PeerHub& hub, v1::NodeStatus& status) {
  const uint64_t now = hub.Now();
  const replication::Watermark watermark = replication::WatermarkOf(replica, now);
  if (watermark.everywhere_millis.has_value()) SetMillis(*watermark.everywhere_millis, status.mutable_everywhere_time());
  std::map<std::string, uint64_t> confirmed;
  for (const v1::PeerStatus& peer : status.peers()) confirmed[peer.site_id()] = peer.stored_position();
  for (const auto& [site, completeness] : watermark.sites) {
    const Member& member = *replica.membership()->Find(site);
    v1::SiteStanding& standing = *status.add_fleet();
    standing.set_site(member.name);
    standing.set_site_id(FormatSiteId(site));
    standing.set_role(member.role);
    const SiteReports::Entry* const told = replica.reports().Find(site);
    if (site == replica.identity().site) {
      DescribeHere(status, now, standing);
      for (const v1::ReportedLink& link : hub.ReportedLinks()) DescribeLink(replica, link, *standing.add_links());
    } else {
      if (told != nullptr) DescribeReport(schema, replica, told->body, standing);
      DescribeLack(hub, confirmed[standing.site_id()], completeness, status.feed_head(), standing);
    }
    if (completeness.until_millis.has_value()) SetMillis(*completeness.until_millis, standing.mutable_complete_time());
    if (!completeness.held_back_by.empty()) standing.set_complete_up_to_site(NameOf(replica, completeness.held_back_by));
  }
  std::sort(status.mutable_fleet()->begin(), status.mutable_fleet()->end(),
            [](const v1::SiteStanding& a, const v1::SiteStanding& b) { return a.site() < b.site(); });
}

}  // namespace maillage::server
