#include "server/query/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "server/query/collation.h"
#include "server/query/limits.h"
#include "tests/support/seed.h"

namespace maillage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

OrderBy Parse(const std::string& text) {
  absl::StatusOr<OrderBy> order = ParseOrderBy(text, v1::Actor::descriptor());
  EXPECT_TRUE(order.ok()) << text << ": " << order.status();
  return order.ok() ? *std::move(order) : OrderBy();
}

v1::Actor Named(const std::string& name) {
  v1::Actor actor;
  actor.set_name(name);
  return actor;
}

std::vector<std::string> SortedNames(const std::string& order_by, std::vector<std::string> names) {
  const OrderBy order = Parse(order_by);
  std::stable_sort(names.begin(), names.end(),
                   [&](const std::string& left, const std::string& right) {
                     return order.Compare(Named(left), Named(right)) < 0;
                   });
  return names;
}

TEST(OrderBy, TextsAreInFrenchAlphabeticalOrder) {
  EXPECT_THAT(SortedNames("name", {"Zoé", "écologie", "Eau", "école", "eau", "Œuvre", "Odenas",
                                   "Ofival", "École", "ecole"}),
              ElementsAre("eau", "Eau", "ecole", "école", "École", "écologie", "Odenas", "Œuvre",
                          "Ofival", "Zoé"));
}

TEST(OrderBy, ComposedAndDecomposedLettersAreEqual) {
  EXPECT_EQ(Parse("name").Compare(Named("Ise\u0300re"), Named("Isère")), 0);
}

TEST(OrderBy, WhatIsUnsetComesLastBothWays) {
  EXPECT_THAT(SortedNames("name", {"", "b", "a"}), ElementsAre("a", "b", ""));
  EXPECT_THAT(SortedNames("name desc", {"", "b", "a", "ab"}), ElementsAre("b", "ab", "a", ""));
}

TEST(OrderBy, LaterFieldsDecideAmongEquals) {
  const auto actor = [](const char* name, int population) {
    v1::Actor made = Named(name);
    if (population >= 0) made.set_population(static_cast<uint32_t>(population));
    return made;
  };
  const OrderBy order = Parse("population desc, name");
  const std::vector<v1::Actor> sorted = {actor("b", 300), actor("a", 20), actor("b", 20),
                                         actor("a", 0),   actor("a", -1), actor("c", -1)};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      const int compared = order.Compare(sorted[i], sorted[j]);
      EXPECT_EQ(compared < 0, i < j) << i << " and " << j;
      EXPECT_EQ(compared == 0, i == j) << i << " and " << j;
    }
  }
}

TEST(OrderBy, NumbersOfEveryTypeAreInNumericalOrder) {
  const auto latitude_key = [](double latitude) {
    v1::Location location;
    location.set_latitude(latitude);
    return ParseOrderBy("latitude", v1::Location::descriptor())->SortKey(location);
  };
  const std::vector<double> latitudes = {-1e300, -45.5, -1e-300, 0, 1e-300, 45.5, 1e300};
  for (size_t i = 1; i < latitudes.size(); ++i) {
    EXPECT_LT(latitude_key(latitudes[i - 1]), latitude_key(latitudes[i])) << latitudes[i];
  }
  EXPECT_EQ(latitude_key(-0.0), latitude_key(0.0));
  EXPECT_GT(latitude_key(std::nan("")), latitude_key(1e300));
  const auto money_key = [](int64_t cents) {
    v1::Money money;
    money.set_minor_units(cents);
    return ParseOrderBy("minor_units", v1::Money::descriptor())->SortKey(money);
  };
  const std::vector<int64_t> amounts = {INT64_MIN, -256, -1, 0, 1, 255, 256, INT64_MAX};
  for (size_t i = 1; i < amounts.size(); ++i) {
    EXPECT_LT(money_key(amounts[i - 1]), money_key(amounts[i])) << amounts[i];
  }
}

TEST(OrderBy, EnumsDatesAndNestedFieldsHaveAnOrder) {
  v1::Actor left, right;
  left.set_visibility(v1::PUBLIC);
  right.set_visibility(v1::INTERNAL);
  EXPECT_LT(Parse("visibility").Compare(left, right), 0);
  EXPECT_LT(Parse("visibility").Compare(right, v1::Actor()), 0);
  left.set_last_verified("2021");
  right.set_last_verified("2021-02");
  EXPECT_LT(Parse("last_verified").Compare(left, right), 0);
  left.mutable_address()->set_town("Évian");
  right.mutable_address()->set_town("Fillière");
  EXPECT_LT(Parse("address.town").Compare(left, right), 0);
  EXPECT_GT(Parse(" address.town  desc ").Compare(left, right), 0);
  EXPECT_LT(Parse("address.town asc").Compare(left, right), 0);
}

