#include "replication/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/utf8.h"
#include "replication/equivocation.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr size_t kEntryIdSize = 16;

absl::Status Refuse(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("entrée du registre des membres : ", std::string(why)));
}

absl::Status CheckEnrolment(const v1::Enrolment& enrolment) {
  const bool antenna = enrolment.role() == v1::ROLE_ANTENNA;
  if (enrolment.key().size() != kPublicKeySize) return Refuse("la clé du site n'en est pas une");
  if (enrolment.name().empty() || enrolment.name().size() > kMaxPeerTextBytes) return Refuse("nom de site trop long, ou vide");
  if (enrolment.role() < v1::ROLE_ANTENNA || enrolment.role() > v1::ROLE_READER) return Refuse("rôle inconnu");
  if (enrolment.authority_key().size() != (antenna ? kPublicKeySize : 0)) {
    return Refuse("une antenne a une clé d'autorité, et elle seule");
  }
  if (absl::StatusOr<Scope> scope = Scope::Parse(enrolment.territory()); !scope.ok()) return scope.status();
  return absl::OkStatus();
}

absl::Status CheckRevocation(const v1::Revocation& revocation) {
  if (revocation.site().size() != SiteId::kSize) return Refuse("révocation sans site");
  for (const v1::LastValid& last : revocation.last()) {
    if (last.hash().size() != kChangeHashSize) return Refuse("révocation sans empreinte du dernier changement");
  }
  for (const std::string& kept : revocation.kept_entry()) {
    if (kept.size() != kEntryIdSize) return Refuse("révocation qui garde une entrée sans nom");
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const v1::MembershipEntry& entry) {
  switch (entry.body_case()) {
    case v1::MembershipEntry::kFounding:
      if (entry.founding().recovery_key().size() != kPublicKeySize) return Refuse("la clé de secours n'en est pas une");
      if (entry.founding().antenna().role() != v1::ROLE_ANTENNA) return Refuse("le premier site est une antenne");
      return CheckEnrolment(entry.founding().antenna());
    case v1::MembershipEntry::kEnrolment:
      return CheckEnrolment(entry.enrolment());
    case v1::MembershipEntry::kRevocation:
      return CheckRevocation(entry.revocation());
    case v1::MembershipEntry::kEquivocation:
      return absl::OkStatus();
    default:
      return Refuse("d'une version plus récente de Maillage : mettez ce nœud à jour");
  }
}

void AddRight(const v1::Enrolment& enrolment, std::vector<Scope>& may_write) {
  if (enrolment.role() == v1::ROLE_READER) return;
  Scope right = enrolment.role() == v1::ROLE_ANTENNA ? Scope() : *Scope::Parse(enrolment.territory());
  if (std::find(may_write.begin(), may_write.end(), right) == may_write.end()) may_write.push_back(std::move(right));
}

// What `other` doesn't allow goes too.
void KeepLowest(std::map<uint64_t, KnownAuthor>& valid, const std::map<uint64_t, KnownAuthor>& other) {
  for (auto it = valid.begin(); it != valid.end();) {
    const auto found = other.find(it->first);
    if (found == other.end()) {
      it = valid.erase(it);
      continue;
    }
    if (found->second.site_sequence < it->second.site_sequence) it->second = found->second;
    ++it;
  }
}

}  // namespace

NetworkId NetworkOf(std::string_view founding_entry) {
  return *NetworkId::FromBytes(std::string_view(Hash256(founding_entry)).substr(0, NetworkId::kSize));
}

std::string EntryId(std::string_view entry) {
  v1::MembershipEntry body;
  const bool proves = body.ParseFromArray(entry.data(), static_cast<int>(entry.size())) && body.has_equivocation();
  const std::string named = proves ? absl::StrCat("equivocation", body.equivocation().key()) : std::string(entry);
  return Hash256(named).substr(0, kEntryIdSize);
}

void Sign(const SigningKey& key, v1::SignedEntry& entry) {
  std::map<std::string, std::string> signatures;
  for (const v1::EntrySignature& one : entry.signature()) signatures[one.key()] = one.signature();
  signatures[key.public_key()] = key.Sign(kMembershipDomain, entry.entry());
  entry.clear_signature();
  for (const auto& [signer, signature] : signatures) {
    v1::EntrySignature& one = *entry.add_signature();
    one.set_key(signer);
    one.set_signature(signature);
  }
}

