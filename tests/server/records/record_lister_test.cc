#include "server/records/record_lister.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/replication/support/damaged_store.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RecordListerTest : public ::testing::Test {
 protected:
  v1::Record Create(const std::string& actor) {
    const auto record = lyon_.Create(Parse<v1::Actor>(actor));
    EXPECT_TRUE(record.ok()) << record.status();
    return *record;
  }

  v1::ListRecordsResponse List(const std::string& request) {
    const auto response = lyon_.List(Parse<v1::ListRecordsRequest>("kind: 'actor' " + request));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::ListRecordsResponse();
  }
  std::vector<std::string> Listed(const std::string& request) { return Names(List(request)); }

  // The sizes of the pages, and all names.
  std::vector<std::string> Pages(const std::string& request, std::vector<int>* sizes) {
    std::vector<std::string> names;
    std::string token;
    do {
      const auto page = List(absl::StrCat(request, " page_token: '", token, "'"));
      sizes->push_back(page.records_size());
      for (std::string& name : Names(page)) names.push_back(std::move(name));
      token = page.next_page_token();
    } while (!token.empty());
    return names;
  }

  void ExpectRefused(const std::string& request, const std::string& text) {
    const auto response = lyon_.List(Parse<v1::ListRecordsRequest>(request));
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(response.status().message()), HasSubstr(text));
  }

  void CreateTowns() {
    for (const char* town : {"Bourg", "Annecy", "Chambéry", "Évian", "Dardilly"}) {
      Create(absl::StrCat("name: '", town, "' departments: '73'"));
    }
    Create("name: 'Lyon' departments: '69' population: 500000");
  }

  Site lyon_{'l'};
};

TEST_F(RecordListerTest, ByIdWhichIsTheOrderOfCreation) {
  CreateTowns();
  EXPECT_THAT(Listed(""), ElementsAre("Bourg", "Annecy", "Chambéry", "Évian", "Dardilly", "Lyon"));
}

TEST_F(RecordListerTest, APageOfLongRecordsEndsBeforeAnAnswerIsTooLong) {
  constexpr int kRecords = 600;
  const std::string text(replication::kMaxValueBytes - 1000, 'x');
  for (int i = 0; i < kRecords; ++i) Create(absl::StrCat("name: '", i, "' description: '", text, "'"));
  for (const char* order : {"", "order_by: 'name'"}) {
    std::vector<int> sizes;
    std::vector<std::string> names = Pages(absl::StrCat("page_size: 1000 ", order), &sizes);
    EXPECT_EQ(sizes.size(), 2u);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::unique(names.begin(), names.end()) - names.begin(), kRecords);
  }
}

TEST_F(RecordListerTest, PagesHoldEveryRecordOnce) {
  CreateTowns();
  std::vector<int> sizes;
  EXPECT_THAT(Pages("page_size: 4", &sizes),
              ElementsAre("Bourg", "Annecy", "Chambéry", "Évian", "Dardilly", "Lyon"));
  EXPECT_THAT(sizes, ElementsAre(4, 2));
  sizes.clear();
  EXPECT_THAT(Pages("page_size: 2 filter: 'departments:73' order_by: 'name desc'", &sizes),
              ElementsAre("Évian", "Dardilly", "Chambéry", "Bourg", "Annecy"));
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
}

TEST_F(RecordListerTest, OrdersEqualRecordsById) {
  for (int i = 0; i < 5; ++i) Create(absl::StrCat("name: 'A' acronym: '", i, "'"));
  std::vector<int> sizes;
  EXPECT_EQ(Pages("page_size: 2 order_by: 'name'", &sizes).size(), 5u);
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
}

TEST_F(RecordListerTest, ThePageSizeIsFiftyAndAThousandAtMost) {
  for (int i = 0; i < 60; ++i) Create(absl::StrCat("name: 'A", i, "'"));
  EXPECT_EQ(List("").records_size(), 50);
  EXPECT_EQ(List("page_size: 100000").records_size(), 60);
  ExpectRefused("kind: 'actor' page_size: -1", "page_size");
}

