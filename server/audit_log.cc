#include "server/audit_log.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "proto/absl_view.h"
#include "replication/signing.h"

namespace maillage::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kHashDigits = 64;
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E3SZ";

absl::Status Failed(const std::filesystem::path& file, const char* what) {
  return absl::UnavailableError(absl::StrCat(file.string(), " : ", what, " (", std::strerror(errno), ")"));
}

// Open and locked until it goes.
class LockedFile {
 public:
  LockedFile(const std::filesystem::path& file, int flags) : descriptor_(open(file.c_str(), flags | O_CLOEXEC, 0600)) {
    locked_ = descriptor_ >= 0 && flock(descriptor_, LOCK_EX) == 0;
  }
  ~LockedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  bool ok() const { return locked_; }
  bool ReadAll(std::string& bytes) const {
    char buffer[1 << 16];
    ssize_t size = 0;
    while ((size = read(descriptor_, buffer, sizeof(buffer))) > 0) bytes.append(buffer, static_cast<size_t>(size));
    return size == 0;
  }
  bool WriteAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = write(descriptor_, bytes.data(), bytes.size());
      if (size < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    return fsync(descriptor_) == 0;
  }

 private:
  const int descriptor_;
  bool locked_ = false;
};

std::string HashOf(std::string_view previous, std::string_view json) {
  return absl::BytesToHexString(ToAbsl(replication::Hash256(std::string(previous).append(json))));
}

std::string Encode(uint64_t number, const AuditEvent& event) {
  const Json json = {{"n", number},
                     {"time", absl::FormatTime(kTimeFormat, absl::FromUnixMillis(static_cast<int64_t>(event.millis)), absl::UTCTimeZone())},
                     {"person", event.person},
                     {"action", event.action},
                     {"subject", event.subject},
                     {"detail", event.detail},
                     {"key", event.key}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// False where the line isn't one of ours.
bool Decode(std::string_view text, AuditEntry& entry) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("n") || !json["n"].is_number_unsigned()) return false;
  entry.number = json["n"].get<uint64_t>();
  const auto field = [&](const char* name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : std::string();
  };
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(kTimeFormat, field("time"), &time, &error)) return false;
  entry.event = {static_cast<uint64_t>(absl::ToUnixMillis(time)), field("person"), field("action"), field("subject"),
                 field("detail"), field("key")};
  return true;
}

AuditContents Parse(std::string_view bytes) {
  AuditContents contents;
  std::string previous;
  size_t number = 0;
  const auto damage = [&](std::string_view what) {
    if (contents.damage.empty()) contents.damage = absl::StrCat("ligne ", number, " : ", ToAbsl(what));
  };
  for (const absl::string_view split : absl::StrSplit(ToAbsl(bytes), '\n', absl::SkipEmpty())) {
    const std::string_view line = ToStd(split);
    ++number;
    AuditEntry entry;
    const bool shaped = line.size() > kHashDigits + 1 && line[kHashDigits] == ' ';
    if (!shaped || !Decode(line.substr(kHashDigits + 1), entry)) {
      damage("illisible ; coupée par un arrêt brutal, ou altérée");
      continue;
    }
    entry.hash = std::string(line.substr(0, kHashDigits));
    if (entry.hash != HashOf(previous, line.substr(kHashDigits + 1))) damage("elle ne suit pas celle d'avant : le journal a été altéré");
    if (entry.number != contents.entries.size() + 1) damage("son numéro ne suit pas celui d'avant : il en manque");
    previous = entry.hash;
    contents.entries.push_back(std::move(entry));
  }
  return contents;
}

}  // namespace

absl::Status AuditLog::Append(const std::vector<AuditEvent>& events) const {
  if (events.empty()) return absl::OkStatus();
  const LockedFile file(file_, O_RDWR | O_APPEND | O_CREAT);
  std::string bytes;
  if (!file.ok() || !file.ReadAll(bytes)) return Failed(file_, "lecture impossible");
  const AuditContents known = Parse(bytes);
  std::set<std::string> keys;
  for (const AuditEntry& entry : known.entries) keys.insert(entry.event.key);
  std::string previous = known.entries.empty() ? "" : known.entries.back().hash;
  uint64_t number = known.entries.empty() ? 0 : known.entries.back().number;
  std::string added = bytes.empty() || bytes.back() == '\n' ? "" : "\n";
  for (const AuditEvent& event : events) {
    if (!event.key.empty() && !keys.insert(event.key).second) continue;
    const std::string json = Encode(++number, event);
    previous = HashOf(previous, json);
    absl::StrAppend(&added, previous, " ", json, "\n");
  }
  return added.size() <= 1 || file.WriteAll(added) ? absl::OkStatus() : Failed(file_, "écriture impossible");
}

std::string SystemUser() {
  const passwd* const user = getpwuid(getuid());
  return user == nullptr ? absl::StrCat("uid ", getuid()) : user->pw_name;
}

absl::StatusOr<AuditContents> AuditLog::Read() const {
  const LockedFile file(file_, O_RDONLY);
  if (!file.ok()) return errno == ENOENT ? absl::StatusOr<AuditContents>(AuditContents()) : Failed(file_, "lecture impossible");
  std::string bytes;
  if (!file.ReadAll(bytes)) return Failed(file_, "lecture impossible");
  return Parse(bytes);
}

}  // namespace maillage::server
