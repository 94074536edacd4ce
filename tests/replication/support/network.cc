#include "tests/replication/support/network.h"

#include <utility>

#include "replication/change_signature.h"

namespace maillage::replication::testing {

TestNetwork::TestNetwork(uint64_t seed)
    : random(seed),
      lyon(SigningKey::Generate(random)),
      lyon_authority(SigningKey::Generate(random)),
      recovery(SigningKey::Generate(random)) {
  v1::MembershipEntry entry;
  entry.set_time(kMorning);
  entry.set_person("Awa");
  v1::Founding& founding = *entry.mutable_founding();
  founding.set_nonce(std::string(16, '\x5a'));
  founding.set_network_name("RESACOOP");
  founding.set_recovery_key(recovery.public_key());
  founding.mutable_antenna()->set_key(lyon.public_key());
  founding.mutable_antenna()->set_name("lyon");
  founding.mutable_antenna()->set_role(v1::ROLE_ANTENNA);
  founding.mutable_antenna()->set_authority_key(lyon_authority.public_key());
  *file.mutable_log()->add_entry() = SignAll(entry, {&lyon_authority, &recovery});
  file.set_network(std::string(NetworkOf(file.log().entry(0).entry()).bytes()));
}

std::string TestNetwork::Signed(const Change& change, const SigningKey& key) const {
  std::string bytes = EncodeChange(change);
  SignChange(key, id(), bytes);
  return bytes;
}

v1::SignedEntry TestNetwork::SignAll(const v1::MembershipEntry& entry, const Signers& signers) const {
  v1::SignedEntry signed_entry;
  signed_entry.set_entry(entry.SerializeAsString());
  for (const SigningKey* signer : signers) Sign(*signer, signed_entry);
  return signed_entry;
}

v1::MembershipEntry TestNetwork::Entry() const {
  v1::MembershipEntry entry;
  entry.set_network(file.network());
  entry.set_time(kMorning);
  entry.set_person("Awa");
  return entry;
}

const v1::SignedEntry& TestNetwork::Enrol(const std::string& name, v1::Role role, const std::string& territory,
                                          const SigningKey& key, const SigningKey* authority, Signers signers,
                                          uint32_t revision) {
  v1::MembershipEntry entry = Entry();
  v1::Enrolment& enrolment = *entry.mutable_enrolment();
  enrolment.set_key(key.public_key());
  enrolment.set_name(name);
  enrolment.set_role(role);
  enrolment.set_territory(territory);
  if (authority != nullptr) enrolment.set_authority_key(authority->public_key());
  enrolment.set_revision(revision);
  if (signers.empty()) signers = {&lyon_authority};
  return *file.mutable_log()->add_entry() = SignAll(entry, signers);
}

const v1::SignedEntry& TestNetwork::Revoke(const SiteId& site, const std::vector<v1::LastValid>& last,
                                           const std::vector<std::string>& kept, const Signers& signers) {
  v1::MembershipEntry entry = Entry();
  v1::Revocation& revocation = *entry.mutable_revocation();
  revocation.set_site(std::string(site.bytes()));
  for (const v1::LastValid& one : last) *revocation.add_last() = one;
  for (const std::string& id : kept) revocation.add_kept_entry(id);
  revocation.set_reason("ordinateur volé");
  return *file.mutable_log()->add_entry() = SignAll(entry, signers);
}

}  // namespace maillage::replication::testing
