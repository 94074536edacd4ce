#include "client/commands/assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/records.pb.h"

namespace maillage::client::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename T>
absl::StatusOr<Edit> EditOf(const std::vector<std::string>& arguments, const T& current) {
  const auto assignments = ParseAssignments(*T::descriptor(), arguments);
  if (!assignments.ok()) return assignments.status();
  return BuildEdit(*assignments, current);
}

template <typename T>
T As(const std::unique_ptr<google::protobuf::Message>& message) {
  T typed;
  if (message != nullptr) typed.CopyFrom(*message);
  return typed;
}

template <typename T>
std::string ErrorOf(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Edit> edit = EditOf<T>(arguments, T());
  return edit.ok() ? "" : std::string(edit.status().message());
}

TEST(Assignment, SetsAddsRemovesAndClears) {
  const auto edit = EditOf<v1::Actor>(
      {"name=Amis du Mali", "description=", "sdgs+=13", "sdgs+=6", "sdgs-=4"}, v1::Actor());
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_THAT(edit->mask, ElementsAre("name", "description"));
  EXPECT_EQ(As<v1::Actor>(edit->content).name(), "Amis du Mali");
  EXPECT_THAT(As<v1::Actor>(edit->additions).sdgs(), ElementsAre("13", "6"));
  EXPECT_THAT(As<v1::Actor>(edit->removals).sdgs(), ElementsAre("4"));
}

TEST(Assignment, LeavesOutWhatIsNotNeeded) {
  const auto edit = EditOf<v1::Actor>({"sdgs+=13"}, v1::Actor());
  ASSERT_TRUE(edit.ok());
  EXPECT_THAT(edit->mask, IsEmpty());
  EXPECT_EQ(edit->removals, nullptr);
}

TEST(Assignment, ReplacesAListAsAWhole) {
  const auto edit = EditOf<v1::Actor>(
      {"sdgs=4", "sdgs=13", "countries=[\"ML\", \"BF\"]", "emails="}, v1::Actor());
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_THAT(edit->mask, ElementsAre("sdgs", "countries", "emails"));
  EXPECT_THAT(As<v1::Actor>(edit->content).sdgs(), ElementsAre("4", "13"));
  EXPECT_THAT(As<v1::Actor>(edit->content).countries(), ElementsAre("ML", "BF"));
  EXPECT_THAT(As<v1::Actor>(edit->content).emails(), IsEmpty());
}

TEST(Assignment, AMemberKeepsTheOthersOfItsMessage) {
  v1::Actor current;
  current.set_name("PSS");
  current.mutable_address()->set_street("1 rue Haute");
  current.mutable_address()->set_town("Annecy");
  const auto assignments = ParseAssignments(*v1::Actor::descriptor(),
                                            {"address.town=Chambéry", "address.postcode=73000"});
  ASSERT_TRUE(assignments.ok()) << assignments.status();
  EXPECT_TRUE(NeedsCurrent(*assignments));
  const auto edit = BuildEdit(*assignments, current);
  ASSERT_TRUE(edit.ok());
  EXPECT_THAT(edit->mask, ElementsAre("address"));
  const v1::Actor content = As<v1::Actor>(edit->content);
  EXPECT_EQ(content.address().street(), "1 rue Haute");
  EXPECT_EQ(content.address().town(), "Chambéry");
  EXPECT_EQ(content.address().postcode(), "73000");
  EXPECT_EQ(content.name(), "");
}

TEST(Assignment, AMapTakesAKeyToRemove) {
  const auto edit = EditOf<v1::Event>({"organisers-=CSI", "audience+=jeunes:12"}, v1::Event());
  ASSERT_TRUE(edit.ok()) << edit.status();
  ASSERT_EQ(As<v1::Event>(edit->removals).organisers_size(), 1);
  EXPECT_EQ(As<v1::Event>(edit->removals).organisers(0).party().text(), "CSI");
  EXPECT_EQ(As<v1::Event>(edit->additions).audience(0).count(), 12u);
}

TEST(Assignment, ZeroParticipantsAreNotUnknown) {
  const auto zero = EditOf<v1::Event>({"participants=0"}, v1::Event());
  const auto unknown = EditOf<v1::Event>({"participants="}, v1::Event());
  ASSERT_TRUE(zero.ok() && unknown.ok());
  EXPECT_TRUE(As<v1::Event>(zero->content).has_participants());
  EXPECT_FALSE(As<v1::Event>(unknown->content).has_participants());
}

TEST(Assignment, OneElementPerArgument) {
  const auto edit = EditOf<v1::Actor>({"domains+=eau, assainissement"}, v1::Actor());
  ASSERT_TRUE(edit.ok());
  EXPECT_THAT(As<v1::Actor>(edit->additions).domains(), ElementsAre("eau, assainissement"));
}

TEST(Assignment, AnUnknownFieldNamesItsNeighbours) {
  EXPECT_THAT(ErrorOf<v1::Actor>({"nam=x"}), HasSubstr("Vouliez-vous dire : name"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"phone+=x"}), HasSubstr("phone_numbers"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"adress.town=x"}), HasSubstr("address"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"address.city=x"}), HasSubstr("connus : street, postcode, town"));
}

TEST(Assignment, RefusesWhatAFieldCantDo) {
  EXPECT_THAT(ErrorOf<v1::Actor>({"name"}), HasSubstr("champ=valeur"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"name+=x"}), HasSubstr("listes"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"name.first=x"}), HasSubstr("pas de membres"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"sdgs+="}), HasSubstr("manque la valeur"));
}

TEST(Assignment, RefusesAListThatNestsWithoutEnd) {
  const std::string deep(100'000, '[');
  const std::string end(100'000, ']');
  EXPECT_THAT(ErrorOf<v1::Actor>({"emails=[" + deep + end + "]"}), HasSubstr("liste JSON refusée"));
  EXPECT_THAT(ErrorOf<v1::Actor>({"emails=[" + deep}), HasSubstr("liste JSON refusée"));
  EXPECT_THAT(ErrorOf<v1::Project>({R"(partners=[{"party": {"text": "a"}, "role": "b"}])"}), IsEmpty());
}

TEST(Assignment, ANewRecordHasNothingToRemove) {
  const auto assignments = ParseAssignments(*v1::Actor::descriptor(), {"name=A", "sdgs-=4"});
  ASSERT_TRUE(assignments.ok());
  EXPECT_FALSE(BuildContent(*v1::Actor::descriptor(), *assignments).ok());
}

}  // namespace
}  // namespace maillage::client::commands
