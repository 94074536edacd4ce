#include "server/records/batch_upsert.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/absl_view.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "replication/edit.h"
#include "replication/value_codec.h"
#include "server/records/limits.h"
#include "server/records/record_matcher.h"
#include "server/records/record_request.h"
#include "server/records/upsert_store.h"
#include "server/records/value_text.h"
#include "server/records/write_checks.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::Cell;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Operation;
using replication::RecordState;
using replication::Replica;
using replication::Schema;
using replication::VersionVector;
using v1::UpsertResult;

namespace {

// "funding[0].amount.currency : …" is about funding.amount.currency.
std::string FieldAtBeginning(std::string_view message) {
  std::string field;
  for (size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '[') {
      i = message.find(']', i);
      if (i == std::string_view::npos) break;
    } else if (absl::ascii_isalnum(static_cast<unsigned char>(message[i])) || message[i] == '_' ||
               message[i] == '.') {
      field.push_back(message[i]);
    } else {
      break;
    }
  }
  return field;
}

bool HoldsElements(const FieldSchema& field) {
  return field.rule == v1::SET || field.rule == v1::MAP;
}

// Somebody wrote this value already: it stands there, alone or beside others that wait for a
// person.
bool IsThere(const RecordState& state, const Operation& operation) {
  if (operation.rule == v1::COUNTER) return false;
  const Cell* cell = state.Find(operation.field, operation.key);
  return cell != nullptr &&
         std::any_of(cell->versions.begin(), cell->versions.end(),
                     [&](const replication::Version& v) { return v.value == operation.value; });
}

class Upserter {
 public:
  Upserter(const Schema* schema, const KindSchema* kind, Replica* replica, UpsertStore* store,
           const v1::BatchUpsertRecordsRequest* request)
      : schema_(schema),
        kind_(kind),
        replica_(replica),
        store_(store),
        request_(request),
        matcher_(schema, kind, store) {}

  absl::StatusOr<UpsertResult> Upsert(int index);

 private:
  // Takes the row where there was a first try.
  absl::StatusOr<std::optional<UpsertResult>> FirstTry(int index, std::unique_ptr<Message>& row);
  std::string RequestId(int index, UpsertResult::Outcome outcome) const;
  absl::StatusOr<UpsertResult> Place(int index, std::unique_ptr<Message> row);
  absl::StatusOr<UpsertResult> Create(int index, const Message& row, RecordId* id);
  std::optional<UpsertResult> BeyondScope(const std::vector<Operation>& operations) const;
  absl::StatusOr<UpsertResult> Update(int index, const Message& row, RecordMatch match);
  absl::StatusOr<std::vector<Operation>> PlanUpdate(const Message& row,
                                                    const RecordState& state) const;
  bool OnlyRenamesRow(const RecordState& state, const std::vector<Operation>& operations) const;
  // Empty unless an earlier row of this request gave the record another value.
  std::optional<UpsertResult> DisagreementWithEarlier(const RecordId& id, const Message& row) const;
  absl::StatusOr<UpsertResult> Write(int index, UpsertResult result, Replica::LocalWrite write);
  // The retry of a row that found nothing to change shall change nothing, whoever wrote meanwhile.
  absl::Status RememberUnchanged(int index, const UpsertResult& result, const RecordId& id);

  const Schema* const schema_;
  const KindSchema* const kind_;
  Replica* const replica_;
  UpsertStore* const store_;
  const v1::BatchUpsertRecordsRequest* const request_;
  RecordMatcher matcher_;
  // Rows of this request by the record that they are.
  absl::flat_hash_map<RecordId, std::vector<std::unique_ptr<Message>>> rows_;
  absl::flat_hash_map<RecordId, bool> created_;
};

UpsertResult Refused(std::string_view field, std::string_view reason) {
  UpsertResult result;
  result.set_outcome(UpsertResult::REFUSED);
  result.set_error_field(std::string(field));
  result.set_error(std::string(reason));
  return result;
}

// A row's own fault becomes its result; what is nobody's fault ends the request.
absl::StatusOr<UpsertResult> RefusedOrError(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status) && !absl::IsPermissionDenied(status)) return status;
  const std::string message(status.message());
  return Refused(FieldAtBeginning(message), message);
}

std::string Upserter::RequestId(int index, UpsertResult::Outcome outcome) const {
  if (request_->context().request_id().empty()) return "";
  return absl::StrCat(request_->context().request_id(), "/", index, "/",
                      UpsertResult::Outcome_Name(outcome));
}

absl::StatusOr<std::optional<UpsertResult>> Upserter::FirstTry(int index,
                                                               std::unique_ptr<Message>& row) {
  for (const auto outcome :
       {UpsertResult::CREATED, UpsertResult::UPDATED, UpsertResult::UNCHANGED}) {
    const std::string id = RequestId(index, outcome);
    if (id.empty() || request_->validate_only()) break;
    auto first = replica_->FindRequest(id);
    if (!first.ok()) return first.status();
    if (!first->has_value() || (*first)->record.kind != kind_->number) continue;
    UpsertResult result;
    result.set_outcome(outcome);
    result.set_name(RecordName(*kind_, (*first)->record.id));
    rows_[(*first)->record.id].push_back(std::move(row));
    return result;
  }
  return std::nullopt;
}