std::string RoleName(v1::Role role) {
  switch (role) {
    case v1::ROLE_ANTENNA: return "antenne";
    case v1::ROLE_RELAY: return "relais";
    case v1::ROLE_READER: return "lecteur";
    default: return "?";
  }
}

absl::StatusOr<Membership> Membership::Of(const NetworkId& network, const v1::MembershipLog& log) {
  Membership membership;
  membership.network_ = network;
  for (const v1::SignedEntry& signed_entry : log.entry()) {
    if (NetworkOf(signed_entry.entry()) != network) continue;
    absl::StatusOr<Entry> founding = membership.Check(signed_entry);
    if (!founding.ok()) return founding.status();
    const v1::Founding& body = founding->body.founding();
    membership.network_name_ = FirstUtf8Bytes(body.network_name(), kMaxPeerTextBytes);
    membership.recovery_key_ = body.recovery_key();
    membership.founder_ = body.antenna();
    membership.Evaluate();
    membership.Add(log);
    const auto kept = membership.entries_.find(EntryId(signed_entry.entry()));
    const bool signed_by_both = kept != membership.entries_.end() &&
                                kept->second.signatures.contains(membership.founder_.authority_key()) &&
                                kept->second.signatures.contains(membership.recovery_key_);
    if (!signed_by_both) return Refuse("la fondation du réseau n'est pas signée");
    return membership;
  }
  return Refuse("la fondation de ce réseau n'y est pas");
}

absl::StatusOr<Membership::Entry> Membership::Check(const v1::SignedEntry& signed_entry) const {
  Entry entry;
  if (signed_entry.entry().size() > kMaxMembershipEntryBytes ||
      static_cast<size_t>(signed_entry.signature_size()) > kMaxEntrySignatures) {
    return Refuse("trop longue");
  }
  if (!entry.body.ParseFromString(signed_entry.entry())) return Refuse("illisible");
  const bool founding = entry.body.has_founding();
  const bool ours = founding ? NetworkOf(signed_entry.entry()) == network_ : entry.body.network() == network_.bytes();
  if (!ours) return Refuse("d'un autre réseau");
  if (absl::Status body = CheckBody(entry.body); !body.ok()) return body;
  if (entry.body.has_equivocation() && !IsEquivocation(network_, entry.body.equivocation())) {
    return Refuse("elle accuse un site sans preuve");
  }
  entry.bytes = signed_entry.entry();
  for (const v1::EntrySignature& signature : signed_entry.signature()) {
    entry.signatures[signature.key()] = signature.signature();
  }
  return entry;
}

Membership::Added Membership::Add(const v1::MembershipLog& log) {
  Added added;
  if (!founded()) return added;
  std::vector<std::pair<std::string, Entry>> waiting;
  for (const v1::SignedEntry& signed_entry : log.entry()) {
    absl::StatusOr<Entry> entry = Check(signed_entry);
    if (entry.ok()) {
      waiting.emplace_back(EntryId(entry->bytes), *std::move(entry));
    } else {
      added.refused.Update(entry.status());
    }
  }
  std::set<std::string> changed;
  // An entry may enrol the authority of another one that came before it.
  for (bool progress = true; progress;) {
    progress = false;
    for (auto& [id, entry] : waiting) {
      const bool took = entry.body.has_equivocation() ? TakeProof(id, entry) : TakeSignatures(id, entry, added.refused);
      if (!took) continue;
      changed.insert(id);
      progress = true;
    }
    if (progress) Evaluate();
  }
  for (const auto& [id, entry] : waiting) {
    if (!entries_.contains(id)) added.refused.Update(Refuse("aucune antenne ne l'a signée"));
  }
  for (const std::string& id : changed) {
    journal_.push_back(id);
    added.rows.push_back({id, Journal(journal_.size() - 1, 1).entry(0).SerializeAsString()});
  }
  return added;
}

bool Membership::TakeProof(const std::string& id, Entry& offered) {
  const bool about_member = members_.contains(SiteIdOf(offered.body.equivocation().key()));
  if (!about_member || entries_.contains(id) || entries_.size() >= kMaxMembershipEntries) return false;
  Entry& kept = entries_[id];
  kept.body = offered.body;
  kept.bytes = offered.bytes;
  return true;
}

