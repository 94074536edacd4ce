#include "server/query/input_error.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maillage {
namespace {

const std::vector<std::string> kNames = {"name", "acronym", "population", "sdgs"};

TEST(InputError, CountsCharactersFromOne) {
  EXPECT_EQ(InputError("filtre", "é = b", 0, "x").message(), "filtre, colonne 1\u00A0: x");
  EXPECT_EQ(InputError("filtre", "é = b", 3, "x").message(), "filtre, colonne 3\u00A0: x");
  EXPECT_EQ(InputError("tri", "é = b", 99, "x").message(), "tri, colonne 6\u00A0: x");
}

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  EXPECT_EQ(Nearest("acronyme", kNames), "acronym");
  EXPECT_EQ(Nearest("Populatoin", kNames), "population");
  EXPECT_EQ(Nearest("nàme", kNames), "name");
  EXPECT_EQ(Nearest("sdg", kNames), "sdgs");
}

TEST(Nearest, GuessesNothingFar) {
  EXPECT_EQ(Nearest("budget", kNames), "");
  EXPECT_EQ(Nearest("", kNames), "");
  EXPECT_EQ(Nearest("nom", kNames), "");
  EXPECT_EQ(Nearest(std::string(10000, 'a'), kNames), "");
  EXPECT_EQ(Nearest("name", {}), "");
}

TEST(QuoteWithSuggestion, AsksOnlyWhereItHasAGuess) {
  EXPECT_EQ(QuoteWithSuggestion("nom", {"name"}), "«\u00A0nom\u00A0»");
  EXPECT_EQ(QuoteWithSuggestion("nam", {"name"}), "«\u00A0nam\u00A0» («\u00A0name\u00A0»\u00A0?)");
}

}  // namespace
}  // namespace maillage
