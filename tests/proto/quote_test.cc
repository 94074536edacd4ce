#include "proto/quote.h"

#include <gtest/gtest.h>

#include <string>

namespace maillage {
namespace {

TEST(Quote, PutsFrenchQuotesWithNoBreakSpaces) {
  EXPECT_EQ(Quote("Isère"), "«\u00A0Isère\u00A0»");
  EXPECT_EQ(Quote(""), "«\u00A0\u00A0»");
}

TEST(Quote, CutsAfterSixtyCharactersNotBytes) {
  std::string sixty;
  for (int i = 0; i < 60; ++i) sixty += "é";
  EXPECT_EQ(Quote(sixty), "«\u00A0" + sixty + "\u00A0»");
  EXPECT_EQ(Quote(sixty + "a"), "«\u00A0" + sixty + "…\u00A0»");
}

TEST(Quote, IsOneLineOfValidUtf8) {
  EXPECT_EQ(Quote("a\nb\tc"), "«\u00A0a b c\u00A0»");
  EXPECT_EQ(Quote("a\xff\xc3"), "«\u00A0a\uFFFD\uFFFD\u00A0»");
}

}  // namespace
}  // namespace maillage
