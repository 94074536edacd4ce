#include "client/import/party_resolver.h"

#include "client/import/actor_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Actors are told apart by short ids, texts by their quotes.
class PartyResolverTest : public ::testing::Test {
 protected:
  PartyResolverTest() {
    directory_.Add("1", "Cité de la solidarité internationale", "CSI");
    directory_.Add("2", "La Guilde", "");
    directory_.Add("3", "Conseil départemental de l’Allier", "CD03");
    directory_.Add("4", "Université de Lyon", "UDL");
    directory_.Add("5", "Union des lycées", "UDL");
    directory_.Add("6", "ADOS", "ADOS");
    directory_.Add("7", "Eau, Vie et Savoie", "");
  }

  std::vector<std::string> Resolve(std::string_view text) {
    std::vector<std::string> parties;
    for (const ResolvedParty& resolved : ResolveParties(text, split_, directory_)) {
      const bool actor = resolved.party.party_case() == v1::Party::kActor;
      parties.push_back(actor ? resolved.party.actor() : "'" + resolved.party.text() + "'");
      explanation_ = resolved.explanation;
    }
    return parties;
  }

  MemoryActorDirectory directory_;
  PartySplit split_ = {{","}, {" et ", "/"}};
  std::string explanation_;
};

TEST_F(PartyResolverTest, FindsNamesAndAcronymsWithoutAccentsAndCase) {
  EXPECT_THAT(Resolve("csi"), ElementsAre("1"));
  EXPECT_THAT(Resolve("CONSEIL DEPARTEMENTAL DE L'ALLIER"), ElementsAre("3"));
  EXPECT_THAT(Resolve("ADOS"), ElementsAre("6"));
}

TEST_F(PartyResolverTest, SplitsAtCommasAlways) {
  EXPECT_THAT(Resolve("CSI, Personne, La Guilde"), ElementsAre("1", "'Personne'", "2"));
  EXPECT_THAT(Resolve(",CSI,,"), ElementsAre("1"));
  EXPECT_THAT(Resolve("Cluster (eau, air), CSI"), ElementsAre("'Cluster (eau, air)'", "1"));
}

TEST_F(PartyResolverTest, AWholeNameGoesBeforeItsCommas) {
  EXPECT_THAT(Resolve("Eau, Vie et Savoie"), ElementsAre("7"));
}

TEST_F(PartyResolverTest, SplitsAtEtOnlyBetweenKnownActors) {
  EXPECT_THAT(Resolve("CSI et La Guilde"), ElementsAre("1", "2"));
  EXPECT_THAT(Resolve("CSI et Personne"), ElementsAre("'CSI et Personne'"));
  EXPECT_THAT(Resolve("CSI/ADOS"), ElementsAre("1", "6"));
  EXPECT_THAT(Resolve("CSI et UDL"), ElementsAre("'CSI et UDL'"));
}

TEST_F(PartyResolverTest, ParenthesesMustNameTheSameActor) {
  EXPECT_THAT(Resolve("Conseil départemental de l’Allier (CD03)"), ElementsAre("3"));
  EXPECT_THAT(Resolve("Conseil départemental de l’Allier (CSI)"),
              ElementsAre("'Conseil départemental de l’Allier (CSI)'"));
  EXPECT_THAT(Resolve("La Guilde (Paris)"), ElementsAre("'La Guilde (Paris)'"));
  EXPECT_THAT(Resolve("Université de Lyon (UDL)"), ElementsAre("4"));
}

TEST_F(PartyResolverTest, SeveralActorsStayATextThatNamesThem) {
  EXPECT_THAT(Resolve("UDL"), ElementsAre("'UDL'"));
  EXPECT_THAT(explanation_, HasSubstr("2 acteurs"));
  EXPECT_THAT(explanation_, HasSubstr("Union des lycées"));
}

}  // namespace
}  // namespace maillage::client
