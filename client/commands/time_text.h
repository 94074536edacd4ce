// Times and durations for people and for programs.
#ifndef MAILLAGE_CLIENT_COMMANDS_TIME_TEXT_H_
#define MAILLAGE_CLIENT_COMMANDS_TIME_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "client/commands/language.h"
#include "google/protobuf/timestamp.pb.h"

namespace maillage::client::commands {

// InfinitePast for a time that is unset.
absl::Time ToTime(const google::protobuf::Timestamp& time);

// "23/11/2026 14:02" in the zone (an IANA name); "-" for InfinitePast.
std::string ShortTime(absl::Time time, const std::string& zone, Language language);

// "23 novembre 2026 14:02".
std::string LongTime(absl::Time time, const std::string& zone, Language language);

// "2026-11-23T13:02:05.123Z" (RFC 3339), empty for InfinitePast.
std::string MachineTime(absl::Time time);

// The largest unit that fits: "40 s", "5 min", "3 h", "2 j" ("2 d").
std::string DurationWords(absl::Duration duration, Language language);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_TIME_TEXT_H_
