// What antennas write into the membership log.
#ifndef MAILLAGE_SERVER_TRUST_ENTRIES_H_
#define MAILLAGE_SERVER_TRUST_ENTRIES_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "replication/membership.h"
#include "replication/ports.h"
#include "replication/signing.h"

namespace maillage::server {

// Who writes an entry, and when: for people.
struct EntryOrigin {
  std::string person;
  // Since 1970.
  uint64_t now_millis = 0;
};

v1::SignedEntry SignEntry(const v1::MembershipEntry& entry,
                          std::initializer_list<const replication::SigningKey*> signers);

// A network of one antenna. `recovery` stands for a second one until there is.
v1::NetworkFile FoundNetwork(const std::string& network_name, const std::string& site_name,
                             const replication::SigningKey& site, const replication::SigningKey& authority,
                             const replication::SigningKey& recovery, const EntryOrigin& origin,
                             replication::Random& random);

// A member's entry, not yet signed, with a revision after all that are known of this key. `territory` as
// replication/scope.h writes it. InvalidArgument, in French, where role and territory don't fit;
// AlreadyExists where another site in good standing has the name.
absl::StatusOr<v1::MembershipEntry> EnrolmentEntry(const replication::Membership& membership,
                                                   const v1::Enrolment& wanted, const EntryOrigin& origin);

// The site is out, with what it wrote up to `last` and, of an antenna, all that it signed so far kept.
v1::MembershipEntry RevocationEntry(const replication::Membership& membership, const replication::Member& member,
                                    const v1::Revocation& last, const std::string& reason,
                                    const EntryOrigin& origin);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_ENTRIES_H_
