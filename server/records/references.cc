#include "server/records/references.h"

#include <memory>
#include <set>

#include "replication/record_reader.h"
#include "replication/stub.h"
#include "server/records/absence.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"

namespace maillage::server {

using replication::KindSchema;
using replication::Schema;
using replication::Stub;
using storage::ReadView;

namespace {

std::string TitleOf(const Schema& schema, const KindSchema& kind, const Stub& stub) {
  const std::unique_ptr<google::protobuf::Message> content = schema.ToMessage(kind, stub.state);
  return content->GetReflection()->GetString(*content, kind.title);
}

absl::Status AddReference(const Schema& schema, const ReadView& view, const RecordId& id, v1::Record& record) {
  v1::Reference& reference = *record.add_references();
  reference.set_id(FormatUuid(id));
  reference.set_presence(v1::Reference::ABSENT);
  const absl::StatusOr<std::optional<Stub>> stub = replication::FindStub(view, schema, id);
  if (!stub.ok()) return stub.status();
  const KindSchema* kind = stub->has_value() ? schema.FindKind((*stub)->kind) : nullptr;
  if (kind == nullptr) return absl::OkStatus();
  const auto here = view.Get(storage::Table::kStates, storage::StateKey({kind->number, id}));
  reference.set_presence(here.ok() && here->has_value() ? v1::Reference::HERE : v1::Reference::STUB);
  reference.set_name(RecordName(*kind, id));
  reference.set_title(TitleOf(schema, *kind, **stub));
  reference.set_deleted((*stub)->state.life() == replication::Life::kDeleted);
  for (const std::string& territory : (*stub)->state.Territories()) reference.add_territories(territory);
  return absl::OkStatus();
}

}  // namespace

absl::Status AddReferences(const Schema& schema, const ReadView& view, const KindSchema& kind,
                           const google::protobuf::Message& content, v1::Record& record) {
  for (const RecordId& id : Schema::References(kind, content)) {
    if (absl::Status status = AddReference(schema, view, id, record); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::Record>> StubRecord(const Schema& schema, const ReadView& view,
                                                     const KindSchema& kind, const RecordId& id) {
  const absl::StatusOr<std::optional<Stub>> stub = replication::ReadStub(view, id);
  if (!stub.ok()) return stub.status();
  if (!stub->has_value() || (*stub)->kind != kind.number) return std::nullopt;
  v1::Record record = ToRecord(schema, kind, id, (*stub)->state);
  // Nothing can be written here that this would be the token of.
  record.clear_etag();
  record.clear_conflicting_fields();
  record.set_stub(true);
  record.set_absence(WhyElsewhere(schema, view, {kind.number, id}));
  return record;
}

}  // namespace maillage::server
