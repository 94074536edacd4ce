// The attacker is a member: a relay that forwards what others wrote, and would like to have written it.
#include <gtest/gtest.h>

#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replication/change_signature.h"
#include "replication/record_reader.h"
#include "replication/sync_session.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;

class SyncForgery : public ::testing::Test {
 protected:
  SyncForgery() : network(TestSeed()), random(TestSeed() + 1) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "", savoie_key);
    network.Enrol("isere", v1::ROLE_RELAY, "", isere_key);
    network.Enrol("lecteur", v1::ROLE_READER, "", reader_key);
    network.Enrol("drome", v1::ROLE_RELAY, "26", drome_key);
    network.Enrol("volé", v1::ROLE_RELAY, "", stolen_key);
    network.Revoke(stolen_key.site(), {}, {}, {&network.lyon_authority, &network.recovery});
    lyon.Join(network.file, network.lyon);
    savoie.Join(network.file, savoie_key);
    isere.Join(network.file, isere_key);
    for (int i = 0; i < 20; ++i) isere.Create(NamedActor("isere " + std::to_string(i), "38"));
    for (int i = 0; i < 20; ++i) ids.push_back(savoie.Create(NamedActor("savoie " + std::to_string(i), "73")));
    Link(&isere, &savoie).Run();
    // Savoie has Isère's changes, Lyon none yet.
    genuine = savoie.Feed();
    ASSERT_EQ(genuine.size(), 40u);
    link = std::make_unique<Link>(&savoie, &lyon);
    Greet();
  }
  // Lyon has greeted Savoie and holds nothing: what it takes from now on, the test hands it.
  void Greet() {
    v1::SyncFrame frame;
    ASSERT_TRUE(*link->caller().Next(&frame));
    ASSERT_TRUE(link->answerer().Receive(frame).ok());
    ASSERT_TRUE(lyon.replica->Commit().ok());
    while (*link->answerer().Next(&frame)) {
      ASSERT_TRUE(link->caller().Receive(frame).ok());
      while (*link->caller().Next(&frame) && !frame.has_changes()) ASSERT_TRUE(link->answerer().Receive(frame).ok());
    }
  }
  void Send(const std::vector<std::string>& changes) {
    v1::SyncFrame frame;
    for (const std::string& change : changes) frame.mutable_changes()->add_change(change);
    ASSERT_TRUE(link->answerer().Receive(frame).ok());
    ASSERT_TRUE(lyon.replica->Commit().ok());
  }
  // Reasons of what Lyon has in quarantine, counted.
  std::map<std::string, size_t> Reasons() const {
    std::map<std::string, size_t> reasons;
    auto rows = lyon.store->Scan(storage::Table::kMeta, storage::KeyRange::Prefix(storage::kQuarantinePrefix));
    for (; rows->Valid(); rows->Next()) ++reasons[DecodeQuarantineEntry(rows->value())->reason];
    return reasons;
  }
  static std::string WithoutSignature(std::string bytes) {
    bytes.resize(bytes.size() - kSignatureFieldSize);
    return bytes;
  }
  // A new change, as its author would write it.
  Change NewChange(const SigningKey& author) {
    Change change = *DecodeChange(genuine.front());
    change.record.id = made.Next(author.site());
    change.dot = {{author.site(), 77, 1000 + random.Below(1'000'000)}, 1};
    change.site_sequence = change.dot.actor.epoch;
    change.context = {};
    return change;
  }
  // How to forge one change.
  std::map<std::string, std::function<std::string()>> Attacks() {
    return {
        {"a bit is flipped",
         [&] {
           std::string bytes = AnyGenuine();
           bytes[random.Below(bytes.size())] ^= static_cast<char>(1 << random.Below(8));
           return bytes;
         }},
        {"cut off",
         [&] {
           const std::string& whole = AnyGenuine();
           return whole.substr(0, random.Below(whole.size()));
         }},
        {"not signed", [&] { return EncodeChange(NewChange(isere_key)); }},
        {"signed by the forwarder", [&] { return network.Signed(NewChange(isere_key), savoie_key); }},
        {"signed by a stranger", [&] { return network.Signed(NewChange(isere_key), stranger); }},
        {"a stranger's own", [&] { return network.Signed(NewChange(stranger), stranger); }},
        {"a reader's", [&] { return network.Signed(NewChange(reader_key), reader_key); }},
        {"of another network", [&] { return TestNetwork(4711).Signed(NewChange(isere_key), isere_key); }},
        {"in the receiver's own name", [&] { return network.Signed(NewChange(network.lyon), savoie_key); }},
        {"a new record beyond its author's territory", [&] { return network.Signed(NewChange(drome_key), drome_key); }},
        {"somebody else's record, as if it were new",
         [&] {
           Change change = NewChange(drome_key);
           change.record.id = DecodeChange(AnyGenuine())->record.id;
           return network.Signed(change, drome_key);
         }},
        {"under another's signature",
         [&] {
           const std::string& from = AnyGenuine();
           return EncodeChange(NewChange(isere_key)) + from.substr(from.size() - kSignatureFieldSize);
         }},
        {"another value under its signature",
         [&] {
           const std::string& from = AnyGenuine();
           Change change = *DecodeChange(from);
           change.operations.front().value = "forged";
           return EncodeChange(change) + from.substr(from.size() - kSignatureFieldSize);
         }},
        {"another time",
         [&] {
           const std::string& from = AnyGenuine();
           Change change = *DecodeChange(from);
           change.time.value += uint64_t{1} << 40;
           return EncodeChange(change) + from.substr(from.size() - kSignatureFieldSize);
         }},
        {"in another's place in a tree",
         [&] {
           std::string first = EncodeChange(NewChange(isere_key));
           std::string second = EncodeChange(NewChange(isere_key));
           const size_t size = first.size();
           const std::string unsigned_second = second;
           SignChanges(isere_key, network.id(), {&first, &second});
           return unsigned_second + first.substr(size);
         }},
        {"in a tree that its forwarder signed",
         [&] {
           std::string first = EncodeChange(NewChange(isere_key));
           std::string second = EncodeChange(NewChange(savoie_key));
           SignChanges(savoie_key, network.id(), {&first, &second});
           return first;
         }},
        {"signed twice",
         [&] {
           std::string bytes = OfIsere();
           SignChange(savoie_key, network.id(), bytes);
           return bytes;
         }},
    };
  }

  const std::string& OfIsere() {
    const std::string* chosen = &AnyGenuine();
    while (DecodeChange(*chosen)->dot.actor.site != isere_key.site()) chosen = &AnyGenuine();
    return *chosen;
  }
  const std::string& AnyGenuine() { return genuine[random.Below(genuine.size())]; }

  TestNetwork network;
  SeededRandom random;
  SteppedClock clock;
  RecordIdSource made{&clock, &random};
  SigningKey savoie_key = SigningKey::Generate(random);
  SigningKey isere_key = SigningKey::Generate(random);
  SigningKey reader_key = SigningKey::Generate(random);
  SigningKey drome_key = SigningKey::Generate(random);
  SigningKey stolen_key = SigningKey::Generate(random);
  SigningKey stranger = SigningKey::Generate(random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite isere{"isere", 3, &clock};
  std::vector<RecordId> ids;
  std::vector<std::string> genuine;
  std::unique_ptr<Link> link;
};

