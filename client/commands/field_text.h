// Values of fields as people type and read them, by descriptors: no kind is named here.
//
//   text, numbers        as they are; a REFERENCE also as "actor/UUID"; a DATE also in French: 1er
//   mars 2021 enums                the name, without case, - for _: mode=on-site Party an actor's
//   UUID, else a text Money                64000,00 or 64 000 EUR or 64000.00; euros where no ISO
//   4217 code follows Location             latitude, longitude in degrees, decimal
//   points: 45.57, 5.92 entries of a MAP     KEY:VALUE or KEY=VALUE, cut at the first of either
//   sign; KEY alone is enough any message          also as JSON, which begins with {
#ifndef MAILLAGE_CLIENT_COMMANDS_FIELD_TEXT_H_
#define MAILLAGE_CLIENT_COMMANDS_FIELD_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace maillage::client::commands {

// Sets a singular field, or appends one element to a repeated one. InvalidArgument, in French, for
// a text that isn't such a value; the formats of proto/field_format.h are the node's to check.
absl::Status SetFromText(const google::protobuf::FieldDescriptor& field, const std::string& text,
                         google::protobuf::Message& message);

// The elements of the field, one of them for a singular field that is set, none for one that is
// unset.
std::vector<std::string> FieldTexts(const google::protobuf::Message& message,
                                    const google::protobuf::FieldDescriptor& field);

// The same on one line, separated by ", ".
std::string FieldText(const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field);

// The member of a MAP's entry that identifies it; null for other messages.
const google::protobuf::FieldDescriptor* KeyField(const google::protobuf::Descriptor& entry);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_FIELD_TEXT_H_
