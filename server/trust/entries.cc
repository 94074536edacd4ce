#include "server/trust/entries.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace maillage::server {

using replication::Member;
using replication::Membership;
using replication::SigningKey;

v1::SignedEntry SignEntry(const v1::MembershipEntry& entry, std::initializer_list<const SigningKey*> signers) {
  v1::SignedEntry signed_entry;
  signed_entry.set_entry(entry.SerializeAsString());
  for (const SigningKey* signer : signers) replication::Sign(*signer, signed_entry);
  return signed_entry;
}

v1::NetworkFile FoundNetwork(const std::string& network_name, const std::string& site_name, const SigningKey& site,
                             const SigningKey& authority, const SigningKey& recovery, const EntryOrigin& origin,
                             replication::Random& random) {
  std::array<uint8_t, 16> nonce;
  random.Fill(nonce);
  v1::MembershipEntry entry;
  entry.set_time(origin.now_millis);
  entry.set_person(origin.person);
  v1::Founding& founding = *entry.mutable_founding();
  founding.set_nonce(std::string(nonce.begin(), nonce.end()));
  founding.set_network_name(network_name);
  founding.set_recovery_key(recovery.public_key());
  v1::Enrolment& antenna = *founding.mutable_antenna();
  antenna.set_key(site.public_key());
  antenna.set_name(site_name);
  antenna.set_role(v1::ROLE_ANTENNA);
  antenna.set_authority_key(authority.public_key());
  v1::NetworkFile network;
  *network.mutable_log()->add_entry() = SignEntry(entry, {&authority, &recovery});
  network.set_network(std::string(replication::NetworkOf(network.log().entry(0).entry()).bytes()));
  return network;
}

absl::StatusOr<v1::MembershipEntry> EnrolmentEntry(const Membership& membership, const v1::Enrolment& wanted,
                                                   const EntryOrigin& origin) {
  const SiteId site = replication::SiteIdOf(wanted.key());
  const Member* const namesake = membership.FindByName(wanted.name());
  if (namesake != nullptr && namesake->site != site && !namesake->revoked) {
    return absl::AlreadyExistsError(absl::StrCat(
        "un autre site du réseau s'appelle « ", wanted.name(), " » ; donnez un autre nom, ou révoquez d'abord l'autre : maillage revoke ",
        wanted.name()));
  }
  const Member* const known = membership.Find(site);
  if (known != nullptr && known->revoked) {
    return absl::FailedPreconditionError("cette machine a été révoquée : elle ne revient qu'avec une nouvelle clé");
  }
  v1::MembershipEntry entry;
  entry.set_network(std::string(membership.network().bytes()));
  entry.set_time(origin.now_millis);
  entry.set_person(origin.person);
  *entry.mutable_enrolment() = wanted;
  entry.mutable_enrolment()->set_revision(known == nullptr ? 0 : known->revision + 1);
  if (wanted.role() != v1::ROLE_ANTENNA) entry.mutable_enrolment()->clear_authority_key();
  return entry;
}

v1::MembershipEntry RevocationEntry(const Membership& membership, const Member& member, const v1::Revocation& last,
                                    const std::string& reason, const EntryOrigin& origin) {
  v1::MembershipEntry entry;
  entry.set_network(std::string(membership.network().bytes()));
  entry.set_time(origin.now_millis);
  entry.set_person(origin.person);
  v1::Revocation& revocation = *entry.mutable_revocation();
  revocation = last;
  revocation.set_site(std::string(member.site.bytes()));
  revocation.set_reason(reason);
  if (!member.authority_key.empty()) {
    for (const std::string& id : membership.SignedBy(member.authority_key)) revocation.add_kept_entry(id);
  }
  return entry;
}

}  // namespace maillage::server
