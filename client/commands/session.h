// One run of the command line: its surroundings, its global options, and what every command shares.
#ifndef MAILLAGE_CLIENT_COMMANDS_SESSION_H_
#define MAILLAGE_CLIENT_COMMANDS_SESSION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "client/commands/language.h"
#include "google/protobuf/descriptor.h"

namespace maillage::client::commands {

// Exit codes; those of `status --check` beyond 0 and 1 are kCritical and kUnknown.
inline constexpr int kFine = 0;
inline constexpr int kFailed = 1;
inline constexpr int kDegraded = 1;
inline constexpr int kCritical = 2;
inline constexpr int kUnknown = 3;
// EX_USAGE of sysexits.h.
inline constexpr int kUsage = 64;

// What a run has around it; tests bring their own. All functions must be set.
struct Environment {
  std::ostream& out;
  std::ostream& err;
  // A connection to the node at HOST:PORT, called once at most.
  std::function<std::shared_ptr<Connection>(const std::string& address)> connect;
  // Value of an environment variable; empty where it is unset.
  std::function<std::string(const char* name)> variable;
  std::function<absl::Time()> now;
  std::function<std::string()> request_id;
  // Who writes where neither option nor variable says so.
  std::string default_person;
  // Columns of the terminal that `out` is; 0 where it is none.
  size_t out_width = 0;
  bool err_is_terminal = false;
  // Whether the user has asked the run to stop.
  std::function<bool()> stopped;
  // Returns after the pause, or once the user asks the run to stop.
  std::function<void(absl::Duration)> wait;
  // Runs maillaged, which works on files that no node holds open, with these arguments, and returns its exit code.
  std::function<absl::StatusOr<int>(const std::vector<std::string>& arguments)> run_node_program;
};

enum class Output { kTable, kJson, kCsv };

class Session {
 public:
  Session(Environment& environment, Language language);

  Environment& env;
  Output output = Output::kTable;
  // Set from the global options before a command runs.
  std::string node;
  std::string person;
  Language language;
  // IANA name of the zone in which people read times.
  std::string zone;
  // Of the run, if its command succeeds.
  int exit_code = kFine;

  // Both name one thing; the session's language picks.
  std::string Say(std::string french, std::string english) const;

  // Connects when first called.
  Client& client();

  std::string ShortTimeText(absl::Time time) const;
  std::string LongTimeText(absl::Time time) const;

 private:
  std::unique_ptr<Client> client_;
};

// Wrong usage: exit code 64, and the reader is sent to --help.
absl::Status UsageError(const std::string& message);
// The same status as wrong usage; OK stays OK.
absl::Status AsUsageError(const absl::Status& status);
bool IsUsageError(const absl::Status& status);

// The kind of that name, or a usage error that lists the kinds.
absl::StatusOr<const google::protobuf::Descriptor*> RequireKind(const Session& session,
                                                                const std::string& name);

// A record named on the command line.
struct Target {
  const google::protobuf::Descriptor* kind = nullptr;
  // "actor/018f…".
  std::string name;
};

// `kind` may be a whole record's name, then `id` is empty. `id` is a UUID, a record's name, or the
// first 8 hexadecimal digits or more of a UUID, which are looked up in the list of the kind's
// records; NotFound where none begins so, a usage error where several do.
absl::StatusOr<Target> ResolveTarget(Session& session, const std::string& kind,
                                     const std::string& id);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_SESSION_H_
