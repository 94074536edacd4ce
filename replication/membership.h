// Who belongs to the network: a grow-only set of signed entries (proto/membership.proto), and what follows from it. What
// follows is a function of the set alone, never of a clock or of the order of arrival, so all sites decide alike.
//
// The rules, whose table with reasons is in README.md, "Who belongs to the network":
//  1. Authorities are the key of the founding antenna, and keys of antennas whose enrolment two authorities have signed; the
//     recovery key counts as one of two, and never alone.
//  2. A relay or a reader is enrolled by one authority.
//  3. A revocation counts once two authorities have signed it. Which revocations count is decided without regard to any
//     revocation: two antennas that revoke each other are both out. Two authorities are those of two antennas; the keys
//     that one antenna has had are one voice.
//  4. Two changes that contradict each other, signed by one member, are told of it by whoever has seen them, without any other
//     signature; one such entry for each member, whichever proof it brings. Nothing else follows from it.
//  5. What a revoked antenna's authority has signed counts for the entries that all its revocations keep, and for no others.
#ifndef MAILLAGE_REPLICATION_MEMBERSHIP_H_
#define MAILLAGE_REPLICATION_MEMBERSHIP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "proto/membership.pb.h"
#include "replication/local_meta.h"
#include "replication/scope.h"
#include "replication/signing.h"

namespace maillage::replication {

using NetworkId = Id<struct NetworkIdTag>;

// A site that some antenna enrolled.
struct Member {
  SiteId site;
  std::string key;
  std::string name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  Scope territory;
  // Of an antenna.
  std::string authority_key;
  uint32_t revision = 0;
  bool revoked = false;
  // One authority asks for it, and a second has not agreed.
  bool revocation_pending = false;
  // Of a revoked one: the last valid change of each incarnation; others have none.
  std::map<uint64_t, KnownAuthor> last_valid;
  std::string reason;
  // It has signed two changes that contradict each other (equivocation.h).
  bool equivocated = false;

  // What its enrolments ever let it write, each once: what it wrote stays, whatever it may do today. Empty: a reader.
  std::vector<Scope> may_write;
};

// A value. Copy it to look at it from another thread.
class Membership {
 public:
  // Of no network: nobody is a member, and nothing is taken.
  Membership() = default;
  // InvalidArgument, in French, where the log has no founding entry of this network, or one that isn't signed by both its
  // authority and its recovery key.
  static absl::StatusOr<Membership> Of(const NetworkId& network, const v1::MembershipLog& log);

  bool founded() const { return !network_.empty(); }
  const NetworkId& network() const { return network_; }
  const std::string& network_name() const { return network_name_; }

  struct Row {
    // First 16 bytes of BLAKE2b-256 of the entry's bytes (EntryId).
    std::string id;
    // SignedEntry, with all signatures that are known.
    std::string bytes;
  };
  struct Added {
    // To be stored: new entries, and those with new signatures.
    std::vector<Row> rows;
    // Why something wasn't taken, in French; the first of them.
    absl::Status refused;
  };
  // Takes what at least one authority has signed, in any order of entries; leaves the rest.
  Added Add(const v1::MembershipLog& log);

  // Null: no such member. Revoked ones are found.
  const Member* Find(const SiteId& site) const;
  const Member* FindByName(std::string_view name) const;
  const std::map<SiteId, Member>& members() const { return members_; }
  // Whether the key signs for an antenna that isn't revoked.
  bool IsAuthority(std::string_view key) const { return standing_.contains(std::string(key)); }
  const std::string& recovery_key() const { return recovery_key_; }
  // Ids of the entries that the authority has signed.
  std::vector<std::string> SignedBy(std::string_view authority_key) const;
  // Revocations of the site that an authority has signed, whether they count or not: what a second one may agree to.
  std::vector<v1::SignedEntry> RevocationsOf(const SiteId& site) const;

  // Two sites with the same entries and signatures have the same. 0: of no network.
  uint64_t digest() const { return digest_; }
  // Rows in the order in which they came, each as it is now; an entry that got a signature comes once more. Those of
  // positions `from` and up to `from + limit`.
  v1::MembershipLog Journal(size_t from, size_t limit) const;
  size_t journal_size() const { return journal_.size(); }
  v1::MembershipLog Log() const { return Journal(0, journal_.size()); }

 private:
  struct Entry {
    v1::MembershipEntry body;
    std::string bytes;
    // By key.
    std::map<std::string, std::string> signatures;
  };
  // Of a signing key: the antenna that it belongs to. One antenna's keys, old and new, are one voice.
  using Owners = std::map<std::string, SiteId>;
  // For which entries an authority's signature counts; one that isn't listed counts for all.
  using Restrictions = std::map<std::string, std::set<std::string>>;

  absl::StatusOr<Entry> Check(const v1::SignedEntry& signed_entry) const;
  // Moves what counts from an offered entry to the kept one; whether that was anything.
  bool TakeSignatures(const std::string& id, Entry& offered, absl::Status& refused);
  // A proof that somebody equivocates, of a member of whom none is known yet.
  bool TakeProof(const std::string& id, Entry& offered);
  // How many antennas, the recovery key for one, have signed the entry.
  size_t Support(const std::string& id, const Entry& entry, const Owners& authorities,
                 const Restrictions& restrictions) const;
  Owners Authorities(const Restrictions& restrictions) const;
  bool Enrols(const std::string& id, const Entry& entry, const Owners& authorities,
              const Restrictions& restrictions) const;
  static const v1::Enrolment& EnrolmentOf(const Entry& entry);
  Restrictions RestrictionsBy(const std::map<SiteId, std::vector<const v1::Revocation*>>& revocations) const;
  void Evaluate();
  void EvaluateMembers(const Owners& authorities, const Restrictions& restrictions);
  static void Revoke(Member& member, const v1::Revocation& revocation);

  NetworkId network_;
  std::string network_name_;
  std::string recovery_key_;
  v1::Enrolment founder_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> journal_;
  // Authorities without regard to revocations: they decide what is taken.
  Owners ever_;
  Owners standing_;
  std::map<SiteId, Member> members_;
  uint64_t digest_ = 0;
};

// The id of a network: first half of the hash of its founding entry.
NetworkId NetworkOf(std::string_view founding_entry);
// Of an entry, as in Membership::Row: of an equivocation, which member it is about, whatever its proof.
std::string EntryId(std::string_view entry);
// Adds a signature to the entry; sorted by key, as it is stored.
void Sign(const SigningKey& key, v1::SignedEntry& entry);
std::string RoleName(v1::Role role);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_MEMBERSHIP_H_
