// What the services of a running node tell the audit log.
#ifndef MAILLAGE_SERVER_AUDIT_TRAIL_H_
#define MAILLAGE_SERVER_AUDIT_TRAIL_H_

#include <filesystem>
#include <string>

#include "replication/membership.h"
#include "replication/ports.h"
#include "server/audit_log.h"

namespace maillage::server {

// Thread-safe. What can't be written is an error in the node's log, and stops nothing: people must be able to go on.
class AuditTrail {
 public:
  // The clock must outlive the trail.
  AuditTrail(const std::filesystem::path& data, replication::WallClock* clock) : log_(data), clock_(clock) {}

  // `action` is one of README.md's words, `detail` in French. Returns once it is on disk.
  void Note(std::string person, std::string action, std::string subject, std::string detail) const;
  void Follow(const replication::Membership& membership) const;

  const AuditLog& log() const { return log_; }

 private:
  void Append(const std::vector<AuditEvent>& events) const;

  const AuditLog log_;
  replication::WallClock* const clock_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_AUDIT_TRAIL_H_
