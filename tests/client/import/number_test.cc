#include "client/import/number.h"

#include <string>

#include "gtest/gtest.h"

namespace maillage::client {
namespace {

TEST(NumberTest, ReadsCounts) {
  EXPECT_EQ(*ParseCount("0"), 0u);
  EXPECT_EQ(*ParseCount("120"), 120u);
  EXPECT_EQ(*ParseCount("1 234 567"), 1234567u);
  EXPECT_EQ(*ParseCount("1\u00a0234"), 1234u);
  EXPECT_EQ(*ParseCount("1\u202f234"), 1234u);
  EXPECT_EQ(*ParseCount("18446744073709551615"), 18446744073709551615u);
}

TEST(NumberTest, RefusesWhatMayMeanSomethingElse) {
  for (const std::string_view text :
       {"", "env. 30", "30 personnes", "-3", "+3", "12,5", "1.234", "12 34", "1 2", "1234 567",
        "12/15", "18446744073709551616"}) {
    EXPECT_FALSE(ParseCount(text).ok()) << text;
  }
}

TEST(NumberTest, ReadsAmountsIntoCents) {
  EXPECT_EQ(*ParseAmount("64 000,00"), 6400000);
  EXPECT_EQ(*ParseAmount("64\u202f000,00\u00a0€"), 6400000);
  EXPECT_EQ(*ParseAmount("64000"), 6400000);
  EXPECT_EQ(*ParseAmount("1 234,5"), 123450);
  EXPECT_EQ(*ParseAmount("0,07 EUR"), 7);
  EXPECT_EQ(*ParseAmount("12.34"), 1234);
  EXPECT_EQ(*ParseAmount("92 233 720 368 547 758,07"), 9223372036854775807);
}

TEST(NumberTest, RefusesAmountsThatAreReadDifferentlyElsewhere) {
  for (const std::string_view text :
       {"", "€", "1.500", "1,500.00", "64.000,00", "12,345", "12,", ",50", "-5,00", "64 00,00",
        "environ 300", "12,3,4", "5 $", "92 233 720 368 547 758,08"}) {
    EXPECT_FALSE(ParseAmount(text).ok()) << text;
  }
}

}  // namespace
}  // namespace maillage::client
