#include "client/import/french_date.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Case {
  std::string text;
  // Empty: refused.
  std::vector<std::string> dates;
};

TEST(FrenchDateTest, ReadsWhatOfficesWrite) {
  const std::vector<Case> cases = {
      {"2021", {"2021"}},
      {"2021-02", {"2021-02"}},
      {"2021-02-01", {"2021-02-01"}},
      {"01/02/2021", {"2021-02-01"}},
      {"1/2/2021", {"2021-02-01"}},
      {"1.2.2021", {"2021-02-01"}},
      {"01-02-2021", {"2021-02-01"}},
      {"02/2021", {"2021-02"}},
      {"1er février 2021", {"2021-02-01"}},
      {"1ER FÉVRIER 2021", {"2021-02-01"}},
      {"1 fevrier 2021", {"2021-02-01"}},
      {"lundi 1er févr. 2021", {"2021-02-01"}},
      {"le 8 déc. 2021", {"2021-12-08"}},
      {"8\u00a0janvier\u202f2021", {"2021-01-08"}},
      {"mars 2021", {"2021-03"}},
      {"en août 2021", {"2021-08"}},
      {"1 & 2 avril 2021", {"2021-04-01", "2021-04-02"}},
      {"23& 26 mars, 7 avril 2021", {"2021-03-23", "2021-03-26", "2021-04-07"}},
      {"30 décembre 2021 et 4 janvier 2022", {"2021-12-30", "2022-01-04"}},
      {"mars et avril 2021", {"2021-03", "2021-04"}},
      {"du 3 au 5 mai 2021", {"2021-05-03", "2021-05-04", "2021-05-05"}},
      {"3-5 mai 2021", {"2021-05-03", "2021-05-04", "2021-05-05"}},
      {"du 27 au 28 février et 1er mars 2021", {"2021-02-27", "2021-02-28", "2021-03-01"}},
      {"du 30 avril au 2 mai 2021", {"2021-04-30", "2021-05-01", "2021-05-02"}},
      {"du 31 décembre 2021 au 1er janvier 2022", {"2021-12-31", "2022-01-01"}},
      {"du 03/05/2021 au 04/05/2021", {"2021-05-03", "2021-05-04"}},
      {"29 février 2024", {"2024-02-29"}},
      {"01/02/2021 et 1er février 2021", {"2021-02-01"}},
      {"2020, 2021", {"2020", "2021"}},
  };
  for (const Case& expected : cases) {
    const auto dates = ParseFrenchDates(expected.text);
    ASSERT_TRUE(dates.ok()) << dates.status();
    EXPECT_EQ(*dates, expected.dates) << expected.text;
  }
}

TEST(FrenchDateTest, RefusesWhatIsNoDate) {
  for (const std::string_view text : {"31 février 2021",
                                      "29 février 2021",
                                      "31/04/2021",
                                      "2021-13",
                                      "2021-02-30",
                                      "00/01/2021",
                                      "8 janvier",
                                      "8 janvier 21",
                                      "01/02/21",
                                      "janvier",
                                      "8",
                                      "8 2021",
                                      "44225",
                                      "123",
                                      "courant 2021",
                                      "8 janvier 2021 à 14h",
                                      "à définir",
                                      "du 5 au 3 mai 2021",
                                      "du 3 au",
                                      "3-5 2021",
                                      "du 1er mars au 30 juin 2021",
                                      "de mars à mai 2021",
                                      "",
                                      ",",
                                      "8 janvier 0021",
                                      "32 mars 2021",
                                      "1/2",
                                      "2021/02/01",
                                      "8/ janvier 2021",
                                      "\xFF\xFE"}) {
    const auto dates = ParseFrenchDates(text);
    EXPECT_FALSE(dates.ok()) << text << " gave " << dates->front();
  }
}

TEST(FrenchDateTest, SaysWhy) {
  const auto why = [](std::string_view text) {
    return std::string(ParseFrenchDates(text).status().message());
  };
  EXPECT_THAT(why("31 février 2021"), HasSubstr("«\u00a031 février 2021\u00a0»"));
  EXPECT_THAT(why("31 février 2021"), HasSubstr("n'existe pas"));
  EXPECT_THAT(why("8 janvier"), HasSubstr("l'année manque"));
  EXPECT_THAT(why("8 janvier vers midi 2021"), HasSubstr("«\u00a0vers\u00a0»"));
  EXPECT_THAT(why("du 1er mars au 30 juin 2021"), HasSubstr("31 jours"));
}

}  // namespace
}  // namespace maillage::client
