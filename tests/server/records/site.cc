#include "tests/server/records/site.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "replication/value_codec.h"
#include "server/records/batch_upsert.h"
#include "server/records/conflicts.h"
#include "server/records/history.h"
#include "server/records/record_lister.h"
#include "server/records/record_request.h"
#include "server/records/record_writer.h"
#include "server/records/site_names.h"
#include "storage/keys.h"

namespace maillage::server::testing {

using google::protobuf::Message;

std::string Line(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string line;
  EXPECT_TRUE(printer.PrintToString(message, &line));
  if (!line.empty()) line.pop_back();
  return line;
}

std::string Uuid(int number) { return absl::StrFormat("018f3c1e-0000-7000-8000-%012x", number); }

v1::WriteContext By(std::string_view person, std::string_view request_id) {
  v1::WriteContext context;
  context.set_person(std::string(person));
  context.set_request_id(std::string(request_id));
  return context;
}

Site::Site(char letter, const replication::Schema& schema)
    : schema_(schema),
      id_(*SiteId::FromBytes(std::string(SiteId::kSize, letter))),
      random_(static_cast<uint64_t>(letter)) {
  auto opened = replication::Replica::Open(&store_, &wall_, &random_, {id_, &schema_});
  EXPECT_TRUE(opened.ok()) << opened.status();
  replica_ = *std::move(opened);
}

template <typename T>
absl::StatusOr<T> Site::Committed(absl::StatusOr<T> result) {
  const absl::Status committed = replica_->Commit();
  EXPECT_TRUE(committed.ok()) << committed;
  wall_.millis += 1000;
  return result;
}

absl::StatusOr<v1::Record> Site::Create(const Message& content, const v1::WriteContext& context) {
  v1::CreateRecordRequest request;
  request.mutable_record()->mutable_content()->PackFrom(content);
  *request.mutable_context() = context;
  return Committed(CreateRecord(schema_, *replica_, request));
}

absl::StatusOr<v1::Record> Site::Update(const v1::UpdateRecordRequest& request) {
  return Committed(UpdateRecord(schema_, *replica_, request));
}

absl::StatusOr<v1::Record> Site::Set(const v1::Record& read, const Message& content,
                                     std::string_view person) {
  v1::UpdateRecordRequest request;
  request.mutable_record()->set_name(read.name());
  request.mutable_record()->set_etag(read.etag());
  request.mutable_record()->mutable_content()->PackFrom(content);
  *request.mutable_context() = By(person);
  return Update(request);
}

absl::StatusOr<v1::Record> Site::Delete(const v1::Record& read, std::string_view person) {
  v1::DeleteRecordRequest request;
  request.set_name(read.name());
  request.set_etag(read.etag());
  *request.mutable_context() = By(person);
  return Committed(DeleteRecord(schema_, *replica_, request));
}

absl::StatusOr<v1::Record> Site::Undelete(const v1::Record& read, std::string_view person) {
  v1::UndeleteRecordRequest request;
  request.set_name(read.name());
  request.set_etag(read.etag());
  *request.mutable_context() = By(person);
  return Committed(UndeleteRecord(schema_, *replica_, request));
}

absl::StatusOr<v1::BatchUpsertRecordsResponse> Site::Upsert(
    const v1::BatchUpsertRecordsRequest& request) {
  return Committed(BatchUpsert(schema_, *replica_, request));
}

absl::StatusOr<v1::Record> Site::Get(const std::string& name) {
  v1::GetRecordRequest request;
  request.set_name(name);
  return GetRecord(schema_, *store_.Snapshot(), request);
}

absl::StatusOr<v1::ListRecordsResponse> Site::List(const v1::ListRecordsRequest& request) {
  return ListRecords(schema_, *store_.Snapshot(), request);
}

absl::StatusOr<v1::ListConflictsResponse> Site::Conflicts(const v1::ListConflictsRequest& request) {
  return ListConflicts(schema_, *store_.Snapshot(), request);
}

absl::StatusOr<v1::ListRecordChangesResponse> Site::History(
    const v1::ListRecordChangesRequest& request) {
  return ListRecordChanges(schema_, *store_.Snapshot(), request);
}

void Site::CallItself(const std::string& name) {
  const replication::KindSchema& kind = *SiteKind(schema_);
  const std::unique_ptr<Message> content = schema_.NewMessage(kind);
  content->GetReflection()->SetString(content.get(), kind.title, name);
  replication::Edit edit;
  edit.fields = replication::SetFields(kind, *content);
  edit.content = content.get();
  auto operations = replication::PlanEdit(kind, {}, {}, edit);
  ASSERT_TRUE(operations.ok()) << operations.status();
  const auto dot = Committed(
      replica_->Write({{kind.number, SiteRecordId(id_)}, {}, *std::move(operations), "", ""}));
  ASSERT_TRUE(dot.ok()) << dot.status();
}

void Site::GiveTo(Site& other) {
  const absl::Status scanned =
      replication::ScanFeed(store_, 0, [&](uint64_t, replication::FeedEntry entry) {
        if (entry.type != replication::FeedEntry::Type::kChange) return true;
        const auto applied = other.replica_->Apply(entry.change, id_);
        EXPECT_TRUE(applied.ok()) << applied.status();
        EXPECT_NE(applied->outcome, replication::Replica::Applied::kMissingCauses);
        return true;
      });
  EXPECT_TRUE(scanned.ok()) << scanned;
  EXPECT_TRUE(other.replica_->Commit().ok());
}

void Site::GiveStateTo(Site& other, const v1::Record& record) {
  const auto named = ParseRecordName(schema_, record.name());
  ASSERT_TRUE(named.ok()) << named.status();
  const auto bytes = store_.Get(storage::Table::kStates, storage::StateKey(named->key));
  ASSERT_TRUE(bytes.ok() && bytes->has_value());
  const auto merged = other.replica_->Merge(named->key, **bytes, id_);
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_TRUE(other.replica_->Commit().ok());
}

std::vector<std::string> Names(const v1::ListRecordsResponse& response) {
  std::vector<std::string> names;
  for (const v1::Record& record : response.records()) {
    const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        record.content().type_url().substr(record.content().type_url().rfind('/') + 1));
    const std::unique_ptr<Message> content(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    EXPECT_TRUE(record.content().UnpackTo(content.get()));
    for (int i = 0; i < type->field_count(); ++i) {
      if (type->field(i)->options().GetExtension(v1::names_record)) {
        names.push_back(replication::EncodeValue(*content, *type->field(i)));
      }
    }
  }
  return names;
}

}  // namespace maillage::server::testing
