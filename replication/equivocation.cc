#include "replication/equivocation.h"

#include <string>
#include <utility>

#include "google/protobuf/util/message_differencer.h"
#include "proto/change.pb.h"
#include "replication/change_signature.h"

namespace maillage::replication {
namespace {

bool AreOfOneActorToOneRecord(const v1::Change& first, const v1::Change& second) {
  return first.record() == second.record() && first.kind() == second.kind() &&
         google::protobuf::util::MessageDifferencer::Equals(first.actor(), second.actor());
}

}  // namespace

absl::StatusOr<v1::Equivocation> ProveEquivocation(std::string_view key, std::string_view first, std::string_view second) {
  absl::StatusOr<std::string> shown_first = WithoutValues(first);
  if (!shown_first.ok()) return shown_first.status();
  absl::StatusOr<std::string> shown_second = WithoutValues(second);
  if (!shown_second.ok()) return shown_second.status();
  v1::Equivocation proof;
  proof.set_key(std::string(key));
  proof.set_first(*std::move(shown_first));
  proof.set_second(*std::move(shown_second));
  return proof;
}

bool IsEquivocation(const NetworkId& network, const v1::Equivocation& proof) {
  v1::Change first;
  v1::Change second;
  if (!first.ParseFromString(proof.first()) || !second.ParseFromString(proof.second())) return false;
  if (!AreOfOneActorToOneRecord(first, second) || first.actor().site() != SiteIdOf(proof.key()).bytes()) return false;
  const std::string hash = HashOfChange(proof.first());
  const bool one_number = second.n() == first.n() && HashOfChange(proof.second()) != hash;
  const bool known = !second.previous().empty() && second.previous() != kUnknownPrevious;
  const bool follows_another = second.n() - 1 == first.n() && known && second.previous() != hash;
  return (one_number || follows_another) && VerifyChange(proof.first(), network, proof.key()) &&
         VerifyChange(proof.second(), network, proof.key());
}

}  // namespace maillage::replication
