#include "server/query/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "proto/records.pb.h"

namespace maillage {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

template <typename Kind>
Kind Record(const std::string& text) {
  Kind record;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record)) << text;
  return record;
}

template <typename Kind>
bool Matches(const std::string& filter, const Kind& record) {
  const absl::StatusOr<Filter> parsed = ParseFilter(filter, Kind::descriptor());
  EXPECT_TRUE(parsed.ok()) << filter << ": " << parsed.status();
  return parsed.ok() && parsed->Matches(record);
}

std::string Refusal(const std::string& filter) {
  const absl::StatusOr<Filter> parsed = ParseFilter(filter, v1::Actor::descriptor());
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << filter;
  return std::string(parsed.status().message());
}

v1::Actor PaysDeSavoie() {
  return Record<v1::Actor>(R"(
    name: "Pays de Savoie Solidaires" acronym: "PSS" type: "association" siren: "732829320"
    address { street: "10 rue de l’Œuvre" postcode: "73000" town: "Chambéry" }
    location { latitude: 45.5 longitude: 0 }
    department: "73" departments: "73" departments: "974" countries: "SN" countries: "HT"
    sdgs: "4.7" sdgs: "14" network_roles: RELAY network_roles: RDJSI
    emails: "contact@pss.org" websites: "https://www.pss.org/?a=b"
    external_ids { system: "pivot" id: "42" } external_ids { system: "legacy" id: "7" }
    population: 1500 visibility: NETWORK last_verified: "2021-05-17")");
}

// Each filter matches the record, and its negation doesn't.
void ExpectMatches(const v1::Actor& actor, const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    EXPECT_TRUE(Matches(filter, actor)) << filter;
    EXPECT_FALSE(Matches("NOT (" + filter + ")", actor)) << filter;
  }
}

void ExpectMisses(const v1::Actor& actor, const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    EXPECT_FALSE(Matches(filter, actor)) << filter;
    EXPECT_TRUE(Matches("NOT (" + filter + ")", actor)) << filter;
  }
}

TEST(Filter, EqualTextsAreEqualToTheByte) {
  ExpectMatches(PaysDeSavoie(),
                {"acronym = \"PSS\"", "acronym=PSS", "acronym = 'PSS'", "acronym != CSI",
                 "name = \"Pays de Savoie Solidaires\"", "address.town = \"Chambéry\""});
  ExpectMisses(PaysDeSavoie(), {"acronym = pss", "acronym = PS", "acronym != PSS",
                                "name = \"Pays de Savoie\"", "address.town = Chambery"});
}

TEST(Filter, ProseHasATextInsideWithoutAccentsAndCase) {
  ExpectMatches(PaysDeSavoie(),
                {"name:savoie", "name:SOLIDAIRES", "name:\"de savoie\"", "address.town:chambery",
                 "address.street:\"l'oeuvre\"", "address.town : CHAMBÉRY", "name:sav*",
                 "websites:https://www.pss.org/", "websites:\"?a=b\""});
  ExpectMisses(PaysDeSavoie(), {"name:isère", "name:\"savoie pays\"", "emails:pss.fr"});
}

TEST(Filter, WildcardsStandAtTheEnds) {
  ExpectMatches(PaysDeSavoie(), {"name = \"Pays*\"", "name = *Solidaires", "name = \"*Savoie*\"",
                                 "name = *", "name != \"Savoie*\"", "siren:7328*", "siren:*9320",
                                 "departments = 97*", "last_verified = 2021-05*"});
  ExpectMisses(PaysDeSavoie(), {"name = \"*Savoie\"", "name = \"Savoie*\"",
                                "name = \"Pays*Solidaires\"", "name = \"Pays\\*\"", "name != *"});
}

TEST(Filter, ProseIsInAlphabeticalOrder) {
  ExpectMatches(PaysDeSavoie(), {"name < Q", "name >= \"pays de savoie\"", "name <= paysans",
                                 "address.town > Chambely", "address.town < Chambet"});
  ExpectMisses(PaysDeSavoie(), {"name < P", "name > Q", "address.town >= Chambet"});
}

TEST(Filter, AnyElementOfARepeatedFieldWillDo) {
  ExpectMatches(PaysDeSavoie(),
                {"departments:73", "departments = 73", "departments = \"974\"", "departments != 69",
                 "external_ids.id = 42", "external_ids.system = legacy", "external_ids.id != 43",
                 "network_roles:RELAY", "network_roles = RDJSI", "network_roles != FUNDER",
                 "departments:(69 OR 73)", "departments = (73 AND 974)", "name:(savoie -isère)"});
  ExpectMisses(PaysDeSavoie(), {"departments != 73", "network_roles != RELAY", "departments = 69",
                                "external_ids.id != 42", "departments:(69 OR 74)"});
}

