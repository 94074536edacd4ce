#include "tests/bench/pipe.h"

#include <string>

#include "proto/sync.pb.h"
#include "replication/sync_session.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

using replication::SyncProgress;
using replication::SyncSession;
using replication::SyncState;

// False where the sender had nothing to say.
bool Carry(DiskSite& from, SyncSession& sender, DiskSite& to, SyncSession& receiver) {
  v1::SyncFrame frame;
  const bool filled = Must(sender.Next(&frame));
  MustBeOk(from.replica().Commit());
  if (!filled) return false;
  v1::SyncFrame parsed;
  if (!parsed.ParseFromString(frame.SerializeAsString())) Die("a frame that can't be read");
  MustBeOk(receiver.Receive(parsed));
  MustBeOk(to.replica().Commit());
  return true;
}

void MustAgree(const SyncSession& session) {
  if (session.progress().state != SyncState::kLive) {
    Die("a session ended without agreement: " + session.progress().goodbye_message);
  }
}

}  // namespace

Traffic Synchronise(DiskSite& caller, DiskSite& answerer, bool known) {
  constexpr size_t kTooManyFrames = 10'000'000;
  Traffic traffic;
  const Stopwatch watch;
  SyncSession::Options calling;
  calling.caller = true;
  calling.name = "appelant";
  if (known) calling.expected_peer = answerer.id();
  SyncSession called_session(&answerer.replica(), {false, "appelé", {}});
  SyncSession calling_session(&caller.replica(), calling);
  while (traffic.frames < kTooManyFrames) {
    const bool there = Carry(caller, calling_session, answerer, called_session);
    const bool back = Carry(answerer, called_session, caller, calling_session);
    if (!there && !back) break;
    traffic.frames += (there ? 1 : 0) + (back ? 1 : 0);
  }
  traffic.seconds = watch.Seconds();
  MustAgree(calling_session);
  MustAgree(called_session);
  const replication::Scope& shared = calling_session.shared();
  if (caller.replica().tree().Digest(shared) != answerer.replica().tree().Digest(shared)) {
    Die("two sites agree and differ");
  }
  for (const SyncSession* session : {&calling_session, &called_session}) {
    const SyncProgress& progress = session->progress();
    traffic.bytes += progress.bytes_sent;
    traffic.records += progress.changes_sent + progress.states_sent;
    traffic.rounds += progress.reconciliation_rounds;
  }
  return traffic;
}

}  // namespace maillage::bench
