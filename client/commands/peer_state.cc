#include "client/commands/peer_state.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

std::string Since(const Session& session, const v1::PeerStatus& peer) {
  if (!peer.has_last_contact_time()) return session.Say(", jamais joint", ", never reached");
  const absl::Duration silence = session.env.now() - ToTime(peer.last_contact_time());
  return absl::StrCat(session.Say(" depuis ", " for "), DurationWords(silence, session.language));
}

void Add(Check& check, int exit_code, std::string reason) {
  const bool worse = exit_code > check.exit_code;
  check.exit_code = std::max(check.exit_code, exit_code);
  check.reasons.insert(worse ? check.reasons.begin() : check.reasons.end(), std::move(reason));
}

void CheckPeer(const Session& session, const v1::PeerStatus& peer, Check& check) {
  const std::string what =
      absl::StrCat(PeerName(peer), session.Say(" : ", ": "), StateText(session, peer));
  switch (peer.state()) {
    case v1::PeerStatus::ERROR:
      Add(check, kCritical, absl::StrCat(what, " (", OneLine(peer.last_error()), ")"));
      break;
    case v1::PeerStatus::UP_TO_DATE:
    case v1::PeerStatus::BEHIND:
    case v1::PeerStatus::SYNCING:
    case v1::PeerStatus::CONNECTING:
      break;
    default:
      Add(check, kDegraded, what);
  }
}

std::string NoteText(const Session& session, const v1::PeerStatus& peer) {
  std::string note = peer.last_error();
  const auto add = [&](uint64_t count, const std::string& what) {
    if (count > 0) absl::StrAppend(&note, note.empty() ? "" : " ; ", count, what);
  };
  add(peer.unreadable_records(),
      session.Say(" illisibles ici, laissées de côté", " unreadable here, left out"));
  add(peer.peer_unreadable_records(),
      session.Say(" illisibles chez lui, laissées de côté", " unreadable there, left out"));
  const auto say = [&](bool is_so, const std::string& what) {
    if (is_so) absl::StrAppend(&note, note.empty() ? "" : " ; ", what);
  };
  say(peer.has_slowed_until_time(), session.Say("ralenti : il envoie plus qu'un site ne doit", "slowed: it sends more than one site may"));
  say(peer.has_slowed_by_peer_until_time(),
      session.Say("il nous lit lentement : nous envoyons plus qu'un site ne doit", "it reads us slowly: we send more than one site may"));
  return note;
}

// A certificate is renewed 45 days before its end: whoever comes this close to it has met no antenna for a month.
constexpr absl::Duration kCertificateWarning = absl::Hours(24 * 15);

void CheckCertificate(const Session& session, const v1::NodeStatus& status, Check& check) {
  if (!status.has_certificate_expire_time()) return;
  const absl::Time end = ToTime(status.certificate_expire_time());
  const std::string when = session.ShortTimeText(end);
  if (end <= session.env.now()) {
    Add(check, kCritical,
        absl::StrCat(session.Say("le certificat a expiré le ", "the certificate expired on "), when,
                     session.Say(" : ce site doit joindre une antenne, qui le renouvelle",
                                 ": this site has to reach an antenna, which renews it")));
  } else if (end <= session.env.now() + kCertificateWarning) {
    Add(check, kDegraded,
        absl::StrCat(session.Say("le certificat expire le ", "the certificate expires on "), when,
                     session.Say(" : aucune antenne ne l'a renouvelé", ": no antenna has renewed it")));
  }
}

}  // namespace

uint64_t PendingChanges(const v1::PeerStatus& peer) {
  return peer.saved_position() - std::min(peer.saved_position(), peer.applied_position());
}

std::string StateText(const Session& session, const v1::PeerStatus& peer) {
  switch (peer.state()) {
    case v1::PeerStatus::UP_TO_DATE:
      return session.Say("à jour", "up to date");
    case v1::PeerStatus::BEHIND:
      // All is there, and the roots have not been compared since: equality is told once it is proven.
      if (PendingChanges(peer) == 0) return session.Say("reste à comparer", "to be compared");
      return absl::StrCat(PendingChanges(peer), session.Say(" à envoyer", " to send"));
    case v1::PeerStatus::SYNCING:
      // What is here and was there when the two met: a bar for whoever waits for a first exchange.
      if (peer.peer_records() <= peer.shared_records()) return session.Say("échange en cours", "exchanging");
      return absl::StrCat(session.Say("échange en cours, ", "exchanging, "), peer.shared_records(),
                          session.Say(" fiches sur ", " records of "), peer.peer_records());
    case v1::PeerStatus::CONNECTING:
      return session.Say("connexion en cours", "connecting");
    case v1::PeerStatus::OFFLINE:
      return session.Say("hors ligne", "offline") + Since(session, peer);
    case v1::PeerStatus::PAUSED:
      return session.Say("en pause", "paused");
    case v1::PeerStatus::ERROR:
      return session.Say("en erreur", "in error");
    default:
      return session.Say("inconnu", "unknown");
  }
}

std::string PeerName(const v1::PeerStatus& peer) {
  if (!peer.site().empty()) return peer.site();
  return peer.address().empty() ? "?" : peer.address();
}

std::string PeersTable(const Session& session,
                       const google::protobuf::RepeatedPtrField<v1::PeerStatus>& peers) {
  if (peers.empty()) return session.Say("Aucun pair.\n", "No peers.\n");
  TextTable table({"site", session.Say("adresse", "address"), session.Say("état", "state"),
                   session.Say("identiques le", "identical at"),
                   session.Say("à envoyer", "to send"), session.Say("à savoir", "note")});
  for (const v1::PeerStatus& peer : peers) {
    table.AddRow({OneLine(PeerName(peer)), peer.address(), StateText(session, peer),
                  session.ShortTimeText(ToTime(peer.last_agreement_time())),
                  absl::StrCat(PendingChanges(peer)), OneLine(NoteText(session, peer))});
  }
  return table.Render(session.env.out_width);
}

Check CheckNode(const Session& session, const v1::NodeStatus& status) {
  Check check;
  CheckCertificate(session, status, check);
  if (!status.store_damage().empty()) Add(check, kCritical, OneLine(status.store_damage()));
  if (status.unreadable_records() > 0) {
    Add(check, kCritical,
        absl::StrCat(status.unreadable_records(),
                     session.Say(" fiches illisibles sur le disque : maillage doctor --repair",
                                 " records unreadable on disk: maillage doctor --repair")));
  }
  if (!status.read_only_reason().empty()) {
    Add(check, kCritical,
        absl::StrCat(session.Say("le nœud n'écrit plus : ", "the node doesn't write: "),
                     OneLine(status.read_only_reason())));
  }
  if (status.waiting_records() > 0) {
    Add(check, kDegraded,
        absl::StrCat(status.waiting_records(), session.Say(" fiches attendent un autre site pour revenir",
                                                           " records wait for another site to come back")));
  }
  for (const v1::PeerStatus& peer : status.peers()) CheckPeer(session, peer, check);
  if (status.quarantined() > 0) {
    Add(check, kDegraded,
        absl::StrCat(status.quarantined(),
                     session.Say(" changements en quarantaine", " changes in quarantine")));
  }
  if (status.changes_from_the_future() > 0) {
    Add(check, kDegraded,
        absl::StrCat(status.changes_from_the_future(),
                     session.Say(" changements datés dans le futur : vérifiez les horloges",
                                 " changes from the future: check the clocks")));
  }
  return check;
}

}  // namespace maillage::client::commands
