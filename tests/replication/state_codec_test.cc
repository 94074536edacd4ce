#include "replication/state_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/byte_codec.h"
#include "replication/tuning.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/histories.h"

namespace maillage::replication::testing {
namespace {

RecordState Sample() {
  return StateOf(
      {Written("a1").By("Zoé").At(kMorning).Set(1, "Amis du Mali").Add(12, "73"),
       Written("b1").After("a1").At(kMorning + 5).Set(1, "Amis du Mali (69)").Add(12, "69"),
       Written("a2").After("a1").At(kMorning + 4).Set(1, "Les Amis du Mali"),
       Written("c1").After("a2 b1").SetEntry(23, "siren", "123").Max(29, "2021").Count(30, "4"),
       Written("a3").After("a2").Delete()});
}

// Not an error that is passed over, and not a state that would be written otherwise.
void ExpectErrorOrFixpoint(std::string_view bytes) {
  const auto decoded = DecodeState(bytes);
  if (!decoded.ok()) {
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << decoded.status();
    return;
  }
  ASSERT_EQ(ToHex(EncodeState(*decoded)), ToHex(bytes));
}

TEST(StateCodec, SurvivesItsBytes) {
  for (const RecordState& state : {RecordState(), StateOf({Written("a1")}), Sample()}) {
    const auto decoded = DecodeState(EncodeState(state));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, state);
  }
}

TEST(StateCodec, EveryTruncationIsAnError) {
  const std::string bytes = EncodeState(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeState(std::string_view(bytes).substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size << " bytes of " << bytes.size();
  }
}

TEST(StateCodec, BytesAfterTheEndAreAnError) {
  EXPECT_FALSE(DecodeState(EncodeState(Sample()) + '\0').ok());
}

TEST(StateCodec, EveryChangedByteIsAnErrorOrAnotherCanonicalState) {
  const std::string bytes = EncodeState(Sample());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int flipped = 1; flipped < 256; ++flipped) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flipped);
      ExpectErrorOrFixpoint(damaged);
    }
  }
}

TEST(StateCodec, RandomDamageOfRandomStatesIsAnErrorOrAFixpoint) {
  uint64_t taken = 0;
  ForEachHistory([&](SeededRandom& random) {
    Fleet fleet(&random, 2);
    fleet.Run(8);
    std::string bytes = EncodeState(fleet.copies()[0].state);
    for (uint64_t i = 1 + random.Below(4); i > 0; --i) {
      const size_t at = random.Below(bytes.size());
      switch (random.Below(3)) {
        case 0:
          bytes[at] = static_cast<char>(random.Below(256));
          break;
        case 1:
          bytes.insert(at, 1, static_cast<char>(random.Below(4)));
          break;
        default:
          if (bytes.size() > 1) bytes.erase(at, 1);
      }
    }
    if (DecodeState(bytes).ok()) ++taken;
    ExpectErrorOrFixpoint(bytes);
  });
  EXPECT_GT(taken, 0u);
}

// A state by hand: one actor with `n` changes, then what the writer adds.
class Handmade {
 public:
  explicit Handmade(uint64_t n) : writer_(&bytes_) {
    writer_.Byte(1);
    writer_.Varint(1);
    Actor(n);
  }
  Handmade& Actor(uint64_t n) {
    writer_.Raw(Alice().bytes());
    writer_.Fixed64(1);
    writer_.Varint(1);
    writer_.Varint(n);
    return *this;
  }
  Handmade& Write(uint64_t actor, uint64_t n, uint64_t time = 5) {
    writer_.Varint(actor);
    writer_.Varint(n);
    writer_.Fixed64(time);
    writer_.String("Zoé");
    return *this;
  }
  Handmade& Count(uint64_t count) {
    writer_.Varint(count);
    return *this;
  }
  Handmade& Cell(uint64_t field, uint64_t versions) {
    writer_.Varint(field);
    writer_.String("");
    writer_.Varint(versions);
    return *this;
  }
  Handmade& Version(uint64_t write, uint8_t flags = 1) {
    writer_.Varint(write);
    writer_.Byte(flags);
    writer_.String("x");
    return *this;
  }
  bool Decodes() const {
    ExpectErrorOrFixpoint(bytes_);
    return DecodeState(bytes_).ok();
  }

 private:
  std::string bytes_;
  ByteWriter writer_;
};

