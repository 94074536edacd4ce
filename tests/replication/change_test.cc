#include "replication/change.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/change.pb.h"
#include "replication/tuning.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/histories.h"

namespace maillage::replication::testing {
namespace {

Change Sample() {
  return Written("b3")
      .After("a2 b1")
      .At(kMorning)
      .By("Zoé Martin")
      .Set(1, "Amis du Mali")
      .Clear(2)
      .Add(12, "73")
      .Remove(12, "69")
      .SetEntry(23, "drôme", std::string("\x0a\x00\xff", 3));
}

TEST(ChangeCodec, SurvivesItsBytes) {
  for (const Change& change :
       {Sample(), Written("a1").Done(), Written("a'1").After("a4").Delete().Done(),
        Written("a2").After("a1").Undelete().Max(29, "2021-02").Count(30, "-5").Done()}) {
    const auto decoded = DecodeChange(EncodeChange(change));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, change);
    EXPECT_EQ(EncodeChange(*decoded), EncodeChange(change));
  }
}

TEST(ChangeCodec, TellsAnEmptyValueFromARemoval) {
  const Change decoded = *DecodeChange(EncodeChange(Written("a1").Set(1, "").Clear(2)));
  EXPECT_EQ(decoded.operations[0].value, "");
  EXPECT_EQ(decoded.operations[1].value, std::nullopt);
}

TEST(ChangeCodec, LetsFieldsOfLaterVersionsThrough) {
  std::string bytes = EncodeChange(Sample());
  bytes += FromHex("c23e03616263");  // Field 1000, bytes "abc".
  const auto decoded = DecodeChange(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, Sample());
}

struct Damage {
  const char* what;
  std::function<void(v1::Change&)> apply;
};

class MalformedChange : public ::testing::TestWithParam<Damage> {};

TEST_P(MalformedChange, IsRefused) {
  v1::Change proto;
  ASSERT_TRUE(proto.ParseFromString(EncodeChange(Sample())));
  GetParam().apply(proto);
  const auto decoded = DecodeChange(proto.SerializeAsString());
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << decoded.status();
}

const std::string kTooLong(kMaxValueBytes + 1, 'x');

INSTANTIATE_TEST_SUITE_P(
    ChangeCodec, MalformedChange,
    ::testing::Values(
        Damage{"no_record", [](auto& c) { c.clear_record(); }},
        Damage{"short_record", [](auto& c) { c.set_record("x"); }},
        Damage{"no_kind", [](auto& c) { c.clear_kind(); }},
        Damage{"kind_beyond_16_bits", [](auto& c) { c.set_kind(65536); }},
        Damage{"no_actor", [](auto& c) { c.clear_actor(); }},
        Damage{"number_zero", [](auto& c) { c.set_n(0); }},
        Damage{"has_seen_itself", [](auto& c) { c.set_n(1); }},
        Damage{"unsorted_context",
               [](auto& c) { c.mutable_context()->mutable_entry()->SwapElements(0, 1); }},
        Damage{"long_person", [](auto& c) { c.set_person(std::string(kMaxPersonBytes + 1, 'x')); }},
        Damage{"no_rule", [](auto& c) { c.mutable_operation(0)->clear_rule(); }},
        Damage{"rule_of_a_later_version",
               [](auto& c) { c.mutable_operation(0)->set_rule(static_cast<v1::MergeRule>(6)); }},
        Damage{"rule_that_overlaps_the_flags",
               [](auto& c) { c.mutable_operation(0)->set_rule(static_cast<v1::MergeRule>(0x11)); }},
        Damage{"long_value", [](auto& c) { c.mutable_operation(0)->set_value(kTooLong); }},
        Damage{"long_key", [](auto& c) { c.mutable_operation(2)->set_key(kTooLong); }},
        Damage{"unsorted", [](auto& c) { c.mutable_operation()->SwapElements(0, 1); }},
        Damage{"cell_twice",
               [](auto& c) { *c.add_operation() = c.operation(c.operation_size() - 1); }},
        Damage{"delete_of_rubbish", [](auto& c) { c.mutable_operation(0)->set_field(0); }},
        Damage{"delete_of_what_was_not_read",
               [](auto& c) {
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_value(ToProto("a3 b1"_vv).SerializeAsString());
               }},
        Damage{"delete_of_itself",
               [](auto& c) {
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_value(ToProto("b3"_vv).SerializeAsString());
               }},
        Damage{"life_with_a_key",
               [](auto& c) {
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_key("x");
                 c.mutable_operation(0)->clear_value();
               }},
        Damage{"life_that_counts",
               [](auto& c) {
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_rule(v1::COUNTER);
                 c.mutable_operation(0)->clear_value();
               }},
        Damage{"life_in_a_territory",
               [](auto& c) {
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_territory(true);
                 c.mutable_operation(0)->clear_value();
               }},
        Damage{"delete_of_an_unsorted_vector",
               [](auto& c) {
                 v1::VersionVector covered = ToProto("a1 b1"_vv);
                 covered.mutable_entry()->SwapElements(0, 1);
                 c.mutable_operation(0)->set_field(0);
                 c.mutable_operation(0)->set_value(covered.SerializeAsString());
               }}),
    [](const auto& info) { return info.param.what; });

TEST(ChangeLimits, AreTheLastThatPass) {
  Change change = Sample();
  change.person = std::string(kMaxPersonBytes, 'x');
  change.operations[0].value = std::string(kMaxValueBytes, 'x');
  EXPECT_TRUE(CheckChange(change).ok());
  EXPECT_TRUE(DecodeChange(EncodeChange(change)).ok());
}

TEST(ChangeLimits, NamesAreText) {
  Change change = Sample();
  change.person = "Zo\xe9";
  EXPECT_EQ(CheckChange(change).code(), absl::StatusCode::kInvalidArgument);
}

TEST(ChangeLimits, ADeleteMayCoverLessThanItsAuthorHadRead) {
  Change change = Written("b2").After("a2 b1").Done();
  for (const char* covered : {"", "a1", "a2 b1"}) {
    change.operations = {Put(kLifeField, ToProto(ParseVector(covered)).SerializeAsString())};
    EXPECT_TRUE(DecodeChange(EncodeChange(change)).ok()) << covered;
  }
}

TEST(ChangeLimits, CountOperations) {
  Change change = Written("a1").Done();
  for (uint32_t i = 1; i <= kMaxOperations; ++i) change.operations.push_back(Put(i, ""));
  EXPECT_TRUE(CheckChange(change).ok());
  change.operations.push_back(Put(kMaxOperations + 1, ""));
  EXPECT_FALSE(CheckChange(change).ok());
  EXPECT_FALSE(DecodeChange(EncodeChange(change)).ok());
}

TEST(ChangeLimits, CountActors) {
  Change change = Written("a1").Done();
  for (uint64_t i = 1; i <= kMaxVectorEntries + 1; ++i) {
    EXPECT_TRUE(CheckChange(change).ok());
    change.context.Add({{Bob(), i, 1}, 1});
  }
  EXPECT_FALSE(CheckChange(change).ok());
}

TEST(ChangeLimits, BoundTheWhole) {
  Change change = Written("a1").Done();
  for (uint32_t i = 1; i <= 20; ++i) change.operations.push_back(Put(i, std::string(60'000, 'x')));
  EXPECT_TRUE(CheckChange(change).ok());
  EXPECT_EQ(DecodeChange(EncodeChange(change)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ChangeCodec, EveryTruncationIsAnErrorOrAChange) {
  const google::protobuf::LogSilencer silence;
  const std::string bytes = EncodeChange(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = DecodeChange(std::string_view(bytes).substr(0, size));
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
    } else {
      EXPECT_EQ(*DecodeChange(EncodeChange(*decoded)), *decoded);
    }
  }
}

TEST(ChangeCodec, RandomDamageIsAnErrorOrAChange) {
  const google::protobuf::LogSilencer silence;
  const std::string bytes = EncodeChange(Sample());
  uint64_t taken = 0;
  ForEachHistory([&](SeededRandom& random) {
    std::string damaged = bytes;
    for (uint64_t i = 1 + random.Below(3); i > 0; --i) {
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    }
    const auto decoded = DecodeChange(damaged);
    if (!decoded.ok()) return;
    ++taken;
    // What is taken in can be merged, stored and passed on.
    ASSERT_TRUE(CheckChange(*decoded).ok());
    ASSERT_EQ(*DecodeChange(EncodeChange(*decoded)), *decoded);
  });
  EXPECT_GT(taken, 0u);
}

}  // namespace
}  // namespace maillage::replication::testing
