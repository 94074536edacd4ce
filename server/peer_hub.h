// All links to other nodes: dials, accepts, runs a SyncSession over each stream, and knows what an administrator wants to
// know of each peer.
#ifndef MAILLAGE_SERVER_PEER_HUB_H_
#define MAILLAGE_SERVER_PEER_HUB_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/site_report.pb.h"
#include "proto/status_service.pb.h"
#include "replication/peer_schedule.h"
#include "replication/sync_session.h"
#include "server/admission.h"
#include "server/allowance.h"
#include "server/feed_times.h"
#include "server/log_limiter.h"
#include "server/stall_watch.h"
#include "server/sync_stream.h"
#include "server/tuning.h"
#include "server/writer.h"

namespace maillage::server {

// Lives on the writer's thread: every method but Accept and the destructor is called there, inside tasks. Frames are
// handled in tasks, so whatever several peers send at once is committed together.
class PeerHub {
 public:
  // Opens a stream to an address; tests put a pipe here.
  using Dialer = std::function<std::shared_ptr<SyncStream>(const std::string& address)>;

  // All pointers must outlive the hub. `addresses`: HOST:PORT of the nodes to dial.
  PeerHub(Writer* writer, replication::Replica* replica, std::string site_name,
          const std::vector<std::string>& addresses, Dialer dialer);
  // The writer must have stopped.
  ~PeerHub();

  // Calls it with whoever belongs to the network, whenever that has changed. Before Start.
  void OnMembership(std::function<void(const std::shared_ptr<const replication::Membership>&)> listener) {
    on_membership_ = std::move(listener);
  }
  // Calls it with each frame that came, on the thread that read it, before the session gets it. Before Start.
  void OnRead(std::function<void(const v1::SyncFrame&)> reader) { on_read_ = std::move(reader); }
  // Calls it every kTickMillis on the writer's thread; what it writes is committed and told. Before Start.
  void OnTick(std::function<void()> listener) { on_tick_ = std::move(listener); }
  // What one site may cost; those of tuning.h unless told otherwise, before Start.
  struct SiteLimits {
    double bytes_burst = kSiteBytesBurst;
    double bytes_per_second = kSiteBytesPerSecond;
    double work_millis_burst = kSiteWorkMillisBurst;
    double work_millis_per_second = kSiteWorkMillisPerSecond;
  };
  void LimitSites(const SiteLimits& limits) { limits_ = limits; }
  // Reads what was paused, and starts dialling.
  absl::Status Start();
  // From any thread: an incoming stream, and the address that it comes from, for the log. It waits for its turn to
  // compare; its frames are not read before.
  void Accept(std::shared_ptr<SyncStream> stream, std::string from = "");
  // Whether what peers send is stored, and whether the store is open. Where it has failed, all links are cut, what they
  // had under way is forgotten, and no new ones begin; the replica may be reloaded once this has returned.
  void OnWriteState(bool writing, bool store_failed);
  // Says goodbye to everyone and takes no more streams; `closed` is called once the last one has ended.
  void Shutdown(std::function<void()> closed);
  // Ends the streams whose goodbye is still waiting.
  void Abandon();

  // A site's name, its id or an address. NotFound lists the peers there are.
  absl::Status Pause(const std::string& peer);
  absl::Status Resume(const std::string& peer);
  // Answers once the roots were equal, or with what came between: FailedPrecondition, DeadlineExceeded.
  void Sync(const std::string& peer, std::function<void(absl::Status)> answer);

  size_t reconciling() const { return admission_.admitted(); }
  size_t waiting() const { return admission_.waiting(); }
  // Records that sessions since the start found damaged here and left out.
  uint64_t unreadable_records() const;
  // What was damaged may have been repaired: nothing is left out any more, and everybody compares.
  void OnRepaired();
  std::vector<v1::PeerStatus> Status() const;
  absl::StatusOr<v1::PeerStatus> Status(const std::string& peer) const;
  // The same for a report of this site: of peers that have said who they are, kMaxReportedLinks at most.
  std::vector<v1::ReportedLink> ReportedLinks() const;
  // When the first entry of the feed behind a position was saved, milliseconds since 1970; 0: there is none.
  uint64_t SavedAfter(uint64_t position) const;
  // Of the replica's clock.
  uint64_t Now() const;

 private:
  struct Link {
    uint64_t id = 0;
    std::shared_ptr<SyncStream> stream;
    std::unique_ptr<replication::SyncSession> session;
    bool dialled = false;
    // Of one that called in.
    std::string from;
    bool writing = false;
    // It called in, and it isn't its turn to compare yet: nothing is read.
    bool waiting = false;
    // The store failed under it: what its session believes may never have been written.
    bool cut = false;
    // The peer has said who it is, and the link belongs to one of peers_.
    bool introduced = false;
    // The session has ended: the stream follows once the goodbye is written, and is cancelled if that takes long.
    bool finishing = false;
    uint64_t cancel_millis = 0;
    // Why this node ended the stream; empty otherwise. Told instead of how the stream then ended.
    std::string own_fault;
    uint64_t agreements_seen = 0;
    uint64_t separations_seen = 0;
    // Its site has cost more than it may: frames that were handled, and whose room isn't given back to the stream before then.
    size_t kept_frames = 0;
    uint64_t slowed_until_millis = 0;
    // When a Check went out that hasn't been answered; nothing where none has.
    std::optional<std::chrono::steady_clock::time_point> asked;
    StallWatch stall;
  };