bool Membership::TakeSignatures(const std::string& id, Entry& offered, absl::Status& refused) {
  bool took = false;
  for (auto it = offered.signatures.begin(); it != offered.signatures.end();) {
    const auto& [key, signature] = *it;
    const auto known = entries_.find(id);
    const bool had = known != entries_.end() && known->second.signatures.contains(key);
    if (!had && !ever_.contains(key) && key != recovery_key_) {
      // Its authority may be enrolled by what follows.
      ++it;
      continue;
    }
    if (!had && !VerifySignature(key, kMembershipDomain, offered.bytes, signature)) {
      refused.Update(Refuse("une signature est fausse"));
    } else if (!had && known == entries_.end() && entries_.size() >= kMaxMembershipEntries) {
      refused.Update(Refuse("le registre est plein"));
    } else if (!had) {
      Entry& kept = entries_[id];
      kept.body = offered.body;
      kept.bytes = offered.bytes;
      kept.signatures[key] = signature;
      took = true;
    }
    it = offered.signatures.erase(it);
  }
  return took;
}

v1::MembershipLog Membership::Journal(size_t from, size_t limit) const {
  v1::MembershipLog log;
  for (size_t i = from; i < journal_.size() && i - from < limit; ++i) {
    const Entry& entry = entries_.at(journal_[i]);
    v1::SignedEntry& row = *log.add_entry();
    row.set_entry(entry.bytes);
    for (const auto& [key, signature] : entry.signatures) {
      v1::EntrySignature& one = *row.add_signature();
      one.set_key(key);
      one.set_signature(signature);
    }
  }
  return log;
}

size_t Membership::Support(const std::string& id, const Entry& entry, const Owners& authorities,
                           const Restrictions& restrictions) const {
  std::set<SiteId> voices;
  for (const auto& [key, signature] : entry.signatures) {
    const auto restricted = restrictions.find(key);
    const bool kept = restricted == restrictions.end() || restricted->second.contains(id);
    if (!kept) continue;
    // The recovery key is nobody's.
    if (key == recovery_key_) voices.insert(SiteId());
    if (const auto owner = authorities.find(key); owner != authorities.end()) voices.insert(owner->second);
  }
  return voices.size();
}

bool Membership::Enrols(const std::string& id, const Entry& entry, const Owners& authorities,
                        const Restrictions& restrictions) const {
  if (entry.body.has_founding()) return true;
  if (!entry.body.has_enrolment()) return false;
  const size_t support = Support(id, entry, authorities, restrictions);
  if (entry.body.enrolment().role() == v1::ROLE_ANTENNA) return support >= 2;
  // The recovery key alone lets nobody in.
  return support >= (entry.signatures.contains(recovery_key_) ? 2 : 1);
}

const v1::Enrolment& Membership::EnrolmentOf(const Entry& entry) {
  return entry.body.has_founding() ? entry.body.founding().antenna() : entry.body.enrolment();
}

Membership::Owners Membership::Authorities(const Restrictions& restrictions) const {
  Owners authorities{{founder_.authority_key(), SiteIdOf(founder_.key())}};
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [id, entry] : entries_) {
      const v1::Enrolment& enrolment = EnrolmentOf(entry);
      if (enrolment.authority_key().empty() || !Enrols(id, entry, authorities, restrictions)) continue;
      // Of several who claim one key, always the same.
      const SiteId site = SiteIdOf(enrolment.key());
      const auto [owner, added] = authorities.emplace(enrolment.authority_key(), site);
      changed = changed || added || site < owner->second;
      owner->second = std::min(owner->second, site);
    }
  }
  return authorities;
}

Membership::Restrictions Membership::RestrictionsBy(
    const std::map<SiteId, std::vector<const v1::Revocation*>>& revocations) const {
  Restrictions restrictions;
  for (const auto& [id, entry] : entries_) {
    const v1::Enrolment& enrolment = EnrolmentOf(entry);
    // A void entry that claims somebody else's key must not take it away from them.
    if (enrolment.authority_key().empty() || !Enrols(id, entry, ever_, {})) continue;
    const auto found = revocations.find(SiteIdOf(enrolment.key()));
    if (found == revocations.end()) continue;
    const v1::Revocation& first = *found->second.front();
    std::set<std::string> kept(first.kept_entry().begin(), first.kept_entry().end());
    for (const v1::Revocation* revocation : found->second) {
      const std::set<std::string> also(revocation->kept_entry().begin(), revocation->kept_entry().end());
      std::erase_if(kept, [&](const std::string& one) { return !also.contains(one); });
    }
    // Whoever else claims the key is held to the same.
    const auto [known, added] = restrictions.emplace(enrolment.authority_key(), kept);
    if (!added) std::erase_if(known->second, [&](const std::string& one) { return !kept.contains(one); });
  }
  return restrictions;
}

