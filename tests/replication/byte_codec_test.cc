#include "replication/byte_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/replication/support/literals.h"

namespace maillage::replication::testing {
namespace {

struct VarintCase {
  uint64_t value;
  const char* hex;
};

class Varints : public ::testing::TestWithParam<VarintCase> {};

TEST_P(Varints, HaveOneEncoding) {
  std::string bytes;
  ByteWriter(&bytes).Varint(GetParam().value);
  EXPECT_EQ(ToHex(bytes), GetParam().hex);
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Varint(), GetParam().value);
  EXPECT_TRUE(reader.done());
}

INSTANTIATE_TEST_SUITE_P(ByteCodec, Varints,
                         ::testing::Values(VarintCase{0, "00"}, VarintCase{127, "7f"},
                                           VarintCase{128, "8001"}, VarintCase{300, "ac02"},
                                           VarintCase{16384, "808001"},
                                           VarintCase{uint64_t{1} << 63, "80808080808080808001"},
                                           VarintCase{UINT64_MAX, "ffffffffffffffffff01"}));

class BadVarints : public ::testing::TestWithParam<const char*> {};

TEST_P(BadVarints, AreRefused) {
  const std::string bytes = FromHex(GetParam());
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Varint(), 0u);
  EXPECT_FALSE(reader.ok());
}

// Short, longer than need be, beyond 64 bits, without an end.
INSTANTIATE_TEST_SUITE_P(ByteCodec, BadVarints,
                         ::testing::Values("", "80", "8000", "ff00", "ffffffffffffffffff02",
                                           "ffffffffffffffffffff01", "80808080808080808080808001"));

TEST(ByteCodec, ReadsWhatItWrote) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Byte(7);
  writer.Fixed64(0x0102030405060708);
  writer.String("été");
  writer.Raw("rest");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Byte(), 7);
  EXPECT_EQ(reader.Fixed64(), 0x0102030405060708u);
  EXPECT_EQ(reader.String(), "été");
  EXPECT_FALSE(reader.done());
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_EQ(reader.Raw(4), "rest");
  EXPECT_TRUE(reader.done());
}

TEST(ByteCodec, NothingIsReadAfterTheFirstFailure) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.String("twelve bytes");
  const std::string cut = bytes.substr(0, 5);
  ByteReader reader(cut);
  EXPECT_EQ(reader.String(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Byte(), 0);
  EXPECT_EQ(reader.Fixed64(), 0u);
  EXPECT_FALSE(reader.done());
}

TEST(ByteCodec, ALengthBeyondTheInputIsNoAllocation) {
  std::string bytes;
  ByteWriter(&bytes).Varint(UINT64_MAX);
  ByteReader reader(bytes);
  EXPECT_EQ(reader.String(), "");
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace maillage::replication::testing
