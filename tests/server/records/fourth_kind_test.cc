// A fourth kind of record is one edit to proto/records.proto: here the edit is made to its
// descriptor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "server/records/record_lister.h"
#include "replication/sync_session.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

FieldDescriptorProto* AddField(DescriptorProto& message, const std::string& name,
                               FieldDescriptorProto::Type type, v1::MergeRule rule,
                               bool repeated = false) {
  FieldDescriptorProto* field = message.add_field();
  field->set_name(name);
  field->set_number(message.field_size());
  field->set_type(type);
  field->set_label(repeated ? FieldDescriptorProto::LABEL_REPEATED
                            : FieldDescriptorProto::LABEL_OPTIONAL);
  field->mutable_options()->SetExtension(v1::merge, rule);
  return field;
}

void AddFundingLine(FileDescriptorProto& file) {
  DescriptorProto& message = *file.add_message_type();
  message.set_name("FundingLine");
  v1::Kind& kind = *message.mutable_options()->MutableExtension(v1::kind);
  kind.set_number(4);
  kind.set_name("funding_line");
  kind.set_name_fr("ligne de financement");
  kind.add_natural_key()->add_field("external_ids");
  kind.add_natural_key()->add_field("code");
  FieldDescriptorProto* title =
      AddField(message, "title", FieldDescriptorProto::TYPE_STRING, v1::REGISTER);
  title->mutable_options()->SetExtension(v1::names_record, true);
  title->mutable_options()->SetExtension(v1::searchable, true);
  AddField(message, "code", FieldDescriptorProto::TYPE_STRING, v1::REGISTER);
  AddField(message, "amount", FieldDescriptorProto::TYPE_MESSAGE, v1::REGISTER)
      ->set_type_name(".maillage.v1.Money");
  FieldDescriptorProto* departments =
      AddField(message, "departments", FieldDescriptorProto::TYPE_STRING, v1::SET, true);
  departments->mutable_options()->SetExtension(v1::territory, true);
  departments->mutable_options()->SetExtension(v1::format, v1::DEPARTMENT);
  AddField(message, "partners", FieldDescriptorProto::TYPE_MESSAGE, v1::MAP, true)
      ->set_type_name(".maillage.v1.PartyRole");
  AddField(message, "external_ids", FieldDescriptorProto::TYPE_MESSAGE, v1::MAP, true)
      ->set_type_name(".maillage.v1.ExternalId");
  AddField(message, "last_call", FieldDescriptorProto::TYPE_STRING, v1::MAX);
}

// proto/records.proto with the new kind, and its schema.
class EditedRecords {
 public:
  EditedRecords() {
    Copy(*DescriptorProto::descriptor()->file());
    Copy(*v1::Kind::descriptor()->file());
    FileDescriptorProto file;
    v1::Actor::descriptor()->file()->CopyTo(&file);
    AddFundingLine(file);
    const FileDescriptor* built = pool_.BuildFile(file);
    EXPECT_NE(built, nullptr);
    auto schema = replication::Schema::FromFile(built, &factory_);
    EXPECT_TRUE(schema.ok()) << schema.status();
    schema_ = *std::move(schema);
  }

  const replication::Schema& schema() const { return *schema_; }

  std::unique_ptr<Message> FundingLine(const std::string& text) const {
    auto message = schema_->NewMessage(*schema_->FindKind("funding_line"));
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, message.get())) << text;
    return message;
  }

  std::string Content(const v1::Record& record) const {
    auto message = schema_->NewMessage(*schema_->FindKind("funding_line"));
    EXPECT_TRUE(record.content().UnpackTo(message.get()));
    return Line(*message);
  }

 private:
  void Copy(const FileDescriptor& file) {
    FileDescriptorProto proto;
    file.CopyTo(&proto);
    EXPECT_NE(pool_.BuildFile(proto), nullptr) << file.name();
  }

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  std::unique_ptr<replication::Schema> schema_;
};

// One frame from one site to the other; false where there was none.
bool Carry(replication::SyncSession& sender, replication::SyncSession& receiver, Site& to) {
  v1::SyncFrame frame;
  const absl::StatusOr<bool> filled = sender.Next(&frame);
  EXPECT_TRUE(filled.ok()) << filled.status();
  if (!filled.ok() || !*filled) return false;
  EXPECT_TRUE(receiver.Receive(frame).ok());
  EXPECT_TRUE(to.replica().Commit().ok());
  return true;
}

// A whole sync session, until neither has anything to say.
void Sync(Site& caller, Site& answerer) {
  replication::SyncSession calling(&caller.replica(), {true, "caller", {}});
  replication::SyncSession answering(&answerer.replica(), {false, "answerer", {}});
  bool moved = true;
  while (moved) {
    moved = Carry(calling, answering, answerer);
    moved = Carry(answering, calling, caller) || moved;
  }
  EXPECT_TRUE(calling.up_to_date());
}

class FourthKindTest : public ::testing::Test {
 protected:
  v1::Record Create(const std::string& text) {
    const auto record = lyon_.Create(*records_.FundingLine(text));
    EXPECT_TRUE(record.ok()) << record.status();
    return *record;
  }

  void Meet() { Sync(savoie_, lyon_); }

  EditedRecords records_;
  Site lyon_{'l', records_.schema()};
  Site savoie_{'s', records_.schema()};
};

