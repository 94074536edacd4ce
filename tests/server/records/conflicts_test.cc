#include "server/records/conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/server/records/site.h"

namespace maillage::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConflictsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    lyon_.CallItself("lyon");
    savoie_.CallItself("savoie");
    Meet();
  }

  void Meet() {
    lyon_.GiveTo(savoie_);
    savoie_.GiveTo(lyon_);
  }

  template <typename T = v1::Actor>
  v1::Record Shared(const std::string& content) {
    const auto record = lyon_.Create(Parse<T>(content));
    EXPECT_TRUE(record.ok()) << record.status();
    Meet();
    return *record;
  }

  static void Edit(Site& site, const v1::Record& read, const std::string& actor,
                   const std::string& person) {
    const auto edited = site.Set(read, Parse<v1::Actor>(actor), person);
    ASSERT_TRUE(edited.ok()) << edited.status();
  }

  // "field[key]: value by person at site | …" for each field of the only record in conflict.
  static std::vector<std::string> Told(Site& site, const v1::ListConflictsRequest& request = {}) {
    const auto response = site.Conflicts(request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> lines;
    for (const v1::RecordConflict& conflict : response->conflicts()) {
      for (const v1::FieldConflict& field : conflict.fields()) {
        std::string line = field.field();
        if (!field.key().empty()) absl::StrAppend(&line, "[", field.key(), "]");
        for (const v1::Version& version : field.versions()) {
          absl::StrAppend(&line, " | ", version.value(), " ", version.person(), " ",
                          version.site());
        }
        lines.push_back(line);
      }
    }
    return lines;
  }

  Site lyon_{'l'};
  Site savoie_{'s'};
};

TEST_F(ConflictsTest, ConcurrentValuesStandSideBySideOnEverySite) {
  const v1::Record record = Shared("name: 'PSS'");
  Edit(lyon_, record, "description: 'B'", "Camille");
  Edit(savoie_, record, "description: 'A'", "Awa");
  EXPECT_THAT(Told(lyon_), IsEmpty());
  Meet();
  EXPECT_EQ(Told(lyon_), Told(savoie_));
  const auto conflicts = lyon_.Conflicts();
  ASSERT_EQ(conflicts->conflicts_size(), 1);
  EXPECT_THAT(conflicts->conflicts(0).record().conflicting_fields(), ElementsAre("description"));
  const v1::FieldConflict& field = conflicts->conflicts(0).fields(0);
  ASSERT_EQ(field.versions_size(), 2);
  // The winner is what readers see; each version can be written back as it is.
  EXPECT_EQ(field.versions(0).value(), Unpack<v1::Actor>(*lyon_.Get(record.name())).description());
  for (const v1::Version& version : field.versions()) {
    v1::Actor content;
    ASSERT_TRUE(version.content().UnpackTo(&content));
    EXPECT_EQ(Line(content), absl::StrCat("description: \"", version.value(), "\""));
    EXPECT_GT(version.time().seconds(), 0);
  }
  EXPECT_THAT(Told(lyon_), ElementsAre(field.versions(0).value() == "A"
                                           ? "description | A Awa savoie | B Camille lyon"
                                           : "description | B Camille lyon | A Awa savoie"));
}

TEST_F(ConflictsTest, WritingSettlesThem) {
  const v1::Record record = Shared("name: 'PSS'");
  Edit(lyon_, record, "description: 'B'", "Camille");
  Edit(savoie_, record, "description: 'A'", "Awa");
  Meet();
  Edit(savoie_, *savoie_.Get(record.name()), "description: 'A et B'", "Awa");
  Meet();
  EXPECT_THAT(Told(lyon_), IsEmpty());
  EXPECT_THAT(Told(savoie_), IsEmpty());
}

