// Logs of who belongs to a network (replication/membership.h). Hostile bytes can't be signed, so the first byte says whether
// they get signatures: each entry's network becomes this one, and each of its signatures that of the key which the first
// byte of its own chooses among the six that this network knows.
#include <string>
#include <vector>

#include "replication/membership.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"
#include "tests/replication/support/network.h"

namespace maillage::fuzz {
namespace {

using replication::Membership;
using replication::SigningKey;
using replication::testing::TestNetwork;

constexpr uint64_t kSeed = 4712;

struct Known {
  Known() : network(kSeed) {
    for (int i = 0; i < 4; ++i) authorities.push_back(SigningKey::Generate(network.random));
  }
  const SigningKey& Chosen(uint8_t byte) const {
    switch (byte % 6) {
      case 0: return network.lyon_authority;
      case 1: return network.recovery;
      default: return authorities[byte % 6 - 2];
    }
  }
  TestNetwork network;
  std::vector<SigningKey> authorities;
};

// What the attacker would do with the keys.
v1::MembershipLog SignedAnew(const Known& known, const v1::MembershipLog& log) {
  v1::MembershipLog made;
  for (const v1::SignedEntry& offered : log.entry()) {
    v1::MembershipEntry body;
    if (made.entry_size() == 16 || !body.ParseFromString(offered.entry())) continue;
    if (!body.has_founding()) body.set_network(known.network.file.network());
    if (body.has_enrolment() && !body.enrolment().authority_key().empty()) {
      const auto byte = static_cast<uint8_t>(body.enrolment().authority_key()[0]);
      body.mutable_enrolment()->set_authority_key(known.Chosen(byte).public_key());
    }
    v1::SignedEntry& entry = *made.add_entry();
    entry.set_entry(body.SerializeAsString());
    for (const v1::EntrySignature& signature : offered.signature()) {
      const uint8_t byte = signature.key().empty() ? 0 : static_cast<uint8_t>(signature.key()[0]);
      if (entry.signature_size() < 4) Sign(known.Chosen(byte), entry);
    }
  }
  return made;
}

std::string RightsText(const replication::Member& member) {
  std::string text;
  for (const replication::Scope& scope : member.may_write) text += scope.ToText() + ";";
  return text;
}

std::string Told(const Membership& membership) {
  std::string told = std::to_string(membership.digest());
  for (const auto& [site, member] : membership.members()) {
    told += FormatSiteId(site) + member.name + std::to_string(member.role) + member.territory.ToText() +
            (member.revoked ? "revoked" : "") + RightsText(member) +
            (membership.IsAuthority(member.authority_key) ? "signs" : "") + std::to_string(member.last_valid.size());
  }
  return told;
}

}  // namespace

bool FuzzMembership(std::string_view bytes) {
  static const Known* const known = new Known;
  const bool with_keys = TakeByte(bytes) % 2 == 1;
  v1::MembershipLog log;
  if (!log.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (with_keys) log = SignedAnew(*known, log);
  Membership membership = known->network.Opened();
  const Membership::Added added = membership.Add(log);
  if (!added.refused.ok()) RequireRefusal(added.refused, absl::StatusCode::kInvalidArgument);
  // Who can sign nothing adds nothing.
  if (!with_keys) MAILLAGE_REQUIRE(added.rows.empty());
  const std::string told = Told(membership);
  MAILLAGE_REQUIRE(membership.Find(known->network.lyon.site()) != nullptr);
  // Again, in the other order, and by what it would tell others: the same.
  membership.Add(log);
  MAILLAGE_REQUIRE(Told(membership) == told);
  v1::MembershipLog reversed;
  for (int i = log.entry_size(); i > 0; --i) *reversed.add_entry() = log.entry(i - 1);
  Membership other = known->network.Opened();
  for (int time = 0; time < 6; ++time) other.Add(reversed);
  MAILLAGE_REQUIRE(Told(other) == told);
  const auto forwarded = Membership::Of(known->network.id(), membership.Log());
  MAILLAGE_REQUIRE(forwarded.ok() && Told(*forwarded) == told);
  return !added.rows.empty();
}

}  // namespace maillage::fuzz
