#include "replication/scope.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr uint16_t kActor = 1;
constexpr uint16_t kEvent = 3;

Scope Parsed(const std::string& text) {
  const auto scope = Scope::Parse(text);
  EXPECT_TRUE(scope.ok()) << text << ": " << scope.status();
  return scope.value_or(Scope());
}

TEST(ScopeTest, EveryTextComesBackInOneForm) {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"", "*"},          {"*", "*"},        {"*|*", "*"},         {"73", "73"},           {"74,73,73", "73,74"},
      {"2A,73", "2A,73"}, {"-", "-"},        {"73|3,1", "73|1,3"}, {"*|3", "*|3"},         {"-|-", "-|-"},
      {"73|-", "73|-"},   {"73|*", "73"},
  };
  for (const auto& [text, canonical] : texts) {
    EXPECT_EQ(Parsed(text).ToText(), canonical);
    EXPECT_EQ(Parsed(Parsed(text).ToText()), Parsed(text));
  }
}

TEST(ScopeTest, RefusesWhatIsNone) {
  for (const char* text : {"73,", ",73", "73||1", "73|0", "73|x", "73|70000", "73|1|2", "|"}) {
    EXPECT_FALSE(Scope::Parse(text).ok()) << text;
  }
}

TEST(ScopeTest, ATextIsNoLongerThanTheListCanHold) {
  std::string text = "73";
  while (text.size() <= kMaxValueBytes) text += ",74";
  const absl::Status refused = Scope::Parse(text).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_LT(refused.message().size(), 1000u);
}

TEST(ScopeTest, HoldsItsTerritoriesAndTheWholeRegion) {
  const Scope savoie = Parsed("73");
  EXPECT_TRUE(savoie.Holds({kActor, "73"}));
  EXPECT_TRUE(savoie.Holds({kActor, ""}));
  EXPECT_FALSE(savoie.Holds({kActor, "38"}));
  EXPECT_TRUE(savoie.HoldsAny(kActor, {"38", "73"}));
  EXPECT_FALSE(savoie.HoldsAny(kActor, {"38", "74"}));
  EXPECT_TRUE(savoie.HoldsAny(kActor, {}));
  EXPECT_TRUE(Scope().HoldsAny(kActor, {"38"}));
}

TEST(ScopeTest, KindsAreLeftOutButForTheSites) {
  const Scope events = Parsed("73|3");
  EXPECT_TRUE(events.Holds({kEvent, "73"}));
  EXPECT_FALSE(events.Holds({kActor, "73"}));
  EXPECT_FALSE(events.Holds({kActor, ""}));
  EXPECT_FALSE(events.HoldsAny(kActor, {}));
  EXPECT_TRUE(events.Holds({kSiteKind, ""}));
}

TEST(ScopeTest, CommonPartsHoldWhatBothHold) {
  const std::vector<std::string> texts = {"*", "73", "38,73", "-", "*|3", "73|1", "38|1,3", "-|-"};
  for (const std::string& a : texts) {
    for (const std::string& b : texts) {
      const Scope both = Parsed(a).Intersect(Parsed(b));
      EXPECT_EQ(both, Parsed(b).Intersect(Parsed(a)));
      EXPECT_TRUE(Parsed(a).Contains(both));
      EXPECT_EQ(Parsed(a).Contains(Parsed(b)), both == Parsed(b)) << a << " " << b;
      for (const uint16_t kind : {kActor, kEvent}) {
        for (const char* territory : {"", "38", "73", "74"}) {
          EXPECT_EQ(both.Holds({kind, territory}),
                    Parsed(a).Holds({kind, territory}) && Parsed(b).Holds({kind, territory}));
        }
      }
    }
  }
}

}  // namespace
}  // namespace maillage::replication
