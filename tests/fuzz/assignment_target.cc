// What people type after `create` and `edit` (client/commands/): a byte chooses the kind, then arguments with 0x1f between.
#include "client/commands/assignment.h"

#include <string>
#include <vector>

#include "client/commands/field_text.h"
#include "client/kinds.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Messages from the libraries below may be in English, but are there.
bool Explained(const absl::Status& status) {
  MAILLAGE_REQUIRE(absl::IsInvalidArgument(status) && !status.message().empty());
  return false;
}

void RequireTexts(const Message& content) {
  const Descriptor& kind = *content.GetDescriptor();
  for (int i = 0; i < kind.field_count(); ++i) {
    const FieldDescriptor& field = *kind.field(i);
    const auto texts = client::commands::FieldTexts(content, field);
    MAILLAGE_REQUIRE(field.is_repeated() || texts.size() <= 1);
    client::commands::FieldText(content, field);
  }
}

}  // namespace

bool FuzzAssignment(std::string_view bytes) {
  const auto& kinds = client::AllKinds();
  const Descriptor& kind = *kinds[TakeByte(bytes) % kinds.size()];
  const auto assignments = client::commands::ParseAssignments(kind, SplitUnits(bytes));
  if (!assignments.ok()) return Explained(assignments.status());
  const auto content = client::commands::BuildContent(kind, *assignments);
  if (content.ok()) RequireTexts(**content);
  const auto empty = client::NewMessage(kind);
  const auto edit = client::commands::BuildEdit(*assignments, content.ok() ? **content : *empty);
  if (!edit.ok()) return Explained(edit.status());
  for (const std::string& name : edit->mask) MAILLAGE_REQUIRE(kind.FindFieldByName(name) != nullptr);
  RequireTexts(*edit->content);
  return content.ok() || Explained(content.status());
}

}  // namespace maillage::fuzz
