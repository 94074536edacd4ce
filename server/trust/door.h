// Who gets in: the decision over a certificate, by the membership log as this site knows it.
#ifndef MAILLAGE_SERVER_TRUST_DOOR_H_
#define MAILLAGE_SERVER_TRUST_DOOR_H_

#include <memory>
#include <mutex>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/membership.h"
#include "replication/ports.h"

namespace maillage::server {

// Thread-safe.
class Door {
 public:
  // `clock` must outlive the door. Nobody is a member until Follow.
  explicit Door(replication::WallClock* clock);

  // What is decided by from now on.
  void Follow(std::shared_ptr<const replication::Membership> membership);
  std::shared_ptr<const replication::Membership> membership() const;

  struct Admitted {
    SiteId site;
    v1::Role role = v1::ROLE_UNSPECIFIED;
    // A member, by its key; its certificate has expired, or the antenna that made it is out. It may ask for a new one, and
    // nothing else.
    bool needs_renewal = false;
  };
  // Whose key the other end of a connection has proven; `pem` is the certificate that it showed. PermissionDenied, in
  // French, where it is no member, was revoked, or holds a certificate that no antenna made.
  absl::StatusOr<Admitted> Admit(std::string_view pem) const;

 private:
  replication::WallClock* const clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const replication::Membership> membership_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_DOOR_H_
