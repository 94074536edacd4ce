#include "replication/change.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/change.pb.h"
#include "proto/utf8.h"
#include "replication/change_signature.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

absl::Status TooLong(uint32_t field) {
  return absl::InvalidArgumentError(
      absl::StrCat("field ", field, " is longer than ", kMaxValueBytes, " bytes"));
}

absl::Status NotOneCell() { return absl::InvalidArgumentError("the life of a record is one cell"); }

absl::Status CheckOperation(const Operation& operation) {
  // An unknown rule can't be merged here, nor has it a place in the bytes of a state.
  if (operation.rule == v1::MERGE_RULE_UNSPECIFIED || !v1::MergeRule_IsValid(operation.rule)) {
    return absl::InvalidArgumentError(
        absl::StrCat("field ", operation.field, " has no rule that is known here"));
  }
  // What is void its author doesn't say.
  if (operation.field == kLifeField && !operation.key.empty()) return NotOneCell();
  if (absl::Status status = CheckCell(operation.field, operation.key); !status.ok()) return status;
  if (operation.internal) {
    absl::Status status = CheckInternal(operation.field, operation.key, operation.rule, operation.territory);
    if (!status.ok()) return status;
  }
  return CheckValue(operation.field, operation.rule, operation.value.value_or(""),
                    operation.territory);
}

absl::Status CheckLife(const Change& change, const Operation& operation) {
  if (!operation.value.has_value()) return absl::OkStatus();
  absl::StatusOr<VersionVector> covered = DecodeCovered(*operation.value);
  if (!covered.ok()) return covered.status();
  if (change.context.Covers(*covered)) return absl::OkStatus();
  return absl::InvalidArgumentError("a delete covers what its author hadn't read");
}

Operation OperationFromProto(const v1::Operation& proto) {
  Operation operation{proto.field(), proto.rule(), proto.key(), std::nullopt, proto.territory(), proto.internal(),
                      proto.personal()};
  if (proto.has_value()) operation.value = proto.value();
  operation.commitment = proto.commitment();
  return operation;
}

absl::Status Erased() { return absl::InvalidArgumentError("une valeur effacée : mettez ce nœud à jour"); }

// A value is withheld where its operation is internal, and nowhere else.
absl::Status CheckCommitment(const Operation& operation) {
  if (operation.commitment.empty()) return absl::OkStatus();
  if (!operation.internal) return Erased();
  if (operation.commitment.size() != kCommitmentSize || operation.value.has_value()) {
    return absl::InvalidArgumentError("the commitment of a withheld value has another form");
  }
  return absl::OkStatus();
}

// Commitments to the internal values that are here, since states hold them.
void AddCommitments(const v1::Change& proto, std::vector<Operation>& operations) {
  for (size_t i = 0; i < operations.size(); ++i) {
    Operation& operation = operations[i];
    if (!operation.internal || !operation.value.has_value()) continue;
    const std::string& own_salt = proto.operation(static_cast<int>(i)).salt();
    const std::string salt = proto.salt().empty() ? own_salt : SaltOfValue(proto.salt(), i);
    if (!salt.empty()) operation.commitment = CommitmentTo(*operation.value, salt);
  }
}

}  // namespace

std::string EncodeChange(const Change& change) {
  v1::Change proto;
  proto.set_record(std::string(change.record.id.bytes()));
  proto.set_kind(change.record.kind);
  *proto.mutable_actor() = ToProto(change.dot.actor);
  proto.set_n(change.dot.n);
  proto.set_site_sequence(change.site_sequence);
  proto.set_time(change.time.value);
  proto.set_person(change.person);
  if (!change.context.empty()) ToProto(change.context, proto.mutable_context());
  for (const Operation& operation : change.operations) {
    v1::Operation* added = proto.add_operation();
    added->set_field(operation.field);
    added->set_rule(operation.rule);
    added->set_key(operation.key);
    if (operation.value.has_value()) added->set_value(*operation.value);
    added->set_territory(operation.territory);
    added->set_internal(operation.internal);
    added->set_personal(operation.personal);
    if (operation.is_withheld()) added->set_commitment(operation.commitment);
  }
  proto.set_previous(change.previous);
  proto.set_salt(change.salt);
  return proto.SerializeAsString();
}

absl::Status CheckCell(uint32_t field, std::string_view key) {
  if (key.size() > kMaxValueBytes) return TooLong(field);
  if (field == kLifeField && !key.empty() && key != kVoidKey) return NotOneCell();
  return absl::OkStatus();
}

