#include "replication/schema.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/absl_view.h"
#include "proto/records.pb.h"
#include "proto/text_fold.h"
#include "replication/check.h"
#include "replication/fingerprint.h"
#include "replication/record_traces.h"
#include "replication/tuning.h"
#include "replication/value_codec.h"
#include "storage/keys.h"

namespace maillage::replication {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

constexpr size_t kNaturalKeyDigest = 16;

template <typename... Parts>
absl::Status Broken(const FieldDescriptor& field, const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(field.full_name(), ": ", parts...));
}

const FieldDescriptor* FindEntryKey(const Descriptor& entry) {
  for (int i = 0; i < entry.field_count(); ++i) {
    if (entry.field(i)->options().GetExtension(v1::key)) return entry.field(i);
  }
  return nullptr;
}

bool IsUnsigned(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
}

absl::Status CheckRule(const FieldSchema& field) {
  const FieldDescriptor& descriptor = *field.descriptor;
  const bool many = descriptor.is_repeated();
  switch (field.rule) {
    case v1::REGISTER:
      return many ? Broken(descriptor, "REGISTER is for single values") : absl::OkStatus();
    case v1::SET:
      return many && !descriptor.is_map() ? absl::OkStatus()
                                          : Broken(descriptor, "SET is for repeated fields");
    case v1::MAP:
      if (!many || descriptor.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
          field.key == nullptr || field.key->is_repeated()) {
        return Broken(descriptor, "MAP is for repeated messages with a single-valued key field");
      }
      return absl::OkStatus();
    case v1::MAX:
      if (many || !(descriptor.type() == FieldDescriptor::TYPE_STRING || IsUnsigned(descriptor))) {
        return Broken(descriptor, "MAX is for single texts and unsigned integers");
      }
      return absl::OkStatus();
    case v1::COUNTER:
      return !many && descriptor.type() == FieldDescriptor::TYPE_SINT64
                 ? absl::OkStatus()
                 : Broken(descriptor, "COUNTER is for single sint64");
    default:
      return Broken(descriptor, "no merge rule: add [(merge) = …]");
  }
}

bool IsReference(const FieldDescriptor& field) { return field.options().GetExtension(v1::format) == v1::REFERENCE; }

// Whether it names records, or what is in it does, at any depth; no message of a record holds one of its own type.
bool MayRefer(const FieldDescriptor& field) {
  if (IsReference(field)) return true;
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_map()) return false;
  const Descriptor& nested = *field.message_type();
  for (int i = 0; i < nested.field_count(); ++i) {
    if (nested.field(i)->message_type() != &nested && MayRefer(*nested.field(i))) return true;
  }
  return false;
}

// What the index, partitions and screens of other sites show can't be kept from anybody.
absl::Status CheckConfidential(const FieldSchema& field) {
  const FieldDescriptor& descriptor = *field.descriptor;
  if (!field.internal && !field.personal) return absl::OkStatus();
  if (field.territory || field.searchable || field.refers || descriptor.options().GetExtension(v1::names_record)) {
    return Broken(descriptor, "internal or personal, and found or shown by it");
  }
  if (field.internal && field.rule != v1::REGISTER) return Broken(descriptor, "internal is for REGISTER");
  if (field.rule == v1::MAX || field.rule == v1::COUNTER) return Broken(descriptor, "personal isn't for MAX and COUNTER");
  return absl::OkStatus();
}

absl::StatusOr<FieldSchema> ReadField(const FieldDescriptor& descriptor) {
  FieldSchema field;
  field.descriptor = &descriptor;
  field.rule = descriptor.options().GetExtension(v1::merge);
  field.territory = descriptor.options().GetExtension(v1::territory);
  field.searchable = descriptor.options().GetExtension(v1::searchable);
  field.internal = descriptor.options().GetExtension(v1::internal);
  field.personal = descriptor.options().GetExtension(v1::personal);
  field.refers = MayRefer(descriptor);
  if (field.rule == v1::MAP && descriptor.message_type() != nullptr) {
    field.key = FindEntryKey(*descriptor.message_type());
  }
  if (absl::Status status = CheckRule(field); !status.ok()) return status;
  if (field.territory && descriptor.type() != FieldDescriptor::TYPE_STRING) {
    return Broken(descriptor, "a territory is a text");
  }
  if (absl::Status status = CheckConfidential(field); !status.ok()) return status;
  return field;
}

