// Which reports of others a site has fulfilled: what "everything written before 14:02 is here" is computed from.
#ifndef MAILLAGE_REPLICATION_HELD_REPORTS_H_
#define MAILLAGE_REPLICATION_HELD_REPORTS_H_

#include <cstdint>
#include <map>
#include <optional>

#include "proto/id.h"
#include "proto/site_report.pb.h"
#include "replication/scope.h"

namespace maillage::replication {

// How far the feed of an opening of a peer's store is here, and how often it had withdrawn what it told by then (Replica::withdrawals).
struct FedUpTo {
  uint64_t instance = 0;
  uint64_t position = 0;
  uint64_t withdrawals = 0;
};

// A report is fulfilled once all that its site held then is here, as far as the territory of this site goes. That is known
//  1. where the site's feed is here up to the report's head, as the two found in a session with the very opening of the store that
//     made the report, and what they share leaves out nothing: one of them holds everything that the other does, and the site
//     has nothing that lies outside of its own territory, and withdrew nothing between the report and that position;
//  2. where an antenna says so in a report that is fulfilled itself, and its territory contains this one's. A relay's word on
//     others doesn't count: one that lies would have everybody repeat it.
// Nothing is believed of a site while it lacks records that a repair gave up. What sites hold are the rows of a matrix clock (Wuu
// and Bernstein, "Efficient Solutions to the Replicated Log and Dictionary Problems", 1984): each tells its own, and reads the
// others'. A value.
class HeldReports {
 public:
  // What is known of the report that was fulfilled last.
  struct Held {
    uint64_t number = 0;
    // Of the report: its time, milliseconds since 1970, and its feed_head.
    uint64_t millis = 0;
    uint64_t position = 0;
  };

  // Of another site: its report that came last, how far its feed is here (if that is known), and whether it is an antenna.
  struct Heard {
    SiteId site;
    const v1::SiteReport& report;
    std::optional<FedUpTo> fed;
    bool is_antenna = false;
  };
  // This site, and its territory.
  struct Reader {
    SiteId site;
    const Scope& territory;
  };
  void Follow(const Heard& heard, const Reader& here);
  // From what this site told itself, as far as it still is about this territory.
  void Restore(const v1::SiteReport& own);
  // The territory was widened: nothing is known of what came with it.
  void Clear();

  const std::map<SiteId, Held>& held() const { return held_; }

 private:
  void Fulfil(const Heard& heard, const Reader& here);
  void Raise(const SiteId& site, const Held& to);

  std::map<SiteId, Held> held_;
  // The first report since the one that is held: reports come faster than a slow line brings what they are about, and the
  // newest alone would never be fulfilled.
  std::map<SiteId, v1::SiteReport> awaited_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_HELD_REPORTS_H_
