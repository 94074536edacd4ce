// Checks that texts have the format their field declares, with a message that a person can act on.
#ifndef MAILLAGE_PROTO_FIELD_FORMAT_H_
#define MAILLAGE_PROTO_FIELD_FORMAT_H_

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "proto/merge.pb.h"

namespace maillage {

// OK or InvalidArgument with a French sentence that quotes the value and says what is expected:
// « 2021-13-01 » n'est pas une date : AAAA, AAAA-MM ou AAAA-MM-JJ.
absl::Status CheckFormat(v1::FieldFormat format, std::string_view value);

// Checks every field of the message that declares a format, its sub-messages too. The error's message begins
// with the path of the field: "departments[1] : « 1 » n'est pas …". Empty singular texts are unset, hence fine.
absl::Status CheckFormats(const google::protobuf::Message& message);

}  // namespace maillage

#endif  // MAILLAGE_PROTO_FIELD_FORMAT_H_
