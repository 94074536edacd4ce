#include "server/records/record_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/quote.h"
#include "replication/tuning.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr char kRequest[] = "0c1f6a4e-5a3b-4f0e-9f57-2f7f3f0f7a10";

class RecordWriterTest : public ::testing::Test {
 protected:
  v1::Record Create(const std::string& actor, const v1::WriteContext& context = By("Awa")) {
    auto record = lyon_.Create(Parse<v1::Actor>(actor), context);
    EXPECT_TRUE(record.ok()) << record.status();
    return record.ok() ? *record : v1::Record();
  }

  static v1::UpdateRecordRequest Edit(const v1::Record& record, const std::string& actor,
                                      const std::vector<std::string>& mask = {}) {
    v1::UpdateRecordRequest request;
    request.mutable_record()->set_name(record.name());
    request.mutable_record()->set_etag(record.etag());
    request.mutable_record()->mutable_content()->PackFrom(Parse<v1::Actor>(actor));
    for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
    return request;
  }

  void ExpectRefused(const absl::StatusOr<v1::Record>& result, absl::StatusCode code,
                     const std::string& text) {
    EXPECT_EQ(result.status().code(), code) << result.status();
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(text));
  }

  Site lyon_{'l'};
};

TEST_F(RecordWriterTest, CreateGivesNameEtagContentAndTimes) {
  const v1::Record record = Create("name: 'Amis du Mali' departments: '73'");
  EXPECT_THAT(record.name(), MatchesRegex("actor/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-.*"));
  EXPECT_FALSE(record.etag().empty());
  EXPECT_EQ(Line(Unpack<v1::Actor>(record)), "name: \"Amis du Mali\" departments: \"73\"");
  EXPECT_EQ(record.create_time().seconds() * 1000,
            static_cast<int64_t>(replication::testing::kMorning));
  EXPECT_EQ(record.update_time().seconds(), record.create_time().seconds());
  EXPECT_FALSE(record.deleted());
  EXPECT_THAT(record.conflicting_fields(), IsEmpty());
  const auto got = lyon_.Get(record.name());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(Line(*got), Line(record));
}

TEST_F(RecordWriterTest, CreateTakesTheClientsIdOnce) {
  v1::CreateRecordRequest request;
  request.set_record_id(Uuid(1));
  request.mutable_record()->mutable_content()->PackFrom(Parse<v1::Actor>("name: 'ADOS'"));
  const auto create = [&] { return CreateRecord(lyon_.schema(), lyon_.replica(), request); };
  ASSERT_EQ(create()->name(), "actor/" + Uuid(1));
  ExpectRefused(create(), absl::StatusCode::kAlreadyExists, Uuid(1));
  request.set_record_id("1");
  ExpectRefused(create(), absl::StatusCode::kInvalidArgument, "record_id");
}

TEST_F(RecordWriterTest, CreateRefusesWhatIsNoRecord) {
  const auto refused = [&](const google::protobuf::Message& content, absl::StatusCode code,
                           const std::string& text) {
    ExpectRefused(lyon_.Create(content), code, text);
  };
  refused(Parse<v1::Actor>("acronym: 'PSS'"), absl::StatusCode::kInvalidArgument, "name");
  refused(Parse<v1::Actor>("name: ' '"), absl::StatusCode::kInvalidArgument, "name");
  refused(Parse<v1::Actor>("name: 'X' departments: '7300'"), absl::StatusCode::kInvalidArgument,
          "departments[0]");
  refused(Parse<v1::Site>("name: 'lyon'"), absl::StatusCode::kPermissionDenied, "site");
  refused(Parse<v1::Address>("town: 'Lyon'"), absl::StatusCode::kInvalidArgument, "Address");
  EXPECT_EQ(lyon_.head(), 0u);
}

TEST_F(RecordWriterTest, FieldsThatTheNodeDoesNotKnowAreNotLostInSilence) {
  v1::Actor actor = Parse<v1::Actor>("name: 'ADOS'");
  actor.GetReflection()->MutableUnknownFields(&actor)->AddVarint(4242, 1);
  ExpectRefused(lyon_.Create(actor), absl::StatusCode::kInvalidArgument, "4242");
}

