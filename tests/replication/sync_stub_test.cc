// References that stay readable: what two ends show each other of records that only one of them holds.
#include <gtest/gtest.h>

#include <string>

#include "proto/records.pb.h"
#include "replication/schema.h"
#include "replication/scrub.h"
#include "replication/stub.h"
#include "replication/sync_session.h"
#include "replication/tuning.h"
#include "tests/replication/support/site.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

class SyncStub : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const TestSite* relay : {&savoie, &loire}) {
      v1::Site content;
      content.set_scope(relay == &savoie ? "73" : "73,42");
      lyon.Update(*RecordId::FromBytes(relay->id.bytes()), content, {"scope"});
      Link(const_cast<TestSite*>(relay), &lyon).Run();
    }
  }
  void TearDown() override {
    for (const TestSite* site : {&lyon, &savoie, &loire}) {
      EXPECT_EQ(Inconsistency(*site->store, *site->replica), "") << site->name;
      const auto scrubbed = Scrub(*site->store, &Schema::BuiltIn(), [](uint64_t) { return true; });
      EXPECT_EQ(scrubbed->damaged(), 0u) << site->name << ": " << scrubbed->findings.front().what;
    }
  }

  static RecordId CreateProject(TestSite& at, const RecordId& lead, const std::string& department = "73") {
    return at.Create(ProjectLedBy(lead, department));
  }
  static std::string Shown(const TestSite& site, const RecordId& id) {
    const auto stub = site.replica->FindShown(id);
    if (!stub.ok() || !stub->has_value()) return "absente";
    const bool here = !site.State(kActor, id).vector().empty();
    const std::string deleted = (*stub)->state.life() == Life::kDeleted ? ", supprimée" : "";
    return (here ? "" : "abrégé: ") + Winner((*stub)->state.Find(1)->versions).value + deleted;
  }
  static void Rename(TestSite& at, const RecordId& id, const std::string& name) {
    at.Update(id, NamedActor(name, ""), {"name"});
  }
  void Later(Link& link) {
    clock.millis += 2 * kCheckIntervalMillis;
    link.Run();
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
  TestSite loire{"loire", maillage::testing::TestSeed() + 2, &clock};
};

TEST_F(SyncStub, ComeWithTheRecordsThatReferToThem) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  const RecordId unrelated = lyon.Create(NamedActor("Ville de Vienne", "38"));
  CreateProject(lyon, grenoble);
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Ville de Grenoble");
  EXPECT_EQ(Shown(savoie, unrelated), "absente");
}

TEST_F(SyncStub, AReconnectWithoutNewsIsOneRoundTrip) {
  CreateProject(lyon, lyon.Create(NamedActor("Ville de Grenoble", "38")));
  Link(&savoie, &lyon).Run();
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(link.caller().progress().frames_sent + link.answerer().progress().frames_sent, 2u);
}

TEST_F(SyncStub, AreKeptCurrentLiveAndAtTheNextMeeting) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(lyon, grenoble);
  Link live(&savoie, &lyon);
  live.Run();
  Rename(lyon, grenoble, "Grenoble");
  Later(live);
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Grenoble");
  const uint64_t frames = live.caller().progress().frames_sent;
  Later(live);
  Later(live);
  EXPECT_LE(live.caller().progress().frames_sent, frames + 2);
  Rename(lyon, grenoble, "Grenoble-Alpes");
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Grenoble-Alpes");
  lyon.Delete(kActor, grenoble);
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Grenoble-Alpes, supprimée");
}

TEST_F(SyncStub, AnEditThatTheyDoNotShowIsNoNews) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(lyon, grenoble);
  Link live(&savoie, &lyon);
  live.Run();
  Later(live);
  const uint64_t frames = live.answerer().progress().frames_sent;
  v1::Actor described;
  described.set_description("longue");
  lyon.Update(grenoble, described, {"description"});
  Later(live);
  EXPECT_EQ(live.answerer().progress().frames_sent, frames);
}

TEST_F(SyncStub, AReferenceWrittenAtTheRelayIsFilledIn) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  Link live(&savoie, &lyon);
  live.Run();
  CreateProject(savoie, grenoble);
  Later(live);
  Later(live);
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Ville de Grenoble");
}

