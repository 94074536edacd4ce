// Members, and who is none, in conversation.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "replication/bundle.h"
#include "replication/sync_session.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestSeed;

class SyncMembership : public ::testing::Test {
 protected:
  SyncMembership() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie_key);
    Join(lyon, network.lyon);
    Join(savoie, savoie_key);
  }
  // With what the network's log has now.
  void Join(TestSite& site, const SigningKey& key) { site.Join(network.file, key); }
  static std::string Outcome(SyncSession& session) {
    return session.closed() ? session.progress().goodbye_message : session.up_to_date() ? "up to date" : "?";
  }

  TestNetwork network;
  SteppedClock clock;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey isere_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite isere{"isere", 3, &clock};
};

TEST_F(SyncMembership, MembersTalk) {
  const RecordId id = lyon.Create(NamedActor("ADOS", "73"));
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(Outcome(link.caller()), "up to date");
  EXPECT_EQ(savoie.Actor(id).name(), "ADOS");
}

TEST_F(SyncMembership, OthersDoNot) {
  network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key);
  // Isère was let in at an antenna that Lyon hasn't heard of yet.
  Join(isere, isere_key);
  lyon.Create(NamedActor("ADOS", ""));
  Link link(&isere, &lyon);
  link.Run();
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::NO_MEMBER);
  EXPECT_EQ(link.answerer().progress().changes_sent, 0u);
  EXPECT_EQ(isere.replica->progress().feed_head, 0u);
}

TEST_F(SyncMembership, OnlyTheProvenSiteMaySayItsName) {
  Link link(&savoie, &lyon);
  link.answerer().SetProvenPeer(isere_key.site());
  link.Run();
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::NO_MEMBER);
  Link honest(&savoie, &lyon);
  honest.answerer().SetProvenPeer(savoie_key.site());
  honest.Run();
  EXPECT_EQ(Outcome(honest.answerer()), "up to date");
}

TEST_F(SyncMembership, EntriesTravelAndAreKept) {
  const v1::SignedEntry entry = network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key);
  lyon.Hear(entry);
  Link(&savoie, &lyon).Run();
  ASSERT_NE(savoie.replica->membership()->FindByName("isere"), nullptr);
  savoie.Restart();
  EXPECT_NE(savoie.replica->membership()->FindByName("isere"), nullptr) << "from the store";
  EXPECT_EQ(savoie.replica->membership()->digest(), lyon.replica->membership()->digest());
  Join(isere, isere_key);
  Link link(&isere, &savoie);
  link.Run();
  EXPECT_EQ(Outcome(link.caller()), "up to date");
}

TEST_F(SyncMembership, ALiveSessionHearsOfNewMembers) {
  Link link(&savoie, &lyon);
  link.Run();
  lyon.Hear(network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key));
  const size_t frames = link.Run();
  EXPECT_NE(savoie.replica->membership()->FindByName("isere"), nullptr);
  EXPECT_LE(frames, 4u) << "and nothing goes round and round";
}

TEST_F(SyncMembership, ARevokedSiteGetsNothingMore) {
  Link link(&savoie, &lyon);
  link.Run();
  lyon.Create(NamedActor("before", "73"));
  link.Run();
  const uint64_t had = savoie.replica->progress().feed_head;
  lyon.Hear(network.Revoke(savoie_key.site(), {}, {}, {&network.lyon_authority, &network.recovery}));
  lyon.Create(NamedActor("after", "73"));
  link.Run();
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::NO_MEMBER);
  EXPECT_EQ(savoie.replica->progress().feed_head, had);
  Link again(&savoie, &lyon);
  again.Run();
  EXPECT_EQ(again.answerer().progress().goodbye_message, "ce site a été révoqué");
  EXPECT_EQ(savoie.replica->progress().feed_head, had);
}

TEST_F(SyncMembership, ATerritoryIsAsFarAsASiteMayGo) {
  // Whatever the list of sites says: the relay itself wrote there that it holds everything.
  v1::Site content;
  content.set_name("savoie");
  content.set_scope("*");
  savoie.Update(*RecordId::FromBytes(savoie.id.bytes()), content, {"name", "scope"});
  const RecordId here = lyon.Create(NamedActor("ici", "73"));
  const RecordId region = lyon.Create(NamedActor("partout", ""));
  const RecordId elsewhere = lyon.Create(NamedActor("ailleurs", "38"));
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(Outcome(link.caller()), "up to date");
  EXPECT_EQ(savoie.Actor(here).name(), "ici");
  EXPECT_EQ(savoie.Actor(region).name(), "partout");
  EXPECT_TRUE(savoie.State(kActor, elsewhere).vector().empty());
  EXPECT_EQ(savoie.replica->scope().ToText(), "73");
  // Widened by an antenna, the rest comes by itself.
  lyon.Hear(network.Enrol("savoie", v1::ROLE_RELAY, "38,73", savoie_key, nullptr, {}, 1));
  link.Run();
  EXPECT_EQ(savoie.Actor(elsewhere).name(), "ailleurs");
  EXPECT_EQ(Outcome(link.caller()), "up to date");
}

TEST_F(SyncMembership, ABundleIsForMembersAndFromMembers) {
  network.Enrol("isere", v1::ROLE_RELAY, "38", isere_key);
  Join(isere, isere_key);
  const auto made = [this](const SiteId& receiver) {
    BundleExport::Options options;
    options.name = "lyon";
    options.receiver = receiver;
    auto bundle = BundleExport::Begin(lyon.replica.get(), options);
    EXPECT_TRUE(bundle.ok()) << bundle.status();
    v1::SyncFrame frame;
    absl::StatusOr<bool> next = true;
    while (next.ok() && *next) next = (*bundle)->Next(&frame);
    return next.status();
  };
  EXPECT_FALSE(made(isere_key.site()).ok()) << "Lyon knows no such member";
  EXPECT_TRUE(made(savoie_key.site()).ok());
  EXPECT_TRUE(made(SiteId()).ok()) << "a snapshot is for whoever gets the file";
}

}  // namespace
}  // namespace maillage::replication::testing
