// The four real files, as they are: the figures of tests/data/README.md must come back.
#include <map>
#include <set>

#include "absl/strings/str_join.h"
#include "client/import/importer.h"
#include "client/import/report.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/field_format.h"
#include "proto/text_fold.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ImportPlan Events() { return PlanOf(TestFile("evenements-2021.csv"), {}, NetworkDirectory()); }

// The one event whose title begins so.
const v1::Event& EventTitled(const ImportPlan& plan, std::string_view beginning) {
  for (const PlannedLine& line : plan.lines) {
    const auto& event = Content<v1::Event>(line);
    if (std::string_view(event.title()).starts_with(beginning)) return event;
  }
  ADD_FAILURE() << beginning;
  return v1::Event::default_instance();
}

std::string PartyText(const v1::Party& party) {
  return party.party_case() == v1::Party::kActor ? party.actor() : party.text();
}

std::vector<std::string> Organisers(const v1::Event& event) {
  std::vector<std::string> parties;
  for (const v1::PartyRole& organiser : event.organisers()) {
    EXPECT_EQ(organiser.role(), "projet ou partenaire");
    parties.push_back(PartyText(organiser.party()));
  }
  return parties;
}

TEST(NetworkFilesTest, EventsGiveTheFiguresOfTheReport) {
  const ImportPlan plan = Events();
  EXPECT_EQ(plan.mapping, "evenements");
  EXPECT_EQ(plan.kind, "event");
  EXPECT_EQ(plan.encoding, "UTF-8");
  EXPECT_EQ(plan.separator, ';');
  ASSERT_EQ(plan.lines.size(), 49u);
  EXPECT_EQ(plan.refused_count(), 0u);
  int counted = 0, participants = 0, online = 0;
  std::map<std::string, int> departments;
  for (const PlannedLine& line : plan.lines) {
    const auto& event = Content<v1::Event>(line);
    if (event.has_participants()) {
      ++counted;
      participants += static_cast<int>(event.participants());
    }
    if (event.mode() == v1::ONLINE) ++online;
    if (!event.department().empty()) {
      ++departments[event.department()];
      EXPECT_EQ(event.mode(), v1::ON_SITE);
    }
    EXPECT_TRUE(event.place().empty());
    EXPECT_GE(event.dates_size(), 1);
  }
  EXPECT_EQ(counted, 39);
  EXPECT_EQ(participants, 807);
  EXPECT_EQ(online, 29);
  const std::map<std::string, int> expected = {
      {"69", 12}, {"74", 4}, {"38", 2}, {"07", 1}, {"01", 1}};
  EXPECT_EQ(departments, expected);
}

TEST(NetworkFilesTest, SevenSpellingsOfMissionAreSixMissions) {
  const std::string bytes = TestFile("evenements-2021.csv");
  std::set<std::string> spellings;
  std::set<std::pair<v1::Axis, std::string>> missions;
  const ImportPlan plan = Events();
  for (const PlannedLine& line : plan.lines) {
    const auto& event = Content<v1::Event>(line);
    missions.emplace(event.axis(), event.mission());
    for (std::string_view mission :
         {"SI - Formations", "SI Formations", "SI - Mise en réseau", "ECSI - Mise en réseau",
          "SI Accompagnement collectif", "ECSI Accompagnement collectif", "Information"}) {
      if (line.raw.find(";" + std::string(mission) + ";") != std::string::npos) {
        spellings.emplace(mission);
      }
    }
  }
  EXPECT_EQ(spellings.size(), 7u);
  EXPECT_THAT(missions,
              ElementsAre(std::pair(v1::AXIS_UNSPECIFIED, "Information"),
                          std::pair(v1::SI, "Accompagnement collectif"),
                          std::pair(v1::SI, "Formations"), std::pair(v1::SI, "Mise en réseau"),
                          std::pair(v1::ECSI, "Accompagnement collectif"),
                          std::pair(v1::ECSI, "Mise en réseau")));
}

