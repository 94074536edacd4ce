// What people did to this node and its network that somebody may ask about later: a file of lines, each of which vouches for all
// before it (Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999, section 3, without its keys: who may write
// the file can write all of it anew, and what was told elsewhere of its last hash is what shows that).
//
// DATA/audit.log, mode 0600. A line is   HASH JSON
//   HASH   64 hexadecimal digits: BLAKE2b-256 of the line before's HASH (nothing before the first) and of JSON
//   JSON   an object of n, time, person, action, subject, detail, key: texts, but for n, which counts from 1
#ifndef MAILLAGE_SERVER_AUDIT_LOG_H_
#define MAILLAGE_SERVER_AUDIT_LOG_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::server {

struct AuditEvent {
  // Since 1970.
  uint64_t millis = 0;
  // As the program that asked for it said; empty: the node itself.
  std::string person;
  // One of the words that README.md lists.
  std::string action;
  // What it was done to: a site, a file.
  std::string subject;
  // For people, in French; may be empty.
  std::string detail;
  // Not empty: it is noted once, however often it is told.
  std::string key;
};

struct AuditEntry {
  uint64_t number = 0;
  AuditEvent event;
  std::string hash;
};

struct AuditContents {
  std::vector<AuditEntry> entries;
  // Where the chain is broken, in French, with the line; empty: it isn't.
  std::string damage;
};

// Any thread, any process: the file is locked while it is used.
class AuditLog {
 public:
  explicit AuditLog(const std::filesystem::path& data) : file_(data / kFile) {}

  // Adds what isn't there yet, and syncs it. A line that a crash cut off is left as it is, on a line of its own.
  absl::Status Append(const std::vector<AuditEvent>& events) const;
  // Nothing where there is no file.
  absl::StatusOr<AuditContents> Read() const;

  static constexpr char kFile[] = "audit.log";

 private:
  const std::filesystem::path file_;
};

// Who runs this program, as the machine calls them; "uid 1000" where it has no name for them.
std::string SystemUser();

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_AUDIT_LOG_H_
