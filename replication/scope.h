// Which records a site holds: those of its territories, of its kinds. What belongs to no territory belongs to the whole
// region, and what the system itself replicates to everyone: every scope holds both.
#ifndef MAILLAGE_REPLICATION_SCOPE_H_
#define MAILLAGE_REPLICATION_SCOPE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/keys.h"

namespace maillage::replication {

// The list of sites, which tells everyone's scope (proto/records.proto, Site).
inline constexpr uint16_t kSiteKind = 100;
inline constexpr uint32_t kSiteScopeField = 2;

// A value. Text form: territories, then perhaps kinds by number, each sorted, each once: "*" (everything), "73,74",
// "73|1,3", "*|3". An empty list of territories is the whole region alone: "-".
class Scope {
 public:
  // Everything.
  Scope() = default;
  // Of these territories, all kinds.
  explicit Scope(std::set<std::string> territories) : territories_(std::move(territories)) {}

  // InvalidArgument, in French, where the text says no scope. An empty text is everything: a site that nobody has given a
  // scope holds all, as an antenna does. No text is longer than the list of sites can hold (kMaxValueBytes).
  static absl::StatusOr<Scope> Parse(std::string_view text);
  std::string ToText() const;

  bool everything() const { return !territories_.has_value() && !kinds_.has_value(); }
  bool Holds(const storage::PartitionKey& partition) const;
  // A record of these territories; none: the whole region.
  bool HoldsAny(uint16_t kind, const std::vector<std::string>& territories) const;
  // Whatever `other` holds, this one does.
  bool Contains(const Scope& other) const;
  // What both hold.
  Scope Intersect(const Scope& other) const;

  bool operator==(const Scope&) const = default;

 private:
  // Absent: all.
  std::optional<std::set<std::string>> territories_;
  std::optional<std::set<uint16_t>> kinds_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SCOPE_H_