TEST_F(ConflictsTest, AMapEntryIsNamedByItsKey) {
  const v1::Record record = Shared<v1::Project>("title: 'Eau'");
  const auto role = [&](Site& site, const std::string& name) {
    ASSERT_TRUE(site.Set(record, Parse<v1::Project>(absl::StrCat(
                                     "partners { party { text: 'CSI' } role: '", name, "' }")))
                    .ok());
  };
  role(lyon_, "porteur");
  role(savoie_, "partenaire");
  Meet();
  const auto conflicts = lyon_.Conflicts();
  const v1::FieldConflict& field = conflicts->conflicts(0).fields(0);
  EXPECT_EQ(field.field(), "partners");
  EXPECT_EQ(field.key(), "CSI");
  EXPECT_THAT(field.versions(0).value(), ::testing::HasSubstr("\"party\":{\"text\":\"CSI\"}"));
  v1::Project content;
  ASSERT_TRUE(field.versions(0).content().UnpackTo(&content));
  EXPECT_EQ(content.partners_size(), 1);
}

TEST_F(ConflictsTest, ADeleteThatMetAnEdit) {
  const v1::Record record = Shared("name: 'Stand'");
  ASSERT_TRUE(lyon_.Delete(record, "Camille").ok());
  Edit(savoie_, record, "description: 'A'", "Awa");
  Meet();
  for (Site* site : {&lyon_, &savoie_}) {
    EXPECT_THAT(Told(*site), ElementsAre("deleted | modifié Awa savoie | supprimé Camille lyon"));
  }
}

TEST_F(ConflictsTest, AnEditThatClearedAFieldIsToldByHistory) {
  const v1::Record record = Shared("name: 'Stand' description: 'x'");
  ASSERT_TRUE(lyon_.Delete(record, "Camille").ok());
  v1::UpdateRecordRequest request;
  *request.mutable_record() = record;
  request.mutable_record()->mutable_content()->PackFrom(v1::Actor());
  request.mutable_update_mask()->add_paths("description");
  *request.mutable_context() = By("Awa");
  ASSERT_TRUE(savoie_.Update(request).ok());
  Meet();
  EXPECT_THAT(Told(lyon_), ElementsAre("deleted | modifié Awa savoie | supprimé Camille lyon"));
}

TEST_F(ConflictsTest, EachEditorOnce) {
  const v1::Record record = Shared("name: 'Stand'");
  ASSERT_TRUE(lyon_.Delete(record, "Camille").ok());
  Edit(savoie_, record, "description: 'A'", "Awa");
  Edit(savoie_, *savoie_.Get(record.name()), "acronym: 'A'", "Awa");
  Edit(savoie_, *savoie_.Get(record.name()), "type: 'x'", "Noé");
  Meet();
  EXPECT_THAT(
      Told(lyon_),
      ElementsAre("deleted | modifié Noé savoie | modifié Awa savoie | supprimé Camille lyon"));
}

TEST_F(ConflictsTest, SitesWithoutANameAreToldByTheirId) {
  Site drome('d');
  const v1::Record record = Shared("name: 'PSS'");
  lyon_.GiveTo(drome);
  Edit(drome, record, "description: 'D'", "Lou");
  Edit(lyon_, record, "description: 'B'", "Camille");
  drome.GiveTo(lyon_);
  EXPECT_THAT(Told(lyon_),
              ElementsAre(::testing::HasSubstr("D Lou 64646464646464646464646464646464")));
}

TEST_F(ConflictsTest, PagesByKindAndId) {
  std::vector<v1::Record> records;
  for (int i = 0; i < 3; ++i) records.push_back(Shared(absl::StrCat("name: 'A", i, "'")));
  const v1::Record event = Shared<v1::Event>("title: 'Repas'");
  for (const v1::Record& record : records) {
    Edit(lyon_, record, "description: 'B'", "Camille");
    Edit(savoie_, record, "description: 'A'", "Awa");
  }
  ASSERT_TRUE(lyon_.Set(event, Parse<v1::Event>("participants: 1")).ok());
  ASSERT_TRUE(savoie_.Set(event, Parse<v1::Event>("participants: 2")).ok());
  Meet();
  std::vector<std::string> names;
  v1::ListConflictsRequest request;
  request.set_page_size(3);
  do {
    const auto page = lyon_.Conflicts(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& conflict : page->conflicts()) names.push_back(conflict.record().name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names,
              ElementsAre(records[0].name(), records[1].name(), records[2].name(), event.name()));
  request.set_kind("event");
  EXPECT_EQ(lyon_.Conflicts(request)->conflicts_size(), 1);
  request.set_kind("evenement");
  EXPECT_EQ(lyon_.Conflicts(request).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace maillage::server::testing
