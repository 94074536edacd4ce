#include "client/import/encoding.h"

#include <unicode/unistr.h>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using ::testing::HasSubstr;

std::string To(const char* codepage, std::string_view utf8) {
  const auto text = icu::UnicodeString::fromUTF8(
      icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
  std::string bytes(utf8.size() * 4, '\0');
  const int32_t size =
      text.extract(0, text.length(), bytes.data(), static_cast<uint32_t>(bytes.size()), codepage);
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

DecodedText Decoded(std::string_view bytes) {
  absl::StatusOr<DecodedText> decoded = DecodeText(bytes);
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? *std::move(decoded) : DecodedText();
}

TEST(EncodingTest, SaysWhatItUnderstood) {
  const std::string text = "Événement;Date\nl’été à Saint-Étienne – 3 €;2021\n";
  EXPECT_EQ(Decoded(text).encoding, "UTF-8");
  EXPECT_EQ(Decoded("\xEF\xBB\xBF" + text).encoding, "UTF-8 (BOM)");
  EXPECT_EQ(Decoded(To("windows-1252", text)).encoding, "Windows-1252");
  EXPECT_EQ(Decoded(To("UTF-16", text)).encoding, "UTF-16");
  for (const std::string& bytes :
       {text, "\xEF\xBB\xBF" + text, To("windows-1252", text), To("UTF-16", text)}) {
    EXPECT_EQ(Decoded(bytes).text, text);
    EXPECT_FALSE(Decoded(bytes).damaged);
  }
}

TEST(EncodingTest, WindowsFileOfEventsGivesTheSameRecords) {
  const std::string bytes = TestFile("evenements-2021.csv");
  const ImportPlan utf8 = PlanOf(bytes);
  const ImportPlan windows = PlanOf(To("windows-1252", bytes));
  EXPECT_EQ(windows.encoding, "Windows-1252");
  ASSERT_EQ(windows.lines.size(), 49u);
  for (size_t i = 0; i < 49; ++i) {
    EXPECT_EQ(windows.lines[i].digest, utf8.lines[i].digest);
    ASSERT_NE(windows.lines[i].content, nullptr);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*windows.lines[i].content,
                                                                   *utf8.lines[i].content));
  }
}

TEST(EncodingTest, OneDamagedLineDoesNotGarbleTheAccentsOfAllOthers) {
  const std::string bytes =
      "Nom;Sigle;Type;Département;Rôles;Référent ODD;Site web\n"
      "Fédération;;;69;;;\n"
      "F\xE9lin;;;69;;;\n"
      "École;;;69;;;\n";
  const ImportPlan plan = PlanOf(bytes);
  EXPECT_EQ(plan.encoding, "UTF-8");
  ASSERT_EQ(plan.notes.size(), 1u);
  ASSERT_EQ(plan.lines.size(), 3u);
  EXPECT_EQ(Content<v1::Actor>(plan.lines[0]).name(), "Fédération");
  EXPECT_TRUE(plan.lines[1].refused());
  EXPECT_EQ(plan.lines[1].notes[0].line, 3u);
  EXPECT_EQ(Content<v1::Actor>(plan.lines[2]).name(), "École");
}

TEST(EncodingTest, DecomposedAccentsAreComposedAndSaid) {
  const DecodedText decoded = Decoded("Fe\u0301de\u0301ration");
  EXPECT_EQ(decoded.text, "Fédération");
  EXPECT_TRUE(decoded.composed);
  EXPECT_FALSE(Decoded("Fédération").composed);
}

TEST(EncodingTest, WhatIsNoTextIsRefusedByItsName) {
  const auto message = [](std::string_view bytes) {
    return std::string(DecodeText(bytes).status().message());
  };
  EXPECT_THAT(message("PK\x03\x04\x14"), HasSubstr("xlsx"));
  EXPECT_THAT(message("\xD0\xCF\x11\xE0\xA1\xB1"), HasSubstr("xls"));
  EXPECT_THAT(message("%PDF-1.4"), HasSubstr("PDF"));
  EXPECT_THAT(message(std::string_view("\x7f"
                                       "ELF\0\0",
                                       6)),
              HasSubstr("binaire"));
  EXPECT_THAT(message(std::string_view("N\0o\0m\0", 6)), HasSubstr("binaire"));
}

}  // namespace
}  // namespace maillage::client
