// What `create` and `edit` are told to do, one assignment per argument:
//
//   field=VALUE      sets a single value; of a list: the list is VALUE alone, then what further =
//   arguments say field=           clears field.member=V   sets one member of a message; the others
//   keep what the record has field+=VALUE     adds one element to a list; several elements take
//   several arguments field-=VALUE     removes one element; of a MAP the key is enough
//
// Values are read by client/commands/field_text.h.
#ifndef MAILLAGE_CLIENT_COMMANDS_ASSIGNMENT_H_
#define MAILLAGE_CLIENT_COMMANDS_ASSIGNMENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace maillage::client::commands {

struct Assignment {
  enum class Operator { kSet, kAdd, kRemove };

  const google::protobuf::FieldDescriptor* field = nullptr;
  // Below the field, from the outermost; usually empty.
  std::vector<const google::protobuf::FieldDescriptor*> members;
  Operator op = Operator::kSet;
  std::string value;
};

// A field by its name, or InvalidArgument, in French, with the names that resemble it.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FindField(
    const google::protobuf::Descriptor& type, const std::string& name);

// InvalidArgument, in French, for an unknown field, an operator that the field doesn't have, or no
// operator.
absl::StatusOr<std::vector<Assignment>> ParseAssignments(const google::protobuf::Descriptor& kind,
                                                         const std::vector<std::string>& arguments);

// An UpdateRecord in the making; `additions` and `removals` are null where there are none.
struct Edit {
  std::unique_ptr<google::protobuf::Message> content;
  std::vector<std::string> mask;
  std::unique_ptr<google::protobuf::Message> additions;
  std::unique_ptr<google::protobuf::Message> removals;
};

// Whether an edit must know the record's present content: it sets members of a message.
bool NeedsCurrent(const std::vector<Assignment>& assignments);

// `current` is the record's content, or an empty message of the kind.
absl::StatusOr<Edit> BuildEdit(const std::vector<Assignment>& assignments,
                               const google::protobuf::Message& current);

// The content of a new record. InvalidArgument where an assignment removes.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> BuildContent(
    const google::protobuf::Descriptor& kind, const std::vector<Assignment>& assignments);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_ASSIGNMENT_H_