  // What a site may still cost.
  struct Budget {
    Allowance bytes;
    Allowance work_millis;
  };

  struct Waiter {
    std::function<void(absl::Status)> answer;
    uint64_t deadline_millis = 0;
    // Of the link when the command came; the next one of either answers it.
    uint64_t agreements = 0;
    uint64_t separations = 0;
  };

  struct Peer {
    std::string address;
    SiteId site;
    std::string name;
    bool paused = false;
    std::optional<replication::PeerSchedule> schedule;
    // Null while there is none.
    std::shared_ptr<Link> link;
    // Of the link that ended last, with the positions and the agreement of those before it.
    replication::SyncProgress last;
    uint64_t last_contact_millis = 0;
    std::string last_error;
    // From a Check to its answer, last time; zero: never.
    std::chrono::microseconds round_trip{0};
    // Since when everything was exchanged and roots differ; 0: they don't, as far as is known.
    uint64_t disagreement_millis = 0;
    uint64_t stalls = 0;
    std::vector<Waiter> waiters;
  };

  void Tick();
  void Dial(Peer& peer);
  void Attach(const std::shared_ptr<Link>& link);
  // Lets in those whose turn it is, and ends those who hold others up.
  void AdmitWaiting();
  void EndStalled();
  void CutAll();
  // The exchange showed that this site isn't the only continuation of itself.
  void NoteRenewal(const Link& link);
  void NoteMalformed(const Link& link, const std::string& what);
  void OnFrame(const std::shared_ptr<Link>& link, const v1::SyncFrame& frame);
  // Of the link's site, for one frame; begins to slow the link down.
  void Charge(Link& link, double bytes, double work_millis);
  void ReadOn(Link& link, uint64_t now);
  // Ends sessions that stand still though something waits; they begin anew.
  void EndStuck(uint64_t now);
  void OnWritten(const std::shared_ptr<Link>& link);
  void OnClosed(const std::shared_ptr<Link>& link, const grpc::Status& status);
  // Sends what the sessions have to say; after every commit.
  void Pump();
  void PumpLink(const std::shared_ptr<Link>& link);
  // Runs `task` on the writer's thread, and Pump after its commit.
  void Post(std::function<void()> task);
  void AfterCommit(const absl::Status& committed);
  void Introduce(const std::shared_ptr<Link>& link);
  // A site that used to call in and was also dialled is one peer: its entry without an address is dropped, and its
  // link returned.
  std::shared_ptr<Link> AbsorbCaller(const Peer& peer);
  // Of two sessions with the same site one has to close: true where it is `link`.
  bool GivesWay(const Link& link, const std::shared_ptr<Link>& rival, const SiteId& site);
  void BeginEnd(Link& link);
  static void KeepProgress(Peer& peer, const replication::SyncProgress& ended);
  void NoteOutcome(const std::shared_ptr<Link>& link, Peer& peer);
  void AnswerWaiters(Peer& peer);
  void Describe(const Peer& peer, v1::PeerStatus& status) const;
  // Of what lies behind the positions that it tells.
  void DescribeAges(v1::PeerStatus& status) const;
  void DescribeMember(const Peer& peer, v1::PeerStatus& status) const;
  static bool IsConnected(const Peer& peer) { return peer.link != nullptr && peer.link->introduced; }
  static v1::PeerStatus::State StateOfPeer(const Peer& peer);
  Peer* FindPeer(const std::string& name);
  const Peer* FindPeer(const std::string& name) const;
  Peer* PeerOf(const Link& link);
  // The peer that dials this link, or the one with this site, or a new one.
  Peer& PeerForLink(const Link& link);
  absl::Status NoSuchPeer(const std::string& name) const;
  void RememberPaused(const Peer& peer, bool paused);

  Writer* const writer_;
  replication::Replica* const replica_;
  const std::string site_name_;
  const Dialer dialer_;
  // A list: peers keep their addresses in memory.
  std::list<Peer> peers_;
  FeedTimes feed_times_;
  std::list<std::shared_ptr<Link>> links_;
  std::set<std::string> paused_;
  uint64_t next_link_ = 1;
  uint64_t subscription_ = 0;
  Admission admission_{kMaxReconciling};
  SiteLimits limits_;
  absl::flat_hash_map<SiteId, Budget> budgets_;
  LogLimiter malformed_log_{kMalformedLogLines, kMalformedLogMillis};
  // Of links that have ended.
  absl::flat_hash_set<RecordKey> unreadable_;
  bool writing_ = true;
  bool store_failed_ = false;
  bool pump_due_ = false;
  bool shutting_down_ = false;
  std::function<void()> all_closed_;
  std::function<void(const std::shared_ptr<const replication::Membership>&)> on_membership_;
  uint64_t membership_seen_ = 0;
  std::function<void(const v1::SyncFrame&)> on_read_;
  std::function<void()> on_tick_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_PEER_HUB_H_
