// Sites that hold different territories, and records that move between them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/scope.h"
#include "replication/scrub.h"
#include "replication/sync_session.h"
#include "storage/keys.h"
#include "tests/replication/support/site.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

class SyncScope : public ::testing::Test {
 protected:
  void SetUp() override {
    Assign(savoie, "73");
    Assign(isere, "38");
    MeetAll();
  }
  void TearDown() override {
    for (const TestSite* site : {&lyon, &savoie, &isere}) {
      EXPECT_EQ(Inconsistency(*site->store, *site->replica), "") << site->name;
      const auto scrubbed = Scrub(*site->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      EXPECT_EQ(scrubbed->damaged(), 0u) << site->name << ": " << scrubbed->findings.front().what;
      EXPECT_EQ(site->replica->identity().renewals, 0u) << site->name;
    }
  }

  // By the administrator, at Lyon.
  void Assign(const TestSite& site, const std::string& scope) {
    v1::Site content;
    content.set_name(site.name);
    content.set_scope(scope);
    lyon.Update(*RecordId::FromBytes(site.id.bytes()), content, {"name", "scope"});
  }
  void MeetAll() {
    for (int round = 0; round < 2; ++round) {
      Link(&savoie, &lyon).Run();
      Link(&isere, &lyon).Run();
    }
  }
  static void Move(TestSite& at, const RecordId& id, const std::string& department) {
    at.Update(id, NamedActor("", department), {"department"});
  }
  static void Describe(TestSite& at, const RecordId& id, const std::string& text) {
    v1::Actor actor;
    actor.set_description(text);
    at.Update(id, actor, {"description"});
  }
  static bool Holds(const TestSite& site, const RecordId& id) { return !site.State(kActor, id).vector().empty(); }
  static void ExpectEqual(const TestSite& a, const TestSite& b) {
    const Scope shared = a.replica->scope().Intersect(b.replica->scope());
    EXPECT_EQ(a.replica->tree().Digest(shared), b.replica->tree().Digest(shared)) << a.name << " " << b.name;
  }
  void ExpectSettled() {
    ExpectEqual(lyon, savoie);
    ExpectEqual(lyon, isere);
    ExpectEqual(savoie, isere);
    EXPECT_EQ(savoie.replica->leaving(), 0u);
    EXPECT_EQ(isere.replica->leaving(), 0u);
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
  TestSite isere{"isere", maillage::testing::TestSeed() + 2, &clock};
};

TEST_F(SyncScope, ARelayGetsItsTerritoryAndTheWholeRegion) {
  const RecordId of_savoie = lyon.Create(NamedActor("savoyarde", "73"));
  const RecordId of_isere = lyon.Create(NamedActor("iséroise", "38"));
  const RecordId of_region = lyon.Create(NamedActor("régionale", ""));
  MeetAll();
  EXPECT_TRUE(Holds(savoie, of_savoie));
  EXPECT_FALSE(Holds(savoie, of_isere));
  EXPECT_TRUE(Holds(savoie, of_region));
  EXPECT_TRUE(Holds(isere, of_isere));
  EXPECT_FALSE(Holds(isere, of_savoie));
  ExpectSettled();
}

// Found equal with somebody who holds all of it; what it gave away has to be found complete anew.
TEST_F(SyncScope, ATerritoryIsCompleteOnceItWasComparedWhole) {
  EXPECT_GT(savoie.replica->complete_millis(), 0u);
  EXPECT_EQ(lyon.replica->complete_millis(), 0u);
  Assign(savoie, "38,73");
  for (size_t frames = 3; savoie.replica->scope().ToText() != "38,73"; ++frames) {
    Link(&savoie, &lyon).RunUntilCut(frames);
  }
  EXPECT_EQ(savoie.replica->complete_millis(), 0u);
  Link(&savoie, &lyon).Run();
  EXPECT_GT(savoie.replica->complete_millis(), 0u);
  Assign(savoie, "73");
  MeetAll();
  savoie.Restart();
  EXPECT_GT(savoie.replica->complete_millis(), 0u);
  Assign(savoie, "38,73");
  for (size_t frames = 3; savoie.replica->scope().ToText() != "38,73"; ++frames) {
    Link(&savoie, &lyon).RunUntilCut(frames);
  }
  EXPECT_EQ(savoie.replica->complete_millis(), 0u);
  MeetAll();
}

TEST_F(SyncScope, AnUnchangedReconnectIsOneRoundTrip) {
  lyon.Create(NamedActor("savoyarde", "73"));
  lyon.Create(NamedActor("iséroise", "38"));
  MeetAll();
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(link.caller().progress().frames_sent + link.answerer().progress().frames_sent, 2u);
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_EQ(link.caller().shared().ToText(), "73");
}

TEST_F(SyncScope, WhatIsWrittenElsewhereDoesNotTravelLive) {
  Link link(&savoie, &lyon);
  link.Run();
  uint64_t sent = link.answerer().progress().changes_sent;
  lyon.Create(NamedActor("iséroise", "38"));
  link.Run();
  EXPECT_EQ(link.answerer().progress().changes_sent, sent);
  lyon.Create(NamedActor("savoyarde", "73"));
  link.Run();
  EXPECT_EQ(link.answerer().progress().changes_sent, sent + 1);
}

// The antenna moves it, live.
TEST_F(SyncScope, AMovedRecordChangesHands) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  MeetAll();
  Link with_savoie(&savoie, &lyon);
  with_savoie.Run();
  Move(lyon, id, "38");
  with_savoie.Run();
  EXPECT_FALSE(Holds(savoie, id));
  Link(&isere, &lyon).Run();
  EXPECT_EQ(isere.Actor(id).name(), "voyageuse");
  ExpectSettled();
}

// The relay moves it away itself, and edits it once more before it lets go.
TEST_F(SyncScope, ARelayHandsOverWhatItMovedAway) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  Move(savoie, id, "38");
  Describe(savoie, id, "dernière note");
  EXPECT_TRUE(Holds(savoie, id));
  EXPECT_EQ(savoie.replica->leaving(), 1u);
  MeetAll();
  EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(isere.Actor(id).description(), "dernière note");
  ExpectSettled();
}

