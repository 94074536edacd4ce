// Writes conversations of honest sites into a folder, as the sync target reads them: what its corpus grows from.
//
//   maillage_fuzz_seeds FOLDER
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "proto/records.pb.h"
#include "proto/sync.pb.h"
#include "replication/bundle.h"
#include "replication/check.h"
#include "replication/edit.h"
#include "replication/sync_session.h"
#include "tests/fuzz/sync_fixture.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/literals.h"

namespace maillage::fuzz {
namespace {

using namespace replication;
using namespace replication::testing;

void AppendBlock(const std::string& block, std::string& out) {
  MAILLAGE_CHECK(block.size() <= 0xffff);
  out.push_back(static_cast<char>(block.size() & 0xff));
  out.push_back(static_cast<char>(block.size() >> 8));
  out += block;
}

// Carries the frames of both until neither has any; those of `peer` are appended to `heard`.
void Converse(Site& site, SyncSession& session, Site& peer, SyncSession& other, std::string& heard) {
  v1::SyncFrame frame;
  for (int silent = 0; silent < 2;) {
    silent = 2;
    while (*other.Next(&frame)) {
      silent = 0;
      AppendBlock(frame.SerializeAsString(), heard);
      MAILLAGE_CHECK(session.Receive(frame).ok() && site.replica->Commit().ok());
    }
    while (*session.Next(&frame)) {
      silent = 0;
      MAILLAGE_CHECK(other.Receive(frame).ok() && peer.replica->Commit().ok());
    }
  }
}

// What the peer says to the site that `choice` describes: a whole comparison, then two changes live, then goodbye.
std::string Conversation(uint8_t choice) {
  const auto site = (choice & 2) != 0 ? SiteWithRecords() : EmptySite();
  const auto peer = PeerWithRecords();
  const bool calls = (choice & 1) != 0;
  SyncSession session(site->replica.get(), {calls, "savoie", {}});
  SyncSession other(peer->replica.get(), {!calls, "loire", {}});
  std::string heard(1, static_cast<char>(choice));
  Converse(*site, session, *peer, other, heard);
  peer->Write({1, IdOf(101)}, {Put(2, "R")});
  peer->Write({1, IdOf(102)}, {DeleteOperation(peer->State({1, IdOf(102)}).vector())});
  for (int i = 0; i < 3; ++i) {
    for (Site* each : {site.get(), peer.get()}) each->wall.millis += 2'000;
    Converse(*site, session, *peer, other, heard);
  }
  other.Close(v1::Goodbye::SHUTTING_DOWN, "bonne nuit");
  Converse(*site, session, *peer, other, heard);
  return heard;
}

// The peer's bundle for that site, or its snapshot, as the bundle target reads it.
std::string Bundle(uint8_t choice, bool snapshot) {
  const auto site = (choice & 1) != 0 ? SiteWithRecords() : EmptySite();
  const auto peer = PeerWithRecords();
  // Something to be shown beside what is sent.
  v1::Party lead;
  lead.set_actor(FormatUuid(IdOf(101)));
  peer->Write({2, IdOf(1)}, {Put(4, lead.SerializeAsString())});
  auto made = BundleExport::Begin(peer->replica.get(),
                                  {"loire", snapshot ? SiteId() : site->id, "savoie", Scope({"73"}), /*whole=*/true});
  MAILLAGE_CHECK(made.ok());
  std::string blocks(1, static_cast<char>(choice));
  AppendBlock((*made)->header().SerializeAsString(), blocks);
  v1::SyncFrame frame;
  while (*(*made)->Next(&frame)) AppendBlock(frame.SerializeAsString(), blocks);
  return blocks;
}

}  // namespace
}  // namespace maillage::fuzz

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "maillage_fuzz_seeds DOSSIER : y écrit des conversations entre sites honnêtes\n";
    return 64;
  }
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  for (uint8_t choice = 0; choice < 16; ++choice) {
    std::ofstream(folder / ("conversation-" + std::to_string(choice)), std::ios::binary)
        << maillage::fuzz::Conversation(choice);
  }
  for (uint8_t choice = 0; choice < 4; ++choice) {
    std::ofstream(folder / ("bundle-" + std::to_string(choice)), std::ios::binary)
        << maillage::fuzz::Bundle(choice & 1, (choice & 2) != 0);
  }
  return 0;
}
