// Who may write what. A change is judged by itself, by what its author had read of the record, and by the enrolments of its
// author: never by a clock, nor by what else the judge holds. So all sites decide alike, in any order of arrival.
#ifndef MAILLAGE_REPLICATION_RIGHTS_H_
#define MAILLAGE_REPLICATION_RIGHTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "replication/change.h"
#include "replication/membership.h"

namespace maillage::replication {

// Whether some enrolment of the site lets it write all there is: an antenna's does, and that of a relay without a territory.
bool MayWriteEverything(const Member& author);

// PermissionDenied, for people, in French, where `author` may not write the change. `read_in`: in which territories the record
// lay as they had read it; of no importance where they had read nothing, which makes a new record.
//   1. A record of the list of sites is written by its own site, and by who may write everything.
//   2. A new record bears an id that its author made (record_id.h), and lies in one of its territories, or in none.
//   3. Any other record lay, as its author had read it, in one of its territories, or in none. It may be moved out of them.
absl::Status CheckRights(const Member& author, const Change& change, const std::vector<std::string>& read_in);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RIGHTS_H_
