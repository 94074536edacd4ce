// Which changes are void: those of a revoked site beyond its last valid one. A void change stays in histories and vectors,
// since others may have built on it before they knew, and has no effect on any state (record_state.h).
#ifndef MAILLAGE_REPLICATION_REVOKED_AUTHORS_H_
#define MAILLAGE_REPLICATION_REVOKED_AUTHORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/change.h"
#include "replication/local_meta.h"
#include "replication/membership.h"
#include "storage/store.h"

namespace maillage::replication {

// A value. Of a growing membership log it only grows: what is void stays void.
class RevokedAuthors {
 public:
  RevokedAuthors() = default;
  static RevokedAuthors Of(const Membership& membership);

  bool empty() const { return last_valid_.empty(); }
  // The change as its author encoded it.
  bool Voids(const Change& change, std::string_view bytes) const;
  // Whether some of a site's changes may be void, of which the last known are these, by incarnation.
  bool MayVoidSomeOf(const SiteId& site, const std::map<uint64_t, KnownAuthor>& known) const;
  // DecodeChange, and whether it is void.
  absl::StatusOr<Change> Decode(std::string_view bytes) const;

  const std::map<SiteId, std::map<uint64_t, KnownAuthor>>& last_valid() const { return last_valid_; }

  // For each site, sorted:   site:16 incarnations:varint { incarnation:8 sequence:varint hash:16 }…
  std::string Encode() const;
  static absl::StatusOr<RevokedAuthors> FromBytes(std::string_view bytes);
  // Those that the states of a store follow. Nobody where the row is missing; DataLoss where it is damaged.
  static absl::StatusOr<RevokedAuthors> FollowedBy(const storage::ReadView& view);

  bool operator==(const RevokedAuthors&) const = default;

 private:
  std::map<SiteId, std::map<uint64_t, KnownAuthor>> last_valid_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_REVOKED_AUTHORS_H_