// The schedule of the demo: moved while the relay is away and edits.
TEST_F(SyncScope, AnEditMadeMeanwhileSurvivesTheMove) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  MeetAll();
  Move(lyon, id, "38");
  Link(&isere, &lyon).Run();
  Describe(savoie, id, "écrit en Savoie");
  for (const bool known : {true, false}) {
    Link(&savoie, &lyon, known).Run();
  }
  EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(lyon.Actor(id).description(), "écrit en Savoie");
  Link(&isere, &lyon).Run();
  EXPECT_EQ(isere.Actor(id).description(), "écrit en Savoie");
  ExpectSettled();
}

// The same without any hint: everything is found by comparing.
TEST_F(SyncScope, AComparisonFindsWhatMovedToo) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  const RecordId stays = savoie.Create(NamedActor("sédentaire", "73"));
  MeetAll();
  Move(lyon, id, "38");
  Describe(savoie, id, "écrit en Savoie");
  Describe(savoie, stays, "écrit en Savoie");
  for (TestSite* site : {&lyon, &savoie}) {
    storage::CommitBatch batch;
    for (const TestSite* peer : {&lyon, &savoie}) batch.Delete(storage::Table::kMeta, storage::CursorKey(peer->id));
    ASSERT_TRUE(site->store->Commit(batch).ok());
    site->Restart();
  }
  Link(&lyon, &savoie).Run();
  EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(lyon.Actor(id).description(), "écrit en Savoie");
  EXPECT_EQ(lyon.Actor(stays).description(), "écrit en Savoie");
  Link(&isere, &lyon).Run();
  ExpectSettled();
}

TEST_F(SyncScope, NothingIsLetGoBeforeItsKeeperHasIt) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  MeetAll();
  Move(lyon, id, "38");
  Link(&isere, &lyon).Run();
  Describe(savoie, id, "écrit en Savoie");
  // However early the link breaks, the edit is somewhere, and ends up at Lyon.
  for (size_t frames = 0; frames < 40; ++frames) {
    Link(&savoie, &lyon).RunUntilCut(frames);
    const bool here = savoie.State(kActor, id).vector().Covers(lyon.State(kActor, id).vector()) || Holds(savoie, id);
    EXPECT_TRUE(here || lyon.Actor(id).description() == "écrit en Savoie") << frames;
  }
  EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(lyon.Actor(id).description(), "écrit en Savoie");
  MeetAll();
  ExpectSettled();
}