absl::StatusOr<UpsertResult> Upserter::Upsert(int index) {
  auto row = UnpackContent(*schema_, *kind_, request_->content(index));
  if (!row.ok()) return Refused("", ToStd(row.status().message()));
  for (const absl::Status& status : {CheckTitle(*kind_, **row, false), CheckFormats(**row)}) {
    if (!status.ok()) return RefusedOrError(status);
  }
  absl::StatusOr<std::optional<UpsertResult>> first = FirstTry(index, *row);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  return Place(index, *std::move(row));
}

absl::StatusOr<UpsertResult> Upserter::Place(int index, std::unique_ptr<Message> row) {
  absl::StatusOr<RecordMatch> match = matcher_.Find(*row);
  if (!match.ok()) return match.status();
  absl::StatusOr<UpsertResult> result = UpsertResult();
  RecordId id = match->id;
  switch (match->outcome) {
    case RecordMatch::Outcome::kRefused:
      return Refused(match->field, absl::StrCat(match->field, "\u00A0: ", match->reason));
    case RecordMatch::Outcome::kImported:
      result->set_outcome(UpsertResult::UNCHANGED);
      break;
    case RecordMatch::Outcome::kNone:
      result = Create(index, *row, &id);
      break;
    case RecordMatch::Outcome::kFound:
      if (auto refused = DisagreementWithEarlier(id, *row); refused.has_value()) return *refused;
      result = Update(index, *row, *std::move(match));
      break;
  }
  if (!result.ok() || result->outcome() == UpsertResult::REFUSED) return result;
  if (absl::Status status = RememberUnchanged(index, *result, id); !status.ok()) return status;
  rows_[id].push_back(std::move(row));
  if (result->outcome() == UpsertResult::CREATED) created_[id] = true;
  // What a dry run creates has no name that anybody could ask for.
  if (!request_->validate_only() || !created_.contains(id))
    result->set_name(RecordName(*kind_, id));
  return result;
}

// Whether a record of another territory exists already, this node can't know: it would come twice.
std::optional<UpsertResult> Upserter::BeyondScope(const std::vector<Operation>& operations) const {
  if (replica_->scope().everything()) return std::nullopt;
  replication::Change creation;
  creation.dot.n = 1;
  creation.operations = operations;
  RecordState created;
  created.Apply(creation);
  const std::vector<std::string> territories = created.Territories();
  if (replica_->scope().HoldsAny(kind_->number, territories)) return std::nullopt;
  const auto field = std::find_if(kind_->fields.begin(), kind_->fields.end(),
                                  [](const FieldSchema& candidate) { return candidate.territory; });
  const std::string name(field == kind_->fields.end() ? "" : field->descriptor->name());
  return Refused(name, absl::StrCat(name, "\u00A0: ", absl::StrJoin(territories, ", "),
                                    " est hors du périmètre de ce site (", replica_->scope().ToText(),
                                    "), qui ne peut savoir si la fiche existe déjà\u00A0: importez cette ligne dans une antenne"));
}

absl::StatusOr<UpsertResult> Upserter::Create(int index, const Message& row, RecordId* id) {
  if (absl::Status status = CheckTitle(*kind_, row, true); !status.ok()) {
    return RefusedOrError(status);
  }
  replication::Edit edit;
  edit.fields = replication::SetFields(*kind_, row);
  edit.content = &row;
  auto operations = replication::PlanEdit(*kind_, RecordState(), VersionVector(), edit);
  if (!operations.ok()) return RefusedOrError(operations.status());
  if (auto refused = BeyondScope(*operations); refused.has_value()) return *refused;
  *id = replica_->NewRecordId();
  UpsertResult result;
  result.set_outcome(UpsertResult::CREATED);
  return Write(index, std::move(result),
               {{kind_->number, *id}, VersionVector(), *std::move(operations), "", ""});
}

absl::StatusOr<UpsertResult> Upserter::Update(int index, const Message& row, RecordMatch match) {
  auto operations = PlanUpdate(row, match.state);
  if (!operations.ok()) return RefusedOrError(operations.status());
  UpsertResult result;
  if (operations->empty() || OnlyRenamesRow(match.state, *operations)) {
    result.set_outcome(UpsertResult::UNCHANGED);
    return result;
  }
  result.set_outcome(UpsertResult::UPDATED);
  uint32_t last = 0;
  for (const Operation& operation : *operations) {
    if (operation.field != last) result.add_changed_fields(FieldName(*kind_, operation.field));
    last = operation.field;
  }
  return Write(index, std::move(result),
               {{kind_->number, match.id}, match.state.vector(), *std::move(operations), "", ""});
}