absl::StatusOr<NaturalKeySchema> ReadNaturalKey(const Descriptor& kind, const v1::NaturalKey& key,
                                                int rule) {
  NaturalKeySchema schema;
  schema.rule = static_cast<uint8_t>(rule);
  schema.weak = key.weak();
  schema.may_be_incomplete = key.may_be_incomplete();
  for (const std::string& name : key.field()) {
    const FieldDescriptor* field = kind.FindFieldByName(name);
    if (field == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat(kind.full_name(), ": natural key over a field that isn't there: ", name));
    }
    if (field->options().GetExtension(v1::internal) || field->options().GetExtension(v1::personal)) {
      return Broken(*field, "internal or personal, and in a natural key");
    }
    schema.fields.push_back(field);
  }
  if (schema.fields.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(kind.full_name(), ": empty natural key"));
  }
  return schema;
}

absl::StatusOr<KindSchema> ReadKind(const Descriptor& descriptor) {
  KindSchema kind;
  kind.options = descriptor.options().GetExtension(v1::kind);
  kind.descriptor = &descriptor;
  kind.name = kind.options.name();
  if (kind.options.number() == 0 || kind.options.number() > kMaxKind || kind.name.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(descriptor.full_name(), ": a kind needs a number (1 to 32767) and a name"));
  }
  kind.number = static_cast<uint16_t>(kind.options.number());
  for (int i = 0; i < descriptor.field_count(); ++i) {
    absl::StatusOr<FieldSchema> field = ReadField(*descriptor.field(i));
    if (!field.ok()) return field.status();
    if (descriptor.field(i)->options().GetExtension(v1::names_record)) {
      if (kind.title != nullptr) return Broken(*descriptor.field(i), "a second (names_record)");
      kind.title = descriptor.field(i);
    }
    kind.fields.push_back(*field);
  }
  std::sort(kind.fields.begin(), kind.fields.end(), [](const FieldSchema& a, const FieldSchema& b) {
    return a.descriptor->number() < b.descriptor->number();
  });
  if (kind.title == nullptr || kind.title->type() != FieldDescriptor::TYPE_STRING ||
      kind.title->is_repeated()) {
    return absl::FailedPreconditionError(
        absl::StrCat(descriptor.full_name(), ": no single text field has (names_record)"));
  }
  for (int i = 0; i < kind.options.natural_key_size(); ++i) {
    absl::StatusOr<NaturalKeySchema> key =
        ReadNaturalKey(descriptor, kind.options.natural_key(i), i);
    if (!key.ok()) return key.status();
    kind.natural_keys.push_back(*std::move(key));
  }
  return kind;
}

std::string Folded(const FieldDescriptor& field, std::string value) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ? FoldText(value) : value;
}

// The values of a field in an order of their own, so that the order of a list doesn't matter.
std::vector<std::string> KeyParts(const Message& message, const FieldDescriptor& field) {
  std::vector<std::string> parts;
  if (field.is_repeated()) {
    const int size = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < size; ++i) parts.push_back(Folded(field, EncodeElement(message, field, i)));
    std::sort(parts.begin(), parts.end());
  } else if (IsSet(message, field)) {
    parts.push_back(Folded(field, EncodeValue(message, field)));
  }
  return parts;
}

std::string Digest(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) absl::StrAppend(&joined, part.size(), ":", part);
  return Blake2b256({joined}).substr(0, kNaturalKeyDigest);
}

