#include "client/commands/assignment.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/commands/field_text.h"
#include "client/kinds.h"
#include "nlohmann/json.hpp"
#include "proto/quote.h"

namespace maillage::client::commands {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

// Lists and objects inside of each other in a list that is given as JSON: a value may have 16 messages inside of each
// other, each in a list.
constexpr int kMaxJsonDepth = 34;

// Levenshtein's distance, in bytes.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, replaced}));
    }
  }
  return row.back();
}

// What to say to somebody who typed a name that no field of the type has.
std::string Suggestion(const Descriptor& type, const std::string& name) {
  constexpr size_t kMaxNames = 3;
  std::vector<std::pair<size_t, std::string>> near;
  std::vector<std::string> all;
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string& candidate = type.field(i)->name();
    all.push_back(candidate);
    const bool inside = !name.empty() && absl::StrContains(candidate, name);
    const size_t distance = inside ? 1 : EditDistance(candidate, name);
    if (distance <= std::max<size_t>(2, name.size() / 3)) near.emplace_back(distance, candidate);
  }
  if (near.empty()) return absl::StrCat("Champs connus : ", absl::StrJoin(all, ", "));
  absl::c_stable_sort(near, [](const auto& a, const auto& b) { return a.first < b.first; });
  near.resize(std::min(near.size(), kMaxNames));
  const auto append_name = [](std::string* out, const auto& each) { out->append(each.second); };
  return absl::StrCat("Vouliez-vous dire : ", absl::StrJoin(near, ", ", append_name), " ?");
}

absl::StatusOr<Assignment> ParseAssignment(const Descriptor& kind, const std::string& argument) {
  const size_t equals = argument.find('=');
  if (equals == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(argument), " : il faut champ=valeur, champ+=valeur ou champ-=valeur"));
  }
  Assignment assignment;
  assignment.value = argument.substr(equals + 1);
  absl::string_view path = absl::string_view(argument).substr(0, equals);
  if (absl::ConsumeSuffix(&path, "+")) assignment.op = Assignment::Operator::kAdd;
  if (assignment.op == Assignment::Operator::kSet && absl::ConsumeSuffix(&path, "-")) {
    assignment.op = Assignment::Operator::kRemove;
  }
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  const absl::StatusOr<const FieldDescriptor*> field = FindField(kind, names.front());
  if (!field.ok()) return field.status();
  assignment.field = *field;
  const FieldDescriptor* last = *field;
  for (size_t i = 1; i < names.size(); ++i) {
    if (last->is_repeated() || last->message_type() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(last->name(), " : ce champ n'a pas de membres"));
    }
    const absl::StatusOr<const FieldDescriptor*> member =
        FindField(*last->message_type(), names[i]);
    if (!member.ok()) return member.status();
    assignment.members.push_back(last = *member);
  }
  if (assignment.op != Assignment::Operator::kSet) {
    if (!assignment.field->is_repeated()) {
      return absl::InvalidArgumentError(
          absl::StrCat((*field)->name(), " : += et -= vont aux listes ; ici ", path, "=valeur"));
    }
    if (assignment.value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat((*field)->name(), " : il manque la valeur"));
    }
  }
  return assignment;
}

