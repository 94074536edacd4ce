#include "server/audit_trail.h"

#include <utility>

#include "server/membership_audit.h"
#include "spdlog/spdlog.h"

namespace maillage::server {

void AuditTrail::Note(std::string person, std::string action, std::string subject, std::string detail) const {
  Append({{clock_->NowMillis(), std::move(person), std::move(action), std::move(subject), std::move(detail), ""}});
}

void AuditTrail::Follow(const replication::Membership& membership) const {
  Append(MembershipEvents(membership, clock_->NowMillis()));
}

void AuditTrail::Append(const std::vector<AuditEvent>& events) const {
  if (const absl::Status written = log_.Append(events); !written.ok()) {
    spdlog::error("audit log not written first=\"{}\" error=\"{}\"", events.front().action, written.ToString());
  }
}

}  // namespace maillage::server
