#include "server/query/page_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <string>

#include "server/query/limits.h"
#include "tests/support/seed.h"

namespace maillage {
namespace {

using ::testing::HasSubstr;

const PageScope kScope = {"ListRecords", "actor", "acronym = \"PSS\"", "name"};

PagePosition Position() { return {std::string("\1key\0\1", 6), "018f3c1e"}; }

std::string Refusal(const PageScope& scope, const std::string& token) {
  const absl::StatusOr<PagePosition> position = DecodePageToken(scope, token);
  EXPECT_EQ(position.status().code(), absl::StatusCode::kInvalidArgument) << token;
  return std::string(position.status().message());
}

TEST(PageToken, GivesThePositionBack) {
  for (const PagePosition& position : {Position(), PagePosition{"", ""}, PagePosition{"", "id"}}) {
    const auto decoded = DecodePageToken(kScope, EncodePageToken(kScope, position));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->sort_key, position.sort_key);
    EXPECT_EQ(decoded->id, position.id);
  }
}

TEST(PageToken, IsSafeInAUrl) {
  for (const char byte : EncodePageToken(kScope, {std::string(200, '\xff'), "\xfe"})) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(byte)) || byte == '-' || byte == '_')
        << byte;
  }
}

TEST(PageToken, IsRefusedByAnotherList) {
  const std::string token = EncodePageToken(kScope, Position());
  for (size_t i = 0; i < kScope.size(); ++i) {
    PageScope other = kScope;
    other[i] += "x";
    EXPECT_THAT(Refusal(other, token), HasSubstr("autre liste"));
  }
  // The same bytes, parted elsewhere.
  EXPECT_THAT(Refusal({"ListRecords", "actora", "cronym = \"PSS\"", "name"}, token),
              HasSubstr("autre liste"));
  EXPECT_THAT(Refusal({"ListRecords", "actor", "acronym = \"PSS\"", "name", ""}, token),
              HasSubstr("autre liste"));
}

TEST(PageToken, IsRefusedWithAnyCharacterChanged) {
  const std::string token = EncodePageToken(kScope, Position());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    // Bits of the last character may be padding; the neighbour by 32 changes one that is not.
    wrong[i] = wrong[i] == 'A' ? 'g' : 'A';
    if (wrong == token) continue;
    Refusal(kScope, wrong);
  }
  for (size_t size = 0; size < token.size(); ++size) Refusal(kScope, token.substr(0, size));
}

TEST(PageToken, RandomTokensAreRefused) {
  std::mt19937_64 random(testing::TestSeed());
  for (uint64_t round = 0; round < testing::TestRounds(2000); ++round) {
    std::string token(random() % 120, '\0');
    for (char& byte : token) {
      byte = round % 2 == 0 ? static_cast<char>(random()) : "AZaz09-_"[random() % 8];
    }
    Refusal(kScope, token);
  }
}

TEST(PageToken, LongestIsWithinTheLimit) {
  // Sort keys take less than six bytes a character.
  const size_t longest = kMaxOrderByFields * kMaxSortedCharacters * 6;
  const std::string token = EncodePageToken(kScope, {std::string(longest, 'k'), "018f3c1e"});
  EXPECT_LE(token.size(), kMaxPageTokenBytes);
  EXPECT_TRUE(DecodePageToken(kScope, token).ok());
  EXPECT_THAT(Refusal(kScope, std::string(kMaxPageTokenBytes + 1, 'A')),
              HasSubstr("n'est pas un jeton de page"));
}

}  // namespace
}  // namespace maillage