// Elements of a list given as a JSON array, or the value alone.
absl::Status SetElements(const FieldDescriptor& field, const std::string& value, Message& message) {
  if (!field.is_repeated() || !absl::StartsWith(value, "[")) {
    return SetFromText(field, value, message);
  }
  // What lies deeper is left out while it is read: writing an element again takes a stack frame for each level.
  bool too_deep = false;
  const auto within = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep |= depth > kMaxJsonDepth;
    return depth <= kMaxJsonDepth;
  };
  const nlohmann::json array = nlohmann::json::parse(value, within, false);
  if (too_deep || !array.is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(field.name(), " : liste JSON refusée"));
  }
  for (const nlohmann::json& element : array) {
    const absl::Status status = SetFromText(
        field, element.is_string() ? element.get<std::string>() : element.dump(), message);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SetMember(const Assignment& assignment, Message& content) {
  Message* message = &content;
  const FieldDescriptor* field = assignment.field;
  for (const FieldDescriptor* member : assignment.members) {
    message = message->GetReflection()->MutableMessage(message, field);
    field = member;
  }
  message->GetReflection()->ClearField(message, field);
  if (assignment.value.empty()) return absl::OkStatus();
  return SetFromText(*field, assignment.value, *message);
}

// Puts the assignment's field into the mask. The first time, the content takes what the record has
// of a message whose members are set.
void Touch(const Assignment& assignment, const Message& current, Edit& edit) {
  const std::string& name = assignment.field->name();
  if (absl::c_linear_search(edit.mask, name)) return;
  edit.mask.push_back(name);
  if (assignment.members.empty()) return;
  const auto& reflection = *current.GetReflection();
  if (reflection.HasField(current, assignment.field)) {
    edit.content->GetReflection()
        ->MutableMessage(edit.content.get(), assignment.field)
        ->CopyFrom(reflection.GetMessage(current, assignment.field));
  }
}

absl::Status Apply(const Assignment& assignment, const Message& current, Edit& edit) {
  const Descriptor& kind = *current.GetDescriptor();
  if (assignment.op != Assignment::Operator::kSet) {
    const bool adds = assignment.op == Assignment::Operator::kAdd;
    std::unique_ptr<Message>& elements = adds ? edit.additions : edit.removals;
    if (elements == nullptr) elements = NewMessage(kind);
    return SetFromText(*assignment.field, assignment.value, *elements);
  }
  Touch(assignment, current, edit);
  if (!assignment.members.empty()) return SetMember(assignment, *edit.content);
  if (!assignment.field->is_repeated()) {
    edit.content->GetReflection()->ClearField(edit.content.get(), assignment.field);
  }
  if (assignment.value.empty()) return absl::OkStatus();
  return SetElements(*assignment.field, assignment.value, *edit.content);
}

}  // namespace

absl::StatusOr<const FieldDescriptor*> FindField(const Descriptor& type, const std::string& name) {
  const FieldDescriptor* const field = type.FindFieldByName(name);
  if (field != nullptr) return field;
  return absl::InvalidArgumentError(
      absl::StrCat(Quote(name), " : champ inconnu. ", Suggestion(type, name)));
}

absl::StatusOr<std::vector<Assignment>> ParseAssignments(
    const Descriptor& kind, const std::vector<std::string>& arguments) {
  std::vector<Assignment> assignments;
  for (const std::string& argument : arguments) {
    absl::StatusOr<Assignment> assignment = ParseAssignment(kind, argument);
    if (!assignment.ok()) return assignment.status();
    assignments.push_back(*std::move(assignment));
  }
  return assignments;
}

bool NeedsCurrent(const std::vector<Assignment>& assignments) {
  return absl::c_any_of(assignments,
                        [](const Assignment& assignment) { return !assignment.members.empty(); });
}

absl::StatusOr<Edit> BuildEdit(const std::vector<Assignment>& assignments, const Message& current) {
  Edit edit;
  edit.content = NewMessage(*current.GetDescriptor());
  for (const Assignment& assignment : assignments) {
    const absl::Status status = Apply(assignment, current, edit);
    if (!status.ok()) return status;
  }
  return edit;
}

absl::StatusOr<std::unique_ptr<Message>> BuildContent(const Descriptor& kind,
                                                      const std::vector<Assignment>& assignments) {
  absl::StatusOr<Edit> edit = BuildEdit(assignments, *NewMessage(kind));
  if (!edit.ok()) return edit.status();
  if (edit->removals != nullptr) {
    return absl::InvalidArgumentError("-= n'a pas de sens pour une fiche qui n'existe pas encore");
  }
  if (edit->additions != nullptr) edit->content->MergeFrom(*edit->additions);
  return std::move(edit->content);
}

}  // namespace maillage::client::commands