absl::Status CheckValue(uint32_t field, v1::MergeRule rule, std::string_view value, bool territory) {
  if (value.size() > kMaxValueBytes) return TooLong(field);
  if (field == kLifeField && (rule != v1::REGISTER || territory)) {
    return absl::InvalidArgumentError("the life of a record is a register of no territory");
  }
  return absl::OkStatus();
}

absl::Status CheckInternal(uint32_t field, std::string_view key, v1::MergeRule rule, bool territory) {
  if (field != kLifeField && key.empty() && rule == v1::REGISTER && !territory) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("field ", field, " can't be internal"));
}

absl::Status CheckPerson(std::string_view person) {
  if (person.size() > kMaxPersonBytes) {
    return absl::InvalidArgumentError("the person's name is too long");
  }
  if (!IsUtf8(person)) return absl::InvalidArgumentError("the person's name is no UTF-8");
  return absl::OkStatus();
}

absl::StatusOr<VersionVector> DecodeCovered(std::string_view value) {
  v1::VersionVector proto;
  if (!proto.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::InvalidArgumentError("a delete doesn't say what it covers");
  }
  return FromProto(proto);
}

absl::Status CheckChange(const Change& change) {
  if (change.dot.n == 0) return absl::InvalidArgumentError("changes are counted from 1");
  const bool has_previous = !change.previous.empty();
  if (has_previous && (change.dot.n == 1 || change.previous.size() != kChangeHashSize)) {
    return absl::InvalidArgumentError("a change follows what it can't follow");
  }
  if (!change.salt.empty() && change.salt.size() != kChangeSaltSize) {
    return absl::InvalidArgumentError("the salt has another length");
  }
  if (absl::Status status = CheckPerson(change.person); !status.ok()) return status;
  if (change.context.entries().size() > kMaxVectorEntries) {
    return absl::InvalidArgumentError("the context has too many actors");
  }
  if (change.operations.size() > kMaxOperations) {
    return absl::InvalidArgumentError("too many operations in one change");
  }
  const Operation* previous = nullptr;
  for (const Operation& operation : change.operations) {
    if (absl::Status status = CheckOperation(operation); !status.ok()) return status;
    if (previous != nullptr && std::tie(previous->field, previous->key) >=
                                   std::tie(operation.field, operation.key)) {
      return absl::InvalidArgumentError("operations are not sorted");
    }
    if (operation.field == kLifeField) {
      if (absl::Status status = CheckLife(change, operation); !status.ok()) return status;
    }
    previous = &operation;
  }
  return absl::OkStatus();
}

absl::StatusOr<Change> DecodeChange(std::string_view bytes) {
  if (bytes.size() > kMaxChangeBytes) return absl::InvalidArgumentError("change is too large");
  v1::Change proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("change is no protobuf message");
  }
  const std::optional<RecordId> id = RecordId::FromBytes(proto.record());
  if (!id.has_value()) return absl::InvalidArgumentError("record id is not 16 bytes");
  if (proto.kind() == 0 || proto.kind() > kMaxKind) {
    return absl::InvalidArgumentError("kind is out of range");
  }
  absl::StatusOr<Actor> actor = FromProto(proto.actor());
  if (!actor.ok()) return actor.status();
  absl::StatusOr<VersionVector> context = FromProto(proto.context());
  if (!context.ok()) return context.status();

  Change change;
  change.record = {static_cast<uint16_t>(proto.kind()), *id};
  change.dot = {*actor, proto.n()};
  change.site_sequence = proto.site_sequence();
  change.time = {proto.time()};
  change.person = proto.person();
  change.context = *std::move(context);
  change.operations.reserve(static_cast<size_t>(proto.operation_size()));
  for (const v1::Operation& operation : proto.operation()) {
    change.operations.push_back(OperationFromProto(operation));
    if (absl::Status status = CheckCommitment(change.operations.back()); !status.ok()) return status;
    if (!operation.key_commitment().empty()) return Erased();
  }
  change.previous = proto.previous();
  change.salt = proto.salt();
  if (absl::Status status = CheckChange(change); !status.ok()) return status;
  if (change.context.Covers(change.dot)) {
    return absl::InvalidArgumentError("a change has seen itself");
  }
  AddCommitments(proto, change.operations);
  return change;
}

}  // namespace maillage::replication
