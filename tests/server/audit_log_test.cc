#include "server/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "server/membership_audit.h"
#include "tests/replication/support/network.h"
#include "tests/storage/temporary_folder.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::maillage::replication::testing::SeededRandom;
using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr uint64_t kNow = 1'770'000'000'123;

class AuditLogTest : public ::testing::Test {
 protected:
  static AuditEvent Event(const std::string& action, const std::string& key = "") {
    return {kNow, "Zoé « l’antenne »", action, "savoie", "à Chambéry\nsur deux lignes", key};
  }
  AuditContents Read() const { return *log.Read(); }
  std::string Bytes() const {
    std::ifstream file(folder.In("audit.log"), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  void Overwrite(const std::string& bytes) const {
    std::ofstream(folder.In("audit.log"), std::ios::binary | std::ios::trunc) << bytes;
  }

  storage::TemporaryFolder folder;
  AuditLog log{folder.In("")};
};

TEST_F(AuditLogTest, IsEmptyWhereNothingWasDone) {
  EXPECT_THAT(Read().entries, IsEmpty());
  EXPECT_EQ(Read().damage, "");
}

TEST_F(AuditLogTest, KeepsWhatItWasTold) {
  ASSERT_TRUE(log.Append({Event("backup"), Event("restored")}).ok());
  ASSERT_TRUE(log.Append({Event("export")}).ok());
  const AuditContents contents = Read();
  ASSERT_EQ(contents.entries.size(), 3u);
  EXPECT_EQ(contents.damage, "");
  EXPECT_EQ(contents.entries[2].number, 3u);
  EXPECT_EQ(contents.entries[2].event.action, "export");
  EXPECT_EQ(contents.entries[0].event.millis, kNow);
  EXPECT_EQ(contents.entries[0].event.person, "Zoé « l’antenne »");
  EXPECT_EQ(contents.entries[0].event.detail, "à Chambéry\nsur deux lignes");
  struct stat facts = {};
  ASSERT_EQ(stat(folder.In("audit.log").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, AnEventWithAKeyIsNotedOnce) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.Append({Event("enrolled", "member/1"), Event("enrolled", "member/2")}).ok());
  EXPECT_EQ(Read().entries.size(), 2u);
}

TEST_F(AuditLogTest, AnyChangeIsSeen) {
  for (const char* action : {"backup", "export", "restored", "repair"}) ASSERT_TRUE(log.Append({Event(action)}).ok());
  const std::string whole = Bytes();
  SeededRandom random(TestSeed());
  for (uint64_t i = 0; i < TestRounds(500); ++i) {
    std::string altered = whole;
    altered[random.Below(altered.size() - 1)] ^= static_cast<char>(1 << random.Below(8));
    Overwrite(altered);
    ASSERT_NE(Read().damage, "") << altered;
  }
  // A line that somebody took out, and two that changed places.
  const size_t second = whole.find('\n') + 1;
  const size_t third = whole.find('\n', second) + 1;
  Overwrite(whole.substr(0, second) + whole.substr(third));
  EXPECT_THAT(Read().damage, HasSubstr("ligne 2"));
  Overwrite(whole.substr(second, third - second) + whole.substr(0, second) + whole.substr(third));
  EXPECT_THAT(Read().damage, HasSubstr("ligne 1"));
}

TEST_F(AuditLogTest, GoesOnBehindALineThatACrashCutOff) {
  ASSERT_TRUE(log.Append({Event("backup")}).ok());
  Overwrite(Bytes() + "0123456789abcdef");
  ASSERT_TRUE(log.Append({Event("export")}).ok());
  const AuditContents contents = Read();
  ASSERT_EQ(contents.entries.size(), 2u);
  EXPECT_EQ(contents.entries[1].number, 2u);
  EXPECT_THAT(contents.damage, HasSubstr("ligne 2 : illisible"));
}

TEST_F(AuditLogTest, TakesSeveralWritersAtOnce) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this] {
      for (int n = 0; n < 20; ++n) EXPECT_TRUE(AuditLog(folder.In("")).Append({Event("export")}).ok());
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Read().entries.size(), 80u);
  EXPECT_EQ(Read().damage, "");
}

TEST_F(AuditLogTest, SaysSoWhereItCannotBeWritten) {
  EXPECT_TRUE(absl::IsUnavailable(AuditLog("/proc/nowhere").Append({Event("export")})));
}

TEST(MembershipAudit, TellsEachEntryOnceForEachNumberOfSignatures) {
  replication::testing::TestNetwork network(TestSeed());
  const auto key = replication::SigningKey::Generate(network.random);
  network.Enrol("savoie", v1::ROLE_RELAY, "73", key);
  network.Enrol("savoie", v1::ROLE_RELAY, "73,74", key, nullptr, {}, 1);
  network.Revoke(key.site(), {}, {}, {&network.lyon_authority});
  storage::TemporaryFolder folder;
  const AuditLog log(folder.In(""));
  ASSERT_TRUE(log.Append(MembershipEvents(network.Opened(), kNow)).ok());
  // A second antenna agrees.
  network.file.mutable_log()->mutable_entry()->RemoveLast();
  network.Revoke(key.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  ASSERT_TRUE(log.Append(MembershipEvents(network.Opened(), kNow)).ok());
  const std::vector<AuditEntry> entries = log.Read()->entries;
  ASSERT_EQ(entries.size(), 5u);
  std::map<std::string, AuditEvent> last;
  for (const AuditEntry& entry : entries) last[entry.event.action] = entry.event;
  EXPECT_EQ(last.at("founded").subject, "lyon");
  EXPECT_THAT(last.at("enrolled").detail, StartsWith("relais, 73 ; signé par lyon ; daté du "));
  EXPECT_EQ(last.at("enrolled").person, "Awa");
  EXPECT_THAT(last.at("rights").detail, StartsWith("relais, 73,74"));
  EXPECT_EQ(last.at("revocation").subject, "savoie");
  EXPECT_THAT(last.at("revocation").detail, HasSubstr("ordinateur volé ; signé par "));
  EXPECT_THAT(entries.back().event.detail, HasSubstr("la clé de secours"));
}

}  // namespace
}  // namespace maillage::server
