#include "replication/revoked_authors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "replication/byte_codec.h"
#include "replication/change_signature.h"
#include "storage/keys.h"

namespace maillage::replication {
namespace {

absl::Status Damaged() { return absl::DataLossError("meta table: damaged revocations"); }

}  // namespace

RevokedAuthors RevokedAuthors::Of(const Membership& membership) {
  RevokedAuthors revoked;
  for (const auto& [site, member] : membership.members()) {
    if (member.revoked) revoked.last_valid_[site] = member.last_valid;
  }
  return revoked;
}

bool RevokedAuthors::Voids(const Change& change, std::string_view bytes) const {
  const auto site = last_valid_.find(change.dot.actor.site);
  if (site == last_valid_.end()) return false;
  const auto last = site->second.find(change.dot.actor.incarnation);
  if (last == site->second.end()) return true;
  if (change.site_sequence != last->second.site_sequence) return change.site_sequence > last->second.site_sequence;
  return HashOfChange(bytes) != last->second.hash;
}

bool RevokedAuthors::MayVoidSomeOf(const SiteId& site, const std::map<uint64_t, KnownAuthor>& known) const {
  const auto revoked = last_valid_.find(site);
  if (revoked == last_valid_.end()) return false;
  return std::any_of(known.begin(), known.end(), [&](const auto& author) {
    const auto last = revoked->second.find(author.first);
    // Under the very last number there may be two.
    return last == revoked->second.end() || author.second.site_sequence >= last->second.site_sequence;
  });
}

absl::StatusOr<Change> RevokedAuthors::Decode(std::string_view bytes) const {
  absl::StatusOr<Change> change = DecodeChange(bytes);
  if (change.ok()) change->is_void = Voids(*change, bytes);
  return change;
}

std::string RevokedAuthors::Encode() const {
  std::string bytes;
  ByteWriter writer(&bytes);
  for (const auto& [site, incarnations] : last_valid_) {
    writer.Raw(site.bytes());
    writer.Varint(incarnations.size());
    for (const auto& [incarnation, last] : incarnations) {
      writer.Fixed64(incarnation);
      writer.Varint(last.site_sequence);
      writer.Raw(last.hash);
    }
  }
  return bytes;
}

absl::StatusOr<RevokedAuthors> RevokedAuthors::FromBytes(std::string_view bytes) {
  RevokedAuthors revoked;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.done()) {
    const std::optional<SiteId> site = SiteId::FromBytes(reader.Raw(SiteId::kSize));
    const uint64_t count = reader.Varint();
    if (!site.has_value()) break;
    if (!revoked.last_valid_.empty() && *site <= revoked.last_valid_.rbegin()->first) return Damaged();
    std::map<uint64_t, KnownAuthor>& incarnations = revoked.last_valid_[*site];
    for (uint64_t i = 0; i < count && reader.ok(); ++i) {
      const uint64_t incarnation = reader.Fixed64();
      if (!incarnations.empty() && incarnation <= incarnations.rbegin()->first) return Damaged();
      KnownAuthor& last = incarnations[incarnation];
      last.site_sequence = reader.Varint();
      last.hash = std::string(reader.Raw(kChangeHashSize));
    }
  }
  if (!reader.done()) return Damaged();
  return revoked;
}

absl::StatusOr<RevokedAuthors> RevokedAuthors::FollowedBy(const storage::ReadView& view) {
  auto row = view.Get(storage::Table::kMeta, storage::kRevokedKey);
  if (!row.ok()) return row.status();
  return FromBytes(row->value_or(""));
}

}  // namespace maillage::replication
