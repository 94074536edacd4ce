#include "server/records/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "server/tuning.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HistoryTest : public ::testing::Test {
 protected:
  void SetUp() override { lyon_.CallItself("lyon"); }

  v1::Record Create(const std::string& actor) { return *lyon_.Create(Parse<v1::Actor>(actor)); }

  static v1::ListRecordChangesResponse History(Site& site, const std::string& name,
                                               int page_size = 0, const std::string& token = "") {
    v1::ListRecordChangesRequest request;
    request.set_name(name);
    request.set_page_size(page_size);
    request.set_page_token(token);
    const auto response = site.History(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::ListRecordChangesResponse();
  }

  // "person site: ACTION field=value, …"
  static std::vector<std::string> Told(const v1::ListRecordChangesResponse& response) {
    std::vector<std::string> lines;
    for (const v1::RecordChange& change : response.changes()) {
      std::string line = absl::StrCat(change.person(), " ", change.site(), ":");
      for (const v1::FieldChange& field : change.fields()) {
        absl::StrAppend(&line, " ", v1::FieldChange::Action_Name(field.action()), " ",
                        field.field(), "=", field.value());
      }
      lines.push_back(line);
    }
    return lines;
  }

  Site lyon_{'l'};
};

TEST_F(HistoryTest, WhoWhichSiteWhatNewestFirst) {
  const v1::Record record = Create("name: 'ADOS' sdgs: '4'");
  v1::UpdateRecordRequest request;
  request.mutable_record()->set_name(record.name());
  request.mutable_record()->mutable_content()->PackFrom(
      Parse<v1::Actor>("visibility: PUBLIC address { town: 'Valence' }"));
  request.mutable_removals()->PackFrom(Parse<v1::Actor>("sdgs: '4'"));
  request.mutable_additions()->PackFrom(
      Parse<v1::Actor>("network_roles: RELAY external_ids { system: 'x' id: '1' }"));
  *request.mutable_context() = By("");
  ASSERT_TRUE(lyon_.Update(request).ok());
  request.clear_additions();
  request.mutable_record()->mutable_content()->PackFrom(v1::Actor());
  request.mutable_update_mask()->add_paths("visibility");
  request.mutable_removals()->PackFrom(Parse<v1::Actor>("external_ids { system: 'x' }"));
  ASSERT_TRUE(lyon_.Update(request).ok());
  const auto deleted = lyon_.Delete(*lyon_.Get(record.name()), "Noé");
  ASSERT_TRUE(lyon_.Undelete(*deleted, "Noé").ok());
  EXPECT_THAT(
      Told(History(lyon_, record.name())),
      ElementsAre("Noé lyon: UNDELETE deleted=", "Noé lyon: DELETE deleted=",
                  "anonymous lyon: REMOVE external_ids=x CLEAR visibility=",
                  "anonymous lyon: SET address={\"town\":\"Valence\"} REMOVE sdgs=4 "
                  "ADD network_roles=RELAY ADD external_ids={\"system\":\"x\",\"id\":\"1\"} "
                  "SET visibility=PUBLIC",
                  "Awa lyon: SET name=ADOS ADD sdgs=4"));
  EXPECT_THAT(History(lyon_, record.name()).changes(0).dot(), HasSubstr(":5"));
}

TEST_F(HistoryTest, IsTheSameOnEverySite) {
  Site savoie('s');
  const v1::Record record = Create("name: 'ADOS'");
  lyon_.GiveTo(savoie);
  ASSERT_TRUE(lyon_.Set(record, Parse<v1::Actor>("acronym: 'A'")).ok());
  ASSERT_TRUE(savoie.Set(record, Parse<v1::Actor>("type: 't'")).ok());
  ASSERT_TRUE(savoie.Set(*savoie.Get(record.name()), Parse<v1::Actor>("type: 'u'")).ok());
  savoie.GiveTo(lyon_);
  lyon_.GiveTo(savoie);
  EXPECT_EQ(Told(History(lyon_, record.name())), Told(History(savoie, record.name())));
  EXPECT_EQ(History(lyon_, record.name()).changes_size(), 4);
}

