#include "replication/version_vector.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/absl_view.h"

namespace maillage::replication {
namespace {

auto LowerBound(const std::vector<VersionVector::Entry>& entries, const Actor& actor) {
  return std::lower_bound(
      entries.begin(), entries.end(), actor,
      [](const VersionVector::Entry& entry, const Actor& wanted) { return entry.actor < wanted; });
}

uint64_t SaturatingSum(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max() : a + b;
}

}  // namespace

VersionVector::VersionVector(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end());
  KeepFurthest();
}

// Of neighbours of one actor only the last, which reaches furthest.
void VersionVector::KeepFurthest() {
  const auto last = std::unique(entries_.rbegin(), entries_.rend(), [](const Entry& a, const Entry& b) {
    return a.actor == b.actor;
  });
  entries_.erase(entries_.begin(), last.base());
}

uint64_t VersionVector::Get(const Actor& actor) const {
  const auto found = LowerBound(entries_, actor);
  return found != entries_.end() && found->actor == actor ? found->n : 0;
}

bool VersionVector::Covers(const VersionVector& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(),
                     [this](const Entry& entry) { return Get(entry.actor) >= entry.n; });
}

void VersionVector::Add(const Dot& dot) {
  const auto position = LowerBound(entries_, dot.actor) - entries_.begin();
  const auto found = entries_.begin() + position;
  if (found != entries_.end() && found->actor == dot.actor) {
    found->n = std::max(found->n, dot.n);
  } else {
    entries_.insert(found, {dot.actor, dot.n});
  }
}

void VersionVector::Merge(const VersionVector& other) {
  if (Covers(other)) return;
  std::vector<Entry> merged;
  merged.reserve(entries_.size() + other.entries_.size());
  std::merge(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
             std::back_inserter(merged));
  entries_ = std::move(merged);
  KeepFurthest();
}

uint64_t VersionVector::CountBeyond(const VersionVector& other) const {
  uint64_t count = 0;
  for (const Entry& entry : entries_) {
    const uint64_t known = other.Get(entry.actor);
    if (entry.n > known) count = SaturatingSum(count, entry.n - known);
  }
  return count;
}

v1::ActorId ToProto(const Actor& actor) {
  v1::ActorId proto;
  proto.set_site(std::string(actor.site.bytes()));
  proto.set_incarnation(actor.incarnation);
  proto.set_epoch(actor.epoch);
  return proto;
}

void ToProto(const VersionVector& vector, v1::VersionVector* out) {
  out->Clear();
  for (const VersionVector::Entry& entry : vector.entries()) {
    v1::VersionVectorEntry* added = out->add_entry();
    *added->mutable_actor() = ToProto(entry.actor);
    added->set_n(entry.n);
  }
}

v1::VersionVector ToProto(const VersionVector& vector) {
  v1::VersionVector proto;
  ToProto(vector, &proto);
  return proto;
}

absl::StatusOr<Actor> FromProto(const v1::ActorId& proto) {
  const std::optional<SiteId> site = SiteId::FromBytes(proto.site());
  if (!site.has_value()) return absl::InvalidArgumentError("site id is not 16 bytes");
  return Actor{*site, proto.incarnation(), proto.epoch()};
}

absl::StatusOr<VersionVector> FromProto(const v1::VersionVector& proto) {
  VersionVector vector;
  const Actor* last = nullptr;
  Actor previous;
  for (const v1::VersionVectorEntry& entry : proto.entry()) {
    absl::StatusOr<Actor> actor = FromProto(entry.actor());
    if (!actor.ok()) return actor.status();
    if (entry.n() == 0) return absl::InvalidArgumentError("version vector counts from 0");
    if (last != nullptr && *actor <= *last) {
      return absl::InvalidArgumentError("version vector is not sorted");
    }
    vector.Add({*actor, entry.n()});
    previous = *actor;
    last = &previous;
  }
  return vector;
}

std::string EncodeEtag(const VersionVector& vector) {
  return absl::WebSafeBase64Escape(ToProto(vector).SerializeAsString());
}

absl::StatusOr<VersionVector> DecodeEtag(std::string_view etag) {
  std::string bytes;
  v1::VersionVector proto;
  if (!absl::WebSafeBase64Unescape(ToAbsl(etag), &bytes) || !proto.ParseFromString(bytes)) {
    return absl::InvalidArgumentError("etag illisible : renvoyez celui que la lecture a donné");
  }
  return FromProto(proto);
}

std::string FormatDot(const Dot& dot) {
  return absl::StrFormat("%s/%016x/%x:%d", FormatSiteId(dot.actor.site), dot.actor.incarnation,
                         dot.actor.epoch, dot.n);
}

}  // namespace maillage::replication