TEST(NetworkFilesTest, EventsKeepTheirDates) {
  const ImportPlan plan = Events();
  EXPECT_THAT(EventTitled(plan, "Webinaire Appel à projets AERMC").dates(),
              ElementsAre("2021-02-01"));
  EXPECT_THAT(EventTitled(plan, "Tour de France des ODD").dates(),
              ElementsAre("2021-04-01", "2021-04-02"));
  EXPECT_THAT(EventTitled(plan, "Rencontre régionale des acteurs Festisol").dates(),
              ElementsAre("2021-03-23", "2021-03-26", "2021-04-07"));
}

TEST(NetworkFilesTest, PartnersBecomeReferencesOnlyWhereOneActorHasTheName) {
  const ImportPlan plan = Events();
  const std::string csi = ActorUuid(6), guilde = ActorUuid(28), ciedel = ActorUuid(14);
  EXPECT_THAT(Organisers(EventTitled(plan, "Présentation de la LOP-DSLIM")), ElementsAre());
  EXPECT_THAT(Organisers(EventTitled(plan, "Réunion d’évaluation de la formation AGR")),
              ElementsAre());
  EXPECT_THAT(Organisers(EventTitled(plan, "Reunion avec les acteurs")), ElementsAre(ActorUuid(3)));
  EXPECT_THAT(Organisers(EventTitled(plan, "Tour de France des ODD")),
              ElementsAre(ActorUuid(32), ActorUuid(19), ActorUuid(20)));
  EXPECT_THAT(Organisers(EventTitled(plan, "Atelier sur l’intérêt")), ElementsAre(csi, ciedel));
  EXPECT_THAT(Organisers(EventTitled(plan, "Atelier présentiel d’accompagnement")),
              ElementsAre(csi, guilde));
  EXPECT_THAT(Organisers(EventTitled(plan, "Séance d’information sur l’appel")),
              ElementsAre("Ville/Métropole de Lyon"));
  EXPECT_THAT(Organisers(EventTitled(plan, "Rencontre présentation du fond")),
              ElementsAre("Fonds AMP / CD 03"));
  EXPECT_THAT(Organisers(EventTitled(plan, "Restitution finale")), ElementsAre("ICOM - Lyon 2"));
  EXPECT_THAT(Organisers(EventTitled(plan, "RECITAL journée")),
              ElementsAre(ActorUuid(11), "les Francas Isère", ActorUuid(5), "UFCV LOire",
                          ActorUuid(9), ActorUuid(13), ActorUuid(41),
                          "chercheurs université de Toulouse", "lauréats RECITAL"));
}

TEST(NetworkFilesTest, NothingThatIsntLiteralGoesUnsaid) {
  const ImportPlan plan = Events();
  const PlannedLine& croises = plan.lines[12];
  ASSERT_EQ(croises.line, 14u);
  EXPECT_EQ(Content<v1::Event>(croises).title(),
            "Regards croisés avec des professionnels de pays africains et des Caraïbes");
  EXPECT_THAT(Messages(croises, Severity::kRepaired), ElementsAre(HasSubstr("espaces en trop")));
  EXPECT_THAT(Messages(plan.lines[4], Severity::kUnderstood),
              Contains(HasSubstr("se lit comme une cellule vide")));
  EXPECT_THAT(Messages(plan.lines[0], Severity::kLeftAsText),
              ElementsAre(HasSubstr("«\u00a0ICOM - Lyon 2\u00a0»")));
  for (const PlannedLine& line : plan.lines) {
    for (const v1::PartyRole& organiser : Content<v1::Event>(line).organisers()) {
      if (organiser.party().party_case() != v1::Party::kText) continue;
      EXPECT_THAT(Messages(line, Severity::kLeftAsText),
                  Contains(HasSubstr(organiser.party().text())));
    }
  }
}