TEST_F(SyncForgery, WhatIsGenuineIsTakenWhoeverForwardsIt) {
  Send(genuine);
  EXPECT_EQ(lyon.replica->progress().feed_head, genuine.size());
  EXPECT_TRUE(Reasons().empty());
}

TEST_F(SyncForgery, TenThousandForgeriesAndNoneIsTaken) {
  const auto attacks = Attacks();
  const std::string digest = lyon.Digest();
  size_t sent = 0;
  const uint64_t rounds = TestRounds(10'000) / attacks.size() + 1;
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const auto& [name, forge] : attacks) {
      Send({forge()});
      ++sent;
      ASSERT_EQ(lyon.replica->progress().feed_head, 0u) << name << ", round " << round;
    }
  }
  EXPECT_EQ(lyon.Digest(), digest);
  EXPECT_FALSE(link->answerer().closing()) << link->answerer().progress().goodbye_message;
  EXPECT_EQ(lyon.replica->identity().renewals, 0u) << "nobody is made to believe in a twin";
  size_t quarantined = 0;
  for (const auto& [reason, count] : Reasons()) quarantined += count;
  std::cout << "figure: forged changes " << sent << ", taken 0, kept with their reason " << quarantined << std::endl;
  const auto reasons = Reasons();
  EXPECT_GT(reasons.at("la signature n'est pas celle de « isere »"), rounds);
  EXPECT_GT(reasons.at("la signature n'est pas celle de « lyon »"), 0u);
  EXPECT_GT(reasons.at("écrit par « lecteur », qui ne peut que lire"), 0u);
  EXPECT_GT(reasons.at("écrit par le site " + FormatSiteId(stranger.site()) + ", qui n'est pas membre du réseau"), 0u);
  EXPECT_GT(reasons.at("« drome » n'en a pas le droit : une fiche nouvelle porte un identifiant que son site a fait"), 0u);
  const std::vector<std::string> place = StateOf({*DecodeChange(genuine.front())}).Territories();
  EXPECT_GT(reasons.at("« drome » n'en a pas le droit : la fiche est dans " + place.front() + ", et son territoire est 26"), 0u);
  // And what is genuine still comes in.
  Send(genuine);
  EXPECT_EQ(lyon.replica->progress().feed_head, genuine.size());
}

