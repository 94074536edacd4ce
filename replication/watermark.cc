#include "replication/watermark.h"

#include <algorithm>

namespace maillage::replication {
namespace {

using Held = std::map<SiteId, HeldReports::Held>;

// What a site says that it holds; nothing where nothing of it can be believed.
std::optional<Held> HeldBy(const Replica& replica, const SiteId& site) {
  if (site == replica.identity().site) {
    return replica.lost().empty() ? std::optional<Held>(replica.held_reports().held()) : std::nullopt;
  }
  const SiteReports::Entry* const entry = replica.reports().Find(site);
  if (entry == nullptr || entry->body.waiting() > 0) return std::nullopt;
  Held held;
  for (const v1::HeldReport& told : entry->body.held()) {
    held[*SiteId::FromBytes(told.site())] = {told.number(), told.time(), told.position()};
  }
  return held;
}

// Until when a site has what the author wrote.
std::optional<uint64_t> UntilMillis(const Replica& replica, const SiteId& author, const Held& held, uint64_t now_millis) {
  const auto found = held.find(author);
  if (found == held.end() || found->second.number == 0) return std::nullopt;
  const SiteReports::Entry* const own = replica.reports().Find(author);
  // Nothing was written here since the report that it has: it has all there is.
  const bool has_all = author == replica.identity().site && own != nullptr &&
                       own->body.number() == found->second.number &&
                       own->body.feed_head() == replica.progress().feed_head;
  return has_all ? now_millis : found->second.millis;
}

Completeness CompletenessOf(const Replica& replica, const SiteId& site, uint64_t now_millis) {
  Completeness completeness;
  const std::optional<Held> held = HeldBy(replica, site);
  if (!held.has_value()) return completeness;
  if (const auto here = held->find(replica.identity().site); here != held->end() && here->second.number > 0) {
    completeness.of_here = here->second;
  }
  std::optional<uint64_t> oldest = now_millis;
  for (const auto& [author, member] : replica.membership()->members()) {
    if (member.revoked || member.may_write.empty() || author == site || !oldest.has_value()) continue;
    const std::optional<uint64_t> until = UntilMillis(replica, author, *held, now_millis);
    if (until.has_value() && *until >= *oldest) continue;
    oldest = until;
    completeness.held_back_by = author;
  }
  completeness.until_millis = oldest;
  return completeness;
}

}  // namespace

Watermark WatermarkOf(const Replica& replica, uint64_t now_millis) {
  Watermark watermark;
  std::optional<uint64_t> everywhere = now_millis;
  for (const auto& [site, member] : replica.membership()->members()) {
    if (member.revoked) continue;
    const Completeness& completeness = watermark.sites[site] = CompletenessOf(replica, site, now_millis);
    const bool known = everywhere.has_value() && completeness.until_millis.has_value();
    everywhere = known ? std::optional(std::min(*everywhere, *completeness.until_millis)) : std::nullopt;
  }
  if (!watermark.sites.empty()) watermark.everywhere_millis = everywhere;
  return watermark;
}

}  // namespace maillage::replication
