#include "client/kinds.h"

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/records.pb.h"
#include "proto/text_fold.h"

namespace maillage::client {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const std::vector<const Descriptor*>& AllKinds() {
  static const auto* const kinds = [] {
    auto* found = new std::vector<const Descriptor*>;
    const google::protobuf::FileDescriptor& file = *v1::Address::descriptor()->file();
    for (int i = 0; i < file.message_type_count(); ++i) {
      if (file.message_type(i)->options().HasExtension(v1::kind)) {
        found->push_back(file.message_type(i));
      }
    }
    return found;
  }();
  return *kinds;
}

const Descriptor* FindKind(std::string_view name) {
  const std::string folded = FoldText(name);
  for (const Descriptor* kind : AllKinds()) {
    const v1::Kind& options = KindOf(*kind);
    if (folded == options.name() || folded == FoldText(options.name_fr())) return kind;
  }
  return nullptr;
}

const v1::Kind& KindOf(const Descriptor& kind) { return kind.options().GetExtension(v1::kind); }

v1::MergeRule RuleOf(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::merge);
}

const FieldDescriptor* NamingField(const Descriptor& kind) {
  for (int i = 0; i < kind.field_count(); ++i) {
    if (kind.field(i)->options().GetExtension(v1::names_record)) return kind.field(i);
  }
  return nullptr;
}

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

absl::StatusOr<std::unique_ptr<Message>> Unpack(const google::protobuf::Any& any) {
  const std::string type_name = any.type_url().substr(any.type_url().rfind('/') + 1);
  const Descriptor* const type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type_name);
  if (type == nullptr) {
    return absl::NotFoundError(absl::StrCat("type de fiche inconnu de ce programme : ", type_name));
  }
  std::unique_ptr<Message> message = NewMessage(*type);
  if (!message->ParseFromString(any.value())) {
    return absl::DataLossError(absl::StrCat("contenu illisible de type ", type_name));
  }
  return message;
}

std::pair<std::string, std::string> SplitName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  return {std::string(name.substr(0, slash)), std::string(name.substr(slash + 1))};
}

std::string RecordName(const Descriptor& kind, std::string_view id) {
  return absl::StrCat(KindOf(kind).name(), "/", ToAbsl(id));
}

}  // namespace maillage::client
