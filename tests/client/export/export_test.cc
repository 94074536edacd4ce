#include "client/export/export.h"

#include <algorithm>

#include "client/import/importer.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "nlohmann/json.hpp"
#include "proto/records.pb.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kId = "018f0000-0000-7000-8000-000000000001";

v1::Actor Actor() {
  v1::Actor actor;
  actor.set_name("Amis du \"Mali\"; section A|B");
  actor.mutable_address()->set_town("Chambéry");
  actor.mutable_location()->set_latitude(45.5646);
  actor.add_departments("73");
  actor.add_departments("01");
  actor.add_domains("eau|air");
  actor.add_domains("fin\\");
  actor.add_network_roles(v1::RELAY);
  actor.add_network_roles(v1::ANTENNA);
  for (const char* system : {"z", "a|\\"}) {
    auto& id = *actor.add_external_ids();
    id.set_system(system);
    id.set_id("1");
  }
  actor.set_population(0);
  actor.set_description("une\nligne");
  return actor;
}

TEST(ExportTest, HeaderHasEveryFieldInTheOrderOfNumbers) {
  EXPECT_THAT(CsvHeader(*v1::Actor::descriptor()),
              StartsWith("id;name;acronym;type;legal_status;siren;siret;rna;insee_commune;"
                         "address.street;address.postcode;address.town;location.latitude;"
                         "location.longitude;department;departments;"));
  EXPECT_THAT(CsvHeader(*v1::Project::descriptor()), HasSubstr(";lead.actor;lead.text;partners;"));
}

TEST(ExportTest, RowEscapesListsAndCells) {
  const std::string row = *CsvRow(kId, Actor());
  EXPECT_THAT(row, StartsWith(std::string(kId) + ";\"Amis du \"\"Mali\"\"; section A|B\";;;"));
  EXPECT_THAT(row, HasSubstr(";Chambéry;45.5646;;;01|73;"));
  EXPECT_THAT(row, HasSubstr(";eau\\|air|fin\\\\;"));
  EXPECT_THAT(row, HasSubstr(";ANTENNA|RELAY;"));
  EXPECT_THAT(row, HasSubstr(";0;;\"une\nligne\";"));
}

TEST(ExportTest, OrderOfListsDoesNotShow) {
  const v1::Actor actor = Actor();
  v1::Actor turned = actor;
  std::reverse(turned.mutable_departments()->begin(), turned.mutable_departments()->end());
  std::reverse(turned.mutable_domains()->begin(), turned.mutable_domains()->end());
  std::reverse(turned.mutable_external_ids()->begin(), turned.mutable_external_ids()->end());
  std::reverse(turned.mutable_network_roles()->begin(), turned.mutable_network_roles()->end());
  ASSERT_FALSE(MessageDifferencer::Equals(actor, turned));
  EXPECT_EQ(*CsvRow(kId, actor), *CsvRow(kId, turned));
  EXPECT_EQ(*JsonLine(kId, actor), *JsonLine(kId, turned));
}

TEST(ExportTest, JsonSortsListsOfAnyLength) {
  v1::Actor actor;
  for (const char* sdg : {"6", "4", "17", "1", "3", "13", "11", "2"}) actor.add_sdgs(sdg);
  const auto json = nlohmann::json::parse(*JsonLine(kId, actor));
  const auto expected = {"1", "11", "13", "17", "2", "3", "4", "6"};
  EXPECT_EQ(json["content"]["sdgs"], nlohmann::json(expected));
}

TEST(ExportTest, JsonLineIsOneObjectWithTheProtosNames) {
  const std::string line = *JsonLine(kId, Actor());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["id"], kId);
  EXPECT_EQ(json["kind"], "actor");
  EXPECT_EQ(json["content"]["network_roles"], nlohmann::json({"ANTENNA", "RELAY"}));
  EXPECT_EQ(json["content"]["population"], 0);
  EXPECT_EQ(json["content"]["description"], "une\nligne");
}

std::string Sorted(const google::protobuf::Message& record) { return *JsonLine(kId, record); }

TEST(ExportTest, AnExportCanBeImportedAgain) {
  const std::string csv = CsvHeader(*v1::Actor::descriptor()) + *CsvRow(kId, Actor());
  const ImportPlan plan = PlanOf(csv);
  EXPECT_EQ(plan.mapping, "export-actor");
  ASSERT_EQ(plan.lines.size(), 1u);
  ASSERT_NE(plan.lines[0].content, nullptr);
  EXPECT_EQ(Sorted(*plan.lines[0].content), Sorted(Actor()));
}

TEST(ExportTest, TheRealFilesSurviveExportAndImport) {
  const MemoryActorDirectory directory = NetworkDirectory();
  for (const char* name : {"acteurs-reseau.csv", "projets-reseau.csv", "evenements-2021.csv"}) {
    const ImportPlan plan = PlanOf(TestFile(name), {}, directory);
    std::string csv = CsvHeader(*plan.descriptor);
    for (const PlannedLine& line : plan.lines) csv += *CsvRow(kId, *line.content);
    const ImportPlan again = PlanOf(csv);
    ASSERT_EQ(again.lines.size(), plan.lines.size()) << name;
    for (size_t i = 0; i < plan.lines.size(); ++i) {
      ASSERT_NE(again.lines[i].content, nullptr) << again.lines[i].notes[0].message;
      EXPECT_EQ(Sorted(*again.lines[i].content), Sorted(*plan.lines[i].content));
    }
  }
}

TEST(ExportTest, EveryKindHasAHeaderAndARow) {
  const auto& file = *v1::Address::descriptor()->file();
  int kinds = 0;
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto* kind = file.message_type(i);
    if (!kind->options().HasExtension(v1::kind)) continue;
    ++kinds;
    const auto* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(kind);
    const std::string header = CsvHeader(*kind);
    const std::string row = *CsvRow(kId, *prototype);
    EXPECT_EQ(std::count(header.begin(), header.end(), ';'),
              std::count(row.begin(), row.end(), ';'));
  }
  EXPECT_GE(kinds, 4);
}

}  // namespace
}  // namespace maillage::client