TEST_F(SyncStub, TravelFromRelayToRelay) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(lyon, grenoble);
  Link(&loire, &lyon).Run();
  Link(&savoie, &loire).Run();
  EXPECT_EQ(Shown(savoie, grenoble), "abrégé: Ville de Grenoble");
  // The newer one, whoever has it.
  Rename(lyon, grenoble, "Grenoble");
  Link(&savoie, &lyon).Run();
  Link(&savoie, &loire).Run();
  EXPECT_EQ(Shown(loire, grenoble), "abrégé: Grenoble");
}

TEST_F(SyncStub, OfTerritoriesThatThePeerDoesNotHoldAreNotTold) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  CreateProject(lyon, grenoble, "42");
  Link(&loire, &lyon).Run();
  Link link(&savoie, &lyon);
  link.Run();
  EXPECT_EQ(Shown(loire, grenoble), "abrégé: Ville de Grenoble");
  EXPECT_EQ(Shown(savoie, grenoble), "absente");
  EXPECT_EQ(link.answerer().progress().stubs_sent, 0u);
  // Nor where they are asked for by id.
  v1::SyncFrame asks;
  asks.mutable_stubs()->set_wanted(std::string(grenoble.bytes()));
  ASSERT_TRUE(link.answerer().Receive(asks).ok());
  v1::SyncFrame answer;
  ASSERT_TRUE(*link.answerer().Next(&answer));
  EXPECT_EQ(answer.stubs().stub_size(), 0);
  EXPECT_TRUE(answer.stubs().answer_ends());
}

TEST_F(SyncStub, ARecordThatMovesAwayStaysReadable) {
  const RecordId voyager = savoie.Create(NamedActor("voyageuse", "73"));
  CreateProject(savoie, voyager);
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, voyager), "voyageuse");
  lyon.Update(voyager, NamedActor("", "38"), {"department"});
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, voyager), "abrégé: voyageuse");
  Rename(lyon, voyager, "partie");
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, voyager), "abrégé: partie");
  lyon.Update(voyager, NamedActor("", "73"), {"department"});
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Shown(savoie, voyager), "partie");
}

// More than a page, a frame, and a leaf of the trie.
TEST_F(SyncStub, ManyComeAtOnceAndFewAfterwards) {
  std::vector<RecordId> actors;
  for (int i = 0; i < 700; ++i) {
    actors.push_back(lyon.Create(NamedActor(std::string(200, 'a') + std::to_string(i), "38")));
    CreateProject(lyon, actors.back());
  }
  Link first(&savoie, &lyon);
  first.Run();
  Later(first);
  EXPECT_EQ(first.caller().progress().stubs_received, 700u);
  EXPECT_EQ(first.answerer().progress().stubs_sent, 700u);
  EXPECT_EQ(Shown(savoie, actors[699]), Shown(savoie, actors[0]).substr(0, std::string("abrégé: ").size() + 200) + "699");
  Rename(lyon, actors[350], "une");
  Link second(&savoie, &lyon);
  second.Run();
  EXPECT_EQ(Shown(savoie, actors[350]), "abrégé: une");
  // Whoever finds the difference shows what it has, and gets what it lacks.
  EXPECT_LE(second.answerer().progress().stubs_sent + second.caller().progress().stubs_sent, 2u);
}

TEST_F(SyncStub, MalformedOnesEndTheSession) {
  for (const int which : {0, 1, 2, 3, 4}) {
    Link link(&savoie, &lyon);
    link.Run();
    v1::SyncFrame frame;
    v1::Stubs& stubs = *frame.mutable_stubs();
    if (which == 0) stubs.set_wanted("short");
    if (which == 1) stubs.set_answer_ends(true);
    if (which == 2) stubs.add_stub()->set_id("short");
    if (which == 3) {
      stubs.add_stub()->set_id(std::string(16, 'i'));
      stubs.mutable_stub(0)->set_stub("x");
    }
    if (which == 4) stubs.mutable_ranges()->add_range();
    ASSERT_TRUE(link.answerer().Receive(frame).ok());
    v1::SyncFrame answer;
    ASSERT_TRUE(*link.answerer().Next(&answer));
    EXPECT_EQ(answer.goodbye().reason(), v1::Goodbye::MALFORMED) << which;
  }
}

}  // namespace
}  // namespace maillage::replication::testing
