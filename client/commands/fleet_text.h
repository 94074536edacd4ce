// All sites of the network at a glance, each as it told last itself.
#ifndef MAILLAGE_CLIENT_COMMANDS_FLEET_TEXT_H_
#define MAILLAGE_CLIENT_COMMANDS_FLEET_TEXT_H_

#include <string>

#include "client/commands/session.h"
#include "proto/status_service.pb.h"

namespace maillage::client::commands {

// « tout ce qui a été écrit avant le 27/11/2026 14:02 est partout », or what is known instead and why. For status.fleet() that isn't
// empty.
std::string EverywhereText(const Session& session, const v1::NodeStatus& status);

// How a site is doing, for all that the answering node knows: its own link with it, otherwise what the site said.
std::string StandingText(const Session& session, const v1::NodeStatus& status, const v1::SiteStanding& standing);

// One row each; empty where the node belongs to no network.
std::string FleetTable(const Session& session, const v1::NodeStatus& status);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_FLEET_TEXT_H_
