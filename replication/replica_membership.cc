// Who belongs to the network, as this site knows it.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/equivocation.h"
#include "replication/record_reader.h"
#include "replication/replica.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

bool CantBeWithheld(const Operation& operation) {
  return operation.internal && operation.value.has_value() && operation.commitment.empty();
}

}  // namespace

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

bool Replica::MayReadInternal(const SiteId& site) const {
  const Member* const member = membership_->Find(site);
  return member == nullptr || member->role != v1::ROLE_READER;
}

void Replica::SignOwn(std::string& bytes) const {
  if (Signs()) SignChange(*key_, membership_->network(), bytes);
}

std::string Replica::NewSalt() {
  std::array<uint8_t, kChangeSaltSize> salt;
  random_->Fill(salt);
  return {reinterpret_cast<const char*>(salt.data()), salt.size()};
}

absl::StatusOr<std::string> Replica::FindChange(const RecordKey& record, const Staged& staged, const Dot& dot) const {
  for (auto open = staged.applied.rbegin(); open != staged.applied.rend(); ++open) {
    if (open->first == dot) return open->second;
  }
  if (!staged.stored.has_value()) return "";
  absl::StatusOr<std::optional<HistoryRow>> row = FindInHistory(record, dot);
  if (!row.ok()) return absl::IsDataLoss(row.status()) ? absl::StatusOr<std::string>("") : row.status();
  if (!row->has_value()) return "";
  absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, (*row)->position);
  if (!entry.ok()) return absl::IsDataLoss(entry.status()) ? absl::StatusOr<std::string>("") : entry.status();
  return entry->type == FeedEntry::Type::kChange ? entry->change : "";
}

absl::Status Replica::PrepareToSign(const Staged& staged, Change& change) {
  if (!Signs()) return absl::OkStatus();
  change.salt = NewSalt();
  if (change.dot.n == 1) return absl::OkStatus();
  absl::StatusOr<std::string> previous = FindChange(change.record, staged, {change.dot.actor, change.dot.n - 1});
  if (!previous.ok()) return previous.status();
  change.previous = previous->empty() ? std::string(kUnknownPrevious) : HashOfChange(*previous);
  return absl::OkStatus();
}

absl::Status Replica::CheckChain(const Change& change, std::string_view bytes, const Staged& staged) {
  if (change.dot.n == 1 || !open_membership().founded()) return absl::OkStatus();
  if (change.previous.empty()) return absl::InvalidArgumentError("ne dit pas quelle modification de son auteur elle suit");
  if (change.previous == kUnknownPrevious) return absl::OkStatus();
  absl::StatusOr<std::string> held = FindChange(change.record, staged, {change.dot.actor, change.dot.n - 1});
  if (!held.ok()) return held.status();
  if (held->empty() || HashOfChange(*held) == change.previous) return absl::OkStatus();
  return TellEquivocation(change, *held, bytes);
}

absl::Status Replica::TellEquivocation(const Change& change, std::string_view held, std::string_view told) {
  const Member* const author = open_membership().Find(change.dot.actor.site);
  if (author == nullptr || author->equivocated) return absl::OkStatus();
  absl::StatusOr<v1::Equivocation> proof = ProveEquivocation(author->key, held, told);
  // One of before there were salts, for instance, can't be shown without its values.
  if (!proof.ok()) return absl::OkStatus();
  v1::MembershipEntry entry;
  entry.set_network(std::string(open_membership().network().bytes()));
  entry.set_time(wall_->NowMillis());
  *entry.mutable_equivocation() = *std::move(proof);
  v1::MembershipLog log;
  log.add_entry()->set_entry(entry.SerializeAsString());
  absl::StatusOr<size_t> added = AddMembership(log);
  // Too long to be shown, or the log is full: what is held stays all the same.
  return absl::IsInvalidArgument(added.status()) ? absl::OkStatus() : added.status();
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
  if (std::any_of(change.operations.begin(), change.operations.end(), CantBeWithheld)) {
    return absl::InvalidArgumentError("une valeur interne sans sel, que les sites lecteurs recevraient");
  }
  const bool signed_by_author = verifier_ != nullptr
                                    ? verifier_->Verify(bytes, membership.network(), author->key)
                                    : VerifyChange(bytes, membership.network(), author->key, &verified_roots_);
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
  if (open_revoked_.has_value()) {
    revoked_ = *std::move(open_revoked_);
    ++revocation_version_;
  }
  if (!open_membership_.has_value()) return;
  membership_ = std::make_shared<const Membership>(*std::move(open_membership_));
  ++membership_version_;
  unsaved_reports_.merge(reports_.KeepMembers(*membership_));
}

}  // namespace maillage::replication
