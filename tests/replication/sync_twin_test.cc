// Restored backups and cloned data folders, without a lease: found at the first greeting, and no edit of either lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kName = 901;
constexpr uint32_t kNote = 902;
constexpr uint32_t kTags = 903;
constexpr uint32_t kVisits = 904;

class Twins : public ::testing::Test {
 protected:
  Twins() { clock.millis += 1000; }

  static RecordKey RecordOf(uint64_t number) { return {kKind, IdOf(number)}; }

  void Write(TestSite& site, const RecordKey& record, std::vector<Operation> operations) {
    clock.millis += 1000;
    const VersionVector context = site.State(record.kind, record.id).vector();
    ASSERT_TRUE(site.replica->Write({record, context, std::move(operations), "Awa", ""}).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  static Operation Count(int by) { return Put(kVisits, std::to_string(by), v1::COUNTER); }
  static RecordState Read(const TestSite& site) { return site.State(kKind, IdOf(1)); }
  static std::vector<std::string> Names(const TestSite& site) {
    std::vector<std::string> names;
    const RecordState state = Read(site);
    const Cell* cell = state.Find(kName);
    if (cell == nullptr) return names;
    for (const Version& version : cell->versions) names.push_back(version.value);
    std::sort(names.begin(), names.end());
    return names;
  }
  // Everyone meets everyone until nothing moves.
  static void MeetAll(const std::vector<TestSite*>& sites) {
    for (int round = 0; round < 3; ++round) {
      for (TestSite* a : sites) {
        for (TestSite* b : sites) {
          if (a != b && a->id != b->id) Link(a, b).Run();
        }
      }
    }
    for (const TestSite* site : sites) EXPECT_EQ(site->Digest(), sites[0]->Digest()) << site->name;
  }

  SteppedClock clock;
  TestSite savoie{"savoie", 1, &clock};
  TestSite lyon{"lyon", 2, &clock};
  TestSite isere{"isere", 3, &clock};
};

using Strings = std::vector<std::string>;

TEST_F(Twins, AnOldBackupIsFoundAtTheFirstGreetingAndGetsItsFutureBack) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto backup = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "lost")});
  Link(&savoie, &lyon).Run();
  const uint64_t incarnation = backup->replica->identity().incarnation;
  Link(backup.get(), &lyon).Run();
  EXPECT_NE(backup->replica->identity().incarnation, incarnation);
  EXPECT_EQ(backup->replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsMore);
  EXPECT_EQ(backup->replica->continuity_note().renamed, 0u);
  EXPECT_EQ(Names(*backup), Strings{"lost"});
  EXPECT_EQ(backup->Digest(), lyon.Digest());
}

TEST_F(Twins, WhatTheBackupWroteBeforeItMetAnyoneStandsBesideWhatItHadForgotten) {
  Write(savoie, RecordOf(1), {Put(kName, "old"), Count(5)});
  Link(&savoie, &lyon).Run();
  const auto backup = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "lost"), Count(2)});
  Link(&savoie, &lyon).Run();
  Write(*backup, RecordOf(1), {Put(kName, "new"), Count(3)});
  Write(*backup, RecordOf(1), {Count(4)});
  Link(&lyon, backup.get()).Run();
  EXPECT_EQ(backup->replica->continuity_note().renamed, 2u);
  EXPECT_EQ(Names(*backup), (Strings{"lost", "new"}));
  EXPECT_EQ(Names(lyon), (Strings{"lost", "new"}));
  EXPECT_EQ(CounterSum(*Read(lyon).Find(kVisits)), 5 + 2 + 3 + 4);
  EXPECT_EQ(backup->Digest(), lyon.Digest());
}

TEST_F(Twins, TheCallerThatDoesNotKnowWhomItCallsIsToldAfterTheGreeting) {
  for (const bool restored_calls : {true, false}) {
    TestSite office("office", restored_calls ? 50 : 51, &clock);
    Write(office, RecordOf(1), {Put(kName, "old")});
    Link(&office, &lyon).Run();
    const auto backup = office.Clone(9);
    Write(office, RecordOf(1), {Put(kName, "lost")});
    Link(&office, &lyon).Run();
    Write(*backup, RecordOf(1), {Put(kName, "new")});
    Link link(restored_calls ? backup.get() : &lyon, restored_calls ? &lyon : backup.get(), /*known=*/false);
    link.Run();
    EXPECT_EQ(backup->replica->identity().renewals, 1u);
    EXPECT_EQ(Names(lyon), Names(*backup));
    EXPECT_EQ(backup->Digest(), lyon.Digest());
    EXPECT_EQ(link.caller().progress().state, SyncState::kLive);
  }
}