// A part of another code is no code.
TEST(Filter, CodesAreWholeOrStandAbove) {
  ExpectMatches(PaysDeSavoie(), {"sdgs:4", "sdgs:4.7", "sdgs = 14", "countries:sn",
                                 "last_verified:2021", "last_verified:2021-05"});
  ExpectMisses(PaysDeSavoie(),
               {"departments:7", "departments:97", "sdgs:1", "sdgs = 4", "siren:7328",
                "last_verified:2021-0", "last_verified:20", "sdgs:7"});
}

TEST(Filter, NumbersAndEnumsCompare) {
  ExpectMatches(
      PaysDeSavoie(),
      {"population = 1500", "population:1500", "population > 1499", "population >= 1500",
       "population < 1501", "population <= 1500", "population > -1", "population != 1",
       "location.latitude > 45", "location.latitude < 45.75", "location.longitude = 0",
       "visibility = NETWORK", "visibility:network", "visibility != PUBLIC", "visibility = 2"});
  ExpectMisses(PaysDeSavoie(),
               {"population = 0", "population < 1500", "population > 1500", "population != 1500",
                "location.longitude != 0", "location.latitude >= 45.6", "visibility = PUBLIC"});
}

TEST(Filter, DatesCompareAsExactlyAsTheyAreGiven) {
  ExpectMatches(PaysDeSavoie(),
                {"last_verified = 2021-05-17", "last_verified >= 2021", "last_verified <= 2021",
                 "last_verified = 2021", "last_verified > 2020", "last_verified < 2021-06",
                 "last_verified >= 2021-05-17", "last_verified != 2021-06"});
  ExpectMisses(PaysDeSavoie(), {"last_verified > 2021", "last_verified < 2021",
                                "last_verified != 2021", "last_verified > 2021-05-17"});
}

TEST(Filter, AStarIsWhateverIsSet) {
  ExpectMatches(PaysDeSavoie(), {"acronym:*", "population:*", "address:*", "departments:*",
                                 "visibility:*", "location.longitude:*", "acronym:\"*\""});
  ExpectMisses(PaysDeSavoie(), {"rna:*", "parents:*", "rna = *", "acronym != *"});
}

TEST(Filter, AMessageHasTheTextsBelowIt) {
  ExpectMatches(PaysDeSavoie(), {"address:chambery", "external_ids:pivot", "external_ids:7"});
  ExpectMisses(PaysDeSavoie(), {"external_ids:5", "address:lyon"});
}

TEST(Filter, AWordAloneIsLookedForInSearchableFields) {
  ExpectMatches(PaysDeSavoie(),
                {"savoie", "pss", "\"savoie sol\"", "solidaires pays", "*", "sav*", "-isère"});
  ExpectMisses(PaysDeSavoie(), {"chambery", "pss isère", "-savoie", "\"solidaires pays\""});
}

TEST(Filter, WhatIsUnsetMatchesNoComparisonButUnequal) {
  const v1::Actor empty;
  for (const char* field : {"name", "population", "visibility", "departments", "address.town",
                            "location.latitude", "external_ids.id", "last_verified", "siren"}) {
    const std::string name = field;
    const bool is_enum = name == "visibility";
    std::string value = "2021";
    if (name == "departments") value = "21";
    if (name == "siren") value = "732829320";
    if (is_enum) value = "PUBLIC";
    EXPECT_TRUE(Matches(name + " != " + value, empty)) << name;
    EXPECT_FALSE(Matches(name + " = " + value, empty)) << name;
    EXPECT_FALSE(Matches(name + ":" + value, empty)) << name;
    EXPECT_FALSE(Matches(name + ":*", empty)) << name;
    EXPECT_FALSE(Matches(name + " = *", empty)) << name;
    EXPECT_TRUE(Matches(name + " != *", empty)) << name;
    if (is_enum) continue;
    for (const char* comparator : {" < ", " <= ", " > ", " >= "}) {
      EXPECT_FALSE(Matches(name + comparator + value, empty)) << name << comparator;
    }
  }
}

TEST(Filter, AnUnsetNumberIsNotZero) {
  v1::Event event;
  EXPECT_FALSE(Matches("participants < 10", event));
  EXPECT_FALSE(Matches("participants = 0", event));
  event.set_participants(0);
  EXPECT_TRUE(Matches("participants < 10", event));
  EXPECT_TRUE(Matches("participants = 0 AND participants:*", event));
}

TEST(Filter, TheEmptyTextIsWhatAnUnsetTextEquals) {
  v1::Actor actor;
  EXPECT_TRUE(Matches("acronym = \"\"", actor));
  EXPECT_FALSE(Matches("acronym != ''", actor));
  EXPECT_TRUE(Matches("departments = '' AND visibility = VISIBILITY_UNSPECIFIED", actor));
  actor.set_acronym("PSS");
  actor.add_departments("73");
  actor.set_visibility(v1::PUBLIC);
  EXPECT_FALSE(Matches("acronym = \"\"", actor));
  EXPECT_TRUE(Matches("acronym != ''", actor));
  EXPECT_FALSE(Matches("departments = ''", actor));
  EXPECT_TRUE(Matches("visibility != VISIBILITY_UNSPECIFIED", actor));
}