TEST_F(HistoryTest, Pages) {
  v1::Record record = Create("name: 'ADOS'");
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(
        lyon_.Set(*lyon_.Get(record.name()), Parse<v1::Actor>(absl::StrCat("acronym: '", i, "'")))
            .ok());
  }
  std::vector<std::string> lines;
  std::vector<int> sizes;
  std::string token;
  do {
    const auto page = History(lyon_, record.name(), 3, token);
    sizes.push_back(page.changes_size());
    for (std::string& line : Told(page)) lines.push_back(std::move(line));
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
  EXPECT_EQ(lines, Told(History(lyon_, record.name())));
}

TEST_F(HistoryTest, APageOfLongChangesEndsBeforeAnAnswerIsTooLong) {
  const v1::Record record = Create("name: 'ADOS'");
  const std::string text(replication::kMaxValueBytes - 1000, 'x');
  constexpr int kEdits = 600;
  for (int i = 0; i < kEdits; ++i) {
    v1::UpdateRecordRequest request;
    request.mutable_record()->set_name(record.name());
    request.mutable_record()->mutable_content()->PackFrom(Parse<v1::Actor>(absl::StrCat("description: '", i, text, "'")));
    *request.mutable_context() = By("");
    ASSERT_TRUE(lyon_.Update(request).ok());
  }
  const auto first = History(lyon_, record.name(), 1000);
  EXPECT_LT(first.ByteSizeLong(), static_cast<size_t>(kMaxAnswerBytes));
  const auto rest = History(lyon_, record.name(), 1000, first.next_page_token());
  EXPECT_EQ(rest.next_page_token(), "");
  EXPECT_EQ(first.changes_size() + rest.changes_size(), kEdits + 1);
}

TEST_F(HistoryTest, CountsWhatAWholeStateBrought) {
  const v1::Record record = Create("name: 'ADOS'");
  ASSERT_TRUE(lyon_.Set(record, Parse<v1::Actor>("acronym: 'A'")).ok());
  Site savoie('s');
  lyon_.GiveStateTo(savoie, record);
  ASSERT_TRUE(savoie.Set(*savoie.Get(record.name()), Parse<v1::Actor>("acronym: 'B'")).ok());
  const auto history = History(savoie, record.name());
  EXPECT_EQ(history.changes_size(), 1);
  EXPECT_EQ(history.compacted_changes(), 2);
  EXPECT_EQ(History(lyon_, record.name()).compacted_changes(), 0);
}

TEST_F(HistoryTest, WhatIsNotThereIsNotFound) {
  v1::ListRecordChangesRequest request;
  request.set_name("actor/" + Uuid(1));
  EXPECT_EQ(lyon_.History(request).status().code(), absl::StatusCode::kNotFound);
  request.set_name(Create("name: 'ADOS'").name());
  request.set_page_token("x");
  EXPECT_EQ(lyon_.History(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(HistoryTest, EventsLeaveOutTheSystemsKindsAndOthersThanAskedFor) {
  const v1::Record actor = Create("name: 'ADOS'");
  ASSERT_TRUE(lyon_.Create(Parse<v1::Event>("title: 'Repas'")).ok());
  const auto view = lyon_.store().Snapshot();
  const auto names = [&](const replication::KindSchema* only) {
    std::vector<std::string> told;
    EXPECT_TRUE(
        replication::ScanFeed(*view, 0, [&](uint64_t position, replication::FeedEntry entry) {
          const auto event = ToRecordEvent(lyon_.schema(), *view, position, entry, only);
          EXPECT_TRUE(event.ok()) << event.status();
          if (event->has_value()) {
            told.push_back(absl::StrCat((*event)->position(), " ",
                                        (*event)->record().content().type_url(), " ",
                                        (*event)->change().person()));
          }
          return true;
        }).ok());
    return told;
  };
  EXPECT_THAT(names(nullptr), ElementsAre("2 type.googleapis.com/maillage.v1.Actor Awa",
                                          "3 type.googleapis.com/maillage.v1.Event Awa"));
  EXPECT_THAT(names(lyon_.schema().FindKind("event")),
              ElementsAre("3 type.googleapis.com/maillage.v1.Event Awa"));
}

}  // namespace
}  // namespace maillage::server::testing
