#include "proto/text_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/seed.h"
#include "unicode/utf.h"
#include "unicode/utf8.h"

namespace maillage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Utf8(UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  return std::string(bytes, static_cast<size_t>(length));
}

TEST(FoldText, TheHeadersExample) {
  EXPECT_EQ(FoldText("  Fédération  de l’Œuvre"), "federation de l'oeuvre");
}

TEST(FoldText, DropsAccentsAndCase) {
  EXPECT_EQ(FoldText("ÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸ àâäçéèêëîïôöùûüÿ"), "aaaceeeeiioouuuy aaaceeeeiioouuuy");
  EXPECT_EQ(FoldText("Straße"), "strasse");
  EXPECT_EQ(FoldText("ÆON ǽ æ"), "aeon ae ae");
  EXPECT_EQ(FoldText("ΑΘΉΝΑΣ"), FoldText("αθήνας"));
}

TEST(FoldText, DecomposedAndComposedTextsAreOne) {
  EXPECT_EQ(FoldText("Ise\u0300re"), FoldText("Isère"));
  EXPECT_EQ(FoldText("Việt Nam"), "viet nam");
  EXPECT_EQ(FoldText("Vie\u0323\u0302t"), FoldText("Vie\u0302\u0323t"));
}

TEST(FoldText, CompatibilityFormsAreSpelledOut) {
  EXPECT_EQ(FoldText("ﬁn №1 m² …"), "fin no1 m2 ...");
  EXPECT_EQ(FoldText("ＲＥＳＡＣＯＯＰ"), "resacoop");
}

TEST(FoldText, EveryApostropheAndDashIsOne) {
  for (const char* apostrophe : {"'", "’", "‘", "‛", "ʼ", "´", "`", "′", "＇"}) {
    EXPECT_EQ(FoldText("l" + std::string(apostrophe) + "eau"), "l'eau") << apostrophe;
  }
  for (const char* dash : {"-", "‐", "\u2011", "–", "—", "−", "－"}) {
    EXPECT_EQ(FoldText("pS" + std::string(dash) + "Eau"), "ps-eau") << dash;
  }
}

TEST(FoldText, RunsOfWhiteSpaceAreOneSpace) {
  EXPECT_EQ(FoldText("\u00A0\u202F a \t\r\n\u00A0b\u2009"), "a b");
  EXPECT_EQ(FoldText(" \u00A0\t"), "");
  EXPECT_EQ(FoldText(""), "");
}

TEST(FoldText, WhatNobodySeesGoes) {
  EXPECT_EQ(FoldText("\uFEFFRésa\u00ADco\u200Bop"), "resacoop");
}

TEST(FoldText, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(FoldText("a\xff"
                     "b"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(FoldText("\xc3"), "\uFFFD");
  // A surrogate, which UTF-8 has no place for.
  EXPECT_EQ(FoldText("\xed\xa0\x80x"), "\uFFFD\uFFFD\uFFFDx");
}

TEST(FoldText, FoldingTwiceIsFoldingOnce) {
  for (UChar32 c = 0; c <= 0x10FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    const std::string once = FoldText("a" + Utf8(c) + "b");
    if (FoldText(once) != once) ADD_FAILURE() << "U+" << std::hex << c << " gives " << once;
  }
}

// What a search in folded text stands on: a part of a text folds to a part of the folded text.
TEST(FoldText, FoldsEachCharacterByItself) {
  std::mt19937_64 random(testing::TestSeed());
  for (uint64_t round = 0; round < testing::TestRounds(2000); ++round) {
    std::string text;
    std::string folded;
    for (int i = 0; i < 8; ++i) {
      const auto c = static_cast<UChar32>(random() % (random() % 2 == 0 ? 0x180 : 0x3000));
      text += Utf8(c);
      folded += FoldText("a" + Utf8(c) + "a").substr(1);
      folded.pop_back();
    }
    EXPECT_EQ(FoldText(text), FoldText(folded)) << text;
  }
}

TEST(FoldText, RandomBytesNeverBreakIt) {
  std::mt19937_64 random(testing::TestSeed());
  for (uint64_t round = 0; round < testing::TestRounds(2000); ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string once = FoldText(bytes);
    EXPECT_EQ(FoldText(once), once);
  }
}

TEST(FoldedWords, AreRunsOfLettersAndDigits) {
  EXPECT_THAT(FoldedWords("l’eau – Loire-Bretagne"), ElementsAre("l", "eau", "loire", "bretagne"));
  EXPECT_THAT(FoldedWords("Université Lumière Lyon 2"),
              ElementsAre("universite", "lumiere", "lyon", "2"));
  EXPECT_THAT(FoldedWords("Solicoop42 (« 42 »)"), ElementsAre("solicoop42", "42"));
  EXPECT_THAT(FoldedWords("№ 7, 北京"), ElementsAre("no", "7", "北京"));
}

TEST(FoldedWords, ATextWithoutWordsHasNone) {
  EXPECT_THAT(FoldedWords(""), IsEmpty());
  EXPECT_THAT(FoldedWords(" – ’ … "), IsEmpty());
}

}  // namespace
}  // namespace maillage
