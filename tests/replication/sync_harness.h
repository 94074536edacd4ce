// Sites in one thread: real replicas and sessions over memory stores, joined without sockets.
#ifndef MAILLAGE_TESTS_REPLICATION_SYNC_HARNESS_H_
#define MAILLAGE_TESTS_REPLICATION_SYNC_HARNESS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/edit.h"
#include "replication/ports.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "replication/sync_session.h"
#include "storage/memory_store.h"
#include "tests/replication/support/damaged_store.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {

// The kind of v1::Actor.
inline constexpr uint16_t kActor = 1;

v1::Actor NamedActor(const std::string& name, const std::string& department = "73");
// Of the whole region where the département is empty.
v1::Project ProjectLedBy(const RecordId& actor, const std::string& department = "73");

class SteppedClock : public WallClock {
 public:
  uint64_t NowMillis() override { return millis; }
  uint64_t millis = 1'770'000'000'000;
};

// One site with its own disk. The clock is the fleet's.
class TestSite {
 public:
  TestSite(std::string name, uint64_t seed, SteppedClock* clock);

  // Another machine that believes to be this one, with the data of this moment.
  std::unique_ptr<TestSite> Clone(uint64_t seed) const;

  // Begins anew, with an empty disk, as the member whose key this is. `member_key` must outlive the site.
  void Join(const v1::NetworkFile& told, const SigningKey& member_key);
  // Learns of an entry of the membership log.
  void Hear(const v1::SignedEntry& entry);
  // Opens the replica on what the store holds, as a restart does.
  void Restart(bool continuity_proven = true);

  // Typed edits by `person`, committed at once. The context is what the site holds, or `seen`.
  RecordId Create(const google::protobuf::Message& content, const std::string& person = "Awa");
  Dot Update(const RecordId& id, const google::protobuf::Message& content,
             const std::vector<std::string>& fields, const std::string& person = "Awa",
             const VersionVector* seen = nullptr);
  void Add(const RecordId& id, const google::protobuf::Message& additions,
           const std::string& person = "Awa");
  void Remove(const RecordId& id, const google::protobuf::Message& removals,
              const std::string& person = "Awa");
  void Delete(uint16_t kind, const RecordId& id, const std::string& person = "Awa",
              const VersionVector* seen = nullptr);

  RecordState State(uint16_t kind, const RecordId& id) const;
  // The author's bytes of all changes of the feed, in order.
  std::vector<std::string> Feed() const;
  v1::Actor Actor(const RecordId& id) const;
  std::string Digest() const { return replica->tree().Digest(); }

  std::string name;
  SiteId id;
  std::unique_ptr<storage::MemoryStore> store = std::make_unique<storage::MemoryStore>();
  // Where it is set, the replica reads and writes through it, from the next Restart on.
  std::unique_ptr<DamagedStore> damaged;
  std::unique_ptr<Replica> replica;
  SeededRandom random;
  // Of the network that it belongs to, from the next Restart on; empty: of none.
  v1::NetworkFile network;
  // Signs what it writes there; may be null.
  const SigningKey* key = nullptr;

 private:
  TestSite(const TestSite& original, uint64_t seed);

  Dot Write(const RecordKey& record, const Edit& edit, const KindSchema& kind,
            const std::string& person, const VersionVector* seen);

  SteppedClock* const clock_;
};

// Two sessions with a pipe between them.
class Link {
 public:
  // `caller` dials. `known` : the caller remembers who answers.
  Link(TestSite* caller, TestSite* answerer, bool known = true);

  // Carries frames both ways until neither end has any. Returns how many were carried.
  size_t Run();
  // The same, but the link breaks before frame number `frames` (from 0) arrives.
  size_t RunUntilCut(size_t frames);
  // One turn of each end; false where nothing moved.
  bool Step();

  SyncSession& caller() { return *caller_session_; }
  SyncSession& answerer() { return *answerer_session_; }
  uint64_t bytes() const;
  // Called for each frame before it is carried.
  std::function<void(bool from_caller, const v1::SyncFrame&)> on_frame;

 private:
  bool Carry(TestSite& from, SyncSession& sender, TestSite& to, SyncSession& receiver,
             bool from_caller);

  TestSite* const caller_site_;
  TestSite* const answerer_site_;
  std::unique_ptr<SyncSession> caller_session_;
  std::unique_ptr<SyncSession> answerer_session_;
  std::optional<size_t> frames_left_;
  size_t carried_ = 0;
};

// What a change is called today at the site of this store, which may have given up dots that nobody had confirmed.
Dot PresentName(const storage::ReadView& store, const RecordKey& record, Dot dot);

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SYNC_HARNESS_H_