void Membership::Evaluate() {
  ever_ = Authorities({});
  std::map<SiteId, std::vector<const v1::Revocation*>> revocations;
  std::set<SiteId> pending;
  for (const auto& [id, entry] : entries_) {
    if (!entry.body.has_revocation()) continue;
    const SiteId site = *SiteId::FromBytes(entry.body.revocation().site());
    if (Support(id, entry, ever_, {}) >= 2) {
      revocations[site].push_back(&entry.body.revocation());
    } else {
      pending.insert(site);
    }
  }
  const Restrictions restrictions = RestrictionsBy(revocations);
  standing_ = Authorities(restrictions);
  EvaluateMembers(standing_, restrictions);
  for (const auto& [key, kept] : restrictions) standing_.erase(key);
  for (auto& [site, member] : members_) {
    member.revocation_pending = pending.contains(site);
    for (const v1::Revocation* revocation : revocations[site]) Revoke(member, *revocation);
  }
  std::string all;
  for (const auto& [id, entry] : entries_) {
    if (entry.body.has_equivocation()) {
      const auto member = members_.find(SiteIdOf(entry.body.equivocation().key()));
      if (member != members_.end()) member->second.equivocated = true;
    }
    all.append(id);
    for (const auto& [key, signature] : entry.signatures) all.append(key);
  }
  const std::string hash = Hash256(all);
  digest_ = 0;
  for (size_t i = 0; i < sizeof(digest_); ++i) digest_ = digest_ << 8 | static_cast<uint8_t>(hash[i]);
}

void Membership::EvaluateMembers(const Owners& authorities, const Restrictions& restrictions) {
  members_.clear();
  for (const auto& [id, entry] : entries_) {
    if (!Enrols(id, entry, authorities, restrictions)) continue;
    const v1::Enrolment& enrolment = EnrolmentOf(entry);
    const SiteId site = SiteIdOf(enrolment.key());
    Member& member = members_[site];
    std::vector<Scope> may_write = std::move(member.may_write);
    AddRight(enrolment, may_write);
    member.may_write = may_write;
    // An antenna stays one until it is revoked: no single other one can make it less.
    const bool antenna = enrolment.role() == v1::ROLE_ANTENNA;
    const bool newer = member.role == v1::ROLE_UNSPECIFIED || enrolment.revision() >= member.revision;
    if (member.role == v1::ROLE_ANTENNA ? !(antenna && newer) : !(antenna || newer)) continue;
    member = {};
    member.site = site;
    member.key = enrolment.key();
    member.name = enrolment.name();
    member.role = enrolment.role();
    member.territory = *Scope::Parse(enrolment.territory());
    member.authority_key = enrolment.authority_key();
    member.revision = enrolment.revision();
    member.may_write = std::move(may_write);
  }
}

void Membership::Revoke(Member& member, const v1::Revocation& revocation) {
  std::map<uint64_t, KnownAuthor> valid;
  for (const v1::LastValid& last : revocation.last()) valid[last.incarnation()] = {last.site_sequence(), last.hash()};
  if (member.revoked) {
    KeepLowest(member.last_valid, valid);
    return;
  }
  member.revoked = true;
  member.last_valid = std::move(valid);
  member.reason = FirstUtf8Bytes(revocation.reason(), kMaxPeerTextBytes);
}

const Member* Membership::Find(const SiteId& site) const {
  const auto found = members_.find(site);
  return found == members_.end() ? nullptr : &found->second;
}

const Member* Membership::FindByName(std::string_view name) const {
  const Member* found = nullptr;
  for (const auto& [site, member] : members_) {
    // Whoever is in good standing goes before one of the same name who was sent away.
    if (member.name == name && (found == nullptr || found->revoked)) found = &member;
  }
  return found;
}

std::vector<std::string> Membership::SignedBy(std::string_view authority_key) const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.signatures.contains(std::string(authority_key))) ids.push_back(id);
  }
  return ids;
}

std::vector<v1::SignedEntry> Membership::RevocationsOf(const SiteId& site) const {
  std::vector<v1::SignedEntry> found;
  for (size_t i = 0; i < journal_.size(); ++i) {
    const Entry& entry = entries_.at(journal_[i]);
    if (entry.body.has_revocation() && entry.body.revocation().site() == site.bytes()) {
      found.push_back(Journal(i, 1).entry(0));
    }
  }
  return found;
}

}  // namespace maillage::replication