absl::StatusOr<std::vector<Operation>> Upserter::PlanUpdate(const Message& row,
                                                            const RecordState& state) const {
  const std::unique_ptr<Message> additions = schema_->NewMessage(*kind_);
  additions->CopyFrom(row);
  replication::Edit edit;
  edit.content = &row;
  edit.additions = additions.get();
  for (const FieldSchema* field : replication::SetFields(*kind_, row)) {
    if (HoldsElements(*field)) continue;
    edit.fields.push_back(field);
    additions->GetReflection()->ClearField(additions.get(), field->descriptor);
  }
  auto operations = replication::PlanEdit(*kind_, state, state.vector(), edit);
  if (!operations.ok()) return operations;
  std::erase_if(*operations, [&](const Operation& operation) { return IsThere(state, operation); });
  return operations;
}

// A second row of the same record takes the place of the first in the file's entry of the import
// key. If it brings nothing else, importing the file again and again would swap the two for ever.
bool Upserter::OnlyRenamesRow(const RecordState& state,
                              const std::vector<Operation>& operations) const {
  return std::all_of(operations.begin(), operations.end(), [&](const Operation& operation) {
    if (state.Find(operation.field, operation.key) == nullptr) return false;
    return std::any_of(kind_->natural_keys.begin(), kind_->natural_keys.end(),
                       [&](const replication::NaturalKeySchema& key) {
                         return RecordMatcher::IsImportKey(*kind_, key) &&
                                static_cast<uint32_t>(key.fields[0]->number()) == operation.field;
                       });
  });
}

std::optional<UpsertResult> Upserter::DisagreementWithEarlier(const RecordId& id,
                                                              const Message& row) const {
  const auto earlier = rows_.find(id);
  if (earlier == rows_.end()) return std::nullopt;
  for (const FieldSchema* field : replication::SetFields(*kind_, row)) {
    if (field->rule != v1::REGISTER) continue;
    const std::string value = replication::EncodeValue(row, *field->descriptor);
    for (const std::unique_ptr<Message>& other : earlier->second) {
      if (!replication::IsSet(*other, *field->descriptor)) continue;
      const std::string given = replication::EncodeValue(*other, *field->descriptor);
      if (given == value) continue;
      const std::string& name = field->descriptor->name();
      return Refused(
          name,
          absl::StrCat(name, "\u00A0: une autre ligne de cet envoi est la même fiche et y met ",
                       Quote(ValueText(*schema_, *kind_, *field, given)), ", pas ",
                       Quote(ValueText(*schema_, *kind_, *field, value))));
    }
  }
  return std::nullopt;
}

absl::StatusOr<UpsertResult> Upserter::Write(int index, UpsertResult result,
                                             Replica::LocalWrite write) {
  if (absl::Status status = CheckSizes(*kind_, write.operations); !status.ok()) {
    return RefusedOrError(status);
  }
  write.person = PersonOf(request_->context());
  write.request_id = RequestId(index, result.outcome());
  if (absl::Status status = store_->Write(std::move(write)); !status.ok()) {
    return RefusedOrError(status);
  }
  return result;
}

absl::Status Upserter::RememberUnchanged(int index, const UpsertResult& result,
                                         const RecordId& id) {
  const std::string request = RequestId(index, result.outcome());
  if (result.outcome() != UpsertResult::UNCHANGED || request.empty() ||
      request_->validate_only()) {
    return absl::OkStatus();
  }
  return replica_->RememberRequest(request, {kind_->number, id});
}

}  // namespace

absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsert(
    const Schema& schema, Replica& replica, const v1::BatchUpsertRecordsRequest& request) {
  absl::StatusOr<const KindSchema*> kind = FindKind(schema, request.kind());
  if (!kind.ok()) return kind.status();
  if (absl::Status status = CheckWritable(**kind); !status.ok()) return status;
  if (absl::Status status = CheckWriteContext(request.context()); !status.ok()) return status;
  if (static_cast<size_t>(request.content_size()) > kMaxUpserts) {
    return absl::InvalidArgumentError(absl::StrCat("content\u00A0: ", request.content_size(),
                                                   " fiches, au plus ", kMaxUpserts, " par envoi"));
  }
  DryUpsertStore dry(&replica, &schema);
  ReplicaUpsertStore real(&replica);
  UpsertStore* store = &real;
  if (request.validate_only()) store = &dry;
  Upserter upserter(&schema, *kind, &replica, store, &request);
  v1::BatchUpsertRecordsResponse response;
  for (int i = 0; i < request.content_size(); ++i) {
    absl::StatusOr<UpsertResult> result = upserter.Upsert(i);
    if (!result.ok() && i > 0 && !request.validate_only()) {
      // The store's own error: what was written before it is committed with the batch.
      return absl::UnknownError(absl::StrCat(
          "les ", i, " premières fiches sont peut-être écrites, la suivante a échoué (",
          result.status().message(), ")\u00A0; renvoyer le même envoi avec le même request_id"));
    }
    if (!result.ok()) return result.status();
    *response.add_results() = *std::move(result);
  }
  return response;
}

}  // namespace maillage::server