TEST_F(RecordWriterTest, ValuesBeyondTheLimitNameTheirField) {
  v1::Actor actor = Parse<v1::Actor>("name: 'ADOS'");
  actor.set_description(std::string(70'000, 'x'));
  ExpectRefused(lyon_.Create(actor), absl::StatusCode::kInvalidArgument, "description");
}

TEST_F(RecordWriterTest, ARetriedCreateMakesOneRecord) {
  const v1::Record first = Create("name: 'ADOS'", By("Awa", kRequest));
  const uint64_t head = lyon_.head();
  EXPECT_EQ(Create("name: 'ADOS'", By("Awa", kRequest)).name(), first.name());
  EXPECT_EQ(lyon_.head(), head);
}

TEST_F(RecordWriterTest, ARetryReturnsTheRecordAsItIs) {
  const v1::Record first = Create("name: 'ADOS'", By("Awa", kRequest));
  ASSERT_TRUE(lyon_.Set(first, Parse<v1::Actor>("acronym: 'A'")).ok());
  EXPECT_EQ(Unpack<v1::Actor>(Create("name: 'ADOS'", By("Awa", kRequest))).acronym(), "A");
}

TEST_F(RecordWriterTest, ARetryOfAWriteThatChangedNothingUndoesNobodysEdit) {
  const v1::Record first = Create("name: 'ADOS'");
  v1::UpdateRecordRequest request = Edit(first, "name: 'ADOS'");
  request.mutable_record()->clear_etag();
  *request.mutable_context() = By("Awa", kRequest);
  ASSERT_TRUE(lyon_.Update(request).ok());
  ASSERT_TRUE(lyon_.Set(first, Parse<v1::Actor>("name: 'ADOS Rhône'")).ok());
  const auto retried = lyon_.Update(request);
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(Unpack<v1::Actor>(*retried).name(), "ADOS Rhône");
}

TEST_F(RecordWriterTest, ARequestIdServesOneRecord) {
  Create("name: 'ADOS'", By("Awa", kRequest));
  const v1::Record other = Create("name: 'CIEDEL'");
  v1::UpdateRecordRequest request = Edit(other, "acronym: 'C'");
  *request.mutable_context() = By("Awa", kRequest);
  ExpectRefused(lyon_.Update(request), absl::StatusCode::kInvalidArgument, "request_id");
  ExpectRefused(lyon_.Create(Parse<v1::Actor>("name: 'X'"), By("Awa", "encore")),
                absl::StatusCode::kInvalidArgument, "request_id");
}

TEST_F(RecordWriterTest, UpdateSetsClearsAddsAndRemoves) {
  const v1::Record record =
      Create("name: 'ADOS' description: 'x' sdgs: '4' sdgs: '6' phone_numbers: '1'");
  v1::UpdateRecordRequest request =
      Edit(record, "acronym: 'A' phone_numbers: '2'", {"acronym", "description", "phone_numbers"});
  request.mutable_additions()->PackFrom(Parse<v1::Actor>("sdgs: '13'"));
  request.mutable_removals()->PackFrom(Parse<v1::Actor>("sdgs: '4'"));
  const auto updated = lyon_.Update(request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(Line(Unpack<v1::Actor>(*updated)),
            "name: \"ADOS\" acronym: \"A\" sdgs: \"13\" sdgs: \"6\" phone_numbers: \"2\"");
  EXPECT_NE(updated->etag(), record.etag());
  EXPECT_EQ(updated->update_time().seconds(), record.update_time().seconds() + 1);
}

TEST_F(RecordWriterTest, WithoutAMaskTheContentsFieldsAreSet) {
  const v1::Record record = Create("name: 'ADOS' description: 'x'");
  const auto updated = lyon_.Update(Edit(record, "acronym: 'A'"));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(Line(Unpack<v1::Actor>(*updated)), "name: \"ADOS\" acronym: \"A\" description: \"x\"");
}

TEST_F(RecordWriterTest, AnEditThatChangesNothingIssuesNothing) {
  const v1::Record record = Create("name: 'ADOS' sdgs: '4'");
  const uint64_t head = lyon_.head();
  const auto same =
      lyon_.Update(Edit(record, "name: 'ADOS' sdgs: '4'", {"name", "sdgs", "acronym"}));
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->etag(), record.etag());
  EXPECT_EQ(lyon_.head(), head);
}

TEST_F(RecordWriterTest, MasksNameWholeFields) {
  const v1::Record record = Create("name: 'ADOS'");
  const auto refused = [&](const std::string& path, const std::string& text) {
    ExpectRefused(lyon_.Update(Edit(record, "name: 'ADOS'", {path})),
                  absl::StatusCode::kInvalidArgument, text);
  };
  refused("acronyme", Quote("acronym"));
  refused("address.town", "toute sa valeur");
}

TEST_F(RecordWriterTest, TheNameOfARecordCannotBeCleared) {
  const v1::Record record = Create("name: 'ADOS'");
  ExpectRefused(lyon_.Update(Edit(record, "acronym: 'A'", {"name", "acronym"})),
                absl::StatusCode::kInvalidArgument, "name");
}

TEST_F(RecordWriterTest, OnlyWhatIsWrittenIsHeldToItsFormat) {
  const v1::Record record = Create("name: 'ADOS'");
  EXPECT_TRUE(lyon_.Update(Edit(record, "acronym: 'A' siren: '1'", {"acronym"})).ok());
  ExpectRefused(lyon_.Update(Edit(record, "siren: '1'", {"siren"})),
                absl::StatusCode::kInvalidArgument, "siren");
  v1::UpdateRecordRequest request;
  request.mutable_record()->set_name(record.name());
  request.mutable_additions()->PackFrom(Parse<v1::Actor>("countries: 'Mali'"));
  ExpectRefused(lyon_.Update(request), absl::StatusCode::kInvalidArgument, "countries[0]");
  request.mutable_additions()->PackFrom(Parse<v1::Actor>("acronym: 'A'"));
  ExpectRefused(lyon_.Update(request), absl::StatusCode::kInvalidArgument, "acronym");
}

TEST_F(RecordWriterTest, WhatIsNotThereIsNotFound) {
  v1::Record absent;
  absent.set_name("actor/" + Uuid(9));
  ExpectRefused(lyon_.Update(Edit(absent, "name: 'X'")), absl::StatusCode::kNotFound, Uuid(9));
  absent.set_name("acteur/" + Uuid(9));
  ExpectRefused(lyon_.Delete(absent), absl::StatusCode::kInvalidArgument, Quote("actor"));
  absent.set_name("actor");
  ExpectRefused(lyon_.Delete(absent), absl::StatusCode::kInvalidArgument, "UUID");
}

TEST_F(RecordWriterTest, AnOldEtagKeepsBothVersions) {
  const v1::Record read = Create("name: 'ADOS'");
  ASSERT_TRUE(lyon_.Set(read, Parse<v1::Actor>("acronym: 'A'"), "Awa").ok());
  const auto second = lyon_.Set(read, Parse<v1::Actor>("acronym: 'B'"), "Noé");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_THAT(second->conflicting_fields(), ElementsAre("acronym"));
  v1::Record settled = *second;
  EXPECT_THAT(lyon_.Set(settled, Parse<v1::Actor>("acronym: 'AB'"))->conflicting_fields(),
              IsEmpty());
}

TEST_F(RecordWriterTest, AnEtagOfAnotherSiteWaitsForItsChanges) {
  const v1::Record record = Create("name: 'ADOS'");
  Site savoie('s');
  lyon_.GiveTo(savoie);
  const auto elsewhere = savoie.Set(record, Parse<v1::Actor>("acronym: 'A'"));
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  // The same value as here, so that nothing would be written: the reader saw another one all the
  // same.
  ExpectRefused(lyon_.Set(*elsewhere, Parse<v1::Actor>("name: 'ADOS'")),
                absl::StatusCode::kFailedPrecondition, "etag");
  v1::Record damaged = record;
  damaged.set_etag("n'importe quoi");
  ExpectRefused(lyon_.Set(damaged, Parse<v1::Actor>("name: 'B'")),
                absl::StatusCode::kInvalidArgument, "etag");
}

TEST_F(RecordWriterTest, DeleteAndUndelete) {
  const v1::Record record = Create("name: 'ADOS'");
  const auto deleted = lyon_.Delete(record);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_TRUE(deleted->deleted());
  EXPECT_EQ(Unpack<v1::Actor>(*deleted).name(), "ADOS");
  ExpectRefused(lyon_.Set(*deleted, Parse<v1::Actor>("acronym: 'A'")),
                absl::StatusCode::kFailedPrecondition, "undelete");
  const uint64_t head = lyon_.head();
  EXPECT_TRUE(lyon_.Delete(*deleted)->deleted());
  EXPECT_EQ(lyon_.head(), head);
  const auto back = lyon_.Undelete(*deleted);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_FALSE(back->deleted());
  EXPECT_TRUE(lyon_.Undelete(*back).ok());
  EXPECT_EQ(lyon_.head(), head + 1);
}

TEST_F(RecordWriterTest, AnEditThatHasNotSeenTheDeleteContestsIt) {
  const v1::Record read = Create("name: 'ADOS'");
  const auto deleted = lyon_.Delete(read, "Noé");
  const auto edited = lyon_.Set(read, Parse<v1::Actor>("acronym: 'A'"));
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_FALSE(edited->deleted());
  EXPECT_THAT(edited->conflicting_fields(), ElementsAre("deleted"));
  EXPECT_TRUE(lyon_.Set(*edited, Parse<v1::Actor>("acronym: 'B'")).ok());
  ExpectRefused(lyon_.Undelete(read), absl::StatusCode::kFailedPrecondition, "etag");
  v1::Record now = *edited;
  now.clear_etag();
  const auto settled = lyon_.Undelete(now);
  ASSERT_TRUE(settled.ok()) << settled.status();
  EXPECT_THAT(settled->conflicting_fields(), IsEmpty());
}

TEST_F(RecordWriterTest, ADeleteSettlesAContestedRecord) {
  const v1::Record read = Create("name: 'ADOS'");
  ASSERT_TRUE(lyon_.Delete(read).ok());
  const auto contested = lyon_.Set(read, Parse<v1::Actor>("acronym: 'A'"));
  EXPECT_TRUE(lyon_.Delete(*contested)->deleted());
}

TEST_F(RecordWriterTest, DeletedRecordsKeepTheirStrongKeysAlone) {
  const v1::Record record = Create("name: 'Annecy' department: '74' siren: '200063402'");
  const auto entries = [&] {
    int count = 0;
    auto cursor = lyon_.store().Scan(storage::Table::kIndex, {});
    for (; cursor->Valid(); cursor->Next()) ++count;
    return count;
  };
  // A word, the SIREN, the name with the département.
  EXPECT_EQ(entries(), 3);
  const auto deleted = lyon_.Delete(record);
  EXPECT_EQ(entries(), 1);
  ASSERT_TRUE(lyon_.Undelete(*deleted).ok());
  EXPECT_EQ(entries(), 3);
}

TEST_F(RecordWriterTest, RefusesContentThatNestsDeeperThanSitesRead) {
  std::string deep;
  for (int i = 0; i <= replication::kMaxValueDepth; ++i) deep += "\x9b\x06";
  for (int i = 0; i <= replication::kMaxValueDepth; ++i) deep += "\x9c\x06";
  v1::Record record = Create("name: 'Amis du Mali'");
  v1::UpdateRecordRequest request = Edit(record, "address { street: 'x' }");
  // A group inside of a group inside of …, in a field of Address that nobody knows.
  std::string* bytes = request.mutable_record()->mutable_content()->mutable_value();
  *bytes = std::string("\x4a") + static_cast<char>(deep.size()) + deep;
  ExpectRefused(lyon_.Update(request), absl::StatusCode::kInvalidArgument, "contenu");
  // One level less is a value like others.
  deep = deep.substr(2, deep.size() - 4);
  *bytes = std::string("\x4a") + static_cast<char>(deep.size()) + deep;
  const auto updated = lyon_.Update(request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_TRUE(Unpack<v1::Actor>(*updated).has_address());
}

}  // namespace
}  // namespace maillage::server::testing
