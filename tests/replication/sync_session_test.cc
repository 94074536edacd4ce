// Two and more sites in one thread, over every phase of the protocol.
#include "replication/sync_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

class SyncTest : public ::testing::Test {
 protected:
  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};

  void ExpectEqual() {
    EXPECT_EQ(lyon.Digest(), savoie.Digest());
    EXPECT_EQ(lyon.replica->tree().Partitions(), savoie.replica->tree().Partitions());
  }
};

TEST_F(SyncTest, TwoEmptySitesAgreeInOneRoundTrip) {
  Link link(&savoie, &lyon);
  EXPECT_EQ(link.Run(), 2u);
  EXPECT_EQ(link.caller().progress().state, SyncState::kLive);
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_TRUE(link.answerer().up_to_date());
}

TEST_F(SyncTest, AnEmptySiteReceivesEverythingFromTheFeed) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 3000; ++i) {
    ids.push_back(lyon.Create(NamedActor(absl::StrCat("Association ", i), i % 2 ? "73" : "69")));
  }
  Link link(&savoie, &lyon);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(savoie.Actor(ids[17]).name(), "Association 17");
  EXPECT_EQ(link.caller().progress().changes_received, 3000u);
  EXPECT_EQ(link.caller().progress().reconciliation_rounds, 0u);
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_TRUE(link.answerer().up_to_date());
}

TEST_F(SyncTest, UnchangedReconnectIsOneRoundTripAndAboutAHundredBytes) {
  for (int i = 0; i < 500; ++i) lyon.Create(NamedActor(absl::StrCat("A", i)));
  Link(&savoie, &lyon).Run();
  Link again(&savoie, &lyon);
  EXPECT_EQ(again.Run(), 2u);
  EXPECT_LT(again.bytes(), 280u);
  EXPECT_TRUE(again.caller().up_to_date());
}

TEST_F(SyncTest, EditsOnBothSidesOfACutMeetByTheHint) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(lyon.Create(NamedActor(absl::StrCat("A", i))));
  Link(&savoie, &lyon).Run();
  for (int i = 0; i < 50; ++i) {
    v1::Actor edit;
    edit.set_description("lyonnaise");
    lyon.Update(ids[static_cast<size_t>(i)], edit, {"description"});
    edit.set_acronym("SAV");
    savoie.Update(ids[static_cast<size_t>(i + 25)], edit, {"acronym"});
  }
  Link link(&savoie, &lyon);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(link.caller().progress().reconciliation_rounds, 0u);
  EXPECT_EQ(lyon.Actor(ids[30]).acronym(), "SAV");
  EXPECT_EQ(savoie.Actor(ids[30]).description(), "lyonnaise");
}

TEST_F(SyncTest, WithoutAHintTheTrieFindsTheDifference) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 2000; ++i) ids.push_back(lyon.Create(NamedActor(absl::StrCat("A", i))));
  savoie.Create(NamedActor("savoyarde"));
  Link(&savoie, &lyon).Run();
  v1::Actor edit;
  edit.set_description("une seule différence");
  savoie.Update(ids[1234], edit, {"description"});
  ASSERT_TRUE(lyon.store->Commit([&] {
    storage::CommitBatch batch;
    batch.Delete(storage::Table::kMeta, storage::CursorKey(savoie.id));
    return batch;
  }()).ok());
  lyon.Restart();
  Link link(&savoie, &lyon, /*known=*/false);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(link.caller().progress().reconciliation_rounds, 1u);
  EXPECT_EQ(link.caller().progress().changes_sent, 1u);
  EXPECT_EQ(link.answerer().progress().changes_sent, 0u);
  EXPECT_LT(link.bytes(), 2000u);
}

TEST_F(SyncTest, ConcurrentValuesAreBothKeptOnBothSites) {
  const RecordId id = lyon.Create(NamedActor("Pays de Savoie Solidaires"));
  Link(&savoie, &lyon).Run();
  v1::Actor edit;
  edit.set_description("vue de Lyon");
  lyon.Update(id, edit, {"description"}, "Claire");
  clock.millis += 1000;
  edit.set_description("vue de Chambéry");
  savoie.Update(id, edit, {"description"}, "Awa");
  Link(&savoie, &lyon).Run();
  ExpectEqual();
  for (const TestSite* site : {&lyon, &savoie}) {
    const RecordState state = site->State(kActor, id);
    const Cell* cell = state.Find(v1::Actor::kDescriptionFieldNumber);
    ASSERT_NE(cell, nullptr);
    EXPECT_EQ(Winner(cell->versions).value, "vue de Chambéry");
    ASSERT_EQ(OtherVersions(*cell).size(), 1u);
    EXPECT_EQ(OtherVersions(*cell)[0]->person, "Claire");
    EXPECT_EQ(site->replica->progress().conflicts, 1u);
  }
}

