// A site that stores nothing for now: what it has goes out, what comes is left aside, and nothing spins.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

// Lyon is the one whose disk is full. Whether it calls or is called.
class ReadOnlySync : public ::testing::TestWithParam<bool> {
 protected:
  Link MakeLink(bool known = true) {
    return GetParam() ? Link(&lyon, &savoie, known) : Link(&savoie, &lyon, known);
  }
  SyncSession& LyonIn(Link& link) { return GetParam() ? link.caller() : link.answerer(); }
  SyncSession& SavoieIn(Link& link) { return GetParam() ? link.answerer() : link.caller(); }
  void Create(TestSite& site, int count) {
    for (int i = 0; i < count; ++i) site.Create(NamedActor(absl::StrCat(site.name, i)));
  }
  // Records of both, as Savoie sees them.
  uint64_t RecordsAt(const TestSite& site) { return site.replica->progress().kinds.at(1).alive; }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
};

TEST_P(ReadOnlySync, WhatDiffersGoesOutAndTheSessionEnds) {
  Create(lyon, 300);
  MakeLink().Run();
  Create(lyon, 40);
  Create(savoie, 60);
  for (const bool known : {true, false}) {
    Link link = MakeLink(known);
    const uint64_t head = lyon.replica->progress().feed_head;
    LyonIn(link).AcceptChanges(false);
    EXPECT_LT(link.Run(), 100u);
    EXPECT_EQ(LyonIn(link).progress().goodbye, v1::Goodbye::READ_ONLY);
    EXPECT_FALSE(LyonIn(link).progress().closed_by_peer);
    EXPECT_EQ(SavoieIn(link).progress().goodbye, v1::Goodbye::READ_ONLY);
    EXPECT_EQ(lyon.replica->progress().feed_head, head);
    EXPECT_EQ(RecordsAt(savoie), 400u);
    EXPECT_EQ(SavoieIn(link).progress().stored_position, 0u);
  }
  Link link = MakeLink();
  link.Run();
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  EXPECT_EQ(RecordsAt(lyon), 400u);
}

TEST_P(ReadOnlySync, ALiveSessionGoesOnAndCatchesUpOnceThereIsRoom) {
  Link link = MakeLink();
  link.Run();
  LyonIn(link).AcceptChanges(false);
  Create(savoie, 3);
  Create(lyon, 2);
  EXPECT_LT(link.Run(), 20u);
  EXPECT_EQ(RecordsAt(savoie), 5u);
  EXPECT_EQ(RecordsAt(lyon), 2u);
  EXPECT_FALSE(SavoieIn(link).up_to_date());
  LyonIn(link).AcceptChanges(true);
  link.Run();
  clock.millis += 2000;
  link.Run();
  EXPECT_EQ(lyon.Digest(), savoie.Digest());
  EXPECT_FALSE(link.caller().closed());
}

TEST_P(ReadOnlySync, TwoFullDisksEndTheirSession) {
  Create(lyon, 20);
  Create(savoie, 20);
  Link link = MakeLink();
  LyonIn(link).AcceptChanges(false);
  SavoieIn(link).AcceptChanges(false);
  EXPECT_LT(link.Run(), 50u);
  EXPECT_TRUE(link.caller().closed());
  EXPECT_EQ(RecordsAt(lyon), 20u);
  EXPECT_EQ(RecordsAt(savoie), 20u);
}

TEST_P(ReadOnlySync, EqualSitesAgreeAllTheSame) {
  Create(lyon, 5);
  MakeLink().Run();
  Link link = MakeLink();
  LyonIn(link).AcceptChanges(false);
  EXPECT_EQ(link.Run(), 2u);
  EXPECT_TRUE(link.caller().up_to_date());
}

INSTANTIATE_TEST_SUITE_P(Sync, ReadOnlySync, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Calling" : "Called"; });

}  // namespace
}  // namespace maillage::replication::testing
