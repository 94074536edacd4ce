#include "server/records/record_writer.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "server/records/absence.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"
#include "server/records/write_checks.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::Cell;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Life;
using replication::Operation;
using replication::RecordState;
using replication::Replica;
using replication::Schema;
using replication::VersionVector;

namespace {

// A record that is there, and what its writer had read of it.
struct Target {
  NamedRecord named;
  RecordState state;
  VersionVector context;
};

absl::StatusOr<VersionVector> ContextOf(const RecordState& state, const std::string& etag) {
  if (etag.empty()) return state.vector();
  absl::StatusOr<VersionVector> context = replication::DecodeEtag(etag);
  if (!context.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("etag\u00A0: ", Quote(etag),
                     " n'est pas l'etag d'une fiche\u00A0; relire la fiche et renvoyer le sien"));
  }
  if (!state.vector().Covers(*context)) {
    return absl::FailedPreconditionError(
        "etag\u00A0: ce nœud n'a pas encore reçu tout ce que cette lecture a montré\u00A0; "
        "attendre la "
        "synchronisation, ou écrire sur le nœud de la lecture");
  }
  return context;
}

absl::StatusOr<Target> OpenTarget(const Schema& schema, Replica& replica, NamedRecord named, const std::string& etag) {
  absl::StatusOr<std::optional<RecordState>> state = replica.State(named.key);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    if (replica.IsLost(named.key)) return replication::WaitsForPeer(named.key);
    return WhyAbsent(schema, replica.store(), named.key, RecordName(*named.kind, named.key.id));
  }
  absl::StatusOr<VersionVector> context = ContextOf(**state, etag);
  if (!context.ok()) return context.status();
  return Target{named, **std::move(state), *std::move(context)};
}

absl::StatusOr<NamedRecord> ParseWritable(const Schema& schema, const std::string& name) {
  absl::StatusOr<NamedRecord> named = ParseRecordName(schema, name);
  if (!named.ok()) return named.status();
  if (absl::Status status = CheckWritable(*named->kind); !status.ok()) return status;
  return named;
}

absl::StatusOr<v1::Record> Current(const Schema& schema, Replica& replica,
                                   const NamedRecord& named) {
  absl::StatusOr<std::optional<RecordState>> state = replica.State(named.key);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    return absl::DataLossError(
        absl::StrCat("record ", FormatUuid(named.key.id), ": written, and not there"));
  }
  return ToRecord(schema, *named.kind, named.key.id, **state);
}

// What the first try of the request made; nothing where this is the first. `id` is empty where the
// node chose.
absl::StatusOr<std::optional<v1::Record>> FirstTry(const Schema& schema, Replica& replica,
                                                   const v1::WriteContext& context,
                                                   const KindSchema& kind,
                                                   const std::optional<RecordId>& id) {
  if (absl::Status status = CheckWriteContext(context); !status.ok()) return status;
  if (context.request_id().empty()) return std::nullopt;
  auto outcome = replica.FindRequest(context.request_id());
  if (!outcome.ok()) return outcome.status();
  if (!outcome->has_value()) return std::nullopt;
  const RecordKey& key = (*outcome)->record;
  if (key.kind != kind.number || (id.has_value() && key.id != *id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("request_id\u00A0: ", Quote(context.request_id()),
                     " a déjà servi à écrire une autre fiche\u00A0; en choisir un par écriture"));
  }
  absl::StatusOr<v1::Record> record = Current(schema, replica, {&kind, key});
  if (!record.ok()) return record.status();
  return *std::move(record);
}

absl::StatusOr<v1::Record> Write(const Schema& schema, Replica& replica, const NamedRecord& named,
                                 VersionVector seen, std::vector<Operation> operations,
                                 const v1::WriteContext& context) {
  if (!operations.empty()) {
    if (absl::Status status = CheckSizes(*named.kind, operations); !status.ok()) return status;
    const auto dot = replica.Write({named.key, std::move(seen), std::move(operations),
                                    PersonOf(context), context.request_id()});
    if (!dot.ok()) return dot.status();
  } else if (!context.request_id().empty()) {
    const absl::Status remembered = replica.RememberRequest(context.request_id(), named.key);
    if (!remembered.ok()) return remembered;
  }
  return Current(schema, replica, named);
}

