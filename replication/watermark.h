// "Everything written before 14:02 is on all sites": what follows from the reports that are here (site_reports.h), and from
// nothing else. What they don't prove is unknown.
#ifndef MAILLAGE_REPLICATION_WATERMARK_H_
#define MAILLAGE_REPLICATION_WATERMARK_H_

#include <cstdint>
#include <map>
#include <optional>

#include "proto/id.h"
#include "replication/held_reports.h"
#include "replication/replica.h"

namespace maillage::replication {

// How complete a site is. Times are those of the reports' authors, milliseconds since 1970.
struct Completeness {
  // What anybody had written before is on that site, as far as its territory goes. Nothing where that isn't known.
  std::optional<uint64_t> until_millis;
  // Of whom it has the oldest, or nothing that is known.
  SiteId held_back_by;
  // Which report of the asking site it has fulfilled; nothing where none is known.
  std::optional<HeldReports::Held> of_here;
};

struct Watermark {
  // Each member that isn't revoked.
  std::map<SiteId, Completeness> sites;
  // Of all of them; nothing where it isn't known of one.
  std::optional<uint64_t> everywhere_millis;
};

// As the replica's site sees it, as of its last commit; empty where it belongs to no network.
Watermark WatermarkOf(const Replica& replica, uint64_t now_millis);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_WATERMARK_H_