TEST(OrderBy, BlankTextHoldsAllEqual) {
  EXPECT_TRUE(Parse("").empty());
  EXPECT_TRUE(Parse("  ").empty());
  EXPECT_EQ(Parse("").Compare(Named("a"), Named("b")), 0);
  EXPECT_EQ(Parse("").SortKey(Named("a")), "");
}

TEST(OrderBy, SortKeysOfLongTextsAreShort) {
  std::string name;
  for (size_t i = 0; i < kMaxSortedCharacters; ++i) name += "é";
  const OrderBy order = Parse("name");
  EXPECT_EQ(order.SortKey(Named(name)), order.SortKey(Named(name + "z")));
  EXPECT_LT(order.SortKey(Named(name)), order.SortKey(Named(name.substr(2) + "z")));
}

// The order of keys against a comparison of the fields one by one.
TEST(OrderBy, SortKeysOrderLikeTheFields) {
  std::mt19937_64 random(testing::TestSeed());
  const std::vector<std::string> names = {
      "", "a", "A", "à", "ab", "a b", "z", std::string("a\0b", 3), std::string("a\0", 2)};
  const auto random_actor = [&] {
    v1::Actor actor = Named(names[random() % names.size()]);
    actor.set_department(names[random() % names.size()]);
    if (random() % 3 != 0) actor.set_population(static_cast<uint32_t>(random() % 3 * 255));
    return actor;
  };
  const auto texts = [](const std::string& left, const std::string& right, bool is_code) {
    if (left.empty() || right.empty()) return int{left.empty()} - int{right.empty()};
    return is_code ? left.compare(right) : CompareFrench(left, right);
  };
  const OrderBy order = Parse("name desc, population, department desc");
  const auto expected = [&](const v1::Actor& left, const v1::Actor& right) {
    const bool unset = left.name().empty() || right.name().empty();
    int result = texts(left.name(), right.name(), false) * (unset ? 1 : -1);
    if (result != 0) return result;
    const auto population = [](const v1::Actor& actor) {
      return actor.has_population() ? int64_t{actor.population()} : INT64_MAX;
    };
    if (population(left) != population(right)) return population(left) < population(right) ? -1 : 1;
    const bool no_code = left.department().empty() || right.department().empty();
    return texts(left.department(), right.department(), true) * (no_code ? 1 : -1);
  };
  const auto sign = [](int number) { return (number > 0) - (number < 0); };
  for (uint64_t round = 0; round < testing::TestRounds(5000); ++round) {
    const v1::Actor left = random_actor();
    const v1::Actor right = random_actor();
    ASSERT_EQ(sign(order.Compare(left, right)), sign(expected(left, right)))
        << left.DebugString() << "and\n"
        << right.DebugString();
  }
}

TEST(OrderByErrors, SayWhatIsWrongWhere) {
  struct Case {
    const char* order_by;
    int column;
    const char* message;
  };
  const Case cases[] = {
      {"nam", 1, "champ inconnu «\u00A0nam\u00A0» («\u00A0name\u00A0»\u00A0?)"},
      {"name, pop", 7, "champ inconnu"},
      {"address.twon", 9, "champ inconnu"},
      {"name descending", 6, "asc, desc ou une virgule"},
      {"name desc desc", 11, "asc, desc ou une virgule"},
      {"name,", 6, "un nom de champ est attendu"},
      {",name", 1, "un nom de champ est attendu"},
      {"departments", 1, "plusieurs valeurs"},
      {"name, external_ids.id", 7, "plusieurs valeurs"},
      {"address", 1, "street, postcode, town"},
      {"name,name,name,name,name,name,name,name,name", 41, "plus de 8 champs"},
  };
  for (const Case& wrong : cases) {
    const auto order = ParseOrderBy(wrong.order_by, v1::Actor::descriptor());
    ASSERT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument) << wrong.order_by;
    const std::string message(order.status().message());
    EXPECT_THAT(message, StartsWith("tri, colonne " + std::to_string(wrong.column) + "\u00A0: "));
    EXPECT_THAT(message, HasSubstr(wrong.message));
  }
}

}  // namespace
}  // namespace maillage
