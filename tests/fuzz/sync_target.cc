// Frames of a peer, into a real session over a real replica (replication/sync_session.h). The first byte:
//
//   bit 0   this end is the caller
//   bit 1   this site holds records already
//   bit 2   two seconds pass before each frame
//   bit 3   nobody else is met afterwards, which saves half of the time
//
// then frames, each after its length in two bytes. After each frame the session is answered for until nothing more comes.
// In the end the tables agree with each other, and this site calls an honest one, which gets all that it holds.
#include <memory>
#include <string>

#include "proto/sync.pb.h"
#include "replication/sync_session.h"
#include "replication/tuning.h"
#include "server/tuning.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/sync_fixture.h"
#include "tests/fuzz/targets.h"
#include "tests/replication/support/site.h"

namespace maillage::fuzz {
namespace {

using replication::SyncProgress;
using replication::SyncSession;
using replication::SyncState;
using replication::testing::Site;

// Frames that one frame may bring about at one end: the records here are few.
constexpr int kMostAnswers = 10'000;

// What is sent can be read at the other end: texts are texts, and the transport takes it.
void RequireSendable(const v1::SyncFrame& frame) {
  const std::string bytes = frame.SerializeAsString();
  v1::SyncFrame read;
  MAILLAGE_REQUIRE(read.ParseFromString(bytes));
  MAILLAGE_REQUIRE(bytes.size() <= static_cast<size_t>(server::kMaxMessageBytes));
}

void Answer(Site& site, SyncSession& session) {
  MAILLAGE_REQUIRE(site.replica->Commit().ok());
  v1::SyncFrame frame;
  for (int i = 0; i < kMostAnswers; ++i) {
    const absl::StatusOr<bool> more = session.Next(&frame);
    MAILLAGE_REQUIRE(more.ok());
    if (!*more) return;
    RequireSendable(frame);
  }
  MAILLAGE_REQUIRE(!"a session that never stops to send");
}

void RequireSoundProgress(const Site& site, const SyncSession& session) {
  const SyncProgress& progress = session.progress();
  MAILLAGE_REQUIRE(progress.applied_position <= site.replica->progress().feed_head);
  MAILLAGE_REQUIRE(progress.stored_position <= site.replica->progress().feed_head);
  MAILLAGE_REQUIRE(progress.sent_position <= site.replica->progress().feed_head);
  MAILLAGE_REQUIRE(progress.peer_name.size() <= replication::kMaxPeerTextBytes);
  MAILLAGE_REQUIRE(progress.goodbye_message.size() <= replication::kMaxPeerTextBytes);
  MAILLAGE_REQUIRE(session.closed() == (progress.state == SyncState::kClosed));
}

// One conversation of honest ends, until both are silent.
void Converse(Site& left, SyncSession& caller, Site& right, SyncSession& answerer) {
  v1::SyncFrame frame;
  int silent = 0;
  for (int turn = 0; silent < 2; ++turn) {
    MAILLAGE_REQUIRE(turn < kMostAnswers);
    const bool from_left = turn % 2 == 0;
    const absl::StatusOr<bool> more = (from_left ? caller : answerer).Next(&frame);
    MAILLAGE_REQUIRE(more.ok());
    silent = *more ? 0 : silent + 1;
    if (!*more) continue;
    RequireSendable(frame);
    MAILLAGE_REQUIRE((from_left ? answerer : caller).Receive(frame).ok());
    MAILLAGE_REQUIRE((from_left ? right : left).replica->Commit().ok());
  }
}

void RequireSpreads(Site& site) {
  const std::unique_ptr<Site> neighbour = Neighbour();
  SyncSession caller(site.replica.get(), {true, "savoie", {}});
  SyncSession answerer(neighbour->replica.get(), {false, "loire", {}});
  Converse(site, caller, *neighbour, answerer);
  MAILLAGE_REQUIRE(neighbour->Digest() == site.Digest());
  MAILLAGE_REQUIRE(caller.progress().state == SyncState::kLive);
  MAILLAGE_REQUIRE(answerer.progress().state == SyncState::kLive);
}

}  // namespace

bool FuzzSync(std::string_view bytes) {
  const uint8_t choice = TakeByte(bytes);
  const std::unique_ptr<Site> site = (choice & 2) != 0 ? SiteWithRecords() : EmptySite();
  SyncSession session(site->replica.get(), {(choice & 1) != 0, "savoie", {}});
  Answer(*site, session);
  while (!bytes.empty()) {
    v1::SyncFrame frame;
    const std::string_view block = TakeBlock(bytes);
    // The transport ends the stream.
    if (!frame.ParseFromArray(block.data(), static_cast<int>(block.size()))) break;
    if ((choice & 4) != 0) site->wall.millis += 2'000;
    MAILLAGE_REQUIRE(session.Receive(frame).ok());
    Answer(*site, session);
    RequireSoundProgress(*site, session);
  }
  const bool taken = session.progress().peer != SiteId() &&
                     session.progress().goodbye != v1::Goodbye::MALFORMED;
  const std::string inconsistency = Inconsistency(*site);
  if (!inconsistency.empty()) std::fprintf(stderr, "%s\n", inconsistency.c_str());
  MAILLAGE_REQUIRE(inconsistency.empty());
  if ((choice & 8) == 0) RequireSpreads(*site);
  return taken;
}

}  // namespace maillage::fuzz
