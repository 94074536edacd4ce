// What is internal stays among the sites that write: what sites that may only read get, hold, and pass on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "replication/change_signature.h"
#include "replication/state_codec.h"
#include "replication/sync_session.h"
#include "tests/replication/support/network.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;

constexpr char kNote[] = "La trésorière, Mme Roux, est partie fâchée";

bool HoldsAnywhere(const storage::ReadView& view, std::string_view text) {
  for (size_t table = 0; table < storage::kTableCount; ++table) {
    auto cursor = view.Scan(static_cast<storage::Table>(table), {});
    for (; cursor->Valid(); cursor->Next()) {
      if (cursor->value().find(text) != std::string_view::npos || cursor->key().find(text) != std::string_view::npos) return true;
    }
  }
  return false;
}

class SyncInternal : public ::testing::Test {
 protected:
  SyncInternal() : network(TestSeed()) {}

  void SetUp() override {
    network.Enrol("savoie", v1::ROLE_RELAY, "", savoie_key);
    network.Enrol("region", v1::ROLE_READER, "", region_key);
    network.Enrol("presse", v1::ROLE_READER, "", presse_key);
    lyon.Join(network.file, network.lyon);
    savoie.Join(network.file, savoie_key);
    region.Join(network.file, region_key);
    presse.Join(network.file, presse_key);
  }
  v1::Actor Noted(const std::string& note) const {
    v1::Actor actor = NamedActor("Amis du Mali", "73");
    actor.set_internal_notes(note);
    return actor;
  }
  // Runs; whether the two end live and equal. `told` becomes true where a frame held the note.
  bool Agree(TestSite& caller, TestSite& answerer, bool* told = nullptr) {
    Link link(&caller, &answerer);
    link.on_frame = [&](bool, const v1::SyncFrame& frame) {
      if (told != nullptr && frame.SerializeAsString().find("Roux") != std::string::npos) *told = true;
    };
    link.Run();
    return link.caller().progress().state == SyncState::kLive && caller.Digest() == answerer.Digest();
  }

  TestNetwork network;
  SteppedClock clock;
  SigningKey savoie_key = SigningKey::Generate(network.random);
  SigningKey region_key = SigningKey::Generate(network.random);
  SigningKey presse_key = SigningKey::Generate(network.random);
  TestSite lyon{"lyon", 1, &clock};
  TestSite savoie{"savoie", 2, &clock};
  TestSite region{"region", 3, &clock};
  TestSite presse{"presse", 4, &clock};
};

TEST_F(SyncInternal, AReaderGetsAllButThat) {
  const RecordId id = savoie.Create(Noted(kNote));
  ASSERT_TRUE(Agree(savoie, lyon));
  EXPECT_EQ(lyon.Actor(id).internal_notes(), kNote);
  bool told = false;
  EXPECT_TRUE(Agree(region, lyon, &told));
  EXPECT_FALSE(told);
  EXPECT_EQ(region.Actor(id).name(), "Amis du Mali");
  EXPECT_EQ(region.Actor(id).internal_notes(), "");
  EXPECT_FALSE(HoldsAnywhere(*region.store, "Roux"));
  EXPECT_TRUE(HoldsAnywhere(*lyon.store, "Roux"));
  EXPECT_EQ(region.replica->progress().conflicts, 0u);
}

TEST_F(SyncInternal, WhatIsWrittenWhileTheyTalkFlowsLikewise) {
  const RecordId id = savoie.Create(Noted("vu au forum"));
  ASSERT_TRUE(Agree(savoie, lyon));
  Link link(&region, &lyon);
  link.Run();
  bool told = false;
  link.on_frame = [&](bool, const v1::SyncFrame& frame) { told = told || frame.SerializeAsString().find("Roux") != std::string::npos; };
  lyon.Update(id, Noted(kNote), {"internal_notes"});
  v1::Actor cleared = Noted("");
  lyon.Update(id, cleared, {"internal_notes"});
  lyon.Update(id, Noted(kNote), {"internal_notes"});
  link.Run();
  EXPECT_FALSE(told);
  EXPECT_EQ(region.Digest(), lyon.Digest());
  EXPECT_EQ(region.State(kActor, id).vector(), lyon.State(kActor, id).vector());
}

