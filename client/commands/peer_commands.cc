// pause, resume, sync.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/peer_state.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

absl::Status PrintPeer(Session& session, const v1::PeerStatus& peer) {
  if (session.output == Output::kJson) {
    Json json = ToJson(peer, JsonDefaults::kPrint);
    json["pending"] = PendingChanges(peer);
    json["text"] = StateText(session, peer);
    session.env.out << Print(json);
    return absl::OkStatus();
  }
  session.env.out << PeerName(peer) << session.Say(" : ", ": ") << StateText(session, peer) << "\n";
  return absl::OkStatus();
}

absl::Status RunPause(Session& session, const std::string& name) {
  v1::PausePeerRequest request;
  request.set_peer(name);
  const absl::StatusOr<v1::PeerStatus> peer = session.client().connection().PausePeer(request);
  return peer.ok() ? PrintPeer(session, *peer) : peer.status();
}

absl::Status RunResume(Session& session, const std::string& name) {
  v1::ResumePeerRequest request;
  request.set_peer(name);
  const absl::StatusOr<v1::PeerStatus> peer = session.client().connection().ResumePeer(request);
  return peer.ok() ? PrintPeer(session, *peer) : peer.status();
}

// Whether the answer to SyncPeer says that the two were equal; changes may have come since.
bool Agreed(const v1::PeerStatus& peer) {
  switch (peer.state()) {
    case v1::PeerStatus::UP_TO_DATE:
    case v1::PeerStatus::BEHIND:
    case v1::PeerStatus::SYNCING:
      return peer.has_last_agreement_time();
    default:
      return false;
  }
}

absl::Status RunSync(Session& session, const std::string& name) {
  v1::SyncPeerRequest request;
  request.set_peer(name);
  const absl::StatusOr<v1::PeerStatus> peer = session.client().connection().SyncPeer(request);
  if (!peer.ok()) return peer.status();
  if (!Agreed(*peer)) {
    const std::string state =
        absl::StrCat(PeerName(*peer), session.Say(" : ", ": "), StateText(session, *peer));
    return absl::FailedPreconditionError(
        peer->last_error().empty() ? state : absl::StrCat(state, " : ", peer->last_error()));
  }
  if (session.output == Output::kJson) return PrintPeer(session, *peer);
  session.env.out << session.Say("Identique à ", "Identical to ") << PeerName(*peer)
                  << session.Say(" le ", " at ")
                  << session.ShortTimeText(ToTime(peer->last_agreement_time()))
                  << session.Say(" ; changements envoyés : ", "; changes sent: ")
                  << peer->changes_sent() << session.Say(", reçus : ", ", received: ")
                  << peer->changes_received() << "\n";
  return absl::OkStatus();
}

void AddPeerCommand(Program& program, const char* name, const std::string& description,
                    absl::Status (*run)(Session&, const std::string&)) {
  Session& session = program.session;
  auto peer = std::make_shared<std::string>();
  CLI::App* const command = program.Add(
      name, description,
      absl::StrCat("  maillage ", name, " lyon\n  maillage ", name, " 127.0.0.1:7101\n"),
      [&session, peer, run] { return run(session, *peer); });
  command
      ->add_option("PEER", *peer,
                   session.Say("Nom d'un site, ou son adresse", "A site's name, or its address"))
      ->required();
}

}  // namespace

void AddPeerCommands(Program& program) {
  const Session& session = program.session;
  AddPeerCommand(program, "pause",
                 session.Say("Suspend les échanges avec un pair, jusqu'à resume",
                             "Suspends the exchanges with a peer, until resume"),
                 RunPause);
  AddPeerCommand(program, "resume",
                 session.Say("Reprend les échanges avec un pair", "Resumes them"), RunResume);
  AddPeerCommand(program, "sync",
                 session.Say("Compare tout avec un pair et attend que les deux soient identiques",
                             "Compares everything with a peer and waits until both are identical"),
                 RunSync);
}

}  // namespace maillage::client::commands
