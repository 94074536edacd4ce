// One simulated machine: its disk, its clock, its replica, and the people who work at it.
#ifndef MAILLAGE_TESTS_SIM_SITE_H_
#define MAILLAGE_TESTS_SIM_SITE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/replica.h"
#include "replication/scope.h"
#include "tests/sim/disk.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/registry.h"

namespace maillage::sim {

// True time, shifted.
class SiteClock final : public replication::WallClock {
 public:
  explicit SiteClock(const EventQueue* events) : events_(events) {}
  uint64_t NowMillis() override {
    return replication::testing::kMorning + events_->now() + static_cast<uint64_t>(offset_millis);
  }

  int64_t offset_millis = 0;

 private:
  const EventQueue* const events_;
};

class SimSite {
 public:
  SimSite(size_t index, SiteId id, std::unique_ptr<Disk> new_disk, uint64_t seed, const EventQueue* events,
          Registry* registry, Registry::Report report);

  // Opens the replica; with a new incarnation where the store doesn't vouch for its end, or where the disk isn't the
  // one that the lease speaks of.
  void PowerOn();
  // The open batch is lost.
  void PowerOff();
  bool up() const { return replica != nullptr; }

  // Somebody edits the record, having read it now, or some time ago; the write joins the open batch.
  void Edit(const RecordKey& record, bool stale);
  // What another site holds, into the list of sites.
  void AssignScope(const SiteId& site, const replication::Scope& scope);
  // People send again what they have no answer to, under the same request id.
  void RetryUnanswered();

  // Ends the open batch and tells people. False where the store failed: nothing more is written before it is
  // opened again.
  bool Commit();

  // Puts another disk in, powered off. The lease, which lies elsewhere, tells at the next start.
  void ReplaceDisk(std::unique_ptr<Disk> other);
  // The disk is damaged: the next start finds less than the last stop left.
  void ForgetSaved() { saved_.reset(); checked_.clear(); }
  // What the disk has, whether the machine is up or not.
  const VersionVector& VectorOf(const RecordKey& record) const;
  bool Holds(const ChangeName& name) const { return VectorOf(name.record).Covers(name.dot); }

  // Changes of the feed by position; nothing for a whole state.
  const std::vector<std::optional<ChangeName>>& feed() const { return feed_; }

  // The laws that one site can break by itself; `thorough`: all of what the store derives is told anew.
  void Check(bool thorough);

  // Of a member: what it was told when it joined, and what it signs with; from the next start on.
  struct MemberFiles {
    v1::NetworkFile network;
    std::shared_ptr<const replication::SigningKey> key;
    // Frames get lost, so a change may come before it is known that its author is a member. It comes again.
    bool hears_late = false;
  };
  MemberFiles member;

  const size_t index;
  const SiteId id;
  SiteClock clock;
  SeededRandom random;
  std::unique_ptr<Disk> disk;
  std::unique_ptr<replication::Replica> replica;
  // Counts the times when what the machine held in memory was lost.
  uint64_t life = 0;
  bool retired = false;
  // Without it an exchanged disk is taken for the site's own.
  bool has_lease = true;
  uint64_t full_until = 0;
  uint32_t failed_commits_of_ten_thousand = 0;

 private:
  struct Unanswered {
    replication::Replica::LocalWrite write;
    // In the open batch, as this; nothing: not known to this life of the machine.
    std::optional<Dot> dot;
  };
  // What a clean stop leaves has to be what the next start finds.
  struct Saved {
    replication::LocalIdentity identity;
    replication::LocalProgress progress;
    std::string digest;
  };

  VersionVector ReadBefore(const RecordKey& record, const RecordState& state, bool stale);
  void WriteNow(replication::Replica::LocalWrite write);
  void AcknowledgeWrites();
  // Changes whose dots the replica gave up since stand at their positions under other names.
  void ReadFeedAnew();
  void ReadNewFeedEntries();
  void CheckRecords();
  // Tells the others what this site is, now and then.
  void PublishReport();
  // Law: what the site says that it holds of what others held, it holds.
  void CheckHeldReports();
  void CheckHolds(const SiteId& reporter, const Registry::Holding& reported);
  // Handed over: people don't see it any more, and nothing is left that could shrink.
  bool WasLetGo(const RecordKey& record) const;

  Registry* const registry_;
  const Registry::Report report_;
  std::vector<Unanswered> unanswered_;
  uint64_t requests_ = 0;
  std::map<RecordKey, std::vector<VersionVector>> etags_;
  // [0] is no position.
  std::vector<std::optional<ChangeName>> feed_{1};
  // As of the last look at the feed; at the records.
  uint64_t incarnation_read_ = 0;
  uint64_t incarnation_seen_ = 0;
  // State bytes and their vector: as of the last check; as last looked at.
  std::map<RecordKey, std::pair<std::string, VersionVector>> checked_;
  mutable std::map<RecordKey, std::pair<std::string, VersionVector>> looked_at_;
  std::optional<Saved> saved_;
  bool lease_broken_ = false;
  uint64_t last_report_millis_ = 0;
};

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_SITE_H_