// Messages of one update; all may be null.
struct UpdateContent {
  std::vector<const FieldSchema*> fields;
  std::unique_ptr<Message> content;
  std::unique_ptr<Message> additions;
  std::unique_ptr<Message> removals;
};

// Of the content only the fields of the mask are held to their formats: the rest isn't written.
absl::Status ReadContent(const Schema& schema, const KindSchema& kind,
                         const v1::UpdateRecordRequest& request, UpdateContent& update) {
  if (!request.record().has_content()) {
    if (!request.update_mask().paths().empty()) {
      return absl::InvalidArgumentError(
          "record.content\u00A0: il manque\u00A0; un message vide vide les champs du masque");
    }
    return absl::OkStatus();
  }
  auto content = UnpackContent(schema, kind, request.record().content());
  if (!content.ok()) return content.status();
  update.content = *std::move(content);
  if (request.update_mask().paths().empty()) {
    update.fields = replication::SetFields(kind, *update.content);
  } else {
    auto fields = ResolveMask(kind, request.update_mask());
    if (!fields.ok()) return fields.status();
    update.fields = *std::move(fields);
  }
  KeepFields(kind, update.fields, *update.content);
  for (const FieldSchema* field : update.fields) {
    if (field->descriptor != kind.title) continue;
    absl::Status status = CheckTitle(kind, *update.content, true);
    if (!status.ok()) return status;
  }
  return CheckFormats(*update.content);
}

absl::StatusOr<UpdateContent> ReadUpdate(const Schema& schema, const KindSchema& kind,
                                         const v1::UpdateRecordRequest& request) {
  UpdateContent update;
  if (absl::Status status = ReadContent(schema, kind, request, update); !status.ok()) return status;
  if (request.has_additions()) {
    auto additions = UnpackContent(schema, kind, request.additions());
    if (!additions.ok()) return additions.status();
    if (absl::Status status = CheckFormats(**additions); !status.ok()) return status;
    update.additions = *std::move(additions);
  }
  if (request.has_removals()) {
    // Without CheckFormats: a value that came in before its format was held to must be removable.
    auto removals = UnpackContent(schema, kind, request.removals());
    if (!removals.ok()) return removals.status();
    update.removals = *std::move(removals);
  }
  return update;
}