TEST_F(SyncTest, LiveEditsFlowBothWaysAndRootsAreComparedAfterwards) {
  Link link(&savoie, &lyon);
  link.Run();
  const RecordId from_lyon = lyon.Create(NamedActor("vu de Lyon"));
  link.Run();
  EXPECT_EQ(savoie.Actor(from_lyon).name(), "vu de Lyon");
  EXPECT_TRUE(link.caller().up_to_date());
  const RecordId from_savoie = savoie.Create(NamedActor("vu de Savoie"));
  link.Run();
  EXPECT_EQ(lyon.Actor(from_savoie).name(), "vu de Savoie");
  // Roots were compared less than a second ago: the next comparison waits for the burst to pass.
  EXPECT_FALSE(link.caller().up_to_date());
  clock.millis += kCheckIntervalMillis;
  link.Run();
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_TRUE(link.answerer().up_to_date());
  // Nobody was sent their own change back.
  EXPECT_EQ(link.caller().progress().changes_sent, 1u);
  EXPECT_EQ(link.answerer().progress().changes_sent, 1u);
}

TEST_F(SyncTest, ReceiptsMoveOnlyWhenThePeerHasStored) {
  Link link(&savoie, &lyon);
  link.Run();
  lyon.Create(NamedActor("A"));
  v1::SyncFrame frame;
  ASSERT_TRUE(*link.answerer().Next(&frame));
  EXPECT_EQ(link.answerer().progress().sent_position, lyon.replica->progress().feed_head);
  EXPECT_LT(link.answerer().progress().stored_position, lyon.replica->progress().feed_head);
  ASSERT_TRUE(link.caller().Receive(frame).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  link.Run();
  EXPECT_EQ(link.answerer().progress().stored_position, lyon.replica->progress().feed_head);
  EXPECT_EQ(link.answerer().progress().applied_position, lyon.replica->progress().feed_head);
}

// A frame that never came: what builds on it is stored nowhere, and neither it nor what follows it
// in the feed may be acknowledged or remembered as had before digests are equal.
TEST_F(SyncTest, WhatWaitsForItsCausesIsNotAcknowledged) {
  Link link(&savoie, &lyon);
  link.Run();
  const uint64_t head = lyon.replica->progress().feed_head;
  v1::SyncFrame lost;
  const RecordId id = lyon.Create(NamedActor("A"));
  ASSERT_TRUE(*link.answerer().Next(&lost));
  ASSERT_EQ(lost.changes().change_size(), 1);
  lyon.Update(id, NamedActor("A bis"), {"name"});
  for (const bool has_its_causes : {false, true}) {
    if (has_its_causes) lyon.Create(NamedActor("B"));
    v1::SyncFrame frame;
    ASSERT_TRUE(*link.answerer().Next(&frame));
    ASSERT_TRUE(link.caller().Receive(frame).ok());
    ASSERT_TRUE(savoie.replica->Commit().ok());
    const auto cursor = savoie.replica->Cursor(lyon.id);
    EXPECT_TRUE(!cursor->has_value() || (*cursor)->position <= head);
  }
  v1::SyncFrame answer;
  ASSERT_TRUE(*link.caller().Next(&answer));
  EXPECT_TRUE(answer.has_vectors())
      << "it asks for what misses, and says nothing of receipts: " << answer.ShortDebugString();
  ASSERT_TRUE(link.answerer().Receive(answer).ok());
  EXPECT_EQ(link.answerer().progress().stored_position, head);
  // The first comparison meets what is still under way.
  for (int second = 0; second < 2; ++second) {
    clock.millis += kCheckIntervalMillis;
    link.Run();
  }
  ExpectEqual();
  EXPECT_EQ(link.answerer().progress().stored_position, lyon.replica->progress().feed_head);
  EXPECT_EQ(savoie.Actor(id).name(), "A bis");
}

// The session is cut before each of its frames in turn, then a new one has to repair everything.
TEST_F(SyncTest, CutAtEveryFrameThenConverges) {
  for (size_t cut = 0;; ++cut) {
    SteppedClock own_clock;
    TestSite a("a", cut * 2 + 10, &own_clock);
    TestSite b("b", cut * 2 + 11, &own_clock);
    std::vector<RecordId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(a.Create(NamedActor(absl::StrCat("A", i))));
    Link(&b, &a).Run();
    v1::Actor edit;
    for (size_t i = 0; i < 10; ++i) {
      edit.set_description("de a");
      a.Update(ids[i], edit, {"description"});
      edit.set_description("de b");
      b.Update(ids[i + 5], edit, {"description"});
      b.Create(NamedActor(absl::StrCat("nouveau ", i)));
    }
    a.Delete(kActor, ids[7]);
    Link cut_link(&b, &a, /*known=*/cut % 2 == 0);
    const size_t carried = cut_link.RunUntilCut(cut);
    a.Restart();
    b.Restart();
    Link healed(&b, &a);
    healed.Run();
    ASSERT_EQ(a.Digest(), b.Digest()) << "cut before frame " << cut;
    ASSERT_TRUE(healed.caller().up_to_date()) << "cut before frame " << cut;
    if (carried < cut) break;
  }
}

TEST_F(SyncTest, WholeStatesTravelWhereHistoryIsGone) {
  const RecordId id = lyon.Create(NamedActor("compacté"));
  v1::Actor edit;
  edit.set_description("deuxième");
  lyon.Update(id, edit, {"description"});
  storage::CommitBatch compaction;
  compaction.Delete(storage::Table::kChanges, storage::ChangeKey({kActor, id}, 1));
  ASSERT_TRUE(lyon.store->Commit(compaction).ok());
  // Savoie has data of its own kind from elsewhere, so that the feed isn't simply replayed.
  TestSite isere("isere", 99, &clock);
  isere.Create(NamedActor("iséroise", "38"));
  Link(&savoie, &isere).Run();
  Link link(&savoie, &lyon);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(link.caller().progress().states_received, 1u);
  EXPECT_EQ(savoie.Actor(id).description(), "deuxième");
  // The state is passed on in turn.
  Link onwards(&isere, &savoie);
  onwards.Run();
  EXPECT_EQ(isere.Actor(id).description(), "deuxième");
  EXPECT_EQ(isere.Digest(), savoie.Digest());
}

TEST_F(SyncTest, AWrongHintCostsTimeAndNeverCorrectness) {
  for (int i = 0; i < 30; ++i) lyon.Create(NamedActor(absl::StrCat("A", i)));
  // Savoie believes it has all of Lyon's feed, and has nothing.
  storage::CommitBatch lie;
  lie.Put(storage::Table::kMeta, storage::CursorKey(lyon.id),
          EncodeCursor({lyon.replica->identity().incarnation, 30}));
  ASSERT_TRUE(savoie.store->Commit(lie).ok());
  TestSite isere("isere", 99, &clock);
  isere.Create(NamedActor("iséroise", "38"));
  Link(&savoie, &isere).Run();
  Link link(&savoie, &lyon);
  link.Run();
  ExpectEqual();
  EXPECT_GE(link.caller().progress().reconciliation_rounds, 1u);
}

TEST_F(SyncTest, AMalformedFrameClosesTheSessionWithItsReason) {
  Link link(&savoie, &lyon);
  link.Run();
  v1::SyncFrame bad;
  bad.mutable_states()->add_state()->set_record("short");
  ASSERT_TRUE(link.caller().Receive(bad).ok());
  link.Run();
  EXPECT_TRUE(link.caller().closed());
  EXPECT_TRUE(link.answerer().closed());
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::MALFORMED);
  EXPECT_TRUE(link.answerer().progress().closed_by_peer);
}

