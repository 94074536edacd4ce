// status, peers, pause, resume, sync.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kNow = FakeNode::kStartSeconds + 3 * 3600;

class StatusCommands : public CommandLine {
 protected:
  StatusCommands() {
    node_->status.set_site("Savoie");
    node_->status.set_version("0.1.0");
    node_->status.mutable_start_time()->set_seconds(FakeNode::kStartSeconds);
    node_->status.set_root("4f2a");
    v1::KindCount& kind = *node_->status.add_kinds();
    kind.set_kind("actor");
    kind.set_records(43);
  }

  v1::PeerStatus& AddPeer(const std::string& site, v1::PeerStatus::State state) {
    v1::PeerStatus& peer = *node_->status.add_peers();
    peer.set_site(site);
    peer.set_address(site + ":7101");
    peer.set_state(state);
    return peer;
  }
};

TEST_F(StatusCommands, SaysStatesInWords) {
  v1::PeerStatus& lyon = AddPeer("Lyon", v1::PeerStatus::UP_TO_DATE);
  lyon.mutable_last_agreement_time()->set_seconds(FakeNode::kStartSeconds);
  v1::PeerStatus& clermont = AddPeer("Clermont", v1::PeerStatus::BEHIND);
  clermont.set_saved_position(112);
  clermont.set_applied_position(100);
  v1::PeerStatus& isere = AddPeer("Isère", v1::PeerStatus::OFFLINE);
  isere.mutable_last_contact_time()->set_seconds(kNow - 3 * 3600);
  AddPeer("Savoie", v1::PeerStatus::BEHIND);
  AddPeer("Loire", v1::PeerStatus::OFFLINE);
  AddPeer("Allier", v1::PeerStatus::ERROR).set_last_error("certificat périmé : renouvelez-le");
  AddPeer("Drôme", v1::PeerStatus::PAUSED);
  AddPeer("Ardèche", v1::PeerStatus::UNKNOWN);
  const Said said = Run({"status"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(
      said.out,
      "site                 Savoie\n"
      "nœud                 127.0.0.1:7101, maillaged 0.1.0, démarré le 23/11/2026 14:02\n"
      "fiches               43 actor\n"
      "empreinte            4f2a\n"
      "versions à comparer  0\n"
      "en quarantaine       0\n"
      "base et mémoire      0 Mio, 0 Mio\n"
      "dernière sauvegarde  aucune (maillage backup DOSSIER)\n"
      "\n"
      "site      adresse        état                      identiques le     à envoyer  à savoir\n"
      "Lyon      Lyon:7101      à jour                    23/11/2026 14:02  0\n"
      "Clermont  Clermont:7101  12 à envoyer              -                 12\n"
      "Isère     Isère:7101     hors ligne depuis 3 h     -                 0\n"
      "Savoie    Savoie:7101    reste à comparer          -                 0\n"
      "Loire     Loire:7101     hors ligne, jamais joint  -                 0\n"
      "Allier    Allier:7101    en erreur                 -                 0          "
      "certificat périmé : renouvelez-le\n"
      "Drôme     Drôme:7101     en pause                  -                 0\n"
      "Ardèche   Ardèche:7101   inconnu                   -                 0\n");
}

TEST_F(StatusCommands, JsonHasEveryField) {
  v1::PeerStatus& peer = AddPeer("Clermont", v1::PeerStatus::BEHIND);
  peer.set_saved_position(12);
  const auto status = Ask({"status"});
  EXPECT_EQ(status["site"], "Savoie");
  EXPECT_EQ(status["root"], "4f2a");
  EXPECT_EQ(status["conflicts"], 0);
  EXPECT_EQ(status["kinds"][0]["records"], 43);
  EXPECT_EQ(status["peers"][0]["state"], "BEHIND");
  EXPECT_EQ(status["peers"][0]["pending"], 12);
  EXPECT_EQ(status["peers"][0]["text"], "12 à envoyer");
  EXPECT_EQ(Ask({"peers"}), status["peers"]);
}

// Four sites of a network, of which this node meets two.
class FleetStatus : public StatusCommands {
 protected:
  FleetStatus() {
    v1::SiteStanding& here = AddSite("Savoie", v1::ROLE_RELAY);
    here.set_here(true);
    here.mutable_report_time()->set_seconds(kNow);
    here.mutable_complete_time()->set_seconds(kNow - 7200);
    here.set_complete_up_to_site("Isère");
    AddPeer("Lyon", v1::PeerStatus::UP_TO_DATE).set_site_id("Lyon");
    v1::SiteStanding& lyon = AddSite("Lyon", v1::ROLE_ANTENNA);
    lyon.mutable_report_time()->set_seconds(kNow - 60);
    lyon.mutable_complete_time()->set_seconds(kNow - 60);
    lyon.set_lacking_changes(0);
    v1::SiteStanding& isere = AddSite("Isère", v1::ROLE_RELAY);
    isere.mutable_report_time()->set_seconds(kNow - 7200);
    isere.mutable_complete_time()->set_seconds(kNow - 7200);
    isere.set_lacking_changes(12);
    isere.mutable_lacking_since_time()->set_seconds(kNow - 3600);
    isere.set_conflicts(3);
    isere.set_quarantined(1);
  }
  v1::SiteStanding& AddSite(const std::string& name, v1::Role role) {
    v1::SiteStanding& standing = *node_->status.add_fleet();
    standing.set_site(name);
    standing.set_site_id(name);
    standing.set_role(role);
    return standing;
  }
  std::string Line(const std::string& output, const std::string& begin) {
    const size_t at = output.find("\n" + begin);
    return at == std::string::npos ? "" : output.substr(at + 1, output.find('\n', at + 1) - at - 1);
  }
};

TEST_F(FleetStatus, ShowsEverySiteAsItToldLast) {
  node_->status.mutable_everywhere_time()->set_seconds(kNow - 7200);
  const std::string out = Run({"status"}).out;
  EXPECT_EQ(Line(out, "partout"), "partout              tout ce qui a été écrit avant le 23/11/2026 15:02 est partout");
  EXPECT_THAT(out, HasSubstr("\n\n"
                             "site    rôle     état                       dit le            a tout jusqu'au           "
                             "lui manque d'ici                à savoir\n"
                             "Savoie  relais   ce nœud                    23/11/2026 17:02  23/11/2026 15:02 (Isère)  -\n"
                             "Lyon    antenne  à jour                     23/11/2026 17:01  23/11/2026 17:01          0\n"
                             "Isère   relais   sans nouvelles depuis 2 h  23/11/2026 15:02  23/11/2026 15:02          "
                             "12, depuis le 23/11/2026 16:02  3 à comparer ; 1 en quarantaine\n\n"));
}

TEST_F(FleetStatus, WhatNobodyToldIsUnknown) {
  AddSite("Drôme", v1::ROLE_READER);
  const std::string out = Run({"status"}).out;
  EXPECT_EQ(Line(out, "partout"), "partout              inconnu : Drôme n'a encore rien dit");
  EXPECT_THAT(Line(out, "Drôme"), HasSubstr("inconnu : n'a encore rien dit"));
  node_->status.mutable_fleet()->RemoveLast();
  node_->status.mutable_fleet(1)->clear_complete_time();
  EXPECT_EQ(Line(Run({"status"}).out, "partout"),
            "partout              inconnu : Lyon n'a pas encore tout ce que d'autres ont écrit");
}

TEST_F(FleetStatus, ASiteThatThisNodeDoesntMeetIsSeenThroughItsOwnLinks) {
  v1::SiteStanding& loire = AddSite("Loire", v1::ROLE_RELAY);
  loire.mutable_report_time()->set_seconds(kNow - 300);
  EXPECT_THAT(Line(Run({"status"}).out, "Loire"), HasSubstr("relié à personne"));
  v1::SiteLink& link = *loire.add_links();
  link.set_site("Clermont");
  link.set_state(v1::PeerStatus::BEHIND);
  EXPECT_THAT(Line(Run({"status"}).out, "Loire"), HasSubstr("relié à Clermont"));
  link.set_state(v1::PeerStatus::OFFLINE);
  EXPECT_THAT(Line(Run({"status"}).out, "Loire"), HasSubstr("relié à personne"));
  EXPECT_EQ(Ask({"status"})["fleet"][3]["text"], "relié à personne");
}

TEST_F(FleetStatus, AHostileNameDoesntSteerTheTerminal) {
  AddSite("a\x1b[2Jb", v1::ROLE_RELAY);
  EXPECT_EQ(Run({"status"}).out.find('\x1b'), std::string::npos);
}

TEST_F(FleetStatus, WatchShowsItAgainUntilStopped) {
  most_waits_ = 3;
  const Said said = Run({"status", "--watch"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  size_t times = 0;
  for (size_t at = said.out.find("partout"); at != std::string::npos; at = said.out.find("partout", at + 1)) ++times;
  EXPECT_EQ(waits_, 3);
  EXPECT_EQ(times, 3u);
  EXPECT_EQ(said.out.find('\x1b'), std::string::npos) << "a file, not a screen";
}

TEST_F(FleetStatus, WatchRedrawsATerminal) {
  out_width_ = 100;
  EXPECT_EQ(Run({"status", "--watch"}).out.find("\x1b[H\x1b[2J"), 0u);
}

TEST_F(FleetStatus, WatchGoesOnWhileTheNodeIsAway) {
  most_waits_ = 2;
  node_->failures.push_back(absl::UnavailableError("pas de réponse"));
  const Said said = Run({"status", "--watch", "--output", "json"});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.err, "pas de réponse\n");
  EXPECT_EQ(nlohmann::json::parse(said.out)["site"], "Savoie");
}

TEST_F(StatusCommands, CsvHasARowPerPeer) {
  AddPeer("Lyon", v1::PeerStatus::PAUSED);
  EXPECT_EQ(Run({"peers", "--output", "csv"}).out,
            "site;address;state;text;pending;last_contact_time;last_agreement_time;last_error\n"
            "Lyon;Lyon:7101;PAUSED;en pause;0;;;\n");
}

TEST_F(StatusCommands, CheckIsFineWhileChangesAreOnTheirWay) {
  AddPeer("Lyon", v1::PeerStatus::UP_TO_DATE);
  AddPeer("Clermont", v1::PeerStatus::BEHIND);
  AddPeer("Loire", v1::PeerStatus::SYNCING);
  const Said said = Run({"status", "--check"});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.out, "tout va bien\n");
}

TEST_F(StatusCommands, CheckIsDegradedBySilence) {
  AddPeer("Lyon", v1::PeerStatus::OFFLINE);
  const Said said = Run({"status", "--check"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.out, "dégradé : Lyon : hors ligne, jamais joint\n");
}

TEST_F(StatusCommands, ACertificateThatNobodyRenewsIsTold) {
  constexpr int64_t kDay = 24 * 3600;
  node_->status.set_network("RESACOOP");
  auto& end = *node_->status.mutable_certificate_expire_time();
  end.set_seconds(FakeNode::kStartSeconds + 20 * kDay);
  EXPECT_THAT(Run({"status"}).out, HasSubstr("réseau               RESACOOP, certificat valable jusqu'au 13/12/2026 14:02\n"));
  const std::string fine = Run({"status", "--check"}).out;
  end.set_seconds(FakeNode::kStartSeconds + 10 * kDay);
  EXPECT_THAT(Run({"status", "--check"}).out, HasSubstr("le certificat expire le 03/12/2026 14:02"));
  end.set_seconds(FakeNode::kStartSeconds);
  const Said expired = Run({"status", "--check"});
  EXPECT_EQ(expired.exit_code, 2);
  EXPECT_THAT(expired.out, HasSubstr("le certificat a expiré"));
  EXPECT_THAT(fine, Not(HasSubstr("certificat")));
}

TEST_F(StatusCommands, CheckIsDegradedByQuarantine) {
  node_->status.set_quarantined(2);
  EXPECT_EQ(Run({"status", "--check"}).exit_code, 1);
}

TEST_F(StatusCommands, CheckIsCriticalByErrorsAndBelowThatByTheRest) {
  AddPeer("Lyon", v1::PeerStatus::PAUSED);
  AddPeer("Loire", v1::PeerStatus::ERROR).set_last_error("horloge");
  const Said said = Run({"status", "--check"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(said.out, "critique : Loire : en erreur (horloge) ; Lyon : en pause\n");
}

TEST_F(StatusCommands, CheckIsCriticalWhereTheNodeDoesNotWrite) {
  node_->status.set_read_only_reason("disque plein");
  const auto json = Run({"status", "--check", "--output", "json"});
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_EQ(nlohmann::json::parse(json.out)["state"], "CRITICAL");
}

TEST_F(StatusCommands, AReadOnlyNodeSaysWhyAndSinceWhen) {
  node_->status.set_write_state(v1::NodeStatus::READ_ONLY_DISK_FULL);
  node_->status.mutable_write_state_time()->set_seconds(1'610'096'400);
  node_->status.set_read_only_reason("10 Mio libres");
  node_->status.set_free_disk_bytes(10 << 20);
  node_->status.set_failed_commits(2);
  node_->status.set_store_reopenings(1);
  const Said said = Run({"status"});
  EXPECT_THAT(said.out, HasSubstr("lecture seule, disque plein depuis le "));
  EXPECT_THAT(said.out, HasSubstr(": 10 Mio libres"));
  EXPECT_THAT(said.out, HasSubstr("2, base rouverte 1 fois"));
}

TEST_F(StatusCommands, WhatTheNodeItselfSaysIsNoMissingNode) {
  node_->failures = {absl::UnavailableError("le nœud est en lecture seule, rien n'a été écrit : x")};
  const Said said = Run({"status"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.err, "maillage : le nœud est en lecture seule, rien n'a été écrit : x\n");
}

TEST_F(StatusCommands, CheckIsUnknownWhereNoNodeAnswers) {
  node_->failures = {absl::UnavailableError("refused")};
  const Said said = Run({"status", "--check"});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.err, HasSubstr("127.0.0.1:7101"));
  node_->failures = {absl::UnavailableError("refused")};
  EXPECT_EQ(Run({"status"}).exit_code, 1);
}

TEST_F(StatusCommands, PauseAndResume) {
  node_->peer.set_site("Lyon");
  node_->peer.set_state(v1::PeerStatus::PAUSED);
  EXPECT_EQ(Run({"pause", "lyon"}).out, "Lyon : en pause\n");
  EXPECT_EQ(Run({"resume", "127.0.0.1:7101"}).exit_code, 0);
  EXPECT_THAT(node_->peer_calls, ElementsAre("pause lyon", "resume 127.0.0.1:7101"));
  node_->failures = {absl::NotFoundError("aucun pair « x »")};
  EXPECT_EQ(Run({"pause", "x"}).exit_code, 1);
}

TEST_F(StatusCommands, SyncTellsWhatWasExchanged) {
  node_->peer.set_site("Lyon");
  node_->peer.set_state(v1::PeerStatus::UP_TO_DATE);
  node_->peer.mutable_last_agreement_time()->set_seconds(FakeNode::kStartSeconds);
  node_->peer.set_changes_sent(12);
  node_->peer.set_changes_received(3);
  EXPECT_EQ(Run({"sync", "lyon"}).out,
            "Identique à Lyon le 23/11/2026 14:02 ; changements envoyés : 12, reçus : 3\n");
}

TEST_F(StatusCommands, ASyncThatDidNotAgreeFails) {
  node_->peer.set_site("Lyon");
  node_->peer.set_state(v1::PeerStatus::ERROR);
  node_->peer.set_last_error("certificat périmé");
  node_->peer.mutable_last_agreement_time()->set_seconds(FakeNode::kStartSeconds);
  const Said said = Run({"sync", "lyon"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_EQ(said.err, "maillage : Lyon : en erreur : certificat périmé\n");
}

}  // namespace
}  // namespace maillage::client::testing