TEST(Filter, ReachesThroughEveryEntry) {
  const auto event = Record<v1::Event>(R"(
    title: "COPIL"
    organisers { party { text: "Préfecture" } role: "hôte" }
    organisers { party { actor: "018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f" } })");
  EXPECT_TRUE(Matches("organisers.party.actor = 018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f", event));
  EXPECT_TRUE(Matches("organisers.party.actor:018f3c1e", event));
  EXPECT_TRUE(Matches("organisers.party.text:prefecture organisers.role:hote", event));
  EXPECT_TRUE(Matches("organisers:prefecture", event));
  EXPECT_TRUE(Matches("organisers:018F3C1E-7B2A", event));
  EXPECT_FALSE(Matches("organisers.role:invité", event));
}

TEST(Filter, ReadsEscapes) {
  v1::Actor actor;
  actor.set_name("*a\"b'c\\d\n\t*");
  EXPECT_TRUE(Matches(R"(name = "\*a\"b\'c\\d\n\t\*")", actor));
  EXPECT_FALSE(Matches(R"(name = "\*a")", actor));
  EXPECT_TRUE(Matches(R"(name = "\*a*")", actor));
  actor.set_name("l'eau");
  EXPECT_TRUE(Matches("name = l'eau", actor));
  EXPECT_TRUE(Matches("l'eau", actor));
}

TEST(Filter, SpacesChangeNothing) {
  const v1::Actor actor = PaysDeSavoie();
  for (const char* filter :
       {"acronym=PSS AND(departments:73)", "\n acronym  =\tPSS AND departments : 73 ",
        "((acronym=PSS)AND(departments:73))", "acronym=PSS departments:73"}) {
    EXPECT_TRUE(Matches(filter, actor)) << filter;
  }
}

TEST(Filter, BlankTextMatchesAll) {
  for (const char* blank : {"", " ", "\t\n"}) {
    const absl::StatusOr<Filter> filter = ParseFilter(blank, v1::Actor::descriptor());
    ASSERT_TRUE(filter.ok());
    EXPECT_TRUE(filter->MatchesAll());
    EXPECT_TRUE(filter->Matches(v1::Actor()));
  }
  EXPECT_FALSE(ParseFilter("x", v1::Actor::descriptor())->MatchesAll());
}

// Every record of three facts against what the filter means in C++.
TEST(Filter, PrecedenceTruthTables) {
  using Meaning = std::function<bool(bool, bool, bool)>;
  const std::vector<std::pair<const char*, Meaning>> table = {
      {"A:*", [](bool a, bool, bool) { return a; }},
      {"NOT A:*", [](bool a, bool, bool) { return !a; }},
      {"-A:*", [](bool a, bool, bool) { return !a; }},
      {"A:* AND B:*", [](bool a, bool b, bool) { return a && b; }},
      {"A:* B:*", [](bool a, bool b, bool) { return a && b; }},
      {"A:* OR B:*", [](bool a, bool b, bool) { return a || b; }},
      // OR binds tighter than AND and than a space.
      {"A:* AND B:* OR C:*", [](bool a, bool b, bool c) { return a && (b || c); }},
      {"A:* OR B:* AND C:*", [](bool a, bool b, bool c) { return (a || b) && c; }},
      {"A:* B:* OR C:*", [](bool a, bool b, bool c) { return a && (b || c); }},
      {"A:* OR B:* C:*", [](bool a, bool b, bool c) { return (a || b) && c; }},
      {"A:* B:* AND C:*", [](bool a, bool b, bool c) { return a && b && c; }},
      {"(A:* AND B:*) OR C:*", [](bool a, bool b, bool c) { return (a && b) || c; }},
      {"A:* OR (B:* AND C:*)", [](bool a, bool b, bool c) { return a || (b && c); }},
      {"A:* OR B:* OR C:*", [](bool a, bool b, bool c) { return a || b || c; }},
      // NOT binds tighter than all.
      {"NOT A:* OR B:*", [](bool a, bool b, bool) { return !a || b; }},
      {"NOT A:* AND B:*", [](bool a, bool b, bool) { return !a && b; }},
      {"NOT (A:* OR B:*) C:*", [](bool a, bool b, bool c) { return !(a || b) && c; }},
      {"-(A:* -B:*) OR NOT C:*", [](bool a, bool b, bool c) { return !(a && !b) || !c; }},
      {"A:* OR -B:* -C:*", [](bool a, bool b, bool c) { return (a || !b) && !c; }},
  };
  for (const auto& [pattern, meaning] : table) {
    std::string filter = pattern;
    for (const auto& [letter, field] :
         {std::pair("A:", "name:"), std::pair("B:", "acronym:"), std::pair("C:", "type:")}) {
      for (size_t at; (at = filter.find(letter)) != std::string::npos;)
        filter.replace(at, 2, field);
    }
    for (int facts = 0; facts < 8; ++facts) {
      const bool a = (facts & 1) != 0, b = (facts & 2) != 0, c = (facts & 4) != 0;
      v1::Actor actor;
      if (a) actor.set_name("x");
      if (b) actor.set_acronym("x");
      if (c) actor.set_type("x");
      EXPECT_EQ(Matches(filter, actor), meaning(a, b, c)) << filter << " of " << a << b << c;
    }
  }
}

TEST(FilterErrors, NameTheColumnAndTheNearestField) {
  const std::string refusal = Refusal("type:a  acronyme = PSS");
  EXPECT_THAT(refusal,
              StartsWith("filtre, colonne 9\u00A0: champ inconnu «\u00A0acronyme\u00A0» "
                         "(«\u00A0acronym\u00A0»\u00A0?)\u00A0; champs\u00A0: name, acronym, "));
  EXPECT_THAT(
      Refusal("address.twon = Lyon"),
      StartsWith("filtre, colonne 9\u00A0: champ inconnu «\u00A0twon\u00A0» "
                 "(«\u00A0town\u00A0»\u00A0?)\u00A0; champs\u00A0: street, postcode, town"));
}

TEST(FilterErrors, CountColumnsInCharacters) {
  EXPECT_THAT(Refusal("name:é AND nom:é"), StartsWith("filtre, colonne 12\u00A0: champ inconnu"));
}

TEST(FilterErrors, SayWhatIsWrongWhere) {
  struct Case {
    const char* filter;
    int column;
    const char* message;
  };
  const Case cases[] = {
      {"(name:a", 1, "jamais fermée"},
      {"name:a)", 7, "sans avoir été ouverte"},
      {"()", 2, "condition est attendue avant la parenthèse"},
      {"name = \"a", 8, "jamais fermé"},
      {"name = \"\\x\"", 9, "barre oblique inverse"},
      {"name =", 7, "valeur est attendue après «\u00A0=\u00A0»"},
      {"name = AND type:a", 8, "valeur est attendue"},
      {"name == a", 7, "valeur est attendue"},
      {"AND name:a", 1, "condition est attendue avant «\u00A0AND\u00A0»"},
      {"name:a AND", 11, "il manque une condition"},
      {"name:a OR", 10, "il manque une condition"},
      {"name:a OR AND type:b", 11, "avant «\u00A0AND\u00A0»"},
      {"NOT", 4, "il manque une condition"},
      {"NOT -name:a", 5, "niée deux fois"},
      {"a - b", 3, "tiret"},
      {"\"name\" = a", 1, "sans guillemets"},
      {"name = \"a\"type:b", 11, "il manque un espace"},
      {"lower(name)", 6, "fonctions"},
      {"name = “a”", 8, "droits"},
      {"= a", 1, "attendu avant"},
      {"name:(a type=b)", 13, "ne contiennent que des valeurs"},
      {"population > (1 OR 2)", 14, "ne suivent que"},
      {"name.first = a", 6, "n'a pas de sous-champ"},
      {"address = Lyon", 11, "est composé"},
      {"address. = Lyon", 9, "champ inconnu"},
      {"population = beaucoup", 14, "n'est pas un nombre entier"},
      {"population > 1.5", 14, "n'est pas un nombre entier"},
      {"location.latitude > 45,5", 21, "n'est pas un nombre"},
      {"visibility = PUBLIQUE", 14, "(«\u00A0PUBLIC\u00A0»\u00A0?)"},
      {"visibility > PUBLIC", 14, "ne s'applique pas"},
      {"name > \"a*\"", 8, "joker"},
      {"departments = 1", 15, "n'est pas un département"},
      {"last_verified > 17/05/2021", 17, "n'est pas une date"},
      {"name:\xff", 6, "UTF-8"},
  };
  for (const Case& wrong : cases) {
    const std::string refusal = Refusal(wrong.filter);
    EXPECT_THAT(refusal, StartsWith("filtre, colonne " + std::to_string(wrong.column) + "\u00A0: "))
        << wrong.filter;
    EXPECT_THAT(refusal, HasSubstr(wrong.message)) << wrong.filter;
  }
}

TEST(FilterErrors, AKindWithoutSearchableFieldsTakesNoLoneWord) {
  const auto filter = ParseFilter("lyon", v1::Address::descriptor());
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(ParseFilter("town:lyon", v1::Address::descriptor()).ok());
}

}  // namespace
}  // namespace maillage
