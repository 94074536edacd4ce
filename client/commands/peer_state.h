// What a peer's state is called, and what it means for `status --check`.
#ifndef MAILLAGE_CLIENT_COMMANDS_PEER_STATE_H_
#define MAILLAGE_CLIENT_COMMANDS_PEER_STATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/commands/session.h"
#include "proto/status_service.pb.h"

namespace maillage::client::commands {

// Changes of this node that the peer hasn't applied, as far as this node knows.
uint64_t PendingChanges(const v1::PeerStatus& peer);

// à jour, 12 à envoyer, échange en cours, connexion en cours, hors ligne depuis 3 h, en erreur, en
// pause, inconnu. The error itself is `last_error`.
std::string StateText(const Session& session, const v1::PeerStatus& peer);

// The site's name, or its address before it has introduced itself.
std::string PeerName(const v1::PeerStatus& peer);

// Table of peers, one row each.
std::string PeersTable(const Session& session,
                       const google::protobuf::RepeatedPtrField<v1::PeerStatus>& peers);

struct Check {
  // kFine, kDegraded or kCritical.
  int exit_code = 0;
  // Why it isn't fine, the worst first.
  std::vector<std::string> reasons;
};

// Critical: the node doesn't write, or a peer is in error. Degraded: a peer is offline, paused or
// was never reached; changes are in quarantine or come from the future. What is on its way is fine.
Check CheckNode(const Session& session, const v1::NodeStatus& status);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_PEER_STATE_H_
