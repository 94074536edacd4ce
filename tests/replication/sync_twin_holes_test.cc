// Shapes that the clone model found (tests/model): twins that no greeting tells apart, since the
// highest number of each incarnation is all that is told. They are found by what a comparison
// leaves: equal vectors over different contents.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {
namespace {

using Strings = std::vector<std::string>;

constexpr uint32_t kName = 901;
constexpr uint32_t kNote = 902;
// Of one end: some rounds in vain, the question, and what it moves.
constexpr uint64_t kMostFrames = 60;

// Whether the copy calls its peer, or is called.
class TwinHoles : public ::testing::TestWithParam<bool> {
 protected:
  TwinHoles() { clock.millis += 1000; }

  static RecordKey RecordOf(uint64_t number) { return {kKind, IdOf(number)}; }

  void Write(TestSite& site, uint64_t record, const std::string& value, uint32_t field = kName) {
    clock.millis += 1000;
    const VersionVector context = site.State(kKind, IdOf(record)).vector();
    ASSERT_TRUE(
        site.replica->Write({RecordOf(record), context, {Put(field, value)}, "Awa", ""}).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  static std::string Name(const TestSite& site, uint64_t record) {
    return ValueOf(site.State(kKind, IdOf(record)), kName);
  }
  static Strings Names(const TestSite& site, uint64_t record) {
    Strings names;
    const RecordState state = site.State(kKind, IdOf(record));
    const Cell* cell = state.Find(kName);
    if (cell == nullptr) return names;
    for (const Version& version : cell->versions) names.push_back(version.value);
    std::sort(names.begin(), names.end());
    return names;
  }
  // One session, to its end; they agree, and it stays open.
  void Meet(TestSite& caller, TestSite& answerer) {
    Link link(&caller, &answerer);
    for (int turn = 0; turn < 20; ++turn) {
      clock.millis += 2000;
      link.Run();
    }
    EXPECT_EQ(link.caller().progress().state, SyncState::kLive)
        << link.caller().progress().goodbye_message;
    EXPECT_LE(link.caller().progress().frames_sent, kMostFrames);
    EXPECT_EQ(caller.Digest(), answerer.Digest());
  }
  // The copy is found out in one session, whoever of the two calls.
  void MeetAndBeFound(TestSite& copy, TestSite& peer, bool calls, uint64_t renamed) {
    const uint64_t renewals = copy.replica->identity().renewals;
    const uint64_t peers_renewals = peer.replica->identity().renewals;
    calls ? Meet(copy, peer) : Meet(peer, copy);
    EXPECT_EQ(copy.replica->identity().renewals, renewals + 1);
    EXPECT_EQ(copy.replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsOther);
    EXPECT_EQ(copy.replica->continuity_note().renamed, renamed);
    EXPECT_EQ(peer.replica->identity().renewals, peers_renewals);
    // Once: at the next session there is nothing left to find.
    Meet(copy, peer);
    EXPECT_EQ(copy.replica->identity().renewals, renewals + 1);
  }

  SteppedClock clock;
  TestSite savoie{"savoie", 1, &clock};
  TestSite lyon{"lyon", 2, &clock};
  TestSite isere{"isere", 3, &clock};
  TestSite loire{"loire", 4, &clock};
};

// A comparison sends by record. Cut in the middle, the peer holds a later number of one copy
// without an earlier one, whose dot it then takes from the other copy's change: its highest number
// vouches for more than it holds.
TEST_P(TwinHoles, AComparisonThatIsCutLeavesANumberOutAndAnotherPeerFillsIn) {
  Write(loire, 7, "unrelated");
  for (TestSite* site : {&savoie, &lyon, &isere}) Link(&loire, site).Run();
  const auto twin = savoie.Clone(9);
  // One frame each; the comparison comes upon record 2 first.
  const std::string large(kMaxValueBytes, 'x');
  Write(savoie, 1, large);
  Write(savoie, 2, large);
  Write(*twin, 1, "the twin's");
  for (size_t frames = 1; lyon.State(kKind, IdOf(2)).vector().empty(); ++frames) {
    ASSERT_LT(frames, 30u);
    Link(&savoie, &lyon).RunUntilCut(frames);
  }
  ASSERT_TRUE(lyon.State(kKind, IdOf(1)).vector().empty());
  Link(twin.get(), &isere).Run();
  Link(&isere, &lyon).Run();
  ASSERT_EQ(Name(lyon, 1), "the twin's");
  MeetAndBeFound(savoie, lyon, GetParam(), 1);
  EXPECT_EQ(Names(lyon, 1), (Strings{"the twin's", large}));
  EXPECT_EQ(Names(lyon, 2), Strings{large});
  Meet(savoie, isere);
  Meet(*twin, isere);
  EXPECT_EQ(Names(*twin, 1), (Strings{"the twin's", large}));
  EXPECT_EQ(twin->replica->continuity_note().renamed, 0u);
}

// Different changes under one number, given to different peers, are no clash while their records
// differ. Who then holds both tells the one that came first, and a clash further on has no number
// by which it would show.
TEST_P(TwinHoles, AClashBeyondANumberThatBothUsedForDifferentRecords) {
  Write(loire, 7, "unrelated");
  Write(savoie, 1, "common");
  for (TestSite* site : {&savoie, &lyon, &isere}) Link(&loire, site).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, 2, "left");
  Write(*twin, 1, "the twin's");
  Link(&savoie, &loire).Run();
  Link(twin.get(), &isere).Run();
  Link(&loire, &lyon).Run();
  Link(&isere, &lyon).Run();
  Write(savoie, 1, "savoie's");
  MeetAndBeFound(savoie, lyon, GetParam(), 1);
  EXPECT_EQ(Names(lyon, 1), (Strings{"savoie's", "the twin's"}));
  EXPECT_EQ(Names(lyon, 2), Strings{"left"});
  Meet(*twin, lyon);
  EXPECT_EQ(Names(*twin, 1), (Strings{"savoie's", "the twin's"}));
}

// A twin is a copy of the same past, so its word is no proof that this past is the world's.
TEST_P(TwinHoles, CopiesOfARestoredFolderConfirmToEachOtherWhatOthersHoldDifferently) {
  const auto backup = savoie.Clone(8);
  Write(savoie, 1, "forgotten");
  Link(&savoie, &lyon).Run();
  Write(*backup, 1, "new");
  const auto twin = backup->Clone(9);
  Link(backup.get(), twin.get()).Run();
  EXPECT_NE(backup->replica->identity().incarnation, twin->replica->identity().incarnation);
  EXPECT_EQ(backup->replica->continuity_note().renamed, 0u);
  MeetAndBeFound(*backup, lyon, GetParam(), 1);
  EXPECT_EQ(Names(lyon, 1), (Strings{"forgotten", "new"}));
  // What both copies held comes under two names: equal values, of which readers see one.
  MeetAndBeFound(*twin, lyon, GetParam(), 1);
  EXPECT_EQ(Names(lyon, 1), (Strings{"forgotten", "new", "new"}));
  Meet(*backup, lyon);
  Link(backup.get(), twin.get()).Run();
  EXPECT_EQ(backup->replica->identity().renewals, 2u);
  EXPECT_EQ(twin->replica->identity().renewals, 2u);
}

// The clash is of others, given away for good: the session ends, and nobody gives up dots of its
// own.
TEST_P(TwinHoles, AClashOfOthersEndsTheSessionAndRenamesNothing) {
  Write(savoie, 1, "common");
  for (TestSite* site : {&lyon, &isere}) Link(&savoie, site).Run();
  const auto twin = savoie.Clone(9);
  Write(savoie, 1, "left");
  Write(*twin, 1, "right");
  Link(&savoie, &lyon).Run();
  Link(twin.get(), &isere).Run();
  for (int time = 0; time < 3; ++time) {
    Write(lyon, 2 + time, "fresh");
    Write(lyon, 1, "beside it", kNote);
    Link link(GetParam() ? &lyon : &isere, GetParam() ? &isere : &lyon);
    for (int turn = 0; turn < 20; ++turn) {
      clock.millis += 2000;
      link.Run();
    }
    EXPECT_EQ(link.caller().progress().goodbye, v1::Goodbye::NOT_CONVERGING);
    EXPECT_LE(link.caller().progress().frames_sent, kMostFrames);
    EXPECT_EQ(Name(isere, 2 + time), "fresh");
    EXPECT_EQ(lyon.replica->identity().renewals + isere.replica->identity().renewals, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, TwinHoles, ::testing::Bool(), [](const auto& tested) {
  return tested.param ? "TheCopyCalls" : "TheCopyIsCalled";
});

}  // namespace
}  // namespace maillage::replication::testing
