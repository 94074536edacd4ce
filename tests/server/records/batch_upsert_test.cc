#include "server/records/batch_upsert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/quote.h"
#include "replication/scope.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using v1::UpsertResult;

constexpr char kRequest[] = "0c1f6a4e-5a3b-4f0e-9f57-2f7f3f0f7a10";
// Numbers with a right key.
constexpr char kSiren[] = "210100012";
constexpr char kOtherSiren[] = "210100020";

class BatchUpsertTest : public ::testing::Test {
 protected:
  template <typename T = v1::Actor>
  v1::BatchUpsertRecordsRequest Request(const std::vector<std::string>& rows,
                                        const std::string& kind = "actor") {
    v1::BatchUpsertRecordsRequest request;
    request.set_kind(kind);
    for (const std::string& row : rows) request.add_content()->PackFrom(Parse<T>(row));
    *request.mutable_context() = By("Camille");
    return request;
  }

  std::vector<UpsertResult> Send(const v1::BatchUpsertRecordsRequest& request) {
    const auto response = lyon_.Upsert(request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return {};
    return {response->results().begin(), response->results().end()};
  }

  template <typename T = v1::Actor>
  std::vector<UpsertResult> Import(const std::vector<std::string>& rows,
                                   const std::string& kind = "actor") {
    return Send(Request<T>(rows, kind));
  }

  static std::vector<std::string> Outcomes(const std::vector<UpsertResult>& results) {
    std::vector<std::string> outcomes;
    for (const UpsertResult& result : results) {
      outcomes.push_back(UpsertResult::Outcome_Name(result.outcome()));
    }
    return outcomes;
  }

  // As the list of sites says.
  void Hold(const std::string& scope) {
    replication::Operation operation;
    operation.field = replication::kSiteScopeField;
    operation.value = scope;
    const RecordKey site{replication::kSiteKind, *RecordId::FromBytes(lyon_.id().bytes())};
    EXPECT_TRUE(lyon_.replica().Write({site, {}, {operation}, "Awa", ""}).ok());
    EXPECT_TRUE(lyon_.replica().Commit().ok());
  }

  v1::Actor Actor(const std::string& name) { return Unpack<v1::Actor>(*lyon_.Get(name)); }

  v1::Record Create(const std::string& actor) {
    const auto record = lyon_.Create(Parse<v1::Actor>(actor));
    EXPECT_TRUE(record.ok()) << record.status();
    return *record;
  }

  static std::string Row(const std::string& id) {
    return "external_ids { system: 'acteurs' id: '" + id + "' }";
  }
  static std::string Siren(const std::string& siren) { return " siren: '" + siren + "' "; }

  Site lyon_{'l'};
};

TEST_F(BatchUpsertTest, WhatIsNewIsCreated) {
  const auto results = Import({"name: 'ADOS'", "name: 'CIEDEL'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("CREATED", "CREATED"));
  EXPECT_EQ(Actor(results[1].name()).name(), "CIEDEL");
}

// A relay can't know whether a record of another territory exists already.
TEST_F(BatchUpsertTest, ARelayRefusesRowsBeyondItsTerritory) {
  Create("name: 'ADOS' department: '73'" + Row("7"));
  Hold("73");
  const auto results = Import({"name: 'Amis' department: '38'" + Row("1"), "name: 'Régionale'" + Row("2"),
                               "name: 'Savoyarde' departments: '38' departments: '73'" + Row("3"),
                               "name: 'ADOS' department: '73'" + Row("7")});
  EXPECT_THAT(Outcomes(results), ElementsAre("REFUSED", "CREATED", "CREATED", "UNCHANGED"));
  EXPECT_EQ(results[0].error_field(), "department");
  EXPECT_THAT(results[0].error(), HasSubstr("38 est hors du périmètre de ce site (73)"));
}

TEST_F(BatchUpsertTest, ASecondImportChangesNothing) {
  const std::vector<std::string> rows = {Row("1") + Siren(kSiren) + "name: 'Ambérieu' sdgs: '4'",
                                         Row("2") + "name: 'ADOS' department: '26'",
                                         "name: 'Sans rien'"};
  const auto first = Import(rows);
  const uint64_t head = lyon_.head();
  const auto second = Import(rows);
  EXPECT_THAT(Outcomes(second), ElementsAre("UNCHANGED", "UNCHANGED", "UNCHANGED"));
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(second[i].name(), first[i].name());
  EXPECT_EQ(lyon_.head(), head);
}

TEST_F(BatchUpsertTest, ARowThatCameInBeforeLeavesLaterEditsAlone) {
  const std::string name = Import({Row("1") + Siren(kSiren) + "name: 'Ambérieu'"})[0].name();
  ASSERT_TRUE(lyon_.Set(*lyon_.Get(name), Parse<v1::Actor>("name: 'Ambérieu-en-Bugey'")).ok());
  EXPECT_THAT(Outcomes(Import({Row("1") + Siren(kSiren) + "name: 'Ambérieu'"})),
              ElementsAre("UNCHANGED"));
  EXPECT_EQ(Actor(name).name(), "Ambérieu-en-Bugey");
}

TEST_F(BatchUpsertTest, ADeletedRecordIsNeitherBroughtBackNorDoubled) {
  const std::string row = Row("1") + Siren(kSiren) + "name: 'Ambérieu'";
  const std::string name = Import({row})[0].name();
  ASSERT_TRUE(lyon_.Delete(*lyon_.Get(name)).ok());
  const auto again = Import({row, Row("2") + Siren(kSiren) + "name: 'Ambérieu'"});
  EXPECT_THAT(Outcomes(again), ElementsAre("UNCHANGED", "REFUSED"));
  EXPECT_EQ(again[0].name(), name);
  EXPECT_EQ(again[1].error_field(), "siren");
  EXPECT_THAT(again[1].error(), HasSubstr(name));
  EXPECT_TRUE(lyon_.Get(name)->deleted());
  v1::ListRecordsRequest list;
  list.set_kind("actor");
  list.set_show_deleted(true);
  EXPECT_EQ(lyon_.List(list)->records_size(), 1);
}

TEST_F(BatchUpsertTest, ADeletedDoubleLeavesItsNumberToTheOther) {
  const v1::Record gone = Create(Siren(kSiren) + "name: 'Double'");
  ASSERT_TRUE(lyon_.Delete(gone).ok());
  const v1::Record kept = Create(Siren(kSiren) + "name: 'Ambérieu'");
  const auto results = Import({Siren(kSiren) + "name: 'Ambérieu' acronym: 'A'"});
  EXPECT_THAT(Outcomes(results), ElementsAre("UPDATED"));
  EXPECT_EQ(results[0].name(), kept.name());
}

TEST_F(BatchUpsertTest, AStrongKeyFindsItsRecord) {
  const v1::Record record =
      Create(Siren(kSiren) + "name: 'Ambérieu' acronym: 'A' sdgs: '4' description: 'x'");
  const auto results = Import({Siren(kSiren) + "name: 'Ambérieu-en-Bugey' acronym: 'A' sdgs: '6'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("UPDATED"));
  EXPECT_EQ(results[0].name(), record.name());
  EXPECT_THAT(results[0].changed_fields(), ElementsAre("name", "sdgs"));
  EXPECT_EQ(
      Line(Actor(record.name())),
      "name: \"Ambérieu-en-Bugey\" acronym: \"A\" siren: \"210100012\" sdgs: \"4\" sdgs: \"6\" "
      "description: \"x\"");
}

TEST_F(BatchUpsertTest, SeveralOfTheSameStrongKeyAreForAPerson) {
  const v1::Record one = Create(Siren(kSiren) + "name: 'Ambérieu'");
  const v1::Record two = Create(Siren(kSiren) + "name: 'Ambérieu-en-Bugey'");
  const auto results = Import({Siren(kSiren) + "name: 'Ambérieu'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("REFUSED"));
  EXPECT_EQ(results[0].error_field(), "siren");
  for (const std::string& text : {Quote("Ambérieu-en-Bugey"), one.name(), two.name()}) {
    EXPECT_THAT(results[0].error(), HasSubstr(text));
  }
}

TEST_F(BatchUpsertTest, AWeakerStrongKeyDoesNotOverruleAStronger) {
  Create(Siren(kSiren) + "name: 'Ambérieu' insee_commune: '01004'");
  const auto results = Import({Siren(kOtherSiren) + "name: 'Autre' insee_commune: '01004'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("REFUSED"));
  EXPECT_EQ(results[0].error_field(), "siren");
  EXPECT_THAT(results[0].error(), HasSubstr("insee_commune"));
}

TEST_F(BatchUpsertTest, ANameWithItsDepartmentFindsItsRecord) {
  const v1::Record record = Create("name: 'Amis du Mali' department: '73'");
  Create("name: 'Amis du Mali' department: '69'");
  const auto results = Import({"name: 'AMIS DU MALI' department: '73' acronym: 'ADM'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("UPDATED"));
  EXPECT_EQ(results[0].name(), record.name());
  EXPECT_THAT(Outcomes(Import({"name: 'Amis du Mali' department: '38'"})), ElementsAre("CREATED"));
}

TEST_F(BatchUpsertTest, ANameDoesNotJoinTwoNumbers) {
  const v1::Record record = Create(Siren(kSiren) + "name: 'Saint-Martin' department: '01'");
  EXPECT_THAT(Outcomes(Import({Siren(kOtherSiren) + "name: 'Saint-Martin' department: '01'"})),
              ElementsAre("CREATED"));
  const auto without = Import({"name: 'Saint-Martin' department: '01' acronym: 'S'"});
  ASSERT_THAT(Outcomes(without), ElementsAre("REFUSED"));
  EXPECT_EQ(without[0].error_field(), "name");
  EXPECT_THAT(without[0].error(), HasSubstr(record.name()));
}

TEST_F(BatchUpsertTest, ADeletedNamesakeIsNoObstacle) {
  ASSERT_TRUE(lyon_.Delete(Create("name: 'ADOS'")).ok());
  EXPECT_THAT(Outcomes(Import({"name: 'ADOS'"})), ElementsAre("CREATED"));
}

TEST_F(BatchUpsertTest, ATitleAloneIsNoKey) {
  const std::string restitution = "title: 'Restitution' mode: ONLINE dates: ";
  const auto results =
      Import<v1::Event>({restitution + "'2021-01-08'", restitution + "'2021-01-09'",
                         restitution + "'2021-01-08' participants: 120"},
                        "event");
  EXPECT_THAT(Outcomes(results), ElementsAre("CREATED", "CREATED", "UPDATED"));
  EXPECT_EQ(results[2].name(), results[0].name());
}

TEST_F(BatchUpsertTest, RowsSeeTheRowsBeforeThem) {
  const auto results = Import({Siren(kSiren) + "name: 'Ambérieu' phone_numbers: '1'",
                               Siren(kSiren) + "name: 'Ambérieu' phone_numbers: '2'"});
  ASSERT_THAT(Outcomes(results), ElementsAre("CREATED", "UPDATED"));
  EXPECT_EQ(results[0].name(), results[1].name());
  EXPECT_THAT(Actor(results[0].name()).phone_numbers(), ElementsAre("1", "2"));
}

TEST_F(BatchUpsertTest, RowsOfOneRecordThatDisagreeAreRefusedEveryTime) {
  const std::vector<std::string> rows = {Row("1") + Siren(kSiren) + "name: 'Ambérieu'",
                                         Row("2") + Siren(kSiren) + "name: 'Bourg'"};
  const auto first = Import(rows);
  ASSERT_THAT(Outcomes(first), ElementsAre("CREATED", "REFUSED"));
  EXPECT_EQ(first[1].error_field(), "name");
  EXPECT_THAT(first[1].error(), HasSubstr(Quote("Ambérieu")));
  EXPECT_THAT(Outcomes(Import(rows)), ElementsAre("UNCHANGED", "REFUSED"));
  EXPECT_EQ(Actor(first[0].name()).name(), "Ambérieu");
}

TEST_F(BatchUpsertTest, RowsOfOneRecordThatAgreeSettleAfterTheFirstImport) {
  const std::vector<std::string> rows = {
      Row("1") + Siren(kSiren) + "name: 'Ambérieu' phone_numbers: '1'",
      Row("2") + Siren(kSiren) + "name: 'Ambérieu' phone_numbers: '2'"};
  EXPECT_THAT(Outcomes(Import(rows)), ElementsAre("CREATED", "UPDATED"));
  EXPECT_THAT(Outcomes(Import(rows)), ElementsAre("UNCHANGED", "UNCHANGED"));
}

TEST_F(BatchUpsertTest, AnImportSettlesNoVersionsThatWaitForAPerson) {
  const v1::Record read = Create(Siren(kSiren) + "name: 'Ambérieu'");
  ASSERT_TRUE(lyon_.Set(read, Parse<v1::Actor>("acronym: 'A'")).ok());
  ASSERT_TRUE(lyon_.Set(read, Parse<v1::Actor>("acronym: 'B'")).ok());
  EXPECT_THAT(
      Outcomes(Import({Siren(kSiren) + "acronym: 'A'", Siren(kSiren) + "name: 'Ambérieu'"})),
      ElementsAre("UNCHANGED", "UNCHANGED"));
  EXPECT_THAT(lyon_.Get(read.name())->conflicting_fields(), ElementsAre("acronym"));
}

TEST_F(BatchUpsertTest, ABrokenRowIsRefusedAndTheOthersGoIn) {
  auto request = Request({"name: 'ADOS' departments: '26' departments: '2600'",
                          "acronym: 'SANS NOM'", "name: 'CIEDEL'"});
  request.add_content()->PackFrom(Parse<v1::Event>("title: 'Repas'"));
  const auto results = Send(request);
  EXPECT_THAT(Outcomes(results), ElementsAre("REFUSED", "REFUSED", "CREATED", "REFUSED"));
  EXPECT_EQ(results[0].error_field(), "departments");
  EXPECT_THAT(results[0].error(), HasSubstr(Quote("2600")));
  EXPECT_EQ(results[1].error_field(), "name");
  EXPECT_THAT(results[3].error(), HasSubstr("maillage.v1.Event"));
}

TEST_F(BatchUpsertTest, TheFieldOfAnErrorIsAPath) {
  const auto results = Import<v1::Project>({"title: 'Eau' funding { funder { text: 'AFD' } amount "
                                            "{ minor_units: 1 currency: 'euro' } }"},
                                           "project");
  ASSERT_THAT(Outcomes(results), ElementsAre("REFUSED"));
  EXPECT_EQ(results[0].error_field(), "funding.amount.currency");
}

TEST_F(BatchUpsertTest, ADryRunTellsTheSameAndLeavesNothing) {
  const v1::Record there = Create("name: 'ADOS'");
  auto request = Request({"name: 'ADOS' acronym: 'A'", "name: 'ADOS' acronym: 'A'",
                          Siren(kSiren) + "name: 'Ambérieu'",
                          Siren(kSiren) + "name: 'Ambérieu' sdgs: '4'", "name: 'X' siren: '1'"});
  const uint64_t head = lyon_.head();
  request.set_validate_only(true);
  const auto dry = Send(request);
  EXPECT_THAT(Outcomes(dry), ElementsAre("UPDATED", "UNCHANGED", "CREATED", "UPDATED", "REFUSED"));
  EXPECT_EQ(dry[0].name(), there.name());
  EXPECT_EQ(dry[2].name(), "");
  EXPECT_EQ(dry[3].name(), "");
  EXPECT_EQ(lyon_.head(), head);
  EXPECT_EQ(lyon_.replica().open_batch_bytes(), 0u);
  request.set_validate_only(false);
  const auto real = Send(request);
  EXPECT_EQ(Outcomes(real), Outcomes(dry));
  EXPECT_THAT(real[3].changed_fields(), ElementsAre("sdgs"));
}

TEST_F(BatchUpsertTest, ARetryTellsWhatTheFirstTryDid) {
  const v1::Record there = Create("name: 'ADOS'");
  auto request = Request({"name: 'ADOS' acronym: 'A'", Siren(kSiren) + "name: 'Ambérieu'",
                          Siren(kSiren) + "name: 'Bourg'", "name: 'Bourg' department: '01'"});
  *request.mutable_context() = By("Camille", kRequest);
  const auto first = Send(request);
  EXPECT_THAT(Outcomes(first), ElementsAre("UPDATED", "CREATED", "REFUSED", "CREATED"));
  // Renamed, the row's record isn't found by its keys any more.
  ASSERT_TRUE(lyon_.Set(*lyon_.Get(first[3].name()), Parse<v1::Actor>("name: 'Autre'")).ok());
  const uint64_t head = lyon_.head();
  const auto second = Send(request);
  EXPECT_EQ(Outcomes(second), Outcomes(first));
  EXPECT_EQ(second[0].name(), there.name());
  EXPECT_EQ(second[3].name(), first[3].name());
  EXPECT_EQ(lyon_.head(), head);
}

TEST_F(BatchUpsertTest, ARetryOfAnUnchangedRowUndoesNobodysEdit) {
  const v1::Record there = Create("name: 'ADOS' acronym: 'A'");
  auto request = Request({"name: 'ADOS' acronym: 'A'"});
  *request.mutable_context() = By("Camille", kRequest);
  EXPECT_THAT(Outcomes(Send(request)), ElementsAre("UNCHANGED"));
  ASSERT_TRUE(lyon_.Set(*lyon_.Get(there.name()), Parse<v1::Actor>("acronym: 'B'")).ok());
  EXPECT_THAT(Outcomes(Send(request)), ElementsAre("UNCHANGED"));
  EXPECT_EQ(Unpack<v1::Actor>(*lyon_.Get(there.name())).acronym(), "B");
}

TEST_F(BatchUpsertTest, RequestsAsAWholeAreRefused) {
  const auto code = [&](const v1::BatchUpsertRecordsRequest& request) {
    return lyon_.Upsert(request).status().code();
  };
  EXPECT_EQ(code(Request<v1::Site>({"name: 'lyon'"}, "site")), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code(Request({"name: 'X'"}, "acteurs")), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Request(std::vector<std::string>(1001, "name: 'X'"))),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(lyon_.head(), 0u);
}

TEST_F(BatchUpsertTest, HistoryNamesWhoImported) {
  const std::string name = Import({"name: 'ADOS'"})[0].name();
  v1::ListRecordChangesRequest request;
  request.set_name(name);
  const auto history = lyon_.History(request);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->changes(0).person(), "Camille");
}

}  // namespace
}  // namespace maillage::server::testing
