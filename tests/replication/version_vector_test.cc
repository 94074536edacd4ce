#include "replication/version_vector.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/replication/support/literals.h"

namespace maillage::replication::testing {
namespace {

TEST(VersionVector, KeepsTheLastOfEachActorSorted) {
  EXPECT_EQ("b1 a3 a2"_vv, "a3 b1"_vv);
  EXPECT_EQ(Show("b1 a3 a2"_vv), "{a3 b1}");
  EXPECT_EQ("a3 b1"_vv.Get("a1"_dot.actor), 3u);
  EXPECT_EQ("a3 b1"_vv.Get("c1"_dot.actor), 0u);
  EXPECT_TRUE(VersionVector().empty());
}

TEST(VersionVector, TellsEpochsAndIncarnationsApart) {
  EXPECT_EQ("a3 a'1 a~2"_vv.entries().size(), 3u);
  EXPECT_FALSE("a3"_vv.Covers("a'1"_dot));
  EXPECT_FALSE("a3"_vv.Covers("a~1"_dot));
  EXPECT_LT("a9"_dot, "a'1"_dot);
  EXPECT_LT("a'9"_dot, "a~1"_dot);
}

struct CoverCase {
  const char* left;
  const char* right;
  bool covers;
  uint64_t beyond;
};

class Covering : public ::testing::TestWithParam<CoverCase> {};

TEST_P(Covering, IsByEveryActor) {
  const auto& [left, right, covers, beyond] = GetParam();
  EXPECT_EQ(ParseVector(left).Covers(ParseVector(right)), covers);
  EXPECT_EQ(ParseVector(left).CountBeyond(ParseVector(right)), beyond);
}

INSTANTIATE_TEST_SUITE_P(
    VersionVector, Covering,
    ::testing::Values(CoverCase{"", "", true, 0}, CoverCase{"a1", "", true, 1},
                      CoverCase{"", "a1", false, 0}, CoverCase{"a2", "a2", true, 0},
                      CoverCase{"a3", "a2", true, 1}, CoverCase{"a2", "a3", false, 0},
                      CoverCase{"a2 b5", "a2", true, 5}, CoverCase{"a5", "a2 b1", false, 3},
                      CoverCase{"a5 b1 c2", "a2 b1", true, 5}, CoverCase{"a9", "a'1", false, 9}));

TEST(VersionVector, MergeIsTheLeastThatCoversBoth) {
  VersionVector merged = "a3 b1"_vv;
  merged.Merge("a1 b2 c4"_vv);
  EXPECT_EQ(merged, "a3 b2 c4"_vv);
}

TEST(VersionVector, MergesAsAddingOneByOneDoes) {
  const VersionVector vectors[] = {""_vv,      "a1"_vv,       "c9"_vv,        "a1 b2 c3"_vv,
                                   "a2 c1"_vv, "a'1 a~1"_vv,  "b5 d1"_vv,     "a3 a'2 b1 c9"_vv};
  for (const VersionVector& left : vectors) {
    for (const VersionVector& right : vectors) {
      VersionVector slowly = left;
      for (const auto& entry : right.entries()) slowly.Add({entry.actor, entry.n});
      VersionVector merged = left;
      merged.Merge(right);
      EXPECT_EQ(merged, slowly);
    }
  }
}

// Such numbers come from elsewhere; a count that starts again at 0 would say that nothing is missing.
TEST(VersionVector, CountsNoFurtherThanNumbersGo) {
  const VersionVector vast = {{"a1"_dot.actor, UINT64_MAX}, {"b1"_dot.actor, 1}};
  EXPECT_EQ(vast.CountBeyond({}), UINT64_MAX);
  EXPECT_EQ(vast.CountBeyond("a1"_vv), UINT64_MAX);
  EXPECT_EQ(vast.CountBeyond("a2 b1"_vv), UINT64_MAX - 2);
}

TEST(VersionVector, NextIsOneBeyond) {
  EXPECT_TRUE("a3"_vv.IsNext("a4"_dot));
  EXPECT_FALSE("a3"_vv.IsNext("a3"_dot));
  EXPECT_FALSE("a3"_vv.IsNext("a5"_dot));
  EXPECT_TRUE(VersionVector().IsNext("b1"_dot));
  EXPECT_FALSE(VersionVector().IsNext("b2"_dot));
}

TEST(VersionVector, NothingFollowsTheLastNumberThereIs) {
  VersionVector vector;
  vector.Add({"a1"_dot.actor, UINT64_MAX});
  EXPECT_FALSE(vector.IsNext({"a1"_dot.actor, 1}));
}

TEST(Etag, SurvivesItsText) {
  for (const char* text : {"", "a1", "a3 b1", "a3 a'1 a~2 b700"}) {
    const std::string etag = EncodeEtag(ParseVector(text));
    EXPECT_EQ(etag.find_first_of("+/ \n"), std::string::npos) << "not URL-safe: " << etag;
    const auto decoded = DecodeEtag(etag);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, ParseVector(text));
  }
}

TEST(Etag, RefusesWhatNoReadGave) {
  for (const char* text : {"é", "a", "AAAA", "Zm9v", "not a token!"}) {
    EXPECT_EQ(DecodeEtag(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

struct Malformed {
  const char* what;
  std::function<void(v1::VersionVector&)> damage;
};

class VectorFromProto : public ::testing::TestWithParam<Malformed> {};

TEST_P(VectorFromProto, RefusesDamage) {
  v1::VersionVector proto = ToProto("a3 b1"_vv);
  ASSERT_TRUE(FromProto(proto).ok());
  GetParam().damage(proto);
  EXPECT_EQ(FromProto(proto).status().code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    VersionVector, VectorFromProto,
    ::testing::Values(
        Malformed{"unsorted", [](auto& proto) { proto.mutable_entry()->SwapElements(0, 1); }},
        Malformed{"twice", [](auto& proto) { *proto.add_entry() = proto.entry(1); }},
        Malformed{"zero", [](auto& proto) { proto.mutable_entry(0)->set_n(0); }},
        Malformed{"no_actor", [](auto& proto) { proto.mutable_entry(0)->clear_actor(); }},
        Malformed{"long_site",
                  [](auto& proto) {
                    proto.mutable_entry(0)->mutable_actor()->mutable_site()->push_back('x');
                  }}),
    [](const auto& info) { return info.param.what; });

TEST(FormatDot, NamesSiteIncarnationEpochAndNumber) {
  EXPECT_EQ(FormatDot("a'3"_dot), "61616161616161616161616161616161/0000000000000001/2:3");
}

}  // namespace
}  // namespace maillage::replication::testing
