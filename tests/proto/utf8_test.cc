#include "proto/utf8.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <string>

#include "proto/change.pb.h"

namespace maillage {
namespace {

TEST(Utf8, TellsWhereItEnds) {
  EXPECT_EQ(ValidUtf8Bytes(""), 0u);
  EXPECT_EQ(ValidUtf8Bytes("Zoé \U0001F30D"), 9u);
  EXPECT_EQ(ValidUtf8Bytes("Zo\xe9"), 2u) << "Latin 1";
  EXPECT_EQ(ValidUtf8Bytes("a\xc3"), 1u) << "half a character";
  EXPECT_EQ(ValidUtf8Bytes("\xc0\x80"), 0u) << "an overlong NUL";
  EXPECT_EQ(ValidUtf8Bytes("\xed\xa0\x80"), 0u) << "a surrogate";
  EXPECT_EQ(ValidUtf8Bytes("\xf4\x90\x80\x80"), 0u) << "beyond the last character";
  EXPECT_TRUE(IsUtf8(std::string("\0", 1)));
}

// What is text here must be text there, or a site would send what no other takes.
TEST(Utf8, IsWhatProtocolBuffersTake) {
  const google::protobuf::LogSilencer silence;
  const auto takes = [](const std::string& text) {
    v1::Change change;
    change.set_person(text);
    v1::Change read;
    return read.ParseFromString(change.SerializeAsString());
  };
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (const char* rest : {"", "\x80", "\xbf\xbf", "a"}) {
        const std::string text =
            std::string{static_cast<char>(first), static_cast<char>(second)} + rest;
        ASSERT_EQ(IsUtf8(text), takes(text)) << first << " " << second << " and " << rest;
      }
    }
  }
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(FirstUtf8Bytes("Zoé", 4), "Zoé");
  EXPECT_EQ(FirstUtf8Bytes("Zoé", 3), "Zo");
  EXPECT_EQ(FirstUtf8Bytes("Zoé", 0), "");
}

}  // namespace
}  // namespace maillage
