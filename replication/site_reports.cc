#include "replication/site_reports.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/scope.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

absl::Status Refuse(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("rapport d'un site : ", std::string(why)));
}

// The last millisecond of the year 9999: what comes after it can't be shown as a time. Numbers are times, or a little more.
constexpr uint64_t kLastMillis = 253'402'300'799'999;

bool TimesCanBeShown(const v1::SiteReport& report) {
  const v1::SiteFacts& facts = report.facts();
  std::vector<uint64_t> times = {report.time(), report.number(), facts.start_time(), facts.backup_time(),
                                 facts.certificate_time()};
  for (const v1::HeldReport& held : report.held()) times.push_back(held.time());
  for (const v1::ReportedLink& link : facts.link()) {
    times.push_back(link.last_contact_time());
    times.push_back(link.last_agreement_time());
  }
  return *std::max_element(times.begin(), times.end()) <= kLastMillis;
}

absl::StatusOr<v1::SiteReport> Check(const Membership& membership, const v1::SignedSiteReport& told) {
  v1::SiteReport body;
  if (told.report().size() > kMaxReportBytes) return Refuse("trop long");
  if (!body.ParseFromString(told.report())) return Refuse("illisible");
  if (!membership.founded() || body.network() != membership.network().bytes()) return Refuse("d'un autre réseau");
  const auto site = SiteId::FromBytes(body.site());
  const Member* const member = site.has_value() ? membership.Find(*site) : nullptr;
  if (member == nullptr || member->revoked) return Refuse("d'un site qui n'est pas membre");
  if (absl::StatusOr<Scope> holds = Scope::Parse(body.holds()); !holds.ok()) return holds.status();
  for (const v1::HeldReport& held : body.held()) {
    if (held.site().size() != SiteId::kSize) return Refuse("nomme un site qui n'en est pas un");
  }
  for (const v1::ReportedLink& link : body.facts().link()) {
    if (link.site().size() != SiteId::kSize) return Refuse("nomme un site qui n'en est pas un");
  }
  if (!TimesCanBeShown(body)) return Refuse("daté d'après l'an 9999");
  if (!VerifySignature(member->key, kReportDomain, told.report(), told.signature())) {
    return Refuse(absl::StrCat("la signature n'est pas celle de « ", member->name, " »"));
  }
  return body;
}

uint64_t DigestOf(const v1::SignedSiteReport& told) {
  const std::string hash = Hash256(told.report());
  uint64_t digest = 0;
  std::memcpy(&digest, hash.data(), sizeof(digest));
  return digest;
}

}  // namespace

absl::StatusOr<bool> SiteReports::Add(const Membership& membership, const v1::SignedSiteReport& told) {
  absl::StatusOr<v1::SiteReport> body = Check(membership, told);
  if (!body.ok()) return body.status();
  const SiteId site = *SiteId::FromBytes(body->site());
  const auto held = entries_.find(site);
  if (held != entries_.end()) {
    const v1::SiteReport& present = held->second.body;
    const bool newer = present.number() < body->number() ||
                       (present.number() == body->number() && held->second.told.report() < told.report());
    if (!newer) return false;
    Erase(held);
  }
  Entry& entry = entries_[site];
  entry.told = told;
  entry.body = *std::move(body);
  entry.digest = DigestOf(told);
  entry.arrival = ++version_;
  digest_ += entry.digest;
  arrivals_[entry.arrival] = site;
  return true;
}

void SiteReports::Erase(std::map<SiteId, Entry>::iterator entry) {
  digest_ -= entry->second.digest;
  arrivals_.erase(entry->second.arrival);
  entries_.erase(entry);
}

std::set<SiteId> SiteReports::KeepMembers(const Membership& membership) {
  std::set<SiteId> gone;
  for (const auto& [site, entry] : entries_) {
    const Member* const member = membership.Find(site);
    if (member == nullptr || member->revoked) gone.insert(site);
  }
  for (const SiteId& site : gone) Erase(entries_.find(site));
  if (!gone.empty()) ++version_;
  return gone;
}

const SiteReports::Entry* SiteReports::Find(const SiteId& site) const {
  const auto found = entries_.find(site);
  return found != entries_.end() ? &found->second : nullptr;
}

v1::SignedSiteReport SignReport(const SigningKey& key, const v1::SiteReport& report) {
  v1::SignedSiteReport told;
  told.set_report(report.SerializeAsString());
  told.set_signature(key.Sign(kReportDomain, told.report()));
  return told;
}

}  // namespace maillage::replication
