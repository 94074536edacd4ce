#include "client/import/table.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Table Read(std::string_view bytes) {
  absl::StatusOr<Table> table = ReadTable(bytes);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *std::move(table) : Table();
}

std::vector<std::string> Texts(const Row& row) {
  std::vector<std::string> texts;
  for (const Cell& cell : row.cells) texts.push_back(cell.text);
  return texts;
}

TEST(TableTest, FindsTheSeparatorOutsideQuotes) {
  EXPECT_EQ(Read("a;b;c\n1;2;3\n").separator, ';');
  EXPECT_EQ(Read("a,b,c\n1,2,3\n").separator, ',');
  EXPECT_EQ(Read("a\tb\tc\n1\t2\t3\n").separator, '\t');
  const Table quoted = Read("\"a;b;c\",d,\"e;\nf\"\n1,2,3\n");
  EXPECT_EQ(quoted.separator, ',');
  EXPECT_THAT(Texts(quoted.header), ElementsAre("a;b;c", "d", "e;\nf"));
  EXPECT_EQ(quoted.rows[0].line, 3u);
  EXPECT_EQ(Read("sep=,\na,b;c;d\n1,2\n").separator, ',');
  EXPECT_THAT(Texts(Read("Nom\nÉcole\n").header), ElementsAre("Nom"));
}

TEST(TableTest, CountsPhysicalLinesInMultiLineCells) {
  for (const std::string& end : std::vector<std::string>{"\n", "\r\n", "\r"}) {
    const Table table = Read("a;b" + end + "\"un" + end + "deux\";\"x" + end + "y\"" + end + end +
                             "3;4" + end + "5;6");
    ASSERT_EQ(table.rows.size(), 3u);
    EXPECT_EQ(table.rows[0].line, 2u);
    EXPECT_EQ(table.rows[0].cells[0].line, 2u);
    EXPECT_EQ(table.rows[0].cells[1].line, 3u);
    EXPECT_EQ(table.rows[0].cells[0].text, "un" + end + "deux");
    EXPECT_EQ(table.rows[0].raw, "\"un" + end + "deux\";\"x" + end + "y\"");
    EXPECT_EQ(table.rows[1].line, 6u);
    EXPECT_EQ(table.rows[2].line, 7u);
    EXPECT_EQ(table.rows[2].raw, "5;6");
  }
}

TEST(TableTest, ReadsQuotesAfterRfc4180) {
  const Table table = Read("a;b;c\n\"il dit \"\"oui\"\"\";\"x;y\";\"\"\n");
  EXPECT_THAT(Texts(table.rows[0]), ElementsAre("il dit \"oui\"", "x;y", ""));
}

TEST(TableTest, SkipsBlankRows) {
  const Table table = Read("\n\na;b\n\n  \n;;;\n1;2\n \t;\n\n");
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].line, 7u);
}

TEST(TableTest, RefusesRowsOfAnotherWidthWithTheirPlace) {
  const Table table = Read("a;b;c\n1;2\n1;2;3;4\n1;2;3\n1;2;3;;\n");
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_THAT(table.rows[0].error, HasSubstr("2 cellules au lieu de 3"));
  EXPECT_EQ(table.rows[0].error_column, 3u);
  EXPECT_THAT(table.rows[1].error, HasSubstr("4 cellules au lieu de 3"));
  EXPECT_EQ(table.rows[1].error_column, 4u);
  EXPECT_EQ(table.rows[2].error, "");
  EXPECT_EQ(table.rows[3].error, "");
  EXPECT_TRUE(table.rows[3].surplus_dropped);
}

TEST(TableTest, BrokenQuotesCostTheirLineAndNoOther) {
  const Table table = Read(
      "a;b\n"
      "1;le projet \"Eau\"\n"
      "2;bon\n"
      "3;\"jamais fermé\n"
      "4;bon\n"
      "5;\"fermé\"trop tôt\n"
      "6;\"bon\"\n");
  std::vector<std::string> good;
  std::vector<size_t> broken;
  for (const Row& row : table.rows) {
    if (row.error.empty()) {
      good.push_back(row.cells[0].text);
    } else {
      broken.push_back(row.line);
      EXPECT_TRUE(row.broken_quotes);
      EXPECT_EQ(row.error_column, 2u);
    }
  }
  EXPECT_THAT(good, ElementsAre("2", "4", "6"));
  EXPECT_THAT(broken, ElementsAre(2u, 4u, 6u));
}

// The stray quote of line 2 finds a partner at the end of line 4: what lies between must not be
// lost.
TEST(TableTest, AStrayQuoteThatAnotherClosesTakesNoLinesAlong) {
  const Table table = Read("a;b;c\n1;\"x;2\n3;4;5\n6;7\";8\n9;10;11\n");
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_NE(table.rows[0].error, "");
  EXPECT_EQ(table.rows[0].error_column, 2u);
  EXPECT_THAT(Texts(table.rows[1]), ElementsAre("3", "4", "5"));
  EXPECT_NE(table.rows[2].error, "");
  EXPECT_THAT(Texts(table.rows[3]), ElementsAre("9", "10", "11"));
}

TEST(TableTest, ARowHasABoundedNumberOfLines) {
  std::string bytes = "a;b\n1;\"";
  for (int i = 0; i < 1000; ++i) bytes += "\nligne;suivante";
  const Table table = Read(bytes + "\n");
  ASSERT_EQ(table.rows.size(), 1001u);
  EXPECT_TRUE(table.rows[0].broken_quotes);
  EXPECT_EQ(table.rows[1000].error, "");
}

TEST(TableTest, NeedsAHeader) {
  EXPECT_FALSE(ReadTable("").ok());
  EXPECT_FALSE(ReadTable("\n \n\r\n").ok());
  EXPECT_FALSE(ReadTable("\xEF\xBB\xBF").ok());
  const auto broken = ReadTable("a;\"b\n1;2\n");
  EXPECT_THAT(std::string(broken.status().message()), HasSubstr("ligne 1, colonne 2"));
}

// No bytes at all may crash the reader, and no row may vanish without a trace.
TEST(TableTest, SurvivesNoise) {
  std::mt19937_64 random(testing::TestSeed());
  constexpr std::string_view kAlphabet = "ab;,\t\"\"\n\r \xC3\xA9|=";
  for (uint64_t round = testing::TestRounds(2000); round > 0; --round) {
    std::string bytes = "a;b;c\n";
    const size_t size = random() % 60;
    for (size_t i = 0; i < size; ++i) bytes.push_back(kAlphabet[random() % kAlphabet.size()]);
    const absl::StatusOr<Table> table = ReadTable(bytes);
    if (!table.ok()) continue;
    size_t last = table->header.line;
    for (const Row& row : table->rows) {
      EXPECT_GT(row.line, last) << bytes;
      last = row.line;
      EXPECT_TRUE(!row.error.empty() || row.cells.size() == table->header.cells.size());
    }
  }
}

}  // namespace
}  // namespace maillage::client
