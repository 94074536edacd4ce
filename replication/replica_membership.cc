// Who belongs to the network, as this site knows it.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/replica.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

absl::Status Replica::LoadMembership() {
  open_membership_.reset();
  membership_ = std::make_shared<const Membership>();
  if (network_.network().empty()) return absl::OkStatus();
  const std::optional<NetworkId> network = NetworkId::FromBytes(network_.network());
  if (!network.has_value()) return absl::InvalidArgumentError("un réseau sans nom");
  absl::StatusOr<Membership> membership = Membership::Of(*network, network_.log());
  if (!membership.ok()) return membership.status();
  v1::MembershipLog stored;
  auto cursor = store_->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kMemberPrefix));
  // What is damaged comes again from any peer.
  for (; cursor->Valid() || (cursor->SkipDamage() && cursor->Valid()); cursor->Next()) {
    v1::SignedEntry entry;
    if (entry.ParseFromString(std::string(cursor->value()))) *stored.add_entry() = std::move(entry);
  }
  if (!cursor->status().ok()) return cursor->status();
  membership->Add(stored);
  membership_ = std::make_shared<const Membership>(*std::move(membership));
  // What a failed commit had told others of may be gone.
  ++membership_version_;
  return absl::OkStatus();
}

Scope Replica::RightsOf(const SiteId& site) const {
  const Member* const member = membership_->Find(site);
  if (member == nullptr) return {};
  // A site that is out itself keeps what it has; nobody takes it over.
  if (member->revoked && site != identity_.site) return Scope(std::set<std::string>());
  return member->territory;
}

void Replica::SignOwn(std::string& bytes) const {
  if (key_ != nullptr && membership_->founded()) SignChange(*key_, membership_->network(), bytes);
}

absl::Status Replica::CheckAuthor(const Change& change, std::string_view bytes) {
  const Membership& membership = open_membership();
  if (!membership.founded()) return absl::OkStatus();
  const Member* const author = membership.Find(change.dot.actor.site);
  if (author == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("écrit par le site ", FormatSiteId(change.dot.actor.site),
                                                   ", qui n'est pas membre du réseau"));
  }
  if (author->may_write.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("écrit par « ", author->name, " », qui ne peut que lire"));
  }
  const bool signed_by_author = verifier_ != nullptr
                                    ? verifier_->Verify(bytes, membership.network(), author->key)
                                    : VerifyChange(bytes, membership.network(), author->key);
  if (signed_by_author) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("la signature n'est pas celle de « ", author->name, " »"));
}

absl::StatusOr<size_t> Replica::AddMembership(const v1::MembershipLog& log) {
  if (failed_) return absl::FailedPreconditionError("a commit failed: the store has to be opened again");
  Membership next = open_membership();
  Membership::Added added = next.Add(log);
  if (RevokedAuthors now_revoked = RevokedAuthors::Of(next); now_revoked != revoked()) {
    if (absl::Status status = Commit(); !status.ok()) return status;
    if (absl::Status status = FollowRevocations(std::move(now_revoked)); !status.ok()) {
      Discard();
      return status;
    }
  }
  for (Membership::Row& row : added.rows) PutMeta(storage::MemberKey(row.id), std::move(row.bytes));
  const size_t count = added.rows.size();
  if (count > 0) open_membership_ = std::move(next);
  if (!added.refused.ok()) return added.refused;
  return count;
}

void Replica::KeepMembership() {
  if (open_revoked_.has_value()) revoked_ = *std::move(open_revoked_);
  if (!open_membership_.has_value()) return;
  membership_ = std::make_shared<const Membership>(*std::move(open_membership_));
  ++membership_version_;
}

}  // namespace maillage::replication
