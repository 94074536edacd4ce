#include "client/import/row_digest.h"

#include "gtest/gtest.h"

namespace maillage::client {
namespace {

Row RowOf(const std::vector<std::string>& texts) {
  Row row;
  for (const std::string& text : texts) row.cells.push_back({text, 2});
  return row;
}

std::string DigestOf(const std::vector<std::string>& header,
                     const std::vector<std::string>& cells) {
  return RowDigester(header).Digest(RowOf(cells));
}

// Records carry these digests: other bytes here would import every row of every file a second time.
TEST(RowDigestTest, IsPinned) {
  EXPECT_EQ(DigestOf({"Nom", "Département"}, {"Amis du Mali", "73"}),
            "eaa4f83ec3d2c61d9377cdeaedade5d0");
}

TEST(RowDigestTest, DependsOnNamesAndCellsAlone) {
  const std::string digest = DigestOf({"Nom", "Département"}, {"Amis du Mali", "73"});
  EXPECT_EQ(DigestOf({"DEPARTEMENT", "nom"}, {"73", "Amis du Mali"}), digest);
  EXPECT_EQ(DigestOf({"Nom", "Département", "Motif du refus"}, {"Amis du Mali", "73", "parce que"}),
            digest);
  EXPECT_NE(DigestOf({"Nom", "Département"}, {"Amis du mali", "73"}), digest);
  EXPECT_NE(DigestOf({"Nom", "Département"}, {"Amis du Mali7", "3"}), digest);
  EXPECT_NE(DigestOf({"Nom", "Pays"}, {"Amis du Mali", "73"}), digest);
}

}  // namespace
}  // namespace maillage::client