// What was written at two sites at once is for the two to compare, and not for who sees neither.
TEST_F(SyncInternal, TwoVersionsAreNoneAtAReader) {
  const RecordId id = savoie.Create(Noted("vu au forum"));
  ASSERT_TRUE(Agree(savoie, lyon));
  savoie.Update(id, Noted(kNote), {"internal_notes"});
  lyon.Update(id, Noted("adhésion payée"), {"internal_notes"});
  ASSERT_TRUE(Agree(savoie, lyon));
  EXPECT_EQ(lyon.replica->progress().conflicts, 1u);
  EXPECT_TRUE(Agree(region, lyon));
  EXPECT_EQ(region.replica->progress().conflicts, 0u);
  const RecordState state = region.State(kActor, id);
  const Cell* const cell = state.Find(v1::Actor::kInternalNotesFieldNumber);
  EXPECT_TRUE(cell == nullptr || OtherVersions(*cell).empty());
}

TEST_F(SyncInternal, AReaderPassesOnWhatItHasToAnother) {
  savoie.Create(Noted(kNote));
  ASSERT_TRUE(Agree(savoie, lyon));
  ASSERT_TRUE(Agree(region, lyon));
  EXPECT_TRUE(Agree(presse, region));
  EXPECT_EQ(presse.Digest(), lyon.Digest());
}

TEST_F(SyncInternal, AReaderGivesASiteThatWritesWhatIsWhole) {
  const RecordId noted = savoie.Create(Noted(kNote));
  const RecordId plain = savoie.Create(NamedActor("ADOS", "38"));
  ASSERT_TRUE(Agree(savoie, region));
  EXPECT_FALSE(Agree(region, lyon)) << "it lacks a value that the reader can't give";
  EXPECT_EQ(lyon.Actor(plain).name(), "ADOS");
  EXPECT_TRUE(lyon.State(kActor, noted).vector().empty());
  EXPECT_EQ(lyon.replica->progress().quarantined, 0u);
  EXPECT_TRUE(Agree(savoie, lyon));
  EXPECT_EQ(lyon.Actor(noted).internal_notes(), kNote);
  EXPECT_TRUE(Agree(region, lyon));
}

// Who forwards a change without a value that the receiver may read would have it lost there for good.
TEST_F(SyncInternal, ASiteThatWritesTakesNoChangeWithoutItsValues) {
  const RecordId id = savoie.Create(Noted(kNote));
  const std::string without = **WithoutInternal(savoie.Feed().back());
  const auto taken = lyon.replica->Apply(without, region.id);
  EXPECT_TRUE(absl::IsInvalidArgument(taken.status()));
  EXPECT_THAT(taken.status().message(), HasSubstr("valeur interne"));
  lyon.replica->Discard();
  ASSERT_TRUE(Agree(savoie, lyon));
  EXPECT_EQ(lyon.replica->Apply(without, region.id)->outcome, Replica::Applied::kDuplicate);
  EXPECT_EQ(lyon.Actor(id).internal_notes(), kNote);
}

// By a modified sender, or a file.
TEST_F(SyncInternal, AReaderKeepsNothingOfItWhateverItIsSent) {
  const RecordId id = savoie.Create(Noted(kNote));
  ASSERT_TRUE(region.replica->Apply(savoie.Feed().back(), savoie.id).ok());
  ASSERT_TRUE(region.replica->Commit().ok());
  EXPECT_FALSE(HoldsAnywhere(*region.store, "Roux"));
  EXPECT_TRUE(Agree(region, savoie));
  const std::string state = EncodeState(savoie.State(kActor, id));
  ASSERT_TRUE(*presse.replica->Merge({kActor, id}, state, network.lyon.site()));
  ASSERT_TRUE(presse.replica->Commit().ok());
  EXPECT_FALSE(HoldsAnywhere(*presse.store, "Roux"));
  EXPECT_EQ(presse.Digest(), savoie.Digest());
}