TEST_F(SyncForgery, WhatIsReplayedChangesNothing) {
  Send(genuine);
  const std::string digest = lyon.Digest();
  for (uint64_t i = 0; i < TestRounds(1'000); ++i) Send({AnyGenuine()});
  EXPECT_EQ(lyon.replica->progress().feed_head, genuine.size());
  EXPECT_EQ(lyon.Digest(), digest);
  EXPECT_TRUE(Reasons().empty());
}

// Signed by a key that was stolen: taken, since others may build on it, and without effect.
TEST_F(SyncForgery, WhatARevokedSiteSignsHasNoEffect) {
  const uint64_t rounds = TestRounds(1'000);
  for (uint64_t i = 0; i < rounds; ++i) Send({network.Signed(NewChange(stolen_key), stolen_key)});
  EXPECT_EQ(lyon.replica->progress().kinds.at(kActor).alive, 0u);
  EXPECT_EQ(Reasons().at("sans effet : « volé » est révoqué, et n'avait pas écrit cela avant"), rounds);
}

// From a clock that is years ahead, or a liar's: it is its author's, so it is taken; it is counted, and moves nobody's clock.
TEST_F(SyncForgery, ATimeTravellerMovesNoClock) {
  Change change = NewChange(isere_key);
  change.time = HybridTime::FromMillis(clock.millis + uint64_t{10} * 365 * 86'400'000);
  Send({network.Signed(change, isere_key)});
  EXPECT_EQ(lyon.replica->progress().changes_from_the_future, 1u);
  const RecordId mine = lyon.Create(NamedActor("après", "38"));
  EXPECT_LT(lyon.State(kActor, mine).Find(1)->versions.front().time.millis(), clock.millis + 1'000);
}

TEST_F(SyncForgery, TheGoodPartOfAFrameIsKept) {
  std::vector<std::string> mixed;
  for (const std::string& bytes : genuine) {
    mixed.push_back(network.Signed(NewChange(isere_key), savoie_key));
    mixed.push_back(bytes);
  }
  Send(mixed);
  EXPECT_EQ(lyon.replica->progress().feed_head, genuine.size());
  EXPECT_EQ(lyon.replica->progress().quarantined, genuine.size());
}

TEST_F(SyncForgery, AClashIsBelievedAsFarAsItIsSigned) {
  Send(genuine);
  Change change = *DecodeChange(OfIsere());
  change.operations.front().value = "another";
  v1::SyncFrame frame;
  // From the author's own connection, as a clone would come.
  Link own(&isere, &lyon);
  own.Run();
  frame.mutable_changes()->add_change(network.Signed(change, savoie_key));
  ASSERT_TRUE(own.answerer().Receive(frame).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_EQ(lyon.replica->progress().quarantined, 1u);
}

TEST_F(SyncForgery, StatesAreTakenFromAntennasAlone) {
  const RecordKey record{kActor, ids.front()};
  const auto bytes = savoie.store->Get(storage::Table::kStates, storage::StateKey(record));
  v1::SyncFrame frame;
  v1::RecordStateBytes& state = *frame.mutable_states()->add_state();
  state.set_record(std::string(record.id.bytes()));
  state.set_kind(record.kind);
  state.set_state(**bytes);
  ASSERT_TRUE(link->answerer().Receive(frame).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  EXPECT_TRUE(lyon.State(kActor, ids.front()).vector().empty());
  EXPECT_EQ(lyon.replica->progress().quarantined, 1u);
  Link antenna(&isere, &lyon);
  antenna.Run();
  ASSERT_TRUE(antenna.caller().Receive(frame).ok());
  ASSERT_TRUE(isere.replica->Commit().ok());
  EXPECT_FALSE(isere.State(kActor, ids.front()).vector().empty());
}

TEST_F(SyncForgery, WhatASiteRenamesItSignsAnew) {
  Link(&isere, &lyon).Run();
  ASSERT_TRUE(isere.replica->Renounce(ContinuityDoubt::kStoreDamaged, {}, /*must_renew=*/true).ok());
  isere.Create(NamedActor("later", "38"));
  Link again(&isere, &lyon);
  again.Run();
  EXPECT_EQ(lyon.replica->progress().quarantined, 0u);
  EXPECT_EQ(lyon.Digest(), isere.Digest());
}

}  // namespace
}  // namespace maillage::replication::testing