TEST_F(RecordListerTest, CountsWhenItCountedAnyway) {
  CreateTowns();
  const v1::Record gone = Create("name: 'Parti'");
  ASSERT_TRUE(lyon_.Delete(gone).ok());
  EXPECT_EQ(List("page_size: 2").total_size(), 6);
  EXPECT_EQ(List("page_size: 2 show_deleted: true").total_size(), 7);
  EXPECT_EQ(List("filter: 'departments:73'").total_size(), 5);
  EXPECT_EQ(List("page_size: 2 filter: 'departments:73' order_by: 'name'").total_size(), 5);
  EXPECT_FALSE(List("page_size: 2 filter: 'departments:73'").has_total_size());
}

TEST_F(RecordListerTest, SearchIgnoresAccentsAndCaseAndTakesBeginningsOfWords) {
  Create("name: 'Pays de Savoie Solidaires' acronym: 'PSS'");
  Create("name: 'Cité de la solidarité internationale'");
  Create("name: 'Savoie mont blanc'");
  EXPECT_THAT(Listed("search: 'SAVOIÉ solid'"), ElementsAre("Pays de Savoie Solidaires"));
  EXPECT_THAT(Listed("search: 'cite'"), ElementsAre("Cité de la solidarité internationale"));
  EXPECT_THAT(Listed("search: 'pss'"), ElementsAre("Pays de Savoie Solidaires"));
  EXPECT_THAT(Listed("search: 'solid' order_by: 'name desc'"),
              ElementsAre("Pays de Savoie Solidaires", "Cité de la solidarité internationale"));
  EXPECT_THAT(Listed("search: 'voie'"), IsEmpty());
  std::vector<int> sizes;
  EXPECT_EQ(Pages("search: 'savoie' page_size: 1", &sizes).size(), 2u);
  EXPECT_THAT(sizes, ElementsAre(1, 1));
}

TEST_F(RecordListerTest, DeletedRecordsAreShownWhenAskedFor) {
  CreateTowns();
  ASSERT_TRUE(lyon_.Delete(Create("name: 'Bourg-Argental'")).ok());
  EXPECT_THAT(Listed("search: 'bourg'"), ElementsAre("Bourg"));
  const auto all = List("search: 'bourg' show_deleted: true");
  EXPECT_THAT(Names(all), ElementsAre("Bourg", "Bourg-Argental"));
  EXPECT_TRUE(all.records(1).deleted());
}

TEST_F(RecordListerTest, AContestedRecordIsListed) {
  const v1::Record read = Create("name: 'ADOS'");
  ASSERT_TRUE(lyon_.Delete(read).ok());
  ASSERT_TRUE(lyon_.Set(read, Parse<v1::Actor>("acronym: 'A'")).ok());
  const auto listed = List("search: 'ados'");
  ASSERT_EQ(listed.records_size(), 1);
  EXPECT_THAT(listed.records(0).conflicting_fields(), ElementsAre("deleted"));
}

TEST_F(RecordListerTest, AReadMaskPrunes) {
  Create("name: 'ADOS' acronym: 'A' address { town: 'Valence' }");
  const auto listed = List("read_mask { paths: 'acronym' }");
  EXPECT_EQ(Line(Unpack<v1::Actor>(listed.records(0))), "acronym: \"A\"");
  EXPECT_FALSE(listed.records(0).etag().empty());
  // Order and filter look at what the mask hides.
  EXPECT_EQ(
      List("filter: 'name:ADOS' order_by: 'name' read_mask { paths: 'acronym' }").records_size(),
      1);
  ExpectRefused("kind: 'actor' read_mask { paths: 'address.town' }", "address");
}

TEST_F(RecordListerTest, WhatIsWrongIsSaid) {
  ExpectRefused("kind: 'acteurs'", "actor");
  ExpectRefused("kind: 'actor' filter: 'acronyme = 1'", "acronym");
  ExpectRefused("kind: 'actor' order_by: 'nom'", "tri");
  ExpectRefused("kind: 'actor' page_token: 'x'", "page_token");
  ExpectRefused(absl::StrCat("kind: 'actor' search: '", std::string(600, 'x'), "'"), "search");
  CreateTowns();
  const std::string token = List("page_size: 2").next_page_token();
  ExpectRefused(absl::StrCat("kind: 'actor' search: 'x' page_token: '", token, "'"), "page_token");
}