// An author that leaves the salt out would have readers get the value, or nothing.
TEST_F(SyncInternal, AnInternalValueWithoutSaltIsTakenByNobody) {
  const RecordId id = savoie.Create(Noted(kNote));
  Change change = *DecodeChange(savoie.Feed().back());
  change.salt.clear();
  const auto taken = lyon.replica->Apply(network.Signed(change, savoie_key), savoie.id);
  EXPECT_THAT(taken.status().message(), HasSubstr("sans sel"));
  EXPECT_EQ(id, change.record.id);
}

// A copy of a site gives its changes new dots; what its state says of them has to be what others make of them.
TEST_F(SyncInternal, WhatGetsANewDotKeepsItsCommitments) {
  const RecordId id = savoie.Create(Noted(kNote));
  ASSERT_TRUE(savoie.replica->Renounce(ContinuityDoubt::kTwinMet, {}, /*must_renew=*/true).ok());
  EXPECT_TRUE(Agree(savoie, lyon));
  EXPECT_EQ(savoie.State(kActor, id), lyon.State(kActor, id));
  EXPECT_EQ(lyon.Actor(id).internal_notes(), kNote);
  EXPECT_TRUE(Agree(region, lyon));
}

// Whoever meets whom, and in whatever order: all hold the same, and readers none of it.
TEST_F(SyncInternal, AnyFleetAgreesAndReadersHoldNothing) {
  std::mt19937_64 random(TestSeed());
  const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  TestSite* const sites[] = {&lyon, &savoie, &region, &presse};
  for (uint64_t round = 0; round < TestRounds(20); ++round) {
    std::vector<RecordId> records;
    for (int step = 0; step < 40; ++step) {
      TestSite& writer = *sites[below(2)];
      if (records.empty() || below(4) == 0) {
        records.push_back(writer.Create(Noted(kNote)));
      } else if (below(2) == 0) {
        const RecordId& id = records[below(records.size())];
        if (writer.replica->State({kActor, id})->has_value()) {
          writer.Update(id, Noted(below(3) == 0 ? "" : kNote + std::to_string(step)), {"internal_notes", "name"});
        }
      } else {
        const size_t one = below(4);
        Link(sites[one], sites[(one + 1 + below(3)) % 4]).RunUntilCut(below(12));
      }
    }
    ASSERT_TRUE(Agree(savoie, lyon));
    ASSERT_TRUE(Agree(region, lyon));
    ASSERT_TRUE(Agree(presse, region));
    ASSERT_TRUE(Agree(savoie, lyon));
    for (const TestSite* site : sites) ASSERT_EQ(site->Digest(), lyon.Digest());
    for (const RecordId& id : records) ASSERT_EQ(savoie.State(kActor, id), lyon.State(kActor, id));
    for (const TestSite* reader : {&region, &presse}) ASSERT_FALSE(HoldsAnywhere(*reader->store, "Roux"));
  }
  std::cout << "figure: fleets of writers and readers " << TestRounds(20) << ", different in the end 0, notes on a reader's disk 0\n";
}

TEST_F(SyncInternal, FingerprintsCoverWhatIsWithheld) {
  const RecordId id = savoie.Create(Noted(kNote));
  const RecordState state = savoie.State(kActor, id);
  ASSERT_TRUE(state.HasInternal());
  const RecordState without = state.WithoutInternal();
  EXPECT_FALSE(without.HasInternal());
  RecordState joined = without;
  joined.Join(state);
  EXPECT_EQ(joined, state);
  joined = state;
  joined.Join(without);
  EXPECT_EQ(joined, state) << "what is here stays";
  EXPECT_EQ(*DecodeState(EncodeState(without)), without);
  EXPECT_EQ(*DecodeState(EncodeState(state)), state);
}

}  // namespace
}  // namespace maillage::replication::testing