void AppendNaturalKeys(const NaturalKeySchema& key, const Message& message,
                       std::vector<NaturalKeyValue>& out) {
  if (key.fields.size() == 1) {
    for (std::string& part : KeyParts(message, *key.fields[0])) {
      if (!part.empty()) out.push_back({key.rule, key.weak, Digest({std::move(part)})});
    }
    return;
  }
  std::vector<std::string> parts;
  for (const FieldDescriptor* field : key.fields) {
    const std::vector<std::string> values = KeyParts(message, *field);
    const bool required = field == key.fields[0] || !key.may_be_incomplete;
    if (values.empty() && required) return;
    parts.push_back(absl::StrCat(values.size()));
    parts.insert(parts.end(), values.begin(), values.end());
  }
  out.push_back({key.rule, key.weak, Digest(parts)});
}

void AppendWords(uint16_t kind, const FieldSchema& field, const Message& message,
                 const RecordId& id, std::vector<std::string>& out) {
  const auto add = [&](const std::string& text) {
    for (const std::string& word : FoldedWords(text)) out.push_back(storage::WordKey(kind, word, id));
  };
  if (!field.descriptor->is_repeated()) {
    add(EncodeValue(message, *field.descriptor));
    return;
  }
  const int size = message.GetReflection()->FieldSize(message, field.descriptor);
  for (int i = 0; i < size; ++i) add(EncodeElement(message, *field.descriptor, i));
}

void AppendReferences(const Message& message, const FieldDescriptor& field, std::set<RecordId>& out) {
  const auto append = [&](const Message& nested) {
    for (int i = 0; i < nested.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& inner = *nested.GetDescriptor()->field(i);
      if (MayRefer(inner)) AppendReferences(nested, inner, out);
    }
  };
  const bool nested = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    if (nested && reflection.HasField(message, &field)) append(reflection.GetMessage(message, &field));
    if (const auto id = nested ? std::nullopt : ParseUuid(EncodeValue(message, field)); id.has_value()) out.insert(*id);
    return;
  }
  const int size = reflection.FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    if (nested) append(reflection.GetRepeatedMessage(message, &field, i));
    if (const auto id = nested ? std::nullopt : ParseUuid(EncodeElement(message, field, i)); id.has_value()) {
      out.insert(*id);
    }
  }
}

void DecodeCell(const FieldSchema& field, const Cell& cell, Message& message) {
  const FieldDescriptor& descriptor = *field.descriptor;
  switch (field.rule) {
    case v1::SET:
      DecodeValue(cell.key, message, descriptor);
      return;
    case v1::COUNTER:
      DecodeValue(absl::StrCat(CounterSum(cell)), message, descriptor);
      return;
    default:
      if (const Version& winner = Winner(cell.versions); !winner.withheld) DecodeValue(winner.value, message, descriptor);
  }
}

}  // namespace

const FieldSchema* KindSchema::FindField(uint32_t field_number) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const FieldSchema& field) {
    return static_cast<uint32_t>(field.descriptor->number()) == field_number;
  });
  return found == fields.end() ? nullptr : &*found;
}

const FieldSchema* KindSchema::FindField(std::string_view field_name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const FieldSchema& field) {
    return field.descriptor->name() == field_name;
  });
  return found == fields.end() ? nullptr : &*found;
}

absl::StatusOr<std::unique_ptr<Schema>> Schema::FromFile(const FileDescriptor* file,
                                                         google::protobuf::MessageFactory* factory) {
  std::unique_ptr<Schema> schema(new Schema(factory));
  std::set<std::string> names;
  std::set<uint16_t> numbers;
  for (int i = 0; i < file->message_type_count(); ++i) {
    const Descriptor& descriptor = *file->message_type(i);
    if (!descriptor.options().HasExtension(v1::kind)) continue;
    absl::StatusOr<KindSchema> kind = ReadKind(descriptor);
    if (!kind.ok()) return kind.status();
    if (!names.insert(kind->name).second || !numbers.insert(kind->number).second) {
      return absl::FailedPreconditionError(
          absl::StrCat(descriptor.full_name(), ": the name or number of another kind"));
    }
    schema->kinds_.push_back(*std::move(kind));
  }
  std::sort(schema->kinds_.begin(), schema->kinds_.end(),
            [](const KindSchema& a, const KindSchema& b) { return a.number < b.number; });
  return schema;
}

