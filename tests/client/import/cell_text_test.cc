#include "client/import/cell_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

void ExpectCleaned(std::string_view text, std::string_view cleaned, bool repaired,
                   LineBreaks breaks = LineBreaks::kToSpace) {
  const CleanedText result = CleanText(text, breaks);
  EXPECT_EQ(result.text, cleaned) << text;
  EXPECT_EQ(result.repaired, repaired) << text;
}

TEST(CellTextTest, TakesOutSpacesAndKeepsTheRest) {
  ExpectCleaned("l’eau", "l’eau", false);
  ExpectCleaned("l'eau", "l'eau", false);
  ExpectCleaned("", "", false);
  ExpectCleaned("Regards croisés  avec", "Regards croisés avec", true);
  ExpectCleaned("  Nom ", "Nom", true);
  ExpectCleaned("\u00a0Nom\u00a0", "Nom", true);
  ExpectCleaned("Vraiment\u00a0!", "Vraiment\u00a0!", false);
  ExpectCleaned("64\u202f000", "64\u202f000", false);
  ExpectCleaned("Vraiment \u00a0!", "Vraiment\u00a0!", true);
  ExpectCleaned("a\tb", "a b", true);
  ExpectCleaned("a\u200bb", "ab", true);
  ExpectCleaned("   ", "", true);
}

TEST(CellTextTest, KeepsLineBreaksWhereAsked) {
  ExpectCleaned("un\r\ndeux", "un deux", true);
  ExpectCleaned("un\r\ndeux", "un\ndeux", false, LineBreaks::kKeep);
  ExpectCleaned("un\ndeux\n", "un\ndeux", true, LineBreaks::kKeep);
}

TEST(CellTextTest, RefusesControlCharactersAndDamage) {
  EXPECT_TRUE(CheckCharacters("tout à fait bien\n\t").ok());
  for (const std::string& text : {std::string("a\0b", 3), std::string("a\x07"), std::string("\x7f"),
                                  std::string("\u0081"), std::string("\ufffd")}) {
    EXPECT_FALSE(CheckCharacters(text).ok());
  }
}

TEST(CellTextTest, SplitsLists) {
  EXPECT_THAT(SplitList("69| 73 ||74", '|', false), ElementsAre("69", "73", "74"));
  EXPECT_THAT(SplitList("a\\|b|c\\\\|d", '|', true), ElementsAre("a|b", "c\\", "d"));
  EXPECT_THAT(SplitList("C:\\x|y", '|', false), ElementsAre("C:\\x", "y"));
  EXPECT_THAT(SplitList("", '|', false), ElementsAre());
}

TEST(CellTextTest, SplitsTheFirstWord) {
  EXPECT_THAT(SplitFirstWord("SI - Formations"), Pair("SI", "Formations"));
  EXPECT_THAT(SplitFirstWord("SI Formations"), Pair("SI", "Formations"));
  EXPECT_THAT(SplitFirstWord("ECSI – Mise en réseau"), Pair("ECSI", "Mise en réseau"));
  EXPECT_THAT(SplitFirstWord("Information"), Pair("Information", ""));
  EXPECT_THAT(SplitFirstWord(""), Pair("", ""));
}

}  // namespace
}  // namespace maillage::client
