#include "tests/fuzz/sync_fixture.h"

#include <string>
#include <vector>

#include "replication/edit.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/literals.h"

namespace maillage::fuzz {
namespace {

using namespace replication;
using namespace replication::testing;

constexpr uint16_t kActor = 1;
constexpr uint16_t kProject = 2;
constexpr uint16_t kEvent = 3;

Operation InTerritory(Operation operation) {
  operation.territory = true;
  return operation;
}

// Eighteen actors make a trie node of more than a leaf.
std::unique_ptr<Site> MadeSite() {
  auto site = std::make_unique<Site>('s');
  for (uint64_t i = 1; i <= 18; ++i) {
    site->Write({kActor, IdOf(i)}, {Put(1, "Amis du Mali " + std::to_string(i)),
                                    InTerritory(Put(11, i % 2 == 0 ? "73" : "69")),
                                    InTerritory(AddElement(12, "42"))});
  }
  site->Write({kProject, IdOf(1)}, {Put(1, "Eau"), Put(20, "12", v1::MAP, "osiris")});
  site->Write({kEvent, IdOf(1)}, {Put(1, "Webinaire"), AddElement(5, "2021-02-01")});
  const VersionVector seen = site->State({kEvent, IdOf(1)}).vector();
  site->Write({kEvent, IdOf(1)}, {DeleteOperation(seen)});
  return site;
}

std::unique_ptr<Site> MadePeer() {
  auto peer = std::make_unique<Site>('p');
  const std::unique_ptr<Site> site = SiteWithRecords();
  // Half of the records came as changes, some as whole states, and a few are only here.
  const std::vector<std::string> feed = site->Feed();
  for (size_t i = 0; i < feed.size(); i += 2) peer->Receive(feed[i]);
  for (uint64_t i = 2; i <= 6; i += 2) peer->MergeFrom(*site, {kActor, IdOf(i)});
  peer->Write({kActor, IdOf(1)}, {Put(1, "Les Amis du Mali"), Put(29, "2021-02", v1::MAX)});
  for (uint64_t i = 101; i <= 102; ++i) {
    peer->Write({kActor, IdOf(i)}, {Put(1, "RESACOOP"), InTerritory(AddElement(12, "69")),
                                    InTerritory(AddElement(12, "73"))});
  }
  peer->Write({300, IdOf(1)}, {Put(7, "of a later version"), Put(8, "-5", v1::COUNTER)});
  return peer;
}

constexpr uint64_t kSeed = 7;

}  // namespace

std::unique_ptr<Site> EmptySite() {
  static const Site* const site = new Site('s');
  return site->Clone(kSeed, true);
}

std::unique_ptr<Site> SiteWithRecords() {
  static const Site* const site = MadeSite().release();
  return site->Clone(kSeed, true);
}

std::unique_ptr<Site> Neighbour() {
  static const Site* const site = [] {
    auto* made = new Site('n');
    made->Receive(Site('z').Write({kActor, IdOf(201)}, {Put(1, "ADOS")}));
    return made;
  }();
  return site->Clone(kSeed, true);
}

std::unique_ptr<Site> PeerWithRecords() {
  static const Site* const site = MadePeer().release();
  return site->Clone(kSeed, true);
}

}  // namespace maillage::fuzz