TEST_F(Twins, ACloneThatBothEditTheSameRecordLosesNothing) {
  Write(savoie, RecordOf(1), {Put(kName, "old"), Put(kNote, "old"), AddElement(kTags, "a"), Count(1)});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left"), AddElement(kTags, "b"), Count(10)});
  Write(*twin, RecordOf(1), {Put(kName, "right"), Put(kNote, "new"), AddElement(kTags, "c"), Count(100)});
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &lyon).Run();
  EXPECT_EQ(twin->replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsOther);
  EXPECT_EQ(savoie.replica->identity().renewals, 0u);
  MeetAll({&savoie, twin.get(), &lyon, &isere});
  for (TestSite* site : {&savoie, twin.get(), &isere}) {
    EXPECT_EQ(Names(*site), (Strings{"left", "right"}));
    EXPECT_EQ(ValueOf(Read(*site), kNote), "new");
    EXPECT_EQ(KeysOf(Read(*site), kTags), (Strings{"a", "b", "c"}));
    EXPECT_EQ(CounterSum(*Read(*site).Find(kVisits)), 111);
  }
}

TEST_F(Twins, ARemovalByTwoPeopleIsTwoChanges) {
  Write(savoie, RecordOf(1), {AddElement(kTags, "a")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  for (const auto& [site, person] : {std::pair(&savoie, "Awa"), std::pair(twin.get(), "Bea")}) {
    const VersionVector context = Read(*site).vector();
    ASSERT_TRUE(site->replica->Write({RecordOf(1), context, {RemoveSeen(kTags, v1::SET, "a")}, person, ""}).ok());
    ASSERT_TRUE(site->replica->Commit().ok());
  }
  Link(&savoie, &lyon).Run();
  // A removal leaves nothing but its dot: the states are equal to the byte.
  ASSERT_EQ(twin->Digest(), lyon.Digest());
  for (const bool known : {true, false}) Link(twin.get(), &lyon, known).Run();
  EXPECT_EQ(twin->replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsOther);
  EXPECT_EQ(twin->Digest(), lyon.Digest());
  std::vector<std::string> people;
  for (const std::string& bytes : lyon.Feed()) people.push_back(DecodeChange(bytes)->person);
  EXPECT_EQ(people, (Strings{"Awa", "Awa", "Bea"}));
}

TEST_F(Twins, ADeleteByOneTwinDoesNotHideTheOthersEdit) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  savoie.Delete(kKind, IdOf(1));
  clock.millis += 10;
  Write(*twin, RecordOf(1), {Put(kName, "kept")});
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Read(lyon).life(), Life::kDeleted);
  Link(twin.get(), &lyon).Run();
  EXPECT_EQ(Read(lyon).life(), Life::kContested);
  EXPECT_EQ(ValueOf(Read(lyon), kName), "kept");
  EXPECT_EQ(Read(*twin).life(), Life::kContested);
}

TEST_F(Twins, ADeleteThatIsRenamedStillCoversItsOwnPast) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(2), {Put(kName, "elsewhere")});
  Link(&savoie, &lyon).Run();
  Write(*twin, RecordOf(1), {Put(kName, "typo")});
  twin->Delete(kKind, IdOf(1));
  Link(twin.get(), &lyon).Run();
  EXPECT_EQ(twin->replica->continuity_note().renamed, 2u);
  EXPECT_EQ(Read(*twin).life(), Life::kDeleted);
  EXPECT_EQ(Read(lyon).life(), Life::kDeleted);
}

TEST_F(Twins, MetByAPeerThatIsLiveWithTheTwin) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Link left(&savoie, &lyon);
  Link right(twin.get(), &lyon);
  left.Run();
  right.Run();
  Write(savoie, RecordOf(1), {Put(kName, "left"), Count(1)});
  Write(*twin, RecordOf(1), {Put(kName, "right"), Count(2)});
  for (int turn = 0; turn < 20; ++turn) {
    clock.millis += 2000;
    left.Run();
    right.Run();
  }
  EXPECT_EQ(savoie.replica->identity().renewals + twin->replica->identity().renewals, 1u);
  EXPECT_EQ(Names(lyon), (Strings{"left", "right"}));
  EXPECT_EQ(savoie.Digest(), lyon.Digest());
  EXPECT_EQ(twin->Digest(), lyon.Digest());
  EXPECT_EQ(CounterSum(*Read(lyon).Find(kVisits)), 3);
}

TEST_F(Twins, WhoMeetBothTakeNewNamesForWhatTheyWroteSinceAndKeepTheirCommonPast) {
  Write(savoie, RecordOf(1), {Put(kName, "common"), Count(1)});
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left"), Count(10)});
  Write(*twin, RecordOf(1), {Put(kName, "right"), Count(100)});
  Link link(&savoie, twin.get());
  link.Run();
  EXPECT_EQ(link.caller().progress().goodbye, v1::Goodbye::TWIN);
  EXPECT_EQ(link.answerer().progress().goodbye, v1::Goodbye::TWIN);
  EXPECT_EQ(savoie.replica->continuity_note().renamed, 1u);
  EXPECT_EQ(twin->replica->continuity_note().renamed, 1u);
  EXPECT_NE(savoie.replica->identity().incarnation, twin->replica->identity().incarnation);
  // Again: they know each other apart, and nothing more is given up.
  Link(&savoie, twin.get()).Run();
  EXPECT_EQ(savoie.replica->identity().renewals, 1u);
  MeetAll({&savoie, twin.get(), &lyon});
  EXPECT_EQ(Names(lyon), (Strings{"left", "right"}));
  EXPECT_EQ(CounterSum(*Read(lyon).Find(kVisits)), 111);
}

