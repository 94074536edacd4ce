#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  absl::Status Read(const std::string& text, Config& config) {
    const std::string file = folder_.In("maillaged.toml");
    storage::WriteFile(file, text);
    return ReadConfigFile(file, config);
  }

  std::string ErrorOf(const std::string& text) {
    Config config;
    return std::string(Read(text, config).message());
  }

  storage::TemporaryFolder folder_;
};

TEST_F(ConfigTest, ReadsEveryName) {
  Config config;
  ASSERT_TRUE(Read("site = \"savoie\"\ndata = \"/srv/maillage\"\nscope = \"73,74\"\nlisten = \"0.0.0.0:7103\"\n"
                   "peers = [\"lyon:7101\", \"clermont:7102\"]\nlog_level = \"debug\"\ncache_mib = 64\n",
                   config)
                  .ok());
  EXPECT_EQ(config.site, "savoie");
  EXPECT_EQ(config.data, "/srv/maillage");
  EXPECT_EQ(config.scope, "73,74");
  EXPECT_EQ(config.listen, "0.0.0.0:7103");
  EXPECT_EQ(config.peers, (std::vector<std::string>{"lyon:7101", "clermont:7102"}));
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.cache_mib, 64u);
  EXPECT_TRUE(CheckConfig(config).ok());
}

TEST_F(ConfigTest, ErrorsNameTheirLine) {
  EXPECT_THAT(ErrorOf("site = \"savoie\"\nsitte = \"x\"\n"), HasSubstr("ligne 2 : « sitte »"));
  EXPECT_THAT(ErrorOf("\n\nsite = 3\n"), HasSubstr("ligne 3"));
  EXPECT_THAT(ErrorOf("peers = [1]\n"), HasSubstr("ligne 1"));
  EXPECT_THAT(ErrorOf("site = \"savoie\n"), HasSubstr("ligne 1"));
  EXPECT_THAT(ErrorOf("cache_mib = -1\n"), HasSubstr("cache_mib"));
}

TEST(CheckConfigTest, SaysWhatIsMissingOrWrong) {
  Config good;
  good.site = "haute-savoie";
  good.data = "data";
  EXPECT_TRUE(CheckConfig(good).ok());
  const auto error = [&](auto change) {
    Config config = good;
    change(config);
    return std::string(CheckConfig(config).message());
  };
  EXPECT_THAT(error([](Config& c) { c.site = "Haute Savoie"; }), HasSubstr("nom de site"));
  EXPECT_THAT(error([](Config& c) { c.site = ""; }), HasSubstr("nom de site"));
  EXPECT_THAT(error([](Config& c) { c.data = ""; }), HasSubstr("--data"));
  EXPECT_THAT(error([](Config& c) { c.listen = "7101"; }), HasSubstr("« 7101 »"));
  EXPECT_THAT(error([](Config& c) { c.peers = {"lyon:0"}; }), HasSubstr("« lyon:0 »"));
  EXPECT_THAT(error([](Config& c) { c.peers = {"lyon:99999"}; }), HasSubstr("« lyon:99999 »"));
  EXPECT_THAT(error([](Config& c) { c.log_level = "loud"; }), HasSubstr("« loud »"));
}

}  // namespace
}  // namespace maillage::server
