// Dots and version vectors (Parker et al. 1983; dotted as in Almeida et al., "Scalable and Accurate Causality
// Tracking for Eventually Consistent Stores", 2014): which changes of one record somebody has seen.
#ifndef MAILLAGE_REPLICATION_VERSION_VECTOR_H_
#define MAILLAGE_REPLICATION_VERSION_VECTOR_H_

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/change.pb.h"
#include "proto/id.h"

namespace maillage::replication {

// Numbers changes to a record without gaps. See proto/change.proto for when a part of it changes.
struct Actor {
  SiteId site;
  uint64_t incarnation = 0;
  uint64_t epoch = 0;

  auto operator<=>(const Actor&) const = default;
};

// One change of one record. n is at least 1.
struct Dot {
  Actor actor;
  uint64_t n = 0;

  auto operator<=>(const Dot&) const = default;
};

// A set of dots that holds, with each, all earlier ones of its actor. Not thread-safe.
class VersionVector {
 public:
  struct Entry {
    Actor actor;
    uint64_t n = 0;
    auto operator<=>(const Entry&) const = default;
  };

  VersionVector() = default;
  // In any order; an actor that is there twice counts as far as it reaches.
  explicit VersionVector(std::vector<Entry> entries);
  // For tests: {{actor, 3}, …}.
  VersionVector(std::initializer_list<Entry> entries) : VersionVector(std::vector<Entry>(entries)) {}

  // The number of the actor's last change; 0 if none.
  uint64_t Get(const Actor& actor) const;
  bool Covers(const Dot& dot) const { return Get(dot.actor) >= dot.n; }
  bool Covers(const VersionVector& other) const;
  // The dot is the one that follows this vector's last of its actor.
  bool IsNext(const Dot& dot) const { return Get(dot.actor) + 1 == dot.n; }

  // Adds the dot and all earlier ones of its actor.
  void Add(const Dot& dot);
  void Merge(const VersionVector& other);

  bool empty() const { return entries_.empty(); }
  // Sorted by actor.
  const std::vector<Entry>& entries() const { return entries_; }
  // How many dots this vector covers and `other` doesn't; the largest number where there are more.
  uint64_t CountBeyond(const VersionVector& other) const;

  bool operator==(const VersionVector&) const = default;

 private:
  void KeepFurthest();

  std::vector<Entry> entries_;
};

v1::ActorId ToProto(const Actor& actor);
void ToProto(const VersionVector& vector, v1::VersionVector* out);
v1::VersionVector ToProto(const VersionVector& vector);
// InvalidArgument where ids have a wrong length, numbers are 0, or actors are unsorted or twice there.
absl::StatusOr<Actor> FromProto(const v1::ActorId& proto);
absl::StatusOr<VersionVector> FromProto(const v1::VersionVector& proto);

// The read token: a version vector as URL-safe text. An empty text is no token.
std::string EncodeEtag(const VersionVector& vector);
absl::StatusOr<VersionVector> DecodeEtag(std::string_view etag);

// "site/incarnation/epoch:n" in hexadecimal, for explanations.
std::string FormatDot(const Dot& dot);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_VERSION_VECTOR_H_