TEST_F(Twins, AnEtagFromBeforeDoesNotCoverWhatTheTwinWrote) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left")});
  Write(*twin, RecordOf(1), {Put(kName, "right")});
  const VersionVector read_before = Read(*twin).vector();
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &lyon).Run();
  const auto stale = twin->replica->Write({RecordOf(1), read_before, {Put(kName, "stale")}, "Awa", ""});
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kFailedPrecondition);
  twin->Restart();
  EXPECT_FALSE(twin->replica->Write({RecordOf(1), read_before, {Put(kName, "stale")}, "Awa", ""}).ok());
  Write(*twin, RecordOf(1), {Put(kName, "settled")});
  EXPECT_EQ(Names(*twin), Strings{"settled"});
}

TEST_F(Twins, ARecordThatWasRenamedTwiceIsWrittenAgainByWhoHasReadIt) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left")});
  Write(*twin, RecordOf(1), {Put(kName, "right")});
  std::vector<VersionVector> stale;
  for (int time = 0; time < 2; ++time) {
    stale.push_back(Read(*twin).vector());
    ASSERT_TRUE(twin->replica->Renounce(ContinuityDoubt::kPeerKnowsOther, {}, true).ok());
  }
  // The twin's change comes under the first of the three names.
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &lyon).Run();
  EXPECT_EQ(Names(*twin), (Strings{"left", "right"}));
  for (const bool restart : {false, true}) {
    if (restart) twin->Restart();
    for (const VersionVector& etag : stale) {
      EXPECT_FALSE(twin->replica->Write({RecordOf(1), etag, {Put(kName, "stale")}, "Awa", ""}).ok());
    }
    Write(*twin, RecordOf(1), {Put(kName, "settled")});
    EXPECT_EQ(Names(*twin), Strings{"settled"});
  }
}

TEST_F(Twins, ARetriedRequestFindsItsChangeUnderTheNewName) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left")});
  Link(&savoie, &lyon).Run();
  const VersionVector context = Read(*twin).vector();
  ASSERT_TRUE(twin->replica->Write({RecordOf(1), context, {Put(kName, "right")}, "Awa", "request"}).ok());
  ASSERT_TRUE(twin->replica->Commit().ok());
  Link(twin.get(), &lyon).Run();
  const auto outcome = twin->replica->FindRequest("request");
  EXPECT_EQ((*outcome)->dot.actor.incarnation, twin->replica->identity().incarnation);
  EXPECT_TRUE(Read(*twin).vector().Covers((*outcome)->dot));
}

TEST_F(Twins, ARecordWhoseHistoryDoesNotReachBackIsRenamedAsAWhole) {
  Write(lyon, RecordOf(1), {Put(kName, "old"), Count(1)});
  ASSERT_TRUE(*savoie.replica->Merge(RecordOf(1), EncodeState(Read(lyon)), lyon.id));
  ASSERT_TRUE(savoie.replica->Commit().ok());
  Link(&savoie, &lyon).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left"), Count(10)});
  Write(*twin, RecordOf(1), {Put(kName, "right"), Count(100)});
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &lyon).Run();
  MeetAll({&savoie, twin.get(), &lyon, &isere});
  EXPECT_EQ(Names(isere), (Strings{"left", "right"}));
  EXPECT_EQ(CounterSum(*Read(isere).Find(kVisits)), 111);
}

TEST_F(Twins, WhatBothGaveAwayToDifferentPeersIsReportedAndNotSilent) {
  Write(savoie, RecordOf(1), {Put(kName, "old")});
  MeetAll({&savoie, &lyon, &isere});
  const auto twin = savoie.Clone(9);
  Write(savoie, RecordOf(1), {Put(kName, "left")});
  Write(*twin, RecordOf(1), {Put(kName, "right")});
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &isere).Run();
  Link link(&lyon, &isere);
  for (int turn = 0; turn < 20; ++turn) {
    clock.millis += 2000;
    link.Run();
  }
  const SyncProgress& progress = link.caller().progress();
  EXPECT_EQ(progress.goodbye, v1::Goodbye::NOT_CONVERGING);
  EXPECT_NE(progress.goodbye_message.find(FormatUuid(IdOf(1))), std::string::npos) << progress.goodbye_message;
  EXPECT_NE(progress.goodbye_message.find(FormatSiteId(savoie.id)), std::string::npos);
  Link(twin.get(), &lyon).Run();
  EXPECT_EQ(twin->replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsOther);
}

}  // namespace
}  // namespace maillage::replication::testing