bool HasSeenDelete(const RecordState& state, const VersionVector& context) {
  const Cell* deletes = state.Find(replication::kLifeField);
  if (deletes == nullptr) return false;
  for (const replication::Version& version : deletes->versions) {
    if (context.Covers(version.dot)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<v1::Record> CreateRecord(const Schema& schema, Replica& replica,
                                        const v1::CreateRecordRequest& request) {
  const google::protobuf::Any& any = request.record().content();
  const KindSchema* kind =
      schema.FindKindOfMessage(any.type_url().substr(any.type_url().rfind('/') + 1));
  if (kind == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("record.content\u00A0: ", Quote(any.type_url()),
                                                   " n'est pas un type de fiche de ce nœud"));
  }
  if (absl::Status status = CheckWritable(*kind); !status.ok()) return status;
  std::optional<RecordId> id;
  if (!request.record_id().empty()) {
    id = ParseUuid(request.record_id());
    if (!id.has_value() || id->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("record_id\u00A0: ", Quote(request.record_id()), " n'est pas un UUID"));
    }
  }
  auto first = FirstTry(schema, replica, request.context(), *kind, id);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  auto content = UnpackContent(schema, *kind, any);
  if (!content.ok()) return content.status();
  if (absl::Status status = CheckTitle(*kind, **content, true); !status.ok()) return status;
  if (absl::Status status = CheckFormats(**content); !status.ok()) return status;
  if (!id.has_value()) id = replica.NewRecordId();
  const NamedRecord named{kind, {kind->number, *id}};
  auto taken = replica.State(named.key);
  if (!taken.ok()) return taken.status();
  if (replica.IsLost(named.key) && !taken->has_value()) return replication::WaitsForPeer(named.key);
  if (taken->has_value()) {
    return absl::AlreadyExistsError(absl::StrCat(RecordName(*kind, *id), " existe déjà"));
  }
  replication::Edit edit;
  edit.fields = replication::SetFields(*kind, **content);
  edit.content = content->get();
  auto operations = replication::PlanEdit(*kind, RecordState(), VersionVector(), edit);
  if (!operations.ok()) return operations.status();
  return Write(schema, replica, named, VersionVector(), *std::move(operations), request.context());
}

absl::StatusOr<v1::Record> UpdateRecord(const Schema& schema, Replica& replica,
                                        const v1::UpdateRecordRequest& request) {
  auto named = ParseWritable(schema, request.record().name());
  if (!named.ok()) return named.status();
  auto first = FirstTry(schema, replica, request.context(), *named->kind, named->key.id);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  absl::StatusOr<UpdateContent> update = ReadUpdate(schema, *named->kind, request);
  if (!update.ok()) return update.status();
  absl::StatusOr<Target> target = OpenTarget(schema, replica, *named, request.record().etag());
  if (!target.ok()) return target.status();
  if (target->state.life() == Life::kDeleted && HasSeenDelete(target->state, target->context)) {
    return absl::FailedPreconditionError(absl::StrCat(
        RecordName(*named->kind, named->key.id),
        " est supprimée\u00A0; la rétablir d'abord (UndeleteRecord, ou maillage undelete)"));
  }
  const replication::Edit edit{update->fields, update->content.get(), update->additions.get(),
                               update->removals.get()};
  auto operations = replication::PlanEdit(*named->kind, target->state, target->context, edit);
  if (!operations.ok()) return operations.status();
  return Write(schema, replica, *named, std::move(target->context), *std::move(operations),
               request.context());
}

absl::StatusOr<v1::Record> DeleteRecord(const Schema& schema, Replica& replica,
                                        const v1::DeleteRecordRequest& request) {
  auto named = ParseWritable(schema, request.name());
  if (!named.ok()) return named.status();
  auto first = FirstTry(schema, replica, request.context(), *named->kind, named->key.id);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  absl::StatusOr<Target> target = OpenTarget(schema, replica, *named, request.etag());
  if (!target.ok()) return target.status();
  std::vector<Operation> operations;
  if (target->state.life() != Life::kDeleted) {
    operations.push_back(replication::DeleteOperation(target->context));
  }
  return Write(schema, replica, *named, std::move(target->context), std::move(operations),
               request.context());
}

absl::StatusOr<v1::Record> UndeleteRecord(const Schema& schema, Replica& replica,
                                          const v1::UndeleteRecordRequest& request) {
  auto named = ParseWritable(schema, request.name());
  if (!named.ok()) return named.status();
  auto first = FirstTry(schema, replica, request.context(), *named->kind, named->key.id);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  absl::StatusOr<Target> target = OpenTarget(schema, replica, *named, request.etag());
  if (!target.ok()) return target.status();
  std::vector<Operation> operations;
  if (target->state.life() != Life::kAlive) {
    if (!HasSeenDelete(target->state, target->context)) {
      return absl::FailedPreconditionError(
          absl::StrCat("etag\u00A0: ", RecordName(*named->kind, named->key.id),
                       " a été supprimée depuis cette lecture\u00A0; la relire, puis recommencer"));
    }
    operations.push_back(replication::UndeleteOperation());
  }
  return Write(schema, replica, *named, std::move(target->context), std::move(operations),
               request.context());
}

}  // namespace maillage::server
