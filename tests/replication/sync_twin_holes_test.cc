// Shapes that the clone model found (tests/model): twins that the first exchange doesn't tell
// apart. None is silent, the session says NOT_CONVERGING; whoever mends one finds it here.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {
namespace {

constexpr uint32_t kName = 901;

class TwinHoles : public ::testing::Test {
 protected:
  TwinHoles() { clock.millis += 1000; }

  static RecordKey RecordOf(uint64_t number) { return {kKind, IdOf(number)}; }

  void Write(TestSite& site, uint64_t record, const std::string& value) {
    clock.millis += 1000;
    const VersionVector context = site.State(kKind, IdOf(record)).vector();
    ASSERT_TRUE(
        site.replica->Write({RecordOf(record), context, {Put(kName, value)}, "Awa", ""}).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  static std::string Name(const TestSite& site, uint64_t record) {
    return ValueOf(site.State(kKind, IdOf(record)), kName);
  }
  // Meets until it is settled, and expects that it can't be.
  void MeetInVain(TestSite& site, TestSite& peer, uint64_t record) {
    const uint64_t renewals = site.replica->identity().renewals;
    Link link(&site, &peer);
    for (int turn = 0; turn < 20; ++turn) {
      clock.millis += 2000;
      link.Run();
    }
    EXPECT_EQ(link.caller().progress().goodbye, v1::Goodbye::NOT_CONVERGING);
    const std::string& message = link.caller().progress().goodbye_message;
    EXPECT_NE(message.find(FormatUuid(IdOf(record))), std::string::npos) << message;
    EXPECT_EQ(site.replica->identity().renewals, renewals);
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
TEST_F(TwinHoles, AComparisonThatIsCutLeavesANumberOutAndAnotherPeerFillsIn) {
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
  MeetInVain(savoie, lyon, 1);
  MeetInVain(savoie, isere, 1);
}

// Different changes under one number, given to different peers, are no clash while their records
// differ. Who then holds both tells the one that came first, and a clash further on has no number
// by which it would show.
TEST_F(TwinHoles, AClashBeyondANumberThatBothUsedForDifferentRecords) {
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
  MeetInVain(savoie, lyon, 1);
  // Whoever heard of the twin's first can tell.
  Link(&savoie, &isere).Run();
  EXPECT_EQ(savoie.replica->continuity_note().doubt, ContinuityDoubt::kPeerKnowsOther);
  EXPECT_EQ(savoie.replica->continuity_note().renamed, 1u);
}

// A twin is a copy of the same past, so its word is no proof that this past is the world's.
TEST_F(TwinHoles, CopiesOfARestoredFolderConfirmToEachOtherWhatOthersHoldDifferently) {
  const auto backup = savoie.Clone(8);
  Write(savoie, 1, "forgotten");
  Link(&savoie, &lyon).Run();
  Write(*backup, 1, "new");
  const auto twin = backup->Clone(9);
  Link(backup.get(), twin.get()).Run();
  EXPECT_NE(backup->replica->identity().incarnation, twin->replica->identity().incarnation);
  EXPECT_EQ(backup->replica->continuity_note().renamed, 0u);
  MeetInVain(*backup, lyon, 1);
  MeetInVain(*twin, lyon, 1);
}

}  // namespace
}  // namespace maillage::replication::testing
