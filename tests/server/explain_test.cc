#include "server/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "server/site_list.h"
#include "tests/replication/sync_harness.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using replication::Schema;
using replication::testing::Link;
using replication::testing::NamedActor;
using replication::testing::ProjectLedBy;
using replication::testing::SteppedClock;
using replication::testing::TestSite;
using ::testing::HasSubstr;
using v1::RecordExplanation;
using v1::SiteKnowledge;

class ExplainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Publish(lyon, "");
    Publish(savoie, "73");
    Publish(isere, "38");
    for (int round = 0; round < 2; ++round) {
      Link(&savoie, &lyon).Run();
      Link(&isere, &lyon).Run();
    }
  }
  static void Publish(TestSite& site, const std::string& scope) {
    ASSERT_TRUE(PublishSite(Schema::BuiltIn(), *site.replica, site.name, scope).ok());
    ASSERT_TRUE(site.replica->Commit().ok());
  }
  static RecordExplanation Explain(const TestSite& site, const std::string& name,
                                   const std::vector<v1::PeerStatus>& peers = {}) {
    const auto told = ExplainRecord(Schema::BuiltIn(), *site.replica, peers, name);
    EXPECT_TRUE(told.ok()) << told.status();
    return told.ok() ? *told : RecordExplanation();
  }
  static RecordExplanation Explain(const TestSite& site, const RecordId& id,
                                   const std::vector<v1::PeerStatus>& peers = {}) {
    return Explain(site, "actor/" + FormatUuid(id), peers);
  }
  static v1::PeerStatus Peer(const TestSite& site, v1::PeerStatus::State state, uint64_t applied, uint64_t sent = 0) {
    v1::PeerStatus peer;
    peer.set_site_id(FormatSiteId(site.id));
    peer.set_state(state);
    peer.set_applied_position(applied);
    peer.set_sent_position(sent);
    peer.mutable_last_agreement_time()->set_seconds(1);
    return peer;
  }
  static SiteKnowledge Of(const RecordExplanation& told, const std::string& site) {
    for (const SiteKnowledge& each : told.sites()) {
      if (each.site() == site) return each;
    }
    return {};
  }

  SteppedClock clock;
  TestSite lyon{"lyon", maillage::testing::TestSeed(), &clock};
  TestSite savoie{"savoie", maillage::testing::TestSeed() + 1, &clock};
  TestSite isere{"isere", maillage::testing::TestSeed() + 2, &clock};
};

TEST_F(ExplainTest, WhatIsHereAndWhoHasSeenItsLastChange) {
  const RecordId id = lyon.Create(NamedActor("savoyarde"));
  const uint64_t head = lyon.replica->progress().feed_head;
  const RecordExplanation told = Explain(lyon, id, {Peer(savoie, v1::PeerStatus::BEHIND, head - 1)});
  EXPECT_EQ(told.presence(), RecordExplanation::HERE);
  EXPECT_EQ(told.title(), "savoyarde");
  EXPECT_EQ(told.last_person(), "Awa");
  EXPECT_EQ(told.last_site(), "lyon");
  EXPECT_THAT(told.why(), HasSubstr("ce site tient tout"));
  EXPECT_EQ(Of(told, "savoie").state(), SiteKnowledge::BEHIND);
  EXPECT_EQ(Of(told, "savoie").detail(), "à envoyer");
  EXPECT_EQ(Of(told, "isere").state(), SiteKnowledge::NOT_CONCERNED);
  const auto state = [&](const v1::PeerStatus& peer) { return Of(Explain(lyon, id, {peer}), "savoie"); };
  EXPECT_EQ(state(Peer(savoie, v1::PeerStatus::UP_TO_DATE, head)).state(), SiteKnowledge::HAS_IT);
  EXPECT_EQ(state(Peer(savoie, v1::PeerStatus::BEHIND, 0, head)).detail(), "envoyée, pas encore confirmée");
  EXPECT_EQ(state(Peer(savoie, v1::PeerStatus::OFFLINE, 0)).detail(), "hors ligne");
  EXPECT_EQ(Of(Explain(lyon, id), "savoie").state(), SiteKnowledge::NOT_KNOWN);
  Link(&savoie, &lyon).Run();
  EXPECT_EQ(Of(Explain(savoie, id), "lyon").detail(), "l'a écrite");
  EXPECT_THAT(Explain(savoie, id).why(), HasSubstr("elle est dans 73 ; ce site tient 73"));
  // By its id alone.
  EXPECT_EQ(Explain(savoie, FormatUuid(id)).name(), "actor/" + FormatUuid(id));
  lyon.Delete(1, id);
  EXPECT_THAT(Explain(lyon, id).why(), HasSubstr("supprimée"));
}

TEST_F(ExplainTest, WhatLeavesAndWhatLeft) {
  const RecordId id = savoie.Create(NamedActor("voyageuse"));
  savoie.Update(id, NamedActor("", "38"), {"department"});
  EXPECT_EQ(Explain(savoie, id).presence(), RecordExplanation::LEAVING);
  Link(&savoie, &lyon).Run();
  const RecordExplanation told = Explain(savoie, FormatUuid(id));
  EXPECT_EQ(told.presence(), RecordExplanation::HANDED_OVER);
  EXPECT_THAT(told.why(), HasSubstr("pour le département 38 ; lyon l'a reprise"));
}

TEST_F(ExplainTest, WhatIsElsewhere) {
  const RecordId grenoble = lyon.Create(NamedActor("Ville de Grenoble", "38"));
  lyon.Create(ProjectLedBy(grenoble));
  EXPECT_EQ(Explain(savoie, grenoble).presence(), RecordExplanation::UNKNOWN);
  Link(&savoie, &lyon).Run();
  const RecordExplanation told = Explain(savoie, FormatUuid(grenoble));
  EXPECT_EQ(told.presence(), RecordExplanation::STUB);
  EXPECT_EQ(told.title(), "Ville de Grenoble");
  EXPECT_THAT(told.why(), HasSubstr("est dans le département 38"));
}

TEST_F(ExplainTest, WhatIsInQuarantine) {
  const RecordId id = savoie.Create(NamedActor("savoyarde"));
  v1::Change change;
  change.set_record(std::string(id.bytes()));
  change.set_kind(1);
  ASSERT_TRUE(savoie.replica->Quarantine({lyon.id, "règle inconnue", change.SerializeAsString()}).ok());
  ASSERT_TRUE(savoie.replica->Commit().ok());
  const RecordExplanation told = Explain(savoie, id);
  ASSERT_EQ(told.quarantined_size(), 1);
  EXPECT_EQ(told.quarantined(0).from_site(), "lyon");
  EXPECT_EQ(told.quarantined(0).reason(), "règle inconnue");
  EXPECT_TRUE(absl::IsInvalidArgument(ExplainRecord(Schema::BuiltIn(), *savoie.replica, {}, "acteur/x").status()));
}

}  // namespace
}  // namespace maillage::server
