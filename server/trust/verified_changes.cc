#include "server/trust/verified_changes.h"

#include <utility>
#include <vector>

#include "proto/change.pb.h"
#include "server/tuning.h"

namespace maillage::server {
namespace {

using replication::Member;
using replication::Membership;

std::string NameOf(std::string_view bytes, std::string_view key) {
  // The key of the hash is the author's, so one that was verified for another author is another.
  return replication::Hash256(bytes, key).substr(0, 16);
}

}  // namespace

void VerifiedChanges::Look(const v1::SyncFrame& frame) {
  if (!frame.has_changes()) return;
  const std::shared_ptr<const Membership> membership = door_->membership();
  std::vector<std::string> names;
  v1::Change change;
  replication::VerifiedRoots roots;
  for (const std::string& bytes : frame.changes().change()) {
    if (!change.ParseFromString(bytes)) continue;
    const auto site = SiteId::FromBytes(change.actor().site());
    const Member* const author = site.has_value() ? membership->Find(*site) : nullptr;
    if (author == nullptr || !replication::VerifyChange(bytes, membership->network(), author->key, &roots)) continue;
    names.push_back(NameOf(bytes, author->key));
  }
  std::lock_guard lock(mutex_);
  if (verified_.size() > kVerifiedChanges) verified_.clear();
  for (std::string& name : names) verified_.insert(std::move(name));
}

bool VerifiedChanges::Verify(std::string_view bytes, const replication::NetworkId& network, std::string_view key) {
  {
    std::lock_guard lock(mutex_);
    if (verified_.erase(NameOf(bytes, key)) > 0) return true;
  }
  return replication::VerifyChange(bytes, network, key);
}

}  // namespace maillage::server