TEST_F(SyncTest, AMalformedChangeIsQuarantinedAndTheRestFlows) {
  Link link(&savoie, &lyon);
  link.Run();
  const RecordId id = lyon.Create(NamedActor("bonne"));
  v1::SyncFrame frame;
  ASSERT_TRUE(*link.answerer().Next(&frame));
  *frame.mutable_changes()->add_change() = "no change at all";
  ASSERT_TRUE(link.caller().Receive(frame).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  EXPECT_EQ(savoie.Actor(id).name(), "bonne");
  EXPECT_EQ(savoie.replica->progress().quarantined, 1u);
  ASSERT_TRUE(link.caller().Receive(frame).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  EXPECT_EQ(savoie.replica->progress().quarantined, 1u);
}

// A state whose numbers add up to nothing would be taken for one of which nothing is missing.
TEST_F(SyncTest, AStateWithTheGreatestNumbersTravelsLikeAnyOther) {
  const RecordKey record{kActor, lyon.replica->NewRecordId()};
  const Actor vast{savoie.id, 1, 1};
  const Actor small{savoie.id, 2, 1};
  const RecordState state = RecordState::FromParts({{vast, UINT64_MAX}, {small, 1}}, {});
  ASSERT_TRUE(*lyon.replica->Merge(record, EncodeState(state), savoie.id));
  ASSERT_TRUE(lyon.replica->Commit().ok());
  Link link(&savoie, &lyon);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(savoie.State(kActor, record.id), state);
}

// Frames name partitions in fields of type string: one that isn't UTF-8 could be sent to nobody.
TEST_F(SyncTest, ATerritoryThatIsNoTextBarsNothing) {
  const RecordId id = lyon.Create(NamedActor("Amis du Mali"));
  for (const std::string& code : {std::string("\xff"), std::string(60'000, 'x')}) {
    Operation strange{12, v1::SET, code, "", true};
    const VersionVector seen = lyon.State(kActor, id).vector();
    ASSERT_TRUE(lyon.replica->Write({{kActor, id}, seen, {strange}, "Awa", ""}).ok());
  }
  ASSERT_TRUE(lyon.replica->Commit().ok());
  savoie.Create(NamedActor("RESACOOP", "69"));
  // Each holds something that the other wrote: neither asks for a feed from its start, and roots are told.
  ASSERT_TRUE(lyon.replica->Apply(savoie.Feed()[0], savoie.id).ok());
  ASSERT_TRUE(savoie.replica->Apply(lyon.Feed()[0], lyon.id).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok() && savoie.replica->Commit().ok());
  Link link(&lyon, &savoie, /*known=*/false);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(link.caller().progress().reconciliation_rounds, 1u);
  EXPECT_EQ(savoie.State(kActor, id).Territories(), std::vector<std::string>{"73"});
  EXPECT_EQ(savoie.Actor(id).departments_size(), 1) << "what is no text is not shown";
}

TEST_F(SyncTest, AGreetingOfNobodyIsNone) {
  SyncSession session(lyon.replica.get(), {false, "lyon", {}});
  v1::SyncFrame hello;
  hello.mutable_hello()->set_protocol(kProtocolVersion);
  hello.mutable_hello()->set_site(std::string(SiteId::kSize, '\0'));
  ASSERT_TRUE(session.Receive(hello).ok());
  EXPECT_TRUE(session.closing());
  EXPECT_FALSE(session.fault().empty());
}

TEST_F(SyncTest, WhatAPeerSaysOfItselfIsCut) {
  SyncSession session(lyon.replica.get(), {false, "lyon", {}});
  v1::SyncFrame frame;
  frame.mutable_hello()->set_protocol(kProtocolVersion);
  frame.mutable_hello()->set_site(std::string(savoie.id.bytes()));
  std::string name;
  while (name.size() < 2 * kMaxPeerTextBytes) name += "é";
  frame.mutable_hello()->set_name("x" + name);
  ASSERT_TRUE(session.Receive(frame).ok());
  EXPECT_EQ(session.progress().peer_name.size(), kMaxPeerTextBytes - 1) << "between two characters";
  frame.mutable_goodbye()->set_message(name);
  ASSERT_TRUE(session.Receive(frame).ok());
  EXPECT_EQ(session.progress().goodbye_message.size(), kMaxPeerTextBytes);
}

TEST_F(SyncTest, ASiteDoesNotTalkToItself) {
  Link link(&lyon, &lyon);
  link.Run();
  EXPECT_TRUE(link.caller().closed());
  EXPECT_EQ(link.caller().progress().goodbye, v1::Goodbye::SELF);
}

TEST_F(SyncTest, ARecordInSeveralDepartmentsIsSentOnce) {
  TestSite isere("isere", 99, &clock);
  isere.Create(NamedActor("iséroise", "38"));
  Link(&savoie, &isere).Run();
  v1::Actor regional = NamedActor("régionale", "69");
  for (const char* department : {"01", "07", "26", "38", "42", "73", "74"}) {
    regional.add_departments(department);
  }
  lyon.Create(regional);
  Link link(&savoie, &lyon, /*known=*/false);
  link.Run();
  ExpectEqual();
  EXPECT_EQ(link.answerer().progress().changes_sent, 1u);
}

// Found by the simulation. The last entries of the feed came from the peer itself: no frame tells their position, and
// no receipt answers.
TEST_F(SyncTest, WhatThePeerSentNeedsNoReceipt) {
  Link link(&savoie, &lyon);
  link.Run();
  lyon.Create(NamedActor("A"));
  link.Run();
  clock.millis += kCheckIntervalMillis;
  link.Run();
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_EQ(link.caller().progress().applied_position, savoie.replica->progress().feed_head);
}

// Found by the simulation. The one who was called sends what the caller already has: the caller sees nothing new, so
// the other has to ask.
TEST_F(SyncTest, WhoSentWhatWasKnownIsUpToDateInTheEnd) {
  TestSite isere("isere", 99, &clock);
  Link link(&savoie, &lyon);
  link.Run();
  isere.Create(NamedActor("A"));
  const std::string change = isere.Feed().back();
  // Savoie takes it for Lyon's and doesn't pass it on.
  ASSERT_TRUE(savoie.replica->Apply(change, lyon.id).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  ASSERT_TRUE(lyon.replica->Apply(change, isere.id).ok());
  ASSERT_TRUE(lyon.replica->Commit().ok());
  link.Run();
  EXPECT_FALSE(link.answerer().up_to_date());
  for (int second = 0; second < 3; ++second) {
    clock.millis += kCheckIntervalMillis;
    link.Run();
  }
  EXPECT_TRUE(link.answerer().up_to_date());
  EXPECT_TRUE(link.caller().up_to_date());
}

// To either something came before its causes, so neither acknowledges what the other sends.
TEST_F(SyncTest, TwoEndsWithGapsLookForThemselves) {
  Link link(&savoie, &lyon);
  link.Run();
  TestSite third("loire", 99, &clock);
  for (SyncSession* end : {&link.caller(), &link.answerer()}) {
    const RecordId id = third.Create(NamedActor("de passage"));
    third.Update(id, NamedActor("nouveau nom"), {"name"});
    v1::SyncFrame frame;
    frame.mutable_changes()->add_change(third.Feed().back());
    frame.mutable_changes()->set_feed_position(1);
    ASSERT_TRUE(end->Receive(frame).ok());
    ASSERT_TRUE(end->has_gap());
  }
  lyon.Create(NamedActor("écrite à Lyon"));
  savoie.Create(NamedActor("écrite en Savoie"));
  for (int i = 0; i < 5; ++i) {
    link.Run();
    clock.millis += 2 * kCheckIntervalMillis;
  }
  ExpectEqual();
  EXPECT_TRUE(link.caller().up_to_date());
  EXPECT_TRUE(link.answerer().up_to_date());
}

TEST_F(SyncTest, APeerThatReadsNothingGetsEachVectorOnce) {
  const RecordId id = lyon.Create(NamedActor("Association"));
  Link link(&savoie, &lyon);
  link.Run();
  SyncSession& session = link.answerer();
  // It claims to hold more, and sends what is here: the record is asked for again each time.
  v1::SyncFrame claim;
  v1::RecordVector* entry = claim.mutable_vectors()->add_record();
  entry->set_record(std::string(id.bytes()));
  entry->set_kind(kActor);
  VersionVector more = lyon.State(kActor, id).vector();
  more.Add({{savoie.id, 1, 1}, 1});
  ToProto(more, entry->mutable_vector());
  v1::SyncFrame known;
  known.mutable_changes()->add_change(lyon.Feed()[0]);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(session.Receive(claim).ok());
    ASSERT_TRUE(session.Receive(known).ok());
  }
  ASSERT_TRUE(lyon.replica->Commit().ok());
  int vectors = 0;
  v1::SyncFrame frame;
  while (session.Next(&frame).value()) vectors += frame.vectors().record_size();
  EXPECT_EQ(vectors, 1);
}

// Found by the simulation, with two machines under Savoie's name: the live tail takes what came from the one for known
// to the other, so that only roots tell; and the same record of several départements differs in two rounds.
TEST_F(SyncTest, ARecordInSeveralDepartmentsIsSentInEachRound) {
  TestSite isere("isere", 99, &clock);
  Link link(&savoie, &lyon);
  link.Run();
  v1::Actor regional = NamedActor("régionale", "");
  RecordId id;
  for (const auto& [one, other] : {std::pair("38", "42"), std::pair("01", "07")}) {
    regional.clear_departments();
    regional.add_departments(one);
    regional.add_departments(other);
    if (id == RecordId()) {
      id = isere.Create(regional);
    } else {
      isere.Update(id, regional, {"departments"});
    }
    for (const std::string& change : isere.Feed()) ASSERT_TRUE(lyon.replica->Apply(change, savoie.id).ok());
    ASSERT_TRUE(lyon.replica->Commit().ok());
    link.Run();
    EXPECT_NE(savoie.Digest(), lyon.Digest());
    clock.millis += kIdleCheckMillis;
    link.Run();
    ExpectEqual();
  }
}

}  // namespace
}  // namespace maillage::replication::testing
