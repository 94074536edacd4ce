// The membership log as lines of the audit log: who founded, let in, changed, put out, and who was caught contradicting
// themselves. Each entry is one line for each number of signatures that it has had.
#ifndef MAILLAGE_SERVER_MEMBERSHIP_AUDIT_H_
#define MAILLAGE_SERVER_MEMBERSHIP_AUDIT_H_

#include <cstdint>
#include <vector>

#include "replication/membership.h"
#include "server/audit_log.h"

namespace maillage::server {

// Of all entries, by the time that they say; `now` is when this node heard of them.
std::vector<AuditEvent> MembershipEvents(const replication::Membership& membership, uint64_t now_millis);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_MEMBERSHIP_AUDIT_H_
