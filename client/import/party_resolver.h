// From the names in a cell to the actors they mean, or to texts where that isn't certain.
#ifndef MAILLAGE_CLIENT_IMPORT_PARTY_RESOLVER_H_
#define MAILLAGE_CLIENT_IMPORT_PARTY_RESOLVER_H_

#include <string>
#include <string_view>
#include <vector>

#include "client/import/actor_directory.h"
#include "proto/records.pb.h"

namespace maillage::client {

struct PartySplit {
  // Always cut here, outside of parentheses, unless the whole cell is the name of one actor.
  std::vector<std::string> always;
  // Cut here only if every piece then is the name or the acronym of exactly one actor: " et ".
  std::vector<std::string> if_known;
};

struct ResolvedParty {
  v1::Party party;
  // What the file says.
  std::string text;
  // For people, in French: which actor it is, or why it stays a text.
  std::string explanation;
};

// In the order of the text. A name is an actor where exactly one has it as name or acronym
// (folded), or where "name (acronym)" has both from the same one actor.
std::vector<ResolvedParty> ResolveParties(std::string_view text, const PartySplit& split,
                                          const ActorDirectory& directory);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_PARTY_RESOLVER_H_
