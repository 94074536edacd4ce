// The kinds of record and the rule of each field, read from the descriptors of proto/records.proto at start-up.
// The heart merges without it; it stands at the door, where typed messages become operations and states become
// messages again.
#ifndef MAILLAGE_REPLICATION_SCHEMA_H_
#define MAILLAGE_REPLICATION_SCHEMA_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "proto/id.h"
#include "proto/merge.pb.h"
#include "replication/index_source.h"
#include "replication/record_state.h"

namespace maillage::replication {

struct FieldSchema {
  const google::protobuf::FieldDescriptor* descriptor = nullptr;
  v1::MergeRule rule = v1::MERGE_RULE_UNSPECIFIED;
  bool territory = false;
  bool searchable = false;
  bool internal = false;
  bool personal = false;
  // It names other records, or what is in it does.
  bool refers = false;
  // The field that identifies an entry of a MAP; null otherwise.
  const google::protobuf::FieldDescriptor* key = nullptr;
};

// One way to recognise a record in an imported file.
struct NaturalKeySchema {
  // Its place among the kind's keys; stored in the index table.
  uint8_t rule = 0;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  bool weak = false;
  bool may_be_incomplete = false;
};

struct KindSchema {
  uint16_t number = 0;
  // "actor".
  std::string name;
  v1::Kind options;
  const google::protobuf::Descriptor* descriptor = nullptr;
  // By number.
  std::vector<FieldSchema> fields;
  // The field that names a record on screens.
  const google::protobuf::FieldDescriptor* title = nullptr;
  std::vector<NaturalKeySchema> natural_keys;

  // Null where the kind has no such field.
  const FieldSchema* FindField(uint32_t field_number) const;
  const FieldSchema* FindField(std::string_view field_name) const;
};

// A natural key of one record: equal digests, same record as far as this key can tell.
struct NaturalKeyValue {
  uint8_t rule = 0;
  bool weak = false;
  // 16 bytes.
  std::string digest;
};

// Immutable, hence thread-safe.
class Schema : public IndexSource {
 public:
  // All messages of the file with the `kind` option. FailedPrecondition names the field or kind that breaks a law:
  // a field without a rule or with one that its type can't follow, a MAP entry without a key, a number or name
  // twice there. `factory` makes the messages and must outlive the schema, like the descriptors.
  static absl::StatusOr<std::unique_ptr<Schema>> FromFile(
      const google::protobuf::FileDescriptor* file, google::protobuf::MessageFactory* factory);

  // Of the proto/records.proto that this program was built with.
  static const Schema& BuiltIn();

  // By number.
  const std::vector<KindSchema>& kinds() const { return kinds_; }
  // Null where the kind is unknown here.
  const KindSchema* FindKind(uint16_t number) const;
  const KindSchema* FindKind(std::string_view name) const;
  const KindSchema* FindKindOfMessage(std::string_view full_name) const;

  std::unique_ptr<google::protobuf::Message> NewMessage(const KindSchema& kind) const;

  // What readers see: winners of registers, elements of sets, entries of maps. Fields that the kind doesn't know
  // and values that it can't read are left out.
  std::unique_ptr<google::protobuf::Message> ToMessage(const KindSchema& kind,
                                                       const RecordState& state) const;

  // Strongest first, as the kind declares them.
  std::vector<NaturalKeyValue> NaturalKeys(const KindSchema& kind,
                                           const google::protobuf::Message& message) const;

  // Of a deleted record the strong natural keys alone: people don't find it any more, and an import neither
  // brings it back nor doubles it.
  std::vector<std::string> IndexKeys(const RecordKey& record,
                                     const RecordState& state) const override;
  // All but those of the system itself.
  std::vector<uint16_t> ReferableKinds() const override;
  uint32_t TitleField(uint16_t kind) const override;

  // Records that a record names in fields whose format is REFERENCE, at any depth.
  static std::set<RecordId> References(const KindSchema& kind, const google::protobuf::Message& message);

 private:
  explicit Schema(google::protobuf::MessageFactory* factory) : factory_(factory) {}

  google::protobuf::MessageFactory* const factory_;
  std::vector<KindSchema> kinds_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SCHEMA_H_