// A title alone is no key, title with dates and place is: no two rows may fall together.
TEST(NetworkFilesTest, NoTwoEventsShareTheirNaturalKey) {
  const ImportPlan plan = Events();
  std::set<std::string> titles, keys;
  for (const PlannedLine& line : plan.lines) {
    const auto& event = Content<v1::Event>(line);
    titles.insert(FoldText(event.title()));
    keys.insert(FoldText(event.title()) + absl::StrJoin(event.dates(), " ") + event.department() +
                v1::EventMode_Name(event.mode()));
  }
  EXPECT_LE(titles.size(), 46u);
  EXPECT_EQ(keys.size(), 49u);
}

TEST(NetworkFilesTest, ActorsHaveRolesGoalsAndSites) {
  const ImportPlan plan = PlanOf(TestFile("acteurs-reseau.csv"));
  EXPECT_EQ(plan.mapping, "acteurs");
  ASSERT_EQ(plan.lines.size(), 43u);
  EXPECT_EQ(plan.refused_count(), 0u);
  const auto& resacoop = Content<v1::Actor>(plan.lines[0]);
  EXPECT_THAT(resacoop.network_roles(), ElementsAre(v1::ANTENNA));
  EXPECT_THAT(resacoop.websites(), ElementsAre("www.resacoop.org"));
  const auto& savoie = Content<v1::Actor>(plan.lines[3]);
  EXPECT_EQ(savoie.name(), "Pays de Savoie Solidaires");
  EXPECT_EQ(savoie.acronym(), "PSS");
  EXPECT_EQ(savoie.department(), "73");
  EXPECT_THAT(savoie.network_roles(), ElementsAre(v1::RELAY, v1::RDJSI, v1::GIP_MEMBER));
  EXPECT_THAT(Content<v1::Actor>(plan.lines[22]).sdgs(), ElementsAre("6"));
}

TEST(NetworkFilesTest, ProjectsHaveAmountsInCentsAndFunders) {
  const ImportPlan plan = PlanOf(TestFile("projets-reseau.csv"), {}, NetworkDirectory());
  EXPECT_EQ(plan.mapping, "projets");
  ASSERT_EQ(plan.lines.size(), 12u);
  EXPECT_EQ(plan.refused_count(), 0u);
  const auto& recital = Content<v1::Project>(plan.lines[0]);
  EXPECT_EQ(recital.acronym(), "RECITAL");
  EXPECT_EQ(recital.lead().actor(), ActorUuid(34));
  EXPECT_EQ(recital.partners_size(), 6);
  EXPECT_EQ(recital.partners(0).role(), "partenaire");
  EXPECT_THAT(recital.departments(), ElementsAre("07", "26", "42", "38", "69", "73", "74"));
  EXPECT_EQ(recital.planned_start(), "");
  EXPECT_EQ(recital.planned_end(), "2021");
  EXPECT_EQ(recital.budget().minor_units(), 6400000);
  EXPECT_EQ(recital.budget().currency(), "EUR");
  const auto& fund = Content<v1::Project>(plan.lines[4]);
  ASSERT_EQ(fund.funding_size(), 3);
  int64_t shares = 0;
  for (const v1::Funding& share : fund.funding()) shares += share.amount().minor_units();
  EXPECT_EQ(fund.budget().minor_units(), 6199500);
  EXPECT_EQ(shares, 6384500) << "the report's own amounts, which do not add up";
  EXPECT_EQ(fund.funding(2).funder().text(), "Départements de l’Allier et de la Savoie");
  EXPECT_THAT(Messages(plan.lines[4], Severity::kLeftAsText), ElementsAre(HasSubstr("Allier")));
  EXPECT_THAT(Content<v1::Project>(plan.lines[1]).summary(), HasSubstr("35 ans ; 21 candidatures"));
}