// Two relays meet nobody else: what left the one's territory for the other's goes there directly.
TEST_F(SyncScope, ARelayHandsOverToARelay) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  const RecordId of_ain = savoie.Create(NamedActor("bressane", "01"));
  Move(savoie, id, "38");
  Link(&savoie, &isere).Run();
  EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(isere.Actor(id).name(), "voyageuse");
  // Nobody there holds Ain.
  EXPECT_TRUE(Holds(savoie, of_ain));
  EXPECT_FALSE(Holds(isere, of_ain));
  EXPECT_EQ(savoie.replica->leaving(), 1u);
  MeetAll();
  EXPECT_EQ(lyon.Actor(of_ain).name(), "bressane");
  ExpectSettled();
}

TEST_F(SyncScope, AfterItsReturnNoDotIsUsedTwice) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  MeetAll();
  const VersionVector before = savoie.State(kActor, id).vector();
  for (int trip = 0; trip < 3; ++trip) {
    Move(lyon, id, "38");
    MeetAll();
    EXPECT_FALSE(Holds(savoie, id));
    EXPECT_TRUE(Holds(isere, id));
    Move(lyon, id, "73");
    MeetAll();
    ASSERT_TRUE(Holds(savoie, id));
    EXPECT_FALSE(Holds(isere, id));
    v1::Actor edit;
    edit.set_description("retour " + std::to_string(trip));
    const Dot dot = savoie.Update(id, edit, {"description"});
    EXPECT_FALSE(before.Covers(dot));
    EXPECT_EQ(dot.n, 1u) << "a new epoch each time";
    MeetAll();
    EXPECT_EQ(lyon.Actor(id).description(), edit.description());
  }
  ExpectSettled();
}

// A record of three départements leaves with the last of them that a relay holds.
TEST_F(SyncScope, ARecordOfSeveralDepartmentsStaysForEach) {
  v1::Project project;
  project.set_title("Puits au Sahel");
  project.add_departments("73");
  project.add_departments("38");
  project.add_departments("01");
  const RecordId id = savoie.Create(project);
  MeetAll();
  constexpr uint16_t kProject = 2;
  EXPECT_EQ(isere.State(kProject, id), lyon.State(kProject, id));
  v1::Project gone;
  gone.add_departments("73");
  lyon.Remove(id, gone);
  MeetAll();
  EXPECT_TRUE(savoie.State(kProject, id).vector().empty());
  EXPECT_EQ(isere.State(kProject, id), lyon.State(kProject, id));
  ExpectSettled();
}

TEST_F(SyncScope, WideningFillsUpAndNarrowingHandsOver) {
  std::vector<RecordId> of_isere;
  for (int i = 0; i < 40; ++i) of_isere.push_back(lyon.Create(NamedActor("iséroise " + std::to_string(i), "38")));
  MeetAll();
  Assign(savoie, "38,73");
  Link live(&savoie, &lyon);
  live.Run();
  for (const RecordId& id : of_isere) EXPECT_TRUE(Holds(savoie, id));
  EXPECT_TRUE(live.caller().up_to_date());
  Describe(savoie, of_isere[0], "encore en Savoie");
  // Narrowed before that edit went out; the session goes on.
  Assign(savoie, "73");
  live.Run();
  clock.millis += 10'000;
  live.Run();
  for (const RecordId& id : of_isere) EXPECT_FALSE(Holds(savoie, id));
  EXPECT_EQ(lyon.Actor(of_isere[0]).description(), "encore en Savoie");
  MeetAll();
  ExpectSettled();
}

TEST_F(SyncScope, NarrowingIsResumedAfterARestart) {
  std::vector<RecordId> of_savoie;
  for (int i = 0; i < 1000; ++i) of_savoie.push_back(lyon.Create(NamedActor("savoyarde " + std::to_string(i), "73")));
  MeetAll();
  Assign(savoie, "74");
  size_t frames = 3;
  for (; savoie.replica->scope().ToText() == "73" || savoie.replica->leaving() > 0; ++frames) {
    ASSERT_LT(frames, 200u);
    Link(&savoie, &lyon).RunUntilCut(frames);
    savoie.Restart();
  }
  for (const RecordId& id : of_savoie) EXPECT_FALSE(Holds(savoie, id));
  MeetAll();
  ExpectSettled();
}

