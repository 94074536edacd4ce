#include "server/trust/door.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "server/trust/certificate.h"

namespace maillage::server {

using replication::Member;
using replication::Membership;

Door::Door(replication::WallClock* clock) : clock_(clock), membership_(std::make_shared<const Membership>()) {}

void Door::Follow(std::shared_ptr<const Membership> membership) {
  std::lock_guard lock(mutex_);
  membership_ = std::move(membership);
}

std::shared_ptr<const Membership> Door::membership() const {
  std::lock_guard lock(mutex_);
  return membership_;
}

absl::StatusOr<Door::Admitted> Door::Admit(std::string_view pem) const {
  const absl::StatusOr<Certificate> certificate = Certificate::Parse(pem);
  if (!certificate.ok()) return absl::PermissionDeniedError(certificate.status().message());
  const std::shared_ptr<const Membership> membership = this->membership();
  const Member* const member = membership->Find(certificate->site());
  if (member == nullptr) {
    return absl::PermissionDeniedError(absl::StrCat("le site ", FormatSiteId(certificate->site()),
                                                    " n'est pas membre du réseau, pour ce qu'on en sait ici"));
  }
  if (member->revoked) {
    return absl::PermissionDeniedError(absl::StrCat("le site « ", member->name, " » a été révoqué"));
  }
  const Member* const issuer = membership->Find(certificate->issuer());
  const bool by_an_antenna =
      issuer != nullptr && issuer->role == v1::ROLE_ANTENNA && certificate->SignedBy(issuer->key);
  if (!by_an_antenna) {
    return absl::PermissionDeniedError(
        absl::StrCat("le certificat de « ", member->name, " » n'est d'aucune antenne du réseau"));
  }
  const uint64_t now = clock_->NowMillis();
  if (now < certificate->from_millis()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "le certificat de « ", member->name, " » n'est pas encore valable : une des deux horloges est fausse"));
  }
  return Admitted{member->site, member->role, now >= certificate->until_millis() || issuer->revoked};
}

}  // namespace maillage::server
