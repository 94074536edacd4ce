// Messages as JSON documents with the proto's field names. Unlike in the canonical mapping, 64-bit
// integers are numbers: programs compare and add them.
#ifndef MAILLAGE_CLIENT_COMMANDS_JSON_H_
#define MAILLAGE_CLIENT_COMMANDS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"
#include "proto/record_service.pb.h"

namespace maillage::client::commands {

using Json = nlohmann::ordered_json;

enum class JsonDefaults {
  // Unset fields are left out: right for contents, where unset means unknown.
  kOmit,
  // Zeros, false and empty lists are there too: right for states, where programs expect each field.
  kPrint,
};

// The message has no Any inside.
Json ToJson(const google::protobuf::Message& message, JsonDefaults defaults = JsonDefaults::kOmit);

// {"name", "kind", "id", "etag", "create_time", "update_time", "deleted", "conflicting_fields",
// "content"}. A content of an unknown type is {"@type": …}.
Json RecordJson(const v1::Record& record);

// {"time", "person", "site", "fields": [{"field", "action", "value"}], "dot"}.
Json ChangeJson(const v1::RecordChange& change);

// Indented, with a line feed at the end; texts that are no UTF-8 are repaired.
std::string Print(const Json& json);
// On one line, with a line feed at the end.
std::string PrintLine(const Json& json);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_JSON_H_
