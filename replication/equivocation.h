// Two changes of one author that can't both be: proof that a data folder or a key exists twice, or that somebody lies (Chun et
// al., "Attested Append-Only Memory: Making Adversaries Stick to their Word", 2007, section 2, call it equivocation). Whoever
// holds both can show them to anybody.
#ifndef MAILLAGE_REPLICATION_EQUIVOCATION_H_
#define MAILLAGE_REPLICATION_EQUIVOCATION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "proto/membership.pb.h"
#include "replication/membership.h"

namespace maillage::replication {

// Of two signed changes, neither of which shows its values. InvalidArgument where they can't be shown without.
absl::StatusOr<v1::Equivocation> ProveEquivocation(std::string_view key, std::string_view first, std::string_view second);

// Whether both changes are signed by the key in this network, are by one actor to one record, and contradict each other: they
// have one number and another hash, or the second comes next and says that it follows another change than the first.
bool IsEquivocation(const NetworkId& network, const v1::Equivocation& proof);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_EQUIVOCATION_H_
