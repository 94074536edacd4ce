// The sites of the sync target, the same each time: what is found with one input is found again with it.
#ifndef MAILLAGE_TESTS_FUZZ_SYNC_FIXTURE_H_
#define MAILLAGE_TESTS_FUZZ_SYNC_FIXTURE_H_

#include <memory>

#include "tests/replication/support/site.h"

namespace maillage::fuzz {

// The site that the frames are sent to.
std::unique_ptr<replication::testing::Site> EmptySite();
// The same with records of all kinds, one of them deleted, one with two versions, in several territories.
std::unique_ptr<replication::testing::Site> SiteWithRecords();
// A third one, which meets it afterwards. It holds a record of somebody else's, so that it can't ask for a feed from the
// start: the two have to compare.
std::unique_ptr<replication::testing::Site> Neighbour();
// The peer whose frames seed the corpus: it has some of those records, and others.
std::unique_ptr<replication::testing::Site> PeerWithRecords();

}  // namespace maillage::fuzz

#endif  // MAILLAGE_TESTS_FUZZ_SYNC_FIXTURE_H_
