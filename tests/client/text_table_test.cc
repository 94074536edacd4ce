#include "client/commands/text_table.h"

#include <gtest/gtest.h>

namespace maillage::client::commands {
namespace {

TEST(DisplayWidth, CountsCellsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("Événement"), 9u);
  EXPECT_EQ(DisplayWidth("E\u0301ve\u0301nement"), 9u) << "combining accents take no room";
  EXPECT_EQ(DisplayWidth("日本"), 4u) << "wide characters take two cells";
  EXPECT_EQ(DisplayWidth("œuvre – 12 €"), 12u);
  EXPECT_EQ(DisplayWidth("\xff"), 1u) << "a byte that is no UTF-8 shows as one U+FFFD";
}

TEST(Truncate, NeverPassesTheWidth) {
  EXPECT_EQ(Truncate("Chambéry", 8), "Chambéry");
  EXPECT_EQ(Truncate("Chambéry", 7), "Chambé…");
  EXPECT_EQ(Truncate("Chambe\u0301ry", 7), "Chambe\u0301…");
  EXPECT_EQ(Truncate("日本語", 4), "日…") << "a wide character isn't halved";
  EXPECT_EQ(Truncate("abc", 0), "");
}

TEST(OneLine, DisarmsTerminalSequences) {
  EXPECT_EQ(OneLine("a\nb\tc"), "a b c");
  EXPECT_EQ(OneLine("\x1b[31mrouge"), "\uFFFD[31mrouge");
  EXPECT_EQ(OneLine("a\xff"), "a\uFFFD");
}

TEST(TextTable, AlignsAccentedText) {
  TextTable table({"ville", "nombre"});
  table.AddRow({"Chambéry", "1"});
  table.AddRow({"Le Puy-en-Velay", "22"});
  EXPECT_EQ(table.Render(0),
            "ville            nombre\n"
            "Chambéry         1\n"
            "Le Puy-en-Velay  22\n");
}

TEST(TextTable, TakesFromTheWidestColumn) {
  TextTable table({"id", "name"});
  table.AddRow({"12345678", "Renforcer l’éducation à la citoyenneté"});
  EXPECT_EQ(table.Render(30),
            "id        name\n"
            "12345678  Renforcer l’éducati…\n");
}

}  // namespace
}  // namespace maillage::client::commands
