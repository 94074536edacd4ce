#include "server/membership_audit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "proto/absl_view.h"

namespace maillage::server {
namespace {

using replication::Membership;

std::string NameOf(const Membership& membership, const SiteId& site) {
  const replication::Member* const member = membership.Find(site);
  return member == nullptr ? FormatSiteId(site) : member->name;
}

std::string SignerOf(const Membership& membership, const std::string& key) {
  if (key == membership.recovery_key()) return "la clé de secours";
  for (const auto& [site, member] : membership.members()) {
    if (member.authority_key == key) return member.name;
  }
  return "une clé remplacée";
}

std::string SignersOf(const Membership& membership, const v1::SignedEntry& entry) {
  std::vector<std::string> signers;
  for (const v1::EntrySignature& signature : entry.signature()) signers.push_back(SignerOf(membership, signature.key()));
  return signers.empty() ? "" : absl::StrCat(" ; signé par ", absl::StrJoin(signers, " et "));
}

// As whoever signed it says.
std::string DateText(uint64_t millis) {
  return absl::FormatTime("%d/%m/%Y %H:%M UTC", absl::FromUnixMillis(static_cast<int64_t>(millis)), absl::UTCTimeZone());
}

std::string RightsText(const v1::Enrolment& enrolment) {
  const std::string territory = enrolment.territory().empty() ? "tout" : enrolment.territory();
  return absl::StrCat(replication::RoleName(enrolment.role()), ", ", territory);
}

void Describe(const Membership& membership, const v1::MembershipEntry& entry, AuditEvent& event) {
  switch (entry.body_case()) {
    case v1::MembershipEntry::kFounding:
      event.action = "founded";
      event.subject = entry.founding().antenna().name();
      event.detail = absl::StrCat("réseau ", entry.founding().network_name());
      break;
    case v1::MembershipEntry::kEnrolment:
      event.action = entry.enrolment().revision() == 0 ? "enrolled" : "rights";
      event.subject = entry.enrolment().name();
      event.detail = RightsText(entry.enrolment());
      break;
    case v1::MembershipEntry::kRevocation:
      event.action = "revocation";
      event.subject = NameOf(membership, *SiteId::FromBytes(entry.revocation().site()));
      event.detail = entry.revocation().reason();
      break;
    case v1::MembershipEntry::kEquivocation:
      event.action = "equivocation";
      event.subject = NameOf(membership, replication::SiteIdOf(entry.equivocation().key()));
      event.detail = "a signé deux modifications contradictoires : copie de sa machine, ou faussaire";
      break;
    default:
      event.action = "entry";
      break;
  }
}

}  // namespace

std::vector<AuditEvent> MembershipEvents(const Membership& membership, uint64_t now_millis) {
  std::vector<std::pair<uint64_t, AuditEvent>> dated;
  const v1::MembershipLog log = membership.Log();
  for (const v1::SignedEntry& signed_entry : log.entry()) {
    v1::MembershipEntry entry;
    if (!entry.ParseFromString(signed_entry.entry())) continue;
    AuditEvent event;
    event.millis = now_millis;
    event.person = entry.person();
    Describe(membership, entry, event);
    absl::StrAppend(&event.detail, SignersOf(membership, signed_entry), " ; daté du ", DateText(entry.time()));
    event.key = absl::StrCat("member/", absl::BytesToHexString(ToAbsl(replication::EntryId(signed_entry.entry()))), "/",
                             signed_entry.signature_size());
    dated.emplace_back(entry.time(), std::move(event));
  }
  std::stable_sort(dated.begin(), dated.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<AuditEvent> events;
  for (auto& [time, event] : dated) events.push_back(std::move(event));
  return events;
}

}  // namespace maillage::server