TEST(NetworkFilesTest, AllMunicipalitiesGoIn) {
  const ImportPlan plan = PlanOf(TestFile("collectivites-ara.csv"));
  EXPECT_EQ(plan.mapping, "collectivites");
  ASSERT_EQ(plan.lines.size(), 4190u);
  EXPECT_EQ(plan.refused_count(), 0u);
  std::set<std::string> sirens;
  int communes = 0, several_postcodes = 0, several_departments = 0;
  for (const PlannedLine& line : plan.lines) {
    const auto& actor = Content<v1::Actor>(line);
    sirens.insert(actor.siren());
    communes += actor.insee_commune().empty() ? 0 : 1;
    several_postcodes += actor.description().empty() ? 0 : 1;
    several_departments += actor.departments_size() > 1 ? 1 : 0;
    EXPECT_NE(actor.department().empty(), actor.departments().empty()) << actor.name();
    EXPECT_TRUE(actor.has_population());
  }
  EXPECT_EQ(sirens.size(), 4190u);
  EXPECT_EQ(communes, 4025);
  EXPECT_EQ(several_postcodes, 40);
  EXPECT_EQ(several_departments, 8);
  const auto& first = Content<v1::Actor>(plan.lines[0]);
  EXPECT_EQ(first.name(), "L'Abergement-Clémenciat");
  EXPECT_EQ(first.address().postcode(), "01400");
  EXPECT_EQ(first.population(), 860u);
}

TEST(NetworkFilesTest, EveryRecordIsOneThatTheNodeTakes) {
  for (const char* name : {"acteurs-reseau.csv", "projets-reseau.csv", "evenements-2021.csv"}) {
    const ImportPlan plan = PlanOf(TestFile(name), {}, NetworkDirectory());
    for (const PlannedLine& line : plan.lines) {
      EXPECT_TRUE(CheckFormats(*line.content).ok()) << CheckFormats(*line.content);
    }
  }
}

std::string Replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

// The file as another office would have saved it says the same, down to the digests.
TEST(NetworkFilesTest, SeparatorsAndLineEndsChangeNothing) {
  const std::string bytes = TestFile("evenements-2021.csv");
  const ImportPlan plan = Events();
  std::string windows_ends;
  for (char c : bytes) windows_ends += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::vector<std::pair<std::string, char>> variants = {{Replaced(bytes, ';', '\t'), '\t'},
                                                              {"\xEF\xBB\xBF" + bytes, ';'},
                                                              {windows_ends, ';'},
                                                              {Replaced(bytes, '\n', '\r'), ';'},
                                                              {"sep=;\n" + bytes, ';'}};
  for (const auto& [variant, separator] : variants) {
    const ImportPlan other = PlanOf(variant, {}, NetworkDirectory());
    EXPECT_EQ(other.separator, separator);
    ASSERT_EQ(other.lines.size(), plan.lines.size());
    for (size_t i = 0; i < plan.lines.size(); ++i) {
      EXPECT_EQ(other.lines[i].digest, plan.lines[i].digest);
      ASSERT_NE(other.lines[i].content, nullptr);
      EXPECT_TRUE(MessageDifferencer::Equals(*other.lines[i].content, *plan.lines[i].content));
    }
  }
}

TEST(NetworkFilesTest, ImportingAgainGivesTheSameDigestsAndReport) {
  const ImportPlan first = Events(), second = Events();
  std::set<std::string> digests;
  for (size_t i = 0; i < first.lines.size(); ++i) {
    EXPECT_EQ(first.lines[i].digest, second.lines[i].digest);
    digests.insert(first.lines[i].digest);
    const auto& event = Content<v1::Event>(first.lines[i]);
    ASSERT_EQ(event.external_ids_size(), 1);
    EXPECT_EQ(event.external_ids(0).system(), "evenements");
    EXPECT_EQ(event.external_ids(0).id(), first.lines[i].digest);
    EXPECT_EQ(first.lines[i].digest.size(), 32u);
  }
  EXPECT_EQ(digests.size(), 49u);
  EXPECT_EQ(ReportText(first, ReportDetail::kNotes), ReportText(second, ReportDetail::kNotes));
}

}  // namespace
}  // namespace maillage::client