// Savoie still believes to hold everything, and is told only what it may have.
TEST_F(SyncScope, NobodyGetsMoreThanTheListOfSitesGrants) {
  const RecordId of_isere = lyon.Create(NamedActor("iséroise", "38"));
  TestSite stranger("stranger", maillage::testing::TestSeed() + 9, &clock);
  Assign(stranger, "73");
  Link link(&stranger, &lyon);
  v1::SyncFrame frame;
  size_t of_isere_sent = 0;
  link.on_frame = [&](bool from_caller, const v1::SyncFrame& sent) {
    if (from_caller) return;
    of_isere_sent += sent.ShortDebugString().find("iséroise") != std::string::npos ? 1 : 0;
    for (const std::string& change : sent.changes().change()) {
      of_isere_sent += change.find("38") != std::string::npos && change.find("iséroise") != std::string::npos ? 1 : 0;
    }
  };
  link.Run();
  EXPECT_EQ(of_isere_sent, 0u);
  EXPECT_EQ(stranger.replica->scope().ToText(), "73");
  EXPECT_FALSE(Holds(stranger, of_isere));
}

// Otherwise it would fetch the whole region, and hand it over again once the record is repaired.
TEST_F(SyncScope, ASiteWhoseOwnRecordIsDamagedGoesOnWithWhatItHeld) {
  const RecordId of_isere = lyon.Create(NamedActor("iséroise", "38"));
  savoie.damaged = std::make_unique<DamagedStore>(savoie.store.get());
  savoie.damaged->Damage(storage::Table::kStates,
                         storage::StateKey({kSiteKind, *RecordId::FromBytes(savoie.id.bytes())}));
  savoie.Restart();
  EXPECT_EQ(savoie.replica->scope().ToText(), "73");
  Link(&savoie, &lyon, /*known=*/false).Run();
  EXPECT_FALSE(Holds(savoie, of_isere));
}

// Neither half let go nor held against all others.
TEST_F(SyncScope, ARecordWhoseHistoryIsDamagedStaysWhole) {
  const RecordId id = savoie.Create(NamedActor("voyageuse", "73"));
  const RecordId other = savoie.Create(NamedActor("autre", "73"));
  Describe(savoie, id, "un mot");
  MeetAll();
  const uint64_t last = savoie.replica->progress().feed_head;
  savoie.damaged = std::make_unique<DamagedStore>(savoie.store.get());
  savoie.damaged->Damage(storage::Table::kFeed, storage::FeedKey(last));
  savoie.Restart();
  Move(lyon, id, "38");
  Move(lyon, other, "38");
  const std::string history = storage::ChangePrefix({kActor, id});
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_FALSE(link.caller().closing());
  EXPECT_TRUE(Holds(savoie, id));
  EXPECT_FALSE(Holds(savoie, other));
  size_t kept = 0;
  for (const auto& [key, dot] : Rows(*savoie.store, storage::Table::kChanges)) kept += key.starts_with(history) ? 1 : 0;
  EXPECT_EQ(kept, 3u);
  // Read again, as after a repair.
  savoie.damaged.reset();
  savoie.Restart();
  Link(&savoie, &lyon).Run();
  EXPECT_FALSE(Holds(savoie, id));
}

// Isère agrees about the whole region, and holds nothing that Savoie writes about itself.
TEST_F(SyncScope, AnAgreementWithAnotherTerritoryProvesNothing) {
  savoie.Create(NamedActor("savoyarde", "73"));
  Link with_isere(&savoie, &isere);
  with_isere.Run();
  EXPECT_EQ(with_isere.caller().progress().agreements, 1u);
  EXPECT_EQ(savoie.replica->UnwitnessedChanges()->size(), 1u);
  Link(&savoie, &lyon).Run();
  EXPECT_TRUE(savoie.replica->UnwitnessedChanges()->empty());
}

// Ask for a record by name that isn't in scope.
TEST_F(SyncScope, AskingByNameGetsNoMoreEither) {
  const RecordId of_isere = lyon.Create(NamedActor("iséroise", "38"));
  Link link(&savoie, &lyon);
  link.Run();
  v1::SyncFrame question;
  v1::RecordVector* entry = question.mutable_vectors()->add_record();
  entry->set_record(std::string(of_isere.bytes()));
  entry->set_kind(kActor);
  entry->set_reply(true);
  const uint64_t sent = link.answerer().progress().changes_sent;
  ASSERT_TRUE(link.answerer().Receive(question).ok());
  link.Run();
  EXPECT_EQ(link.answerer().progress().changes_sent, sent);
}

}  // namespace
}  // namespace maillage::replication::testing
