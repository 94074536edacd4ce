// Sites that meet by files alone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/bundle_file.h"
#include "replication/schema.h"
#include "replication/scrub.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/replication/support/bundles.h"
#include "tests/replication/support/site.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

class SyncBundle : public ::testing::Test {
 protected:
  void SetUp() override { Assign("73"); }
  void TearDown() override {
    for (const TestSite* site : {&lyon, &savoie}) {
      EXPECT_EQ(Inconsistency(*site->store, *site->replica), "") << site->name;
      const auto scrubbed = Scrub(*site->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      EXPECT_EQ(scrubbed->damaged(), 0u) << site->name << ": " << scrubbed->findings.front().what;
    }
  }

  void Assign(const std::string& scope) {
    v1::Site content;
    content.set_name("savoie");
    content.set_scope(scope);
    lyon.Update(*RecordId::FromBytes(savoie.id.bytes()), content, {"name", "scope"});
  }
  BundleOutcome ToSavoie(bool whole = false) { return *Import(savoie, Export(lyon, savoie, whole)); }
  BundleOutcome ToLyon() { return *Import(lyon, Export(savoie, lyon)); }
  static void Describe(TestSite& at, const RecordId& id, const std::string& text) {
    v1::Actor actor;
    actor.set_description(text);
    at.Update(id, actor, {"description"});
  }
  static void Move(TestSite& at, const RecordId& id, const std::string& department) {
    at.Update(id, NamedActor("", department), {"department"});
  }
  static bool Holds(const TestSite& site, const RecordId& id) { return !site.State(kActor, id).vector().empty(); }
  void ExpectEqual() {
    const Scope& shared = savoie.replica->scope();
    EXPECT_EQ(lyon.replica->tree().Digest(shared), savoie.replica->tree().Digest(shared));
    EXPECT_EQ(savoie.replica->leaving(), 0u);
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
};

TEST_F(SyncBundle, BothWaysBringBothToOneState) {
  const RecordId there = lyon.Create(NamedActor("savoyarde"));
  const RecordId elsewhere = lyon.Create(NamedActor("iséroise", "38"));
  const RecordId here = savoie.Create(NamedActor("écrite au relais"));
  const BundleOutcome first = ToSavoie();
  EXPECT_FALSE(first.equal);
  EXPECT_FALSE(first.gaps);
  EXPECT_TRUE(Holds(savoie, there));
  EXPECT_FALSE(Holds(savoie, elsewhere));
  EXPECT_TRUE(ToLyon().equal);
  EXPECT_TRUE(Holds(lyon, here));
  EXPECT_TRUE(ToSavoie().equal);
  ExpectEqual();
}

TEST_F(SyncBundle, TheSecondTimeNothingHappens) {
  lyon.Create(NamedActor("savoyarde"));
  const TestBundle bundle = Export(lyon, savoie);
  ASSERT_TRUE(Import(savoie, bundle).ok());
  const uint64_t head = savoie.replica->progress().feed_head;
  ASSERT_TRUE(Import(savoie, bundle).ok());
  EXPECT_EQ(savoie.replica->progress().feed_head, head);
}

TEST_F(SyncBundle, HoldsWhatIsNewSinceTheReceiversLastOne) {
  std::vector<RecordId> actors;
  for (int i = 0; i < 300; ++i) actors.push_back(lyon.Create(NamedActor("savoyarde " + std::to_string(i))));
  const TestBundle whole = Export(lyon, savoie);
  EXPECT_TRUE(whole.header.whole());
  EXPECT_EQ(whole.header.records(), 301u);
  ASSERT_TRUE(Import(savoie, whole).ok());
  ToLyon();
  Describe(lyon, actors[7], "nouvelle");
  const TestBundle little = Export(lyon, savoie);
  EXPECT_FALSE(little.header.whole());
  EXPECT_LT(little.bytes() * 20, whole.bytes());
  EXPECT_TRUE(Import(savoie, little)->equal);
  EXPECT_EQ(savoie.Actor(actors[7]).description(), "nouvelle");
  ExpectEqual();
}

// A key that was lost, or came after the next one.
TEST_F(SyncBundle, OneThatNeverCameIsMadeUpFor) {
  const RecordId id = lyon.Create(NamedActor("savoyarde"));
  ToSavoie();
  ToLyon();
  Describe(lyon, id, "une");
  const TestBundle lost = Export(lyon, savoie);
  Describe(lyon, id, "deux");
  EXPECT_TRUE(ToSavoie().equal);
  EXPECT_EQ(savoie.Actor(id).description(), "deux");
  ASSERT_TRUE(Import(savoie, lost).ok());
  EXPECT_EQ(savoie.Actor(id).description(), "deux");
  ExpectEqual();
}

TEST_F(SyncBundle, ARecordThatMovesInComesWithItsHistory) {
  const RecordId id = lyon.Create(NamedActor("voyageuse", "38"));
  Describe(lyon, id, "ancienne note");
  ToSavoie();
  ToLyon();
  Move(lyon, id, "73");
  const TestBundle bundle = Export(lyon, savoie);
  EXPECT_FALSE(bundle.header.whole());
  const BundleOutcome outcome = *Import(savoie, bundle);
  EXPECT_FALSE(outcome.gaps);
  EXPECT_TRUE(outcome.equal);
  EXPECT_EQ(savoie.Actor(id).description(), "ancienne note");
  EXPECT_EQ(savoie.State(kActor, id), lyon.State(kActor, id));
}

// The relay moves it away and edits it; three bundles later it has let it go.
TEST_F(SyncBundle, AHandoverGoesByBundlesToo) {
  const RecordId id = savoie.Create(NamedActor("voyageuse"));
  ToLyon();
  ToSavoie();
  Move(savoie, id, "38");
  Describe(savoie, id, "dernière note");
  EXPECT_EQ(savoie.replica->leaving(), 1u);
  ToLyon();
  EXPECT_EQ(lyon.Actor(id).description(), "dernière note");
  EXPECT_TRUE(Holds(savoie, id));
  EXPECT_EQ(ToSavoie().leaving, 0u);
  EXPECT_FALSE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, WhatTheRelayWroteMeanwhileIsNotLetGo) {
  const RecordId id = savoie.Create(NamedActor("voyageuse"));
  ToLyon();
  ToSavoie();
  Move(lyon, id, "38");
  Describe(savoie, id, "écrite sans savoir");
  ToSavoie();
  EXPECT_TRUE(Holds(savoie, id));
  ToLyon();
  EXPECT_EQ(lyon.Actor(id).description(), "écrite sans savoir");
  ToSavoie();
  EXPECT_FALSE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, AWiderScopeBringsTheWhole) {
  const RecordId id = lyon.Create(NamedActor("iséroise", "38"));
  ToSavoie();
  ToLyon();
  Assign("38,73");
  const TestBundle bundle = Export(lyon, savoie);
  EXPECT_TRUE(bundle.header.whole());
  ASSERT_TRUE(Import(savoie, bundle).ok());
  EXPECT_TRUE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, StubsComeAlong) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  lyon.Create(ProjectLedBy(grenoble));
  EXPECT_EQ(ToSavoie().stubs, 1u);
  EXPECT_TRUE((*savoie.replica->FindShown(grenoble)).has_value());
}

TEST_F(SyncBundle, AnImportThatWasCutGoesOnWhereItWas) {
  for (int i = 0; i < 2000; ++i) lyon.Create(NamedActor(std::string(200, 'x') + std::to_string(i)));
  const TestBundle bundle = Export(lyon, savoie);
  ASSERT_GT(bundle.frames.size(), 6u);
  EXPECT_TRUE(absl::IsCancelled(Import(savoie, bundle, 5).status()));
  savoie.Restart();
  BundleImport resumed(savoie.replica.get(), "savoie");
  ASSERT_TRUE(resumed.Begin(bundle.header).ok());
  // The last of them may not have been settled.
  EXPECT_EQ(resumed.taken(), 4u);
  EXPECT_TRUE(Import(savoie, bundle)->equal);
  ExpectEqual();
  EXPECT_FALSE(savoie.store->Get(storage::Table::kMeta, storage::kLoadingKey)->has_value());
}

// Nothing is compared afterwards, so a bundle that begins later than what is here brings what misses with the next one.
TEST_F(SyncBundle, ARestoredReceiverGetsWhatItHadOnce) {
  lyon.Create(NamedActor("savoyarde"));
  ToSavoie();
  const std::unique_ptr<TestSite> restored = savoie.Clone(99);
  const RecordId between = lyon.Create(NamedActor("entre-temps"));
  ToLyon();
  ToSavoie();
  ToLyon();
  lyon.Create(NamedActor("la dernière"));
  const TestBundle bundle = Export(lyon, *restored);
  EXPECT_FALSE(bundle.header.whole());
  EXPECT_TRUE(Import(*restored, bundle)->gaps);
  EXPECT_FALSE(Holds(*restored, between));
  ASSERT_TRUE(Import(lyon, Export(*restored, lyon)).ok());
  EXPECT_TRUE(Import(*restored, Export(lyon, *restored))->equal);
  EXPECT_TRUE(Holds(*restored, between));
}

TEST_F(SyncBundle, AScopeThatTheReceiverWidenedIsHadOfNobody) {
  const RecordId id = lyon.Create(NamedActor("iséroise", "38"));
  ToSavoie();
  ToLyon();
  v1::Site content;
  content.set_scope("38,73");
  savoie.Update(*RecordId::FromBytes(savoie.id.bytes()), content, {"scope"});
  ToLyon();
  ToSavoie();
  EXPECT_TRUE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, WhatWasLetGoInBetweenIsNotHad) {
  Assign("38,73");
  const RecordId id = lyon.Create(NamedActor("iséroise", "38"));
  ToSavoie();
  ToLyon();
  for (const char* scope : {"73", "38,73"}) {
    Assign(scope);
    v1::Site content;
    content.set_scope(scope);
    savoie.Update(*RecordId::FromBytes(savoie.id.bytes()), content, {"scope"});
    if (scope == std::string("73")) Link(&savoie, &lyon).Run();
  }
  ASSERT_FALSE(Holds(savoie, id));
  ToLyon();
  ToSavoie();
  EXPECT_TRUE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, ASnapshotOfLessIsNotHadOfMore) {
  Assign("38,73");
  const RecordId id = lyon.Create(NamedActor("iséroise", "38"));
  ASSERT_TRUE(Import(savoie, Snapshot(lyon, *Scope::Parse("73"))).ok());
  EXPECT_FALSE(Holds(savoie, id));
  ToLyon();
  ToSavoie();
  EXPECT_TRUE(Holds(savoie, id));
  ExpectEqual();
}

TEST_F(SyncBundle, WhoMissesTooMuchOfTheFeedGetsTheWhole) {
  ToSavoie();
  ToLyon();
  std::vector<RecordId> actors;
  for (int i = 0; i < 200; ++i) actors.push_back(lyon.Create(NamedActor("savoyarde")));
  for (uint64_t i = 0; i <= kMaxHintedFeedEntries; ++i) {
    Operation note;
    note.field = 27;
    note.value = std::to_string(i);
    ASSERT_TRUE(lyon.replica->Write({{kActor, actors[i % actors.size()]}, {}, {note}, "Awa", ""}).ok());
  }
  ASSERT_TRUE(lyon.replica->Commit().ok());
  const auto made = BundleExport::Begin(lyon.replica.get(), {"lyon", savoie.id, "savoie", Scope(), false});
  EXPECT_TRUE((*made)->header().whole());
}

// It is not claimed to have been sent, and so comes with the first bundle after its repair.
TEST_F(SyncBundle, WhatTheSenderCannotReadIsToldAgain) {
  const RecordId id = lyon.Create(NamedActor("voyageuse", "38"));
  ToSavoie();
  ToLyon();
  Move(lyon, id, "73");
  lyon.damaged = std::make_unique<DamagedStore>(lyon.store.get());
  lyon.Restart();
  lyon.damaged->Damage(storage::Table::kStates, storage::StateKey({kActor, id}));
  const TestBundle bundle = Export(lyon, savoie);
  EXPECT_FALSE(bundle.header.whole());
  ASSERT_TRUE(Import(savoie, bundle).ok());
  EXPECT_FALSE(Holds(savoie, id));
  lyon.replica.reset();
  lyon.damaged.reset();
  lyon.Restart();
  ToLyon();
  ToSavoie();
  EXPECT_EQ(savoie.State(kActor, id), lyon.State(kActor, id));
  ExpectEqual();
}

// What is written while a bundle is made may move a record in by its last changes alone.
TEST_F(SyncBundle, WhatMovesInMeanwhileComesWithTheNextOne) {
  const RecordId id = lyon.Create(NamedActor("voyageuse", "38"));
  ToSavoie();
  ToLyon();
  auto made = BundleExport::Begin(lyon.replica.get(), {"lyon", savoie.id, "savoie", Scope(), false});
  TestBundle bundle{(*made)->header(), {}};
  v1::SyncFrame frame;
  for (int i = 0; *(*made)->Next(&frame); ++i) {
    bundle.frames.push_back(frame);
    if (i == 0) lyon.Update(id, NamedActor("nouvelle", "73"), {"name", "department"}, "Awa", nullptr);
  }
  ASSERT_TRUE(Import(savoie, bundle).ok());
  ToLyon();
  ToSavoie();
  EXPECT_EQ(savoie.State(kActor, id), lyon.State(kActor, id));
  ExpectEqual();
}

TEST_F(SyncBundle, OneForAnotherSiteIsRefused) {
  const TestBundle bundle = Export(lyon, savoie);
  TestSite isere{"isere", maillage::testing::TestSeed() + 2, &clock};
  EXPECT_TRUE(absl::IsInvalidArgument(Import(isere, bundle).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Import(lyon, bundle).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      BundleExport::Begin(lyon.replica.get(), {"lyon", lyon.id, "lyon", Scope(), false}).status()));
  EXPECT_EQ(isere.replica->progress().feed_head, 0u);
}

TEST_F(SyncBundle, ANewSiteBeginsWithASnapshotAndSyncsTheDifference) {
  for (int i = 0; i < 300; ++i) lyon.Create(NamedActor("savoyarde " + std::to_string(i)));
  lyon.Create(NamedActor("iséroise", "38"));
  const TestBundle snapshot = Snapshot(lyon, *Scope::Parse("73"));
  EXPECT_EQ(snapshot.header.records(), 301u);
  const BundleOutcome outcome = *Import(savoie, snapshot);
  EXPECT_TRUE(outcome.equal);
  EXPECT_EQ(savoie.replica->scope().ToText(), "73");
  lyon.Create(NamedActor("la suivante"));
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(link.caller().progress().changes_received, 1u);
  ExpectEqual();
}

TEST_F(SyncBundle, ARestoredSiteIsNotMendedByAFile) {
  savoie.Create(NamedActor("avant"));
  const std::unique_ptr<TestSite> backup = savoie.Clone(99);
  savoie.Create(NamedActor("après"));
  ToLyon();
  const TestBundle bundle = Export(lyon, savoie);
  const BundleOutcome outcome = *Import(*backup, bundle);
  EXPECT_TRUE(outcome.twin);
  EXPECT_FALSE(outcome.equal);
}

TEST(BundleFile, IsReadInPiecesOfAnySize) {
  BundleFileWriter writer;
  std::string file = writer.Block("un");
  file += writer.Block(std::string(100'000, 'd'));
  file += writer.End();
  for (const size_t piece : {size_t{1}, size_t{7}, file.size()}) {
    BundleFileReader reader;
    std::vector<std::string> blocks;
    for (size_t at = 0; at < file.size(); at += piece) {
      reader.Push(std::string_view(file).substr(at, piece));
      while (true) {
        const auto block = reader.Next();
        ASSERT_TRUE(block.ok());
        if (!block->has_value()) break;
        blocks.push_back(**block);
      }
    }
    EXPECT_TRUE(reader.Finish().ok());
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_EQ(blocks[0], "un");
    EXPECT_EQ(blocks[1].size(), 100'000u);
  }
}

TEST(BundleFile, EveryByteIsGuardedAndEveryCutIsTold) {
  BundleFileWriter writer;
  std::string file = writer.Block("un");
  file += writer.Block("deux");
  file += writer.End();
  const auto outcome = [](const std::string& bytes) {
    BundleFileReader reader;
    reader.Push(bytes);
    while (true) {
      const auto block = reader.Next();
      if (!block.ok()) return block.status();
      if (!block->has_value()) return reader.Finish();
    }
  };
  EXPECT_TRUE(outcome(file).ok());
  for (size_t i = 0; i < file.size(); ++i) {
    std::string flipped = file;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    EXPECT_TRUE(absl::IsInvalidArgument(outcome(flipped))) << i;
    EXPECT_TRUE(absl::IsInvalidArgument(outcome(file.substr(0, i)))) << i;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(outcome(file + "x")));
  EXPECT_TRUE(absl::IsInvalidArgument(outcome("nom;type\n")));
}

}  // namespace
}  // namespace maillage::replication::testing
