// Two real sites and the line between them, as the session model drives them.
#ifndef MAILLAGE_TESTS_MODEL_SESSION_WORLD_H_
#define MAILLAGE_TESTS_MODEL_SESSION_WORLD_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proto/sync.pb.h"
#include "replication/replica.h"
#include "replication/sync_session.h"
#include "storage/memory_store.h"
#include "tests/model/session_model.h"
#include "tests/replication/support/ports.h"

namespace maillage::model {

// Always the same, so that what was drawn before is no part of a state. Nothing here depends on
// numbers being new: each site opens one incarnation, and salts only keep truncated sums from
// colliding twice.
class SameRandom final : public replication::Random {
 public:
  explicit SameRandom(uint8_t byte) : byte_(byte) {}
  void Fill(std::span<uint8_t> bytes) override;

 private:
  const uint8_t byte_;
};

class SessionWorld {
 public:
  explicit SessionWorld(const SessionModel::Options& options);

  void Play(const SessionModel::Step& step);

  // The first law that doesn't hold; empty where all do.
  std::string Violation() const;
  // Where nothing moves any more: what both ought to hold and know.
  std::string ViolationAtRest() const;
  std::string Key() const;
  size_t in_flight(size_t sender) const { return ends_[sender].outgoing.size(); }
  bool greets(size_t sender) const {
    return !ends_[sender].outgoing.empty() && ends_[sender].outgoing.front().has_hello();
  }

 private:
  struct Edit {
    size_t site;
    RecordKey record;
    replication::Dot dot;
    replication::VersionVector context;
  };
  struct End {
    SiteId id;
    std::unique_ptr<SameRandom> random;
    std::unique_ptr<storage::MemoryStore> store;
    // As it was before the last edit.
    std::unique_ptr<storage::MemoryStore> earlier;
    std::unique_ptr<replication::Replica> replica;
    std::unique_ptr<replication::SyncSession> session;
    std::deque<v1::SyncFrame> outgoing;
    // A hash of all that happened to it since the last cut, and of its store then.
    std::string lived;
    // What the session told of the peer after the last step.
    uint64_t stored = 0;
    uint64_t applied = 0;
    bool went_back = false;
  };

  void Open(End& end);
  void Write(size_t site, size_t record);
  // Sends what there is while the stream takes it.
  void Pump(size_t site);
  void Receive(size_t site);
  void Cut(size_t restarts);
  void StartSessions(bool known);
  void Note(End& end, const std::string& what);
  std::string StoreOf(const End& end, const SiteId& peer) const;
  std::string CheckReceipts(const End& end, const End& peer) const;
  std::string CheckFeed(const End& end) const;
  std::string CheckEdits(const End& end, bool all) const;

  const SessionModel::Options options_;
  replication::testing::FakeWall wall_;
  std::array<End, SessionModel::kSites> ends_;
  std::vector<Edit> edits_;
};

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_SESSION_WORLD_H_
