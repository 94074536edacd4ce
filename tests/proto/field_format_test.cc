#include "proto/field_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "proto/records.pb.h"

namespace maillage {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(const absl::Status& status) { return std::string(status.message()); }

struct FormatCase {
  v1::FieldFormat format;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

class CheckFormatTest : public ::testing::TestWithParam<FormatCase> {};

TEST_P(CheckFormatTest, TakesTheGoodAndRefusesTheBad) {
  for (const std::string& value : GetParam().good) {
    EXPECT_EQ(CheckFormat(GetParam().format, value), absl::OkStatus()) << value;
  }
  for (const std::string& value : GetParam().bad) {
    const absl::Status status = CheckFormat(GetParam().format, value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(Refusal(status), HasSubstr("n'est pas ")) << value;
  }
}

const FormatCase kCases[] = {
    {v1::DATE,
     {"2021", "2021-02", "2021-02-01", "2020-02-29", "2000-02-29", "2021-12-31"},
     {"", "21", "2021-", "2021-00", "2021-13", "2021-2", "2021-02-00", "2021-02-29", "1900-02-29",
      "2021-04-31", "2021-02-1", "2021/02/01", "20210201", "01-02-2021", "2021-02-01 ",
      "2021-02-01T10:00", "-021", "２０２１"}},
    {v1::DEPARTMENT,
     {"01", "07", "19", "21", "69", "73", "95", "2A", "2B", "971", "976"},
     {"", "1", "00", "20", "96", "99", "2a", "2C", "970", "977", "0073", "73 ", "Savoie", "069"}},
    {v1::COUNTRY,
     {"FR", "ML", "SN", "MG", "BF", "SS", "XK", "RE"},
     {"", "fr", "FRA", "UK", "EU", "ZZ", "IC", "001", "250", "Mali", "YU"}},
    {v1::SDG,
     {"1", "4", "9", "10", "17", "4.7", "6.a", "17.b", "17.19", "3.d"},
     {"", "0", "18", "04", "4.", ".7", "4.0", "4.07", "4.20", "4.e", "4.A", "4.7.1", "4,7",
      "ODD 4"}},
    {v1::SIREN,
     {"210100012", "356000000", "732829320"},
     {"", "210100011", "21010001", "2101000120", "210 100 012", "21010001A", "000000000"}},
    {v1::SIRET,
     {"73282932000074", "35600000000048", "35600000012345"},
     {"", "732829320", "73282932100074", "7328293200007", "732 829 320 00074", "7328293200007A"}},
    {v1::RNA,
     {"W691234567", "W9R2001234", "W2A1000012"},
     {"", "691234567", "w691234567", "W69123456", "W6912345678", "W69123456a", "W69 123456"}},
    {v1::INSEE_COMMUNE,
     {"73065", "01001", "2A004", "2B033", "97411", "97502", "98735"},
     {"", "7306", "730650", "00001", "20004", "96001", "2C004", "2A00B", "97011", "97901", "99100",
      "2a004"}},
    {v1::REFERENCE,
     {"018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f", "00000000-0000-0000-0000-000000000000"},
     {"", "018F3C1E-7B2A-7C3D-8E4F-5A6B7C8D9E0F", "018f3c1e7b2a7c3d8e4f5a6b7c8d9e0f",
      "018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0", "018f3c1e-7b2a-7c3d-8e4f_5a6b7c8d9e0f",
      "actor/018f3c1e-7b2a-7c3d-8e4f-5a6b"}},
    {v1::CURRENCY,
     {"EUR", "XOF", "XAF", "MGA", "CHF", "USD", "XPF", "FRF"},
     {"", "eur", "EU", "EURO", "€", "ABC", "ZZZ", "XTS"}},
};

INSTANTIATE_TEST_SUITE_P(Formats, CheckFormatTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return v1::FieldFormat_Name(info.param.format); });

TEST(CheckFormat, EveryFormatIsTried) {
  // All but FIELD_FORMAT_UNSPECIFIED.
  EXPECT_EQ(std::size(kCases),
            static_cast<size_t>(v1::FieldFormat_descriptor()->value_count() - 1));
}

TEST(CheckFormat, SaysWhatItReadAndWhatItExpects) {
  EXPECT_EQ(CheckFormat(v1::DATE, "2021-13-01").message(),
            "«\u00A02021-13-01\u00A0» n'est pas une date\u00A0: AAAA, AAAA-MM ou AAAA-MM-JJ");
}

TEST(CheckFormat, AFieldWithoutFormatTakesAnything) {
  EXPECT_TRUE(CheckFormat(v1::FIELD_FORMAT_UNSPECIFIED, "\xff anything").ok());
}

TEST(CheckFormats, AnEmptyRecordIsFine) {
  EXPECT_TRUE(CheckFormats(v1::Actor()).ok());
  v1::Actor actor;
  actor.set_siren("");
  EXPECT_TRUE(CheckFormats(actor).ok());
}

TEST(CheckFormats, NamesTheField) {
  v1::Actor actor;
  actor.set_siren("210100011");
  EXPECT_THAT(Refusal(CheckFormats(actor)), StartsWith("siren\u00A0: «\u00A0210100011\u00A0»"));
}

TEST(CheckFormats, NamesTheElement) {
  v1::Actor actor;
  actor.add_departments("73");
  actor.add_departments("1");
  EXPECT_THAT(Refusal(CheckFormats(actor)), StartsWith("departments[1]\u00A0: «\u00A01\u00A0»"));
}

TEST(CheckFormats, AnEmptyElementIsAValue) {
  v1::Actor actor;
  actor.add_departments("");
  EXPECT_THAT(Refusal(CheckFormats(actor)), StartsWith("departments[0]\u00A0: "));
}

TEST(CheckFormats, LooksIntoSubMessages) {
  v1::Project project;
  project.mutable_budget()->set_currency("EURO");
  EXPECT_THAT(Refusal(CheckFormats(project)), StartsWith("budget.currency\u00A0: "));
  project.mutable_budget()->set_currency("EUR");
  project.add_partners()->mutable_party()->set_text("Amis du Mali");
  EXPECT_TRUE(CheckFormats(project).ok());
  project.add_partners()->mutable_party()->set_actor("Amis du Mali");
  EXPECT_THAT(Refusal(CheckFormats(project)), StartsWith("partners[1].party.actor\u00A0: "));
}

// Rows of a file of the network: no cell of these files holds a quoted semicolon in the columns
// read here.
std::vector<std::vector<std::string>> Rows(const std::string& file) {
  std::ifstream in(std::string(MAILLAGE_TEST_DATA "/") + file);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) rows.push_back(absl::StrSplit(line, ';'));
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

void ExpectGood(v1::FieldFormat format, const std::string& cell) {
  const std::vector<std::string> values = absl::StrSplit(cell, '|', absl::SkipEmpty());
  for (const std::string& value : values) {
    EXPECT_EQ(CheckFormat(format, value), absl::OkStatus()) << cell;
  }
}

TEST(CheckFormat, TakesAllOfTheRealData) {
  const auto towns = Rows("collectivites-ara.csv");
  ASSERT_EQ(towns.size(), 4190u);
  for (const auto& row : towns) {
    EXPECT_FALSE(row.at(2).empty());
    ExpectGood(v1::SIREN, row.at(2));
    ExpectGood(v1::INSEE_COMMUNE, row.at(3));
    ExpectGood(v1::DEPARTMENT, row.at(4));
  }
  const auto actors = Rows("acteurs-reseau.csv");
  ASSERT_EQ(actors.size(), 43u);
  for (const auto& row : actors) {
    ExpectGood(v1::DEPARTMENT, row.at(3));
    ExpectGood(v1::SDG, row.at(5));
  }
  const auto projects = Rows("projets-reseau.csv");
  ASSERT_EQ(projects.size(), 12u);
  for (const auto& row : projects) {
    ExpectGood(v1::DEPARTMENT, row.at(4));
    ExpectGood(v1::SDG, row.at(5));
    ExpectGood(v1::DATE, row.at(6));
    ExpectGood(v1::DATE, row.at(7));
  }
}

}  // namespace
}  // namespace maillage
