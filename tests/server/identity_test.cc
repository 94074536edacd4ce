#include "server/identity.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/storage/temporary_folder.h"

namespace maillage::server {
namespace {

class IdentityTest : public ::testing::Test {
 protected:
  IdentityTest() { std::filesystem::create_directory(path_); }

  storage::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.In("site");
};

TEST_F(IdentityTest, IsMadeOnceAndThenRead) {
  auto first = LoadOrCreateIdentity(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->site().empty());
  EXPECT_EQ(LoadOrCreateIdentity(path_)->site(), first->site());
}

TEST_F(IdentityTest, TwoSitesDiffer) {
  const std::filesystem::path other = folder_.In("other");
  std::filesystem::create_directory(other);
  EXPECT_NE(LoadOrCreateIdentity(path_)->site(), LoadOrCreateIdentity(other)->site());
}

TEST_F(IdentityTest, AKeyThatSystemdKeepsIsReadThere) {
  const SiteId site = LoadOrCreateIdentity(path_)->site();
  const std::filesystem::path credentials = folder_.In("credentials");
  std::filesystem::create_directory(credentials);
  std::filesystem::copy_file(path_ / "identity.key", credentials / "identity.key");
  // As an access list shows it.
  std::filesystem::permissions(credentials / "identity.key", std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", credentials.c_str(), 1), 0);
  EXPECT_EQ(LoadOrCreateIdentity(path_).status().code(), absl::StatusCode::kFailedPrecondition) << "which of the two?";
  std::filesystem::remove(path_ / "identity.key");
  const auto kept = LoadOrCreateIdentity(path_);
  EXPECT_FALSE(std::filesystem::exists(path_ / "identity.key"));
  unsetenv("CREDENTIALS_DIRECTORY");
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->site(), site);
}

TEST_F(IdentityTest, TheKeyIsItsOwnersAlone) {
  ASSERT_TRUE(LoadOrCreateIdentity(path_).ok());
  const auto file = path_ / "identity.key";
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::permissions(file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(LoadOrCreateIdentity(path_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(IdentityTest, AShortKeyIsNoKey) {
  ASSERT_TRUE(LoadOrCreateIdentity(path_).ok());
  std::filesystem::resize_file(path_ / "identity.key", 31);
  EXPECT_EQ(LoadOrCreateIdentity(path_).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace maillage::server
