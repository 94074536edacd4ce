// Filters nobody would write: random trees against a slow, obvious evaluator, and random bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "server/query/filter.h"
#include "server/query/limits.h"
#include "tests/support/seed.h"

namespace maillage {
namespace {

using ::testing::StartsWith;
using Random = std::mt19937_64;

template <typename T>
const T& Pick(const std::vector<T>& choices, Random& random) {
  return choices[random() % choices.size()];
}

// Few, so that they meet often; with parts of each other, capitals and accents.
const std::vector<std::string> kWords = {"eau", "Eau", "École", "ecole", "e", "de l'eau"};
const std::vector<std::string> kDepartments = {"07", "73", "973", "974"};

v1::Actor RandomActor(Random& random) {
  v1::Actor actor;
  if (random() % 3 != 0) actor.set_name(Pick(kWords, random));
  if (random() % 3 != 0) actor.mutable_address()->set_town(Pick(kWords, random));
  if (random() % 3 != 0) actor.set_population(static_cast<uint32_t>(random() % 4));
  if (random() % 3 != 0) actor.set_visibility(static_cast<v1::Visibility>(random() % 4));
  for (size_t i = random() % 3; i > 0; --i) actor.add_departments(Pick(kDepartments, random));
  for (size_t i = random() % 3; i > 0; --i) actor.add_emails(Pick(kWords, random));
  return actor;
}

// What the words above fold to, by hand.
std::string Plain(const std::string& word) {
  if (word == "École") return "ecole";
  return word == "Eau" ? "eau" : word;
}

bool Contains(const std::string& text, const std::string& part) {
  return Plain(text).find(Plain(part)) != std::string::npos;
}

// A restriction as text, and what it should say of an actor, straight from its accessors.
struct Restriction {
  std::string text;
  std::function<bool(const v1::Actor&)> holds;
};

std::vector<std::string> NonEmpty(const std::string& text) {
  return text.empty() ? std::vector<std::string>() : std::vector<std::string>{text};
}

Restriction OfTexts(const std::string& field, const std::vector<std::string>& words,
                    const std::function<std::vector<std::string>(const v1::Actor&)>& values,
                    bool is_code, Random& random) {
  const std::string word = Pick(words, random);
  const std::string quoted = (random() % 2 == 0 ? "\"" + word + "\"" : "'" + word + "'");
  const std::string literal = word.find_first_of(" '") == std::string::npos && random() % 2 == 0
                                  ? word
                                  : "\"" + word + "\"";
  const auto any = [values](auto test) {
    return [=](const v1::Actor& actor) {
      for (const std::string& value : values(actor)) {
        if (test(value)) return true;
      }
      return false;
    };
  };
  const auto equal = any([word](const std::string& value) { return value == word; });
  switch (random() % 6) {
    case 0:
      return {field + " = " + literal, equal};
    case 1:
      return {field + "!=" + literal, [=](const v1::Actor& actor) { return !equal(actor); }};
    case 2:
      return {field + ":" + literal, any([=](const std::string& value) {
                return is_code ? value == word : Contains(value, word);
              })};
    case 3:
      return {field + " = \"" + word + "*\"",
              any([word](const std::string& value) { return value.rfind(word, 0) == 0; })};
    case 4:
      return {field + " = \"*" + word + "*\"", any([word](const std::string& value) {
                return value.find(word) != std::string::npos;
              })};
    default:
      return {field + ":*", any([](const std::string&) { return true; })};
  }
}

Restriction OfPopulation(Random& random) {
  const uint32_t number = static_cast<uint32_t>(random() % 4);
  const std::string literal = std::to_string(number);
  const auto set_and = [number](auto test) {
    return [=](const v1::Actor& actor) {
      return actor.has_population() && test(actor.population(), number);
    };
  };
  switch (random() % 6) {
    case 0:
      return {"population<" + literal, set_and([](auto a, auto b) { return a < b; })};
    case 1:
      return {"population <= " + literal, set_and([](auto a, auto b) { return a <= b; })};
    case 2:
      return {"population > " + literal, set_and([](auto a, auto b) { return a > b; })};
    case 3:
      return {"population >=" + literal, set_and([](auto a, auto b) { return a >= b; })};
    case 4:
      return {"population = " + literal, set_and([](auto a, auto b) { return a == b; })};
    default:
      return {"population != " + literal, [number](const v1::Actor& actor) {
                return !(actor.has_population() && actor.population() == number);
              }};
  }
}

Restriction RandomRestriction(Random& random) {
  switch (random() % 7) {
    case 0:
      return OfTexts(
          "name", kWords, [](const v1::Actor& a) { return NonEmpty(a.name()); }, false, random);
    case 1:
      return OfTexts(
          "address.town", kWords, [](const v1::Actor& a) { return NonEmpty(a.address().town()); },
          false, random);
    case 2:
      return OfTexts(
          "departments", kDepartments,
          [](const v1::Actor& a) {
            return std::vector<std::string>(a.departments().begin(), a.departments().end());
          },
          true, random);
    case 3:
      return OfTexts(
          "emails", kWords,
          [](const v1::Actor& a) {
            return std::vector<std::string>(a.emails().begin(), a.emails().end());
          },
          false, random);
    case 4:
      return OfPopulation(random);
    case 5: {
      const auto wanted = static_cast<v1::Visibility>(1 + random() % 3);
      return {"visibility = " + v1::Visibility_Name(wanted),
              [wanted](const v1::Actor& actor) { return actor.visibility() == wanted; }};
    }
    default: {
      const std::string word = Pick(kWords, random);
      return {"\"" + word + "\"", [word](const v1::Actor& actor) {
                return !actor.name().empty() && Contains(actor.name(), word);
              }};
    }
  }
}

// A filter in full parentheses, so that it has one reading; precedence has its own truth tables.
Restriction RandomFilter(int depth, Random& random) {
  if (depth == 0 || random() % 4 == 0) return RandomRestriction(random);
  if (random() % 4 == 0) {
    const Restriction inner = RandomFilter(depth - 1, random);
    return {(random() % 2 == 0 ? "NOT (" : "-(") + inner.text + ")",
            [inner](const v1::Actor& actor) { return !inner.holds(actor); }};
  }
  const Restriction left = RandomFilter(depth - 1, random);
  const Restriction right = RandomFilter(depth - 1, random);
  const std::string opened = "(" + left.text + ")";
  const std::string closed = "(" + right.text + ")";
  if (random() % 2 == 0) {
    return {opened + " OR " + closed,
            [=](const v1::Actor& actor) { return left.holds(actor) || right.holds(actor); }};
  }
  return {opened + (random() % 2 == 0 ? " AND " : " ") + closed,
          [=](const v1::Actor& actor) { return left.holds(actor) && right.holds(actor); }};
}

TEST(FilterFuzz, AgreesWithAnObviousEvaluator) {
  Random random(testing::TestSeed());
  int matched = 0;
  int tried = 0;
  for (uint64_t round = 0; round < testing::TestRounds(1000); ++round) {
    const Restriction expected = RandomFilter(4, random);
    const absl::StatusOr<Filter> filter = ParseFilter(expected.text, v1::Actor::descriptor());
    ASSERT_TRUE(filter.ok()) << expected.text << ": " << filter.status();
    for (int i = 0; i < 10; ++i) {
      const v1::Actor actor = RandomActor(random);
      const bool matches = filter->Matches(actor);
      ASSERT_EQ(matches, expected.holds(actor)) << expected.text << " of\n" << actor.DebugString();
      matched += matches ? 1 : 0;
      ++tried;
    }
  }
  // A generator whose filters match nothing, or everything, would show nothing.
  EXPECT_GT(matched, tried / 5);
  EXPECT_LT(matched, tried * 4 / 5);
}

void ExpectParsedOrRefused(const std::string& text) {
  const absl::StatusOr<Filter> filter = ParseFilter(text, v1::Actor::descriptor());
  if (filter.ok()) {
    filter->Matches(v1::Actor());
    return;
  }
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_THAT(std::string(filter.status().message()), StartsWith("filtre, colonne ")) << text;
}

TEST(FilterFuzz, RandomBytesAreParsedOrRefused) {
  Random random(testing::TestSeed());
  for (uint64_t round = 0; round < testing::TestRounds(5000); ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ExpectParsedOrRefused(bytes);
  }
}

TEST(FilterFuzz, RandomTokensAreParsedOrRefused) {
  const std::vector<std::string> tokens = {
      "(",           ")",     "\"",     "'",     "\\",      "*",    "-",          " ",
      " ",           " AND ", " OR ",   " NOT ", "=",       "!=",   "<",          ">=",
      ":",           ".",     ",",      "name",  "address", "town", "population", "visibility",
      "departments", "73",    "PUBLIC", "é",     "“",       "2021"};
  Random random(testing::TestSeed());
  for (uint64_t round = 0; round < testing::TestRounds(10000); ++round) {
    std::string text;
    for (size_t i = random() % 14; i > 0; --i) text += Pick(tokens, random);
    ExpectParsedOrRefused(text);
  }
}

TEST(FilterFuzz, EveryPartOfAFilterIsParsedOrRefused) {
  const std::string filter =
      "-(name = \"É*\" OR address.town:'l\\'eau') population >= 3 AND departments:(73 OR 07)";
  for (size_t begin = 0; begin < filter.size(); ++begin) {
    for (size_t size = 0; begin + size <= filter.size(); ++size) {
      ExpectParsedOrRefused(filter.substr(begin, size));
    }
  }
}

TEST(FilterFuzz, NestingIsBounded) {
  const auto nested = [](int depth) {
    return std::string(depth, '(') + "name:a" + std::string(depth, ')');
  };
  EXPECT_TRUE(ParseFilter(nested(kMaxFilterDepth), v1::Actor::descriptor()).ok());
  const auto deeper = ParseFilter(nested(kMaxFilterDepth + 1), v1::Actor::descriptor());
  EXPECT_EQ(deeper.status().code(), absl::StatusCode::kInvalidArgument);
  for (const char* opened : {"(", "-(", "NOT (", "name:("}) {
    std::string text;
    while (text.size() + 6 < kMaxFilterBytes) text += opened;
    EXPECT_FALSE(ParseFilter(text, v1::Actor::descriptor()).ok()) << opened;
  }
}

TEST(FilterFuzz, LengthIsBounded) {
  std::string text(kMaxFilterBytes, 'a');
  EXPECT_TRUE(ParseFilter(text, v1::Actor::descriptor()).ok());
  text += 'a';
  EXPECT_EQ(ParseFilter(text, v1::Actor::descriptor()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace maillage