const Schema& Schema::BuiltIn() {
  static const Schema* const schema = [] {
    auto built = FromFile(v1::Actor::descriptor()->file(),
                          google::protobuf::MessageFactory::generated_factory());
    if (!built.ok()) std::fprintf(stderr, "%s\n", built.status().ToString().c_str());
    MAILLAGE_CHECK(built.ok());
    return built->release();
  }();
  return *schema;
}

const KindSchema* Schema::FindKind(uint16_t number) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](const KindSchema& kind) { return kind.number == number; });
  return found == kinds_.end() ? nullptr : &*found;
}

const KindSchema* Schema::FindKind(std::string_view name) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](const KindSchema& kind) { return kind.name == name; });
  return found == kinds_.end() ? nullptr : &*found;
}

const KindSchema* Schema::FindKindOfMessage(std::string_view full_name) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const KindSchema& kind) {
    return kind.descriptor->full_name() == full_name;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

std::unique_ptr<Message> Schema::NewMessage(const KindSchema& kind) const {
  return std::unique_ptr<Message>(factory_->GetPrototype(kind.descriptor)->New());
}

std::unique_ptr<Message> Schema::ToMessage(const KindSchema& kind, const RecordState& state) const {
  std::unique_ptr<Message> message = NewMessage(kind);
  for (const Cell& cell : state.cells()) {
    const FieldSchema* field = kind.FindField(cell.field);
    if (field != nullptr) DecodeCell(*field, cell, *message);
  }
  return message;
}

std::vector<NaturalKeyValue> Schema::NaturalKeys(const KindSchema& kind,
                                                 const Message& message) const {
  std::vector<NaturalKeyValue> keys;
  for (const NaturalKeySchema& key : kind.natural_keys) AppendNaturalKeys(key, message, keys);
  return keys;
}

std::vector<std::string> Schema::IndexKeys(const RecordKey& record, const RecordState& state) const {
  const KindSchema* kind = FindKind(record.kind);
  if (kind == nullptr) return {};
  const std::unique_ptr<Message> message = ToMessage(*kind, state);
  const bool deleted = state.life() == Life::kDeleted;
  std::vector<std::string> keys;
  for (const FieldSchema& field : kind->fields) {
    if (field.searchable && !deleted) AppendWords(kind->number, field, *message, record.id, keys);
  }
  for (const NaturalKeyValue& key : NaturalKeys(*kind, *message)) {
    if (key.weak && deleted) continue;
    keys.push_back(storage::NaturalKeyKey(kind->number, key.rule, key.digest, record.id));
  }
  if (!deleted) {
    for (const RecordId& target : References(*kind, *message)) {
      for (const std::string& place : PlacesOf(state)) {
        keys.push_back(storage::ReferenceKey(target, {kind->number, place}, record.id));
      }
    }
  }
  return keys;
}

std::set<RecordId> Schema::References(const KindSchema& kind, const Message& message) {
  std::set<RecordId> references;
  for (const FieldSchema& field : kind.fields) {
    if (field.refers) AppendReferences(message, *field.descriptor, references);
  }
  return references;
}

std::vector<uint16_t> Schema::ReferableKinds() const {
  std::vector<uint16_t> kinds;
  for (const KindSchema& kind : kinds_) {
    if (!kind.options.system()) kinds.push_back(kind.number);
  }
  return kinds;
}

uint32_t Schema::TitleField(uint16_t kind) const {
  const KindSchema* known = FindKind(kind);
  return known == nullptr ? 0 : static_cast<uint32_t>(known->title->number());
}

}  // namespace maillage::replication