TEST(StateCodec, TakesOnlyTheCanonicalForm) {
  EXPECT_TRUE(Handmade(2).Count(1).Write(0, 2).Count(1).Cell(1, 1).Version(0).Decodes());
  EXPECT_TRUE(Handmade(2).Count(1).Write(0, 2).Count(1).Cell(1, 1).Version(0, 0x11).Decodes());
  EXPECT_FALSE(Handmade(0).Count(0).Count(0).Decodes()) << "an actor without changes";
  EXPECT_FALSE(Handmade(2).Count(1).Write(1, 2).Count(1).Cell(1, 1).Version(0).Decodes())
      << "a write of nobody";
  EXPECT_FALSE(Handmade(2).Count(1).Write(0, 3).Count(1).Cell(1, 1).Version(0).Decodes())
      << "a write that the vector doesn't cover";
  EXPECT_FALSE(Handmade(2).Count(1).Write(0, 0).Count(1).Cell(1, 1).Version(0).Decodes())
      << "write number 0";
  EXPECT_FALSE(Handmade(2).Count(1).Write(0, 2).Count(0).Decodes()) << "an unused write";
  EXPECT_FALSE(Handmade(2).Count(0).Count(1).Cell(1, 0).Decodes()) << "an empty cell";
  EXPECT_FALSE(Handmade(2).Count(1).Write(0, 2).Count(1).Cell(1, 1).Version(1).Decodes())
      << "a version without its write";
  EXPECT_FALSE(
      Handmade(2).Count(1).Write(0, 2).Count(1).Cell(uint64_t{1} << 32, 1).Version(0).Decodes())
      << "a field number beyond 32 bits";
  EXPECT_FALSE(Handmade(2)
                   .Count(1)
                   .Write(0, 2)
                   .Count(2)
                   .Cell(2, 1)
                   .Version(0)
                   .Cell(1, 1)
                   .Version(0)
                   .Decodes())
      << "cells out of order";
  EXPECT_FALSE(Handmade(2).Count(1).Write(0, 2).Count(1).Cell(1, 2).Version(0).Version(0).Decodes())
      << "a version twice";
  EXPECT_FALSE(Handmade(2)
                   .Count(2)
                   .Write(0, 2)
                   .Write(0, 1)
                   .Count(1)
                   .Cell(1, 2)
                   .Version(0)
                   .Version(1)
                   .Decodes())
      << "writes out of order";
  for (const int flags : {0x00, 0x06, 0x0f, 0x20, 0x41, 0x86}) {
    EXPECT_FALSE(Handmade(2)
                     .Count(1)
                     .Write(0, 2)
                     .Count(1)
                     .Cell(1, 1)
                     .Version(0, static_cast<uint8_t>(flags))
                     .Decodes())
        << "flags " << flags;
  }
}

// One cell of one version that Alice wrote, having seen a1.
RecordState OneVersion(uint32_t field, std::string key, Version version) {
  version.dot = "a2"_dot;
  return RecordState::FromParts("a2 b1"_vv, {Cell{field, std::move(key), {std::move(version)}}});
}

TEST(StateCodec, HoldsWhatAChangeMayBringInAndNoMore) {
  const std::string longest(kMaxValueBytes, 'x');
  const std::string name(kMaxPersonBytes, 'x');
  const auto decodes = [](const RecordState& state) { return DecodeState(EncodeState(state)).ok(); };
  EXPECT_TRUE(decodes(OneVersion(1, longest, {{}, {}, name, longest, v1::MAP})));
  EXPECT_FALSE(decodes(OneVersion(1, longest + "x", {{}, {}, "", "", v1::MAP})));
  EXPECT_FALSE(decodes(OneVersion(1, "", {{}, {}, name + "x", "", v1::REGISTER})));
  EXPECT_FALSE(decodes(OneVersion(1, "", {{}, {}, "Zo\xe9", "", v1::REGISTER})));
  EXPECT_FALSE(decodes(OneVersion(1, "", {{}, {}, "", longest + "x", v1::REGISTER})));
}

TEST(StateCodec, HoldsNoDeleteThatNoAuthorWrites) {
  const auto decodes = [](const char* covered, v1::MergeRule rule = v1::REGISTER,
                          const std::string& key = "", bool territory = false) {
    const std::string value = ToProto(ParseVector(covered)).SerializeAsString();
    return DecodeState(EncodeState(OneVersion(kLifeField, key, {{}, {}, "", value, rule, territory})))
        .ok();
  };
  EXPECT_TRUE(decodes("a1 b1"));
  EXPECT_TRUE(decodes(""));
  EXPECT_FALSE(decodes("a2")) << "itself";
  EXPECT_FALSE(decodes("a1 b2")) << "what isn't there";
  EXPECT_FALSE(decodes("a1", v1::COUNTER));
  EXPECT_FALSE(decodes("a1", v1::MAP, "x"));
  EXPECT_FALSE(decodes("a1", v1::REGISTER, "", true));
  EXPECT_FALSE(DecodeState(EncodeState(OneVersion(kLifeField, "", {{}, {}, "", "x", v1::REGISTER}))).ok());
}

TEST(StateCodec, WhatAnyNumberOfActorsMadeCanBeReadAgain) {
  RecordState state;
  for (uint64_t i = 1; i <= kMaxVectorEntries + 10; ++i) {
    Change change = Written("a1").Done();
    change.dot.actor.incarnation = i;
    state.Apply(change);
  }
  const auto decoded = DecodeState(EncodeState(state));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, state);
}

TEST(StateCodec, CountsWithoutContentsCostNothing) {
  // Each announces 2^60 of something, in a few bytes.
  const std::string huge = FromHex("808080808080808010");
  EXPECT_FALSE(DecodeState(FromHex("01") + huge).ok());
  EXPECT_FALSE(DecodeState(FromHex("0100") + huge).ok());
  EXPECT_FALSE(DecodeState(FromHex("010000") + huge).ok());
}

}  // namespace
}  // namespace maillage::replication::testing