TEST_F(RecordListerTest, AgreesWithAnOracle) {
  for (int i = 0; i < 200; ++i) {
    const v1::Record record =
        Create(absl::StrCat("name: 'Acteur ", i * 7919 % 200, "' population: ", i % 10,
                            " departments: '0", i % 9 + 1, "'"));
    if (i % 17 == 0) {
      ASSERT_TRUE(lyon_.Delete(record).ok());
    }
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    if (i % 17 != 0 && i % 9 + 1 == 4 && i % 10 >= 5) {
      expected.push_back(absl::StrCat("Acteur ", i * 7919 % 200));
    }
  }
  ASSERT_FALSE(expected.empty());
  const std::string filter = "filter: 'departments:04 AND population >= 5'";
  std::vector<int> sizes;
  EXPECT_EQ(Pages(filter + " page_size: 3", &sizes), expected);
  EXPECT_EQ(Pages(filter + " page_size: 3 search: 'acteur'", &sizes), expected);
  std::vector<std::string> ordered = Pages(filter + " page_size: 3 order_by: 'name'", &sizes);
  EXPECT_EQ(Listed(filter + " order_by: 'name'"), ordered);
  std::sort(ordered.begin(), ordered.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(ordered, expected);
}

TEST_F(RecordListerTest, KindsWithTheirCounts) {
  CreateTowns();
  ASSERT_TRUE(lyon_.Delete(Create("name: 'Parti'")).ok());
  const auto kinds = ListKinds(lyon_.schema(), *lyon_.store().Snapshot());
  ASSERT_TRUE(kinds.ok()) << kinds.status();
  std::vector<std::string> told;
  for (const v1::KindInfo& kind : kinds->kinds()) {
    told.push_back(absl::StrCat(kind.kind().name(), " ", kind.message_type(), " ",
                                kind.record_count(), kind.kind().system() ? " system" : ""));
  }
  EXPECT_THAT(told,
              UnorderedElementsAre("actor maillage.v1.Actor 6", "project maillage.v1.Project 0",
                                   "event maillage.v1.Event 0", "site maillage.v1.Site 0 system"));
}

TEST_F(RecordListerTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(lyon_.Get("actor/" + Uuid(1)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(lyon_.Get("actor/x").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RecordListerTest, ListsTheRestOfADamagedTableAndTellsWhatIsMissing) {
  CreateTowns();
  replication::testing::DamagedStore damaged(&lyon_.store());
  const auto list = [&](const std::string& request) {
    const auto response = ListRecords(lyon_.schema(), damaged,
                                      Parse<v1::ListRecordsRequest>("kind: 'actor' " + request));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::ListRecordsResponse();
  };
  const v1::ListRecordsResponse whole = list("");
  EXPECT_EQ(whole.unreadable_records(), 0);
  const std::string name = whole.records(2).name();
  const auto id = ParseUuid(name.substr(name.find('/') + 1));
  damaged.Damage(storage::Table::kStates, storage::StateKey({1, *id}));

  v1::GetRecordRequest get;
  get.set_name(name);
  EXPECT_EQ(GetRecord(lyon_.schema(), damaged, get).status().code(), absl::StatusCode::kDataLoss);
  const std::vector<std::string> requests = {"", "order_by: 'name'", "filter: 'name != \"x\"'"};
  for (const std::string& request : requests) {
    const v1::ListRecordsResponse rest = list(request);
    EXPECT_EQ(rest.records_size(), whole.records_size() - 1) << request;
    EXPECT_EQ(rest.unreadable_records(), 1) << request;
  }
  // Over pages it is told once.
  int64_t told = 0;
  int records = 0;
  std::string token;
  do {
    const auto page = list(absl::StrCat("page_size: 1 page_token: '", token, "'"));
    told += page.unreadable_records();
    records += page.records_size();
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(told, 1);
  EXPECT_EQ(records, whole.records_size() - 1);
}

}  // namespace
}  // namespace maillage::server::testing
