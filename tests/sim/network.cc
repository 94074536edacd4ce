#include "tests/sim/network.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"

namespace maillage::sim {

using replication::SyncSession;
using replication::SyncState;
using v1::SyncFrame;

namespace {

// What a keepalive needs to notice that nothing comes any more.
constexpr uint64_t kKeepalive = 30 * kSecond;
// Sessions look at the clock about once a second while something moves, and seldom when nothing does.
constexpr uint64_t kFirstTick = 1100;
constexpr uint64_t kLastTick = 4 * kHour;
constexpr uint64_t kGroupCommit = 20;

}  // namespace

Network::Network(const Weather* weather, EventQueue* events, Sites* sites, SeededRandom* random, Trace* trace,
                 Registry::Report report, std::function<void(SimSite&)> site_failed)
    : weather_(weather),
      events_(events),
      sites_(sites),
      random_(random),
      trace_(trace),
      report_(std::move(report)),
      site_failed_(std::move(site_failed)) {}

void Network::AddLine(size_t caller, size_t answerer) {
  Line& line = lines_.emplace_back();
  line.caller = caller;
  line.answerer = answerer;
  line.schedule = std::make_unique<replication::PeerSchedule>(&(*sites_)[caller]->random);
  PlanFaults(line);
  DialLater(line);
}

void Network::CopyLines(size_t original, size_t clone) {
  std::vector<std::pair<size_t, size_t>> lines;
  for (const Line& line : lines_) {
    if (line.caller == original) lines.emplace_back(clone, line.answerer);
    if (line.answerer == original) lines.emplace_back(line.caller, clone);
  }
  for (const auto& [caller, answerer] : lines) AddLine(caller, answerer);
}

void Network::Replace(size_t leaving) {
  std::set<size_t> neighbours;
  for (const Line& line : lines_) {
    if (line.caller == leaving) neighbours.insert(line.answerer);
    if (line.answerer == leaving) neighbours.insert(line.caller);
  }
  neighbours.erase(0);
  for (const size_t neighbour : neighbours) {
    const auto other = std::find_if(sites_->begin(), sites_->end(), [&](const auto& site) {
      return !site->retired && site->id != (*sites_)[neighbour]->id;
    });
    if (other != sites_->end()) AddLine(neighbour, (*other)->index);
  }
}

// ---- Dialling ----

void Network::PlanFaults(Line& line) {
  if (weather_->link_up > 0) {
    events_->After(Pause(*random_, weather_->link_up), [this, &line] {
      if (healing_) return;
      const uint64_t down = 1 + Pause(*random_, weather_->link_down);
      line.down_until = std::max(line.down_until, events_->now() + down);
      Cut(line, "line down");
      events_->After(down, [this, &line] { PlanFaults(line); });
    });
  }
  if (weather_->one_way_pause == 0) return;
  events_->After(Pause(*random_, weather_->one_way_pause), [this, &line] {
    if (healing_ || line.conversation == nullptr) return;
    line.conversation->ends[random_->Below(2)].unheard = true;
    events_->After(kKeepalive, [this, &line, conversation = line.conversation] {
      if (line.conversation == conversation) Cut(line, "keepalive");
    });
  });
}

void Network::AnnounceDial(Line& line, uint64_t pause) {
  // A later announcement replaces an earlier one.
  line.announced_dial = ++dials_announced_;
  events_->After(pause, [this, &line, announced = dials_announced_] {
    if (line.announced_dial != announced) return;
    line.announced_dial = 0;
    Dial(line);
  });
}

void Network::DialLater(Line& line) {
  if (line.announced_dial != 0 || line.conversation != nullptr) return;
  SimSite& caller = *(*sites_)[line.caller];
  if (!caller.up()) return;
  const uint64_t wall = caller.clock.NowMillis();
  uint64_t pause = line.schedule->IsDue(wall) ? 0 : line.schedule->next_dial_millis() - wall;
  // A line that is down for days would only be dialled in vain every minute.
  if (line.down_until > events_->now() + kMinute) {
    pause = line.down_until - events_->now() + random_->Below(kMinute);
  }
  AnnounceDial(line, pause + 1);
}

void Network::Dial(Line& line) {
  SimSite& caller = *(*sites_)[line.caller];
  const SimSite& answerer = *(*sites_)[line.answerer];
  if (line.conversation != nullptr || !caller.up() || caller.retired) return;
  if (!line.schedule->IsDue(caller.clock.NowMillis())) return DialLater(line);
  line.schedule->OnFailure(caller.clock.NowMillis());
  const uint64_t now = events_->now();
  const bool reached = now >= line.down_until && answerer.up() && now >= answerer.full_until &&
                       now >= caller.full_until;
  if (reached) return Begin(line);
  // Of a peer that is off nothing is heard; it is looked for at most once a minute, and here not that often.
  events_->After(answerer.up() ? 1 : kMinute, [this, &line] { DialLater(line); });
}

void Network::Begin(Line& line) {
  auto conversation = std::make_shared<Conversation>();
  conversation->number = counts_.conversations++;
  SimSite& caller = *(*sites_)[line.caller];
  SimSite& answerer = *(*sites_)[line.answerer];
  SyncSession::Options options;
  options.caller = true;
  options.name = absl::StrCat(caller.index);
  // Sometimes the caller doesn't remember who answers there.
  if (!random_->OneIn(4)) options.expected_peer = answerer.id;
  conversation->ends[0] = {&caller, caller.life, std::make_unique<SyncSession>(caller.replica.get(), options)};
  conversation->ends[1] = {&answerer, answerer.life,
                           std::make_unique<SyncSession>(
                               answerer.replica.get(),
                               SyncSession::Options{false, absl::StrCat(answerer.index), {}})};
  line.conversation = conversation;
  trace_->Note(events_->now(), "begin", {conversation->number, line.caller, line.answerer});
  CommitSoon(caller);
  TickLater(conversation, kFirstTick);
}

Network::Line& Network::LineOf(const Conversation& conversation) {
  return *std::find_if(lines_.begin(), lines_.end(),
                       [&](const Line& line) { return line.conversation.get() == &conversation; });
}

void Network::Cut(Line& line, const char* why) {
  if (line.conversation == nullptr) return;
  trace_->Note(events_->now(), why, {line.conversation->number});
  ++counts_.cuts;
  line.conversation->open = false;
  for (End& end : line.conversation->ends) end.session.reset();
  line.conversation = nullptr;
  DialLater(line);
}

void Network::SiteStops(SimSite& site) {
  for (Line& line : lines_) {
    if (line.caller == site.index || line.answerer == site.index) Cut(line, "site stops");
  }
}

void Network::SiteStarts(SimSite& site) {
  for (Line& line : lines_) {
    if (line.caller != site.index || line.conversation != nullptr) continue;
    line.schedule = std::make_unique<replication::PeerSchedule>(&site.random);
    AnnounceDial(line, 1);
  }
}

void Network::PauseLines(SimSite& site, uint64_t millis) {
  for (Line& line : lines_) {
    if (line.caller != site.index && line.answerer != site.index) continue;
    line.down_until = std::max(line.down_until, events_->now() + millis);
    Cut(line, "paused");
  }
}

// ---- Commits and frames ----

void Network::CommitSoon(SimSite& site) {
  if (commit_announced_.size() < sites_->size()) commit_announced_.resize(sites_->size());
  if (commit_announced_[site.index]) return;
  commit_announced_[site.index] = true;
  events_->After(random_->Below(kGroupCommit), [this, index = site.index, life = site.life] {
    commit_announced_[index] = false;
    CommitNow(index, life);
  });
}

void Network::CommitNow(size_t index, uint64_t life) {
  SimSite& site = *(*sites_)[index];
  if (!site.up() || site.life != life) return;
  const uint64_t head = site.replica->progress().feed_head;
  if (!site.Commit()) {
    trace_->Note(events_->now(), "commit fails", {index});
    return site_failed_(site);
  }
  if (site.replica->progress().feed_head != head) {
    trace_->Note(events_->now(), "commit", {index, site.replica->progress().feed_head},
                 site.replica->tree().Digest());
  }
  PumpSite(site);
}

void Network::PumpSite(SimSite& site) {
  for (Line& line : lines_) {
    const ConversationPtr conversation = line.conversation;
    if (conversation == nullptr) continue;
    for (size_t end = 0; end < 2; ++end) {
      if (conversation->ends[end].site == &site) Pump(conversation, end);
    }
  }
}

void Network::Pump(const ConversationPtr& conversation, size_t from) {
  End& end = conversation->ends[from];
  while (conversation->open && end.in_flight < weather_->frames_in_flight) {
    SyncFrame frame;
    const auto filled = end.session->Next(&frame);
    if (!filled.ok()) return report_(absl::StrCat("Next: ", filled.status().ToString()));
    if (!*filled) return;
    Send(conversation, from, frame);
  }
}

void Network::Send(const ConversationPtr& conversation, size_t from, const SyncFrame& frame) {
  End& end = conversation->ends[from];
  std::string bytes = frame.SerializeAsString();
  trace_->Note(events_->now(), "send",
               {conversation->number, from, static_cast<uint64_t>(frame.body_case()), bytes.size()});
  ++counts_.frames;
  ++conversation->frames;
  const auto happens = [&](uint32_t of_ten_thousand) {
    return of_ten_thousand > 0 && !healing_ && random_->Below(10'000) < of_ten_thousand;
  };
  if (end.unheard || happens(weather_->lost_frames)) return;
  const size_t copies = happens(weather_->doubled_frames) ? 2 : 1;
  for (size_t i = 0; i < copies; ++i) {
    uint64_t arrival = events_->now() + 1 + Pause(*random_, weather_->latency);
    if (!happens(weather_->overtaking_frames)) {
      arrival = end.last_arrival = std::max(arrival, end.last_arrival);
    }
    ++end.in_flight;
    events_->After(arrival - events_->now(), [this, conversation, from, bytes] {
      --conversation->ends[from].in_flight;
      if (conversation->open) Arrive(conversation, from, bytes);
    });
  }
}

void Network::Arrive(const ConversationPtr& conversation, size_t from, const std::string& bytes) {
  End& sender = conversation->ends[from];
  End& receiver = conversation->ends[1 - from];
  SyncFrame frame;
  if (!frame.ParseFromString(bytes)) return report_("a frame that can't be parsed");
  const absl::Status received = receiver.session->Receive(frame);
  if (!received.ok()) {
    if (receiver.site->replica->failed()) return;
    return report_(absl::StrCat("Receive: ", received.ToString()));
  }
  const auto goodbye = receiver.session->progress().goodbye;
  if (receiver.session->closed() && goodbye != v1::Goodbye::DUPLICATE) {
    // A member of whom the other hasn't heard yet calls again later.
    const bool too_early = weather_->members && goodbye == v1::Goodbye::NO_MEMBER;
    if ((weather_->sound_transport() || healing_) && !too_early) {
      report_(absl::StrCat("a session ends: ", receiver.session->progress().goodbye_message));
    }
    return Cut(LineOf(*conversation), "goodbye");
  }
  CommitSoon(*receiver.site);
  // There is room for another frame.
  CommitSoon(*sender.site);
  AfterArrival(conversation);
}

void Network::AfterArrival(const ConversationPtr& conversation) {
  if (conversation->agreed) return;
  const auto agrees = [](const End& end) { return end.session->progress().agreements > 0; };
  if (!agrees(conversation->ends[0]) || !agrees(conversation->ends[1])) return;
  conversation->agreed = true;
  LineOf(*conversation).schedule->OnAgreement();
  trace_->Note(events_->now(), "agree", {conversation->number});
}

void Network::TickLater(const ConversationPtr& conversation, uint64_t pause) {
  events_->After(pause, [this, conversation, pause, frames = conversation->frames] {
    if (!conversation->open) return;
    for (const End& end : conversation->ends) CommitSoon(*end.site);
    const bool moved = conversation->frames != frames;
    TickLater(conversation, moved ? kFirstTick : std::min(2 * pause, kLastTick));
  });
}

// ---- Laws ----

void Network::Heal() {
  healing_ = true;
  for (Line& line : lines_) {
    line.down_until = 0;
    Cut(line, "healed");
    AnnounceDial(line, 1);
  }
}

bool Network::UpToDate(const Line& line) const {
  const SimSite& caller = *(*sites_)[line.caller];
  const SimSite& answerer = *(*sites_)[line.answerer];
  if (caller.retired || answerer.retired) return true;
  if (line.conversation == nullptr) return false;
  return std::all_of(std::begin(line.conversation->ends), std::end(line.conversation->ends),
                     [](const End& end) { return end.session->up_to_date(); });
}

std::string Network::Unsettled() const {
  for (const Line& line : lines_) {
    if (UpToDate(line)) continue;
    std::string told = absl::StrCat("site ", line.caller, " calling site ", line.answerer);
    if (line.conversation == nullptr) return absl::StrCat(told, ": no conversation");
    for (const End& end : line.conversation->ends) {
      const replication::SyncProgress& progress = end.session->progress();
      absl::StrAppend(&told, "; state ", static_cast<int>(progress.state), " agreements ", progress.agreements,
                      " head ", end.site->replica->progress().feed_head, " sent ", progress.sent_position,
                      " applied ", progress.applied_position, end.session->up_to_date() ? " up to date" : "");
    }
    return told;
  }
  return "";
}

void Network::CheckReceipts() {
  if (!weather_->sound_transport()) return;
  for (const Line& line : lines_) {
    if (line.conversation == nullptr) continue;
    for (size_t end = 0; end < 2; ++end) CheckReceipts(*line.conversation, end);
  }
}

void Network::CheckReceipts(Conversation& conversation, size_t from) {
  End& end = conversation.ends[from];
  const SimSite& other = *conversation.ends[1 - from].site;
  // Entries that came from a site are taken to be there; where two machines run as one site, that may be the other.
  const auto machines = std::count_if(sites_->begin(), sites_->end(),
                                      [&](const auto& site) { return site->id == other.id; });
  // Of what lies outside of what the two share nothing is stored there.
  if (machines > 1 || weather_->scope_pause > 0) return;
  const uint64_t stored = end.session->progress().stored_position;
  if (stored <= end.receipts_checked) return;
  const auto& feed = end.site->feed();
  for (; end.receipts_checked < std::min(stored, feed.size() - 1); ++end.receipts_checked) {
    const std::optional<ChangeName>& name = feed[end.receipts_checked + 1];
    if (!name.has_value() || other.Holds(*name)) continue;
    report_(absl::StrCat("site ", end.site->index, " takes for stored at site ", other.index,
                         " what isn't there: ", Show(*name)));
  }
}

}  // namespace maillage::sim
