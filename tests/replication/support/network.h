// A network whose keys the test holds: what antennas sign, without antennas.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_NETWORK_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/membership.pb.h"
#include "replication/change.h"
#include "replication/membership.h"
#include "replication/signing.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {

using Signers = std::vector<const SigningKey*>;

class TestNetwork {
 public:
  // Founded by an antenna "lyon".
  explicit TestNetwork(uint64_t seed);

  NetworkId id() const { return *NetworkId::FromBytes(file.network()); }
  // A member's entry, signed by Lyon's authority unless told otherwise; in the log.
  const v1::SignedEntry& Enrol(const std::string& name, v1::Role role, const std::string& territory,
                               const SigningKey& key, const SigningKey* authority = nullptr, Signers signers = {},
                               uint32_t revision = 0);
  const v1::SignedEntry& Revoke(const SiteId& site, const std::vector<v1::LastValid>& last,
                                const std::vector<std::string>& kept, const Signers& signers);
  // A change's bytes, signed by the key in this network.
  std::string Signed(const Change& change, const SigningKey& key) const;
  v1::SignedEntry SignAll(const v1::MembershipEntry& entry, const Signers& signers) const;
  v1::MembershipEntry Entry() const;
  Membership Opened() const { return *Membership::Of(id(), file.log()); }

  SeededRandom random;
  SigningKey lyon;
  SigningKey lyon_authority;
  SigningKey recovery;
  // With everything that was signed.
  v1::NetworkFile file;
};

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_NETWORK_H_
