// Lines between simulated sites, and the conversations over them: real SyncSessions and PeerSchedules, frames in
// flight, and all that a network does to them.
#ifndef MAILLAGE_TESTS_SIM_NETWORK_H_
#define MAILLAGE_TESTS_SIM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "replication/peer_schedule.h"
#include "replication/sync_session.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/site.h"
#include "tests/sim/trace.h"
#include "tests/sim/weather.h"

namespace maillage::sim {

struct NetworkCounts {
  uint64_t frames = 0;
  uint64_t conversations = 0;
  uint64_t cuts = 0;
};

class Network {
 public:
  using Sites = std::vector<std::unique_ptr<SimSite>>;
  // `site_failed` is told once, when a site's store refuses; the site then belongs to the operators.
  Network(const Weather* weather, EventQueue* events, Sites* sites, SeededRandom* random, Trace* trace,
          Registry::Report report, std::function<void(SimSite&)> site_failed);

  // The caller dials from now on.
  void AddLine(size_t caller, size_t answerer);
  // Every line of `original`, for its clone.
  void CopyLines(size_t original, size_t clone);
  // Who had a line to the site that leaves gets one to another.
  void Replace(size_t leaving);

  // The site commits soon, tells people, and lets its conversations go on.
  void CommitSoon(SimSite& site);
  // To be called before the machine goes down, and after it came up.
  void SiteStops(SimSite& site);
  void SiteStarts(SimSite& site);
  // No line of the site carries anything for so long.
  void PauseLines(SimSite& site, uint64_t millis);

  // No more faults; whatever conversation there is starts over.
  void Heal();
  // Empty once every line between living sites has a conversation, and both its ends are up to date.
  std::string Unsettled() const;

  // Law: what an end takes for stored at the other is.
  void CheckReceipts();

  const NetworkCounts& counts() const { return counts_; }

 private:
  struct End {
    SimSite* site = nullptr;
    uint64_t life = 0;
    std::unique_ptr<replication::SyncSession> session;
    size_t in_flight = 0;
    uint64_t last_arrival = 0;
    // What this end sends goes nowhere.
    bool unheard = false;
    uint64_t receipts_checked = 0;
  };
  struct Conversation {
    size_t number = 0;
    End ends[2];
    bool open = true;
    bool agreed = false;
    uint64_t frames = 0;
  };
  using ConversationPtr = std::shared_ptr<Conversation>;
  struct Line {
    size_t caller;
    size_t answerer;
    std::unique_ptr<replication::PeerSchedule> schedule;
    uint64_t down_until = 0;
    // Number of the dial to come; 0: none.
    uint64_t announced_dial = 0;
    ConversationPtr conversation;
  };

  void AnnounceDial(Line& line, uint64_t pause);
  void DialLater(Line& line);
  void Dial(Line& line);
  void Begin(Line& line);
  void Cut(Line& line, const char* why);
  void PlanFaults(Line& line);
  Line& LineOf(const Conversation& conversation);

  void CommitNow(size_t index, uint64_t life);
  void PumpSite(SimSite& site);
  void Pump(const ConversationPtr& conversation, size_t from);
  void Send(const ConversationPtr& conversation, size_t from, const v1::SyncFrame& frame);
  void Arrive(const ConversationPtr& conversation, size_t from, const std::string& bytes);
  void AfterArrival(const ConversationPtr& conversation);
  void TickLater(const ConversationPtr& conversation, uint64_t pause);
  void CheckReceipts(Conversation& conversation, size_t end);
  bool UpToDate(const Line& line) const;

  const Weather* const weather_;
  EventQueue* const events_;
  Sites* const sites_;
  SeededRandom* const random_;
  Trace* const trace_;
  const Registry::Report report_;
  const std::function<void(SimSite&)> site_failed_;
  std::list<Line> lines_;
  std::vector<bool> commit_announced_;
  NetworkCounts counts_;
  uint64_t dials_announced_ = 0;
  bool healing_ = false;
};

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_NETWORK_H_