TEST_F(FourthKindTest, IsCreatedAndListed) {
  const v1::Record first = Create("title: 'Appel Eau' departments: '73' amount { minor_units: 5 }");
  EXPECT_EQ(first.name().substr(0, 13), "funding_line/");
  Create("title: 'Appel Santé' departments: '69'");
  const auto names = [&](const std::string& request) {
    std::vector<std::string> told;
    const auto listed =
        lyon_.List(Parse<v1::ListRecordsRequest>("kind: 'funding_line' " + request));
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (const v1::Record& record : listed->records()) told.push_back(records_.Content(record));
    return told;
  };
  EXPECT_EQ(names("").size(), 2u);
  EXPECT_THAT(names("filter: 'departments:69' read_mask { paths: 'title' }"),
              ElementsAre("title: \"Appel Santé\""));
  EXPECT_THAT(names("search: 'sante' read_mask { paths: 'title' }"),
              ElementsAre("title: \"Appel Santé\""));
  EXPECT_THAT(names("order_by: 'title desc' read_mask { paths: 'title' } page_size: 1"),
              ElementsAre("title: \"Appel Santé\""));
  const auto kinds = ListKinds(records_.schema(), *lyon_.store().Snapshot());
  ASSERT_EQ(kinds->kinds_size(), 5);
  EXPECT_EQ(kinds->kinds(3).message_type(), "maillage.v1.FundingLine");
  EXPECT_EQ(kinds->kinds(3).record_count(), 2);
}

TEST_F(FourthKindTest, IsCheckedAtTheDoor) {
  EXPECT_EQ(lyon_.Create(*records_.FundingLine("title: 'X' departments: '7300'")).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(lyon_.Create(*records_.FundingLine("code: 'X'")).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(FourthKindTest, Merges) {
  const v1::Record read = Create("title: 'Appel Eau' last_call: '2020' departments: '73'");
  Meet();
  ASSERT_TRUE(
      lyon_
          .Set(read, *records_.FundingLine("departments: '73' departments: '69' last_call: '2021' "
                                           "amount { minor_units: 1 currency: 'EUR' } "
                                           "partners { party { text: 'CSI' } role: 'porteur' }"))
          .ok());
  ASSERT_TRUE(
      savoie_
          .Set(read, *records_.FundingLine("departments: '73' departments: '38' last_call: '2019' "
                                           "amount { minor_units: 2 currency: 'EUR' } "
                                           "partners { party { text: 'ADOS' } role: 'appui' }"))
          .ok());
  Meet();
  const auto merged = lyon_.Get(read.name());
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->etag(), savoie_.Get(read.name())->etag());
  EXPECT_EQ(records_.Content(*merged), records_.Content(*savoie_.Get(read.name())));
  EXPECT_THAT(merged->conflicting_fields(), ElementsAre("amount"));
  const std::string content = records_.Content(*merged);
  for (const char* part : {"departments: \"38\" departments: \"69\" departments: \"73\"",
                           "last_call: \"2021\"", "text: \"CSI\"", "text: \"ADOS\""}) {
    EXPECT_THAT(content, ::testing::HasSubstr(part));
  }
  const auto conflicts = lyon_.Conflicts();
  ASSERT_EQ(conflicts->conflicts_size(), 1);
  ASSERT_EQ(conflicts->conflicts(0).fields(0).versions_size(), 2);
  const v1::Version& other = conflicts->conflicts(0).fields(0).versions(1);
  EXPECT_THAT(other.value(), ::testing::StartsWith("{\"minor_units\":"));
  auto kept = records_.FundingLine("");
  ASSERT_TRUE(other.content().UnpackTo(kept.get()));
  ASSERT_TRUE(savoie_.Set(*savoie_.Get(read.name()), *kept).ok());
  Meet();
  EXPECT_THAT(lyon_.Get(read.name())->conflicting_fields(), IsEmpty());
}

TEST_F(FourthKindTest, IsImportedByItsNaturalKeys) {
  v1::BatchUpsertRecordsRequest request;
  request.set_kind("funding_line");
  const std::string row = "title: 'Appel Eau' code: 'E1' ";
  request.add_content()->PackFrom(
      *records_.FundingLine(row + "external_ids { system: 'f' id: '1' }"));
  request.add_content()->PackFrom(*records_.FundingLine(row + "departments: '73'"));
  const auto first = lyon_.Upsert(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->results(0).outcome(), v1::UpsertResult::CREATED);
  EXPECT_EQ(first->results(1).outcome(), v1::UpsertResult::UPDATED);
  const auto second = lyon_.Upsert(request);
  ASSERT_TRUE(second.ok()) << second.status();
  for (const v1::UpsertResult& result : second->results()) {
    EXPECT_EQ(result.outcome(), v1::UpsertResult::UNCHANGED);
  }
}

TEST_F(FourthKindTest, HasAHistory) {
  const v1::Record record = Create("title: 'Appel Eau' partners { party { text: 'CSI' } }");
  v1::ListRecordChangesRequest request;
  request.set_name(record.name());
  const auto history = lyon_.History(request);
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->changes(0).fields_size(), 2);
  EXPECT_EQ(history->changes(0).fields(1).value(), "{\"party\":{\"text\":\"CSI\"}}");
}

TEST_F(FourthKindTest, ASiteThatDoesNotKnowItPassesItOn) {
  Site old('o');
  const v1::Record record = Create("title: 'Appel Eau'");
  Sync(old, lyon_);
  Sync(savoie_, old);
  EXPECT_EQ(old.Get(record.name()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(records_.Content(*savoie_.Get(record.name())), "title: \"Appel Eau\"");
  EXPECT_EQ(savoie_.Get(record.name())->etag(), record.etag());
}

}  // namespace
}  // namespace maillage::server::testing
