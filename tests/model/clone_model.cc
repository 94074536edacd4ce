#include "tests/model/clone_model.h"

#include <map>
#include <utility>

#include "tests/model/clone_meeting.h"
#include "tests/replication/support/literals.h"

namespace maillage::model {

using replication::Actor;
using replication::Change;
using replication::VersionVector;
using replication::testing::SiteOf;

namespace {

constexpr size_t kCopies = CloneModel::kCopies;
constexpr size_t kSites = CloneModel::kSites;
constexpr std::array<const char*, kSites> kNames{"Savoie", "the copy", "Lyon", "Isère"};
constexpr std::array<char, kSites> kLetters{'s', 's', 'p', 'q'};

bool HeldSomewhere(const CloneModel::State& state, const std::string& person) {
  for (const auto& site : state.sites) {
    if (site.has_value() && site->HoldsPerson(person)) return true;
  }
  return false;
}

// A number names one change of an incarnation, and later ones have higher numbers: finding them
// relies on it.
bool NumbersRise(const CloneSite& site) {
  std::map<uint64_t, uint64_t> last;
  for (const CloneSite::Row& row : site.feed()) {
    if (!row.own) continue;
    uint64_t& before = last[row.change->dot.actor.incarnation];
    if (row.change->site_sequence <= before) return false;
    before = row.change->site_sequence;
  }
  return true;
}

// Who comes first, when everyone meets everyone.
struct Order {
  std::array<size_t, kCopies> copies;
  std::array<size_t, 2> peers;
};
constexpr std::array<Order, 4> kOrders{Order{{0, 1}, {2, 3}}, Order{{0, 1}, {3, 2}},
                                       Order{{1, 0}, {2, 3}}, Order{{1, 0}, {3, 2}}};

// Everyone meets everyone once, to the end of each session.
void MeetAll(const CloneModel::Options& options, const Order& order, CloneModel::State& state) {
  SendBetweenPeers(state, order.peers[0], order.peers[1], /*all=*/true);
  SendBetweenPeers(state, order.peers[1], order.peers[0], /*all=*/true);
  for (const size_t copy : order.copies) {
    if (!state.sites[copy].has_value()) continue;
    for (const size_t peer : order.peers) CloneMeeting(options, &state, copy, peer).Whole();
  }
  if (state.sites[1].has_value()) MeetTwin(state);
}

std::string CheckHealed(const CloneModel::State& state) {
  if (HasClash(state)) return "a dot has two contents after all have met";
  for (const auto& site : state.sites) {
    if (!site.has_value()) continue;
    for (const std::string& edit : state.edits) {
      if (!site->HoldsPerson(edit)) return "an edit is lost: " + edit;
    }
    if (site->states() != state.sites[0]->states()) return "sites differ after all have met";
  }
  return "";
}

std::string CheckHealing(const CloneModel::Options& options, const Order& order,
                         CloneModel::State state) {
  // Twice for what there is to find, a third time for what must be at rest.
  for (int round = 0; round < 2; ++round) MeetAll(options, order, state);
  const uint64_t incarnations = state.next_incarnation;
  MeetAll(options, order, state);
  if (!state.broken.empty()) return state.broken + " (when all meet)";
  if (state.excused) return "";
  if (state.next_incarnation != incarnations) return "renaming has no end";
  return CheckHealed(state);
}

// Two copies that meet nobody else settle what is whose, and then rename nothing however often they meet.
std::string CheckTwins(CloneModel::State state) {
  for (int meeting = 0; meeting < 2; ++meeting) MeetTwin(state);
  const uint64_t incarnations = state.next_incarnation;
  MeetTwin(state);
  if (!state.broken.empty()) return state.broken + " (when the copies meet)";
  return state.next_incarnation == incarnations ? "" : "copies rename whenever they meet";
}

// The smallest of the keys under each naming of those that are alike.
class KeyWriter {
 public:
  KeyWriter(const CloneModel::State& state, bool swap_copies, bool swap_peers) {
    if (swap_copies) std::swap(at_[0], at_[1]);
    if (swap_peers) std::swap(at_[2], at_[3]);
    for (const size_t at : at_) AddSite(state.sites[at]);
    AddSite(state.backup);
    for (const size_t copy : {at_[0], at_[1]}) {
      for (const size_t peer : {at_[2], at_[3]}) {
        const CloneModel::Live& live = state.live[copy][peer - kCopies];
        Add(live.open ? 1 : 0);
        Add(live.up);
        Add(live.down);
      }
    }
    for (const size_t count : {state.written, state.cleared, state.peer_written, state.mishaps})
      Add(count);
    for (const std::string& person : in_order_) Add(state.edits.contains(person) ? 1 : 0);
    Add(state.excused ? 1 : 0);
    key_ += state.broken;
  }
  std::string Take() { return std::move(key_); }

 private:
  void Add(uint64_t number) { key_ += static_cast<char>(number); }
  // Names count in the order in which they come up, for incarnations and edits alike.
  void AddIncarnation(uint64_t incarnation) {
    Add(incarnations_.try_emplace(incarnation, incarnations_.size() + 1).first->second);
  }
  void AddPerson(const std::string& person) {
    const auto [found, news] = persons_.try_emplace(person, persons_.size() + 1);
    Add(found->second);
    if (news) in_order_.push_back(person);
  }
  void AddActor(const Actor& actor) {
    size_t author = 0;
    for (size_t i = kCopies; i < kSites; ++i) {
      if (actor.site == SiteOf(kLetters[at_[i]])) author = i;
    }
    Add(author);
    if (author == 0) AddIncarnation(actor.incarnation);
    Add(actor.epoch);
  }
  void AddChange(const Change& change) {
    Add(CloneSite::IndexOf(change.record));
    AddActor(change.dot.actor);
    Add(change.dot.n);
    Add(change.site_sequence);
    AddPerson(change.person);
    Add(change.operations[0].value.has_value() ? 1 : 0);
    Add(change.context.entries().size());
    for (const VersionVector::Entry& entry : change.context.entries()) {
      AddActor(entry.actor);
      Add(entry.n);
    }
  }
  void AddSite(const std::optional<CloneSite>& site) {
    Add(site.has_value() ? 1 : 0);
    if (!site.has_value()) return;
    Add(site->feed().size());
    for (const CloneSite::Row& row : site->feed()) {
      Add(row.own ? 1 : 0);
      Add(row.from < kSites ? static_cast<uint64_t>(at_[row.from]) : kSites);
      AddChange(*row.change);
    }
    AddIncarnation(site->incarnation());
    Add(site->sequence());
    for (const auto& [incarnation, known] : site->authors()) {
      AddIncarnation(incarnation);
      Add(known.sequence);
      AddPerson(known.person);
    }
    Add(site->witness().position);
    Add(site->witness().settled_position);
    AddIncarnation(site->witness().settled_incarnation);
  }

  // Where each site stands under this naming.
  std::array<size_t, kSites> at_{0, 1, 2, 3};
  std::map<uint64_t, uint64_t> incarnations_;
  std::map<std::string, uint64_t> persons_;
  std::vector<std::string> in_order_;
  std::string key_;
};

}  // namespace

CloneModel::State CloneModel::Start() const {
  State state;
  for (const size_t at : {0, 2, 3}) {
    state.sites[at] = CloneSite(SiteOf(kLetters[at]), SiteOf('s'), options_.bug);
  }
  return state;
}

void CloneModel::Writes(const State& state, const Visit& visit) const {
  for (size_t at = 0; at < kSites; ++at) {
    if (!state.sites[at].has_value()) continue;
    const bool peer = at >= kCopies;
    if (peer ? state.peer_written == options_.peer_writes : state.written == options_.writes)
      continue;
    for (size_t record = 0; record < options_.records; ++record) {
      // Records that nobody wrote are alike.
      if (record == 1 && state.edits.empty()) break;
      for (const bool clears : {false, true}) {
        const bool empty = state.sites[at]->states()[record].cells().empty();
        if (clears && (empty || peer || state.cleared == options_.clears)) continue;
        State next = state;
        ++(peer ? next.peer_written : next.written);
        if (clears) ++next.cleared;
        const std::string person = "e" + std::to_string(next.written + next.peer_written);
        next.sites[at]->Write(record, clears, person);
        next.edits.insert(person);
        visit(std::string(kNames[at]) + (clears ? " clears" : " writes") + " record " +
                  std::to_string(record + 1) + ": " + person,
              std::move(next));
      }
    }
  }
}

void CloneModel::Mishaps(const State& state, const Visit& visit) const {
  if (state.mishaps == options_.mishaps) return;
  if (!state.backup.has_value() && !state.sites[1].has_value()) {
    State next = state;
    next.backup = state.sites[0];
    visit("Savoie makes a backup", std::move(next));
  }
  const auto start = [&](size_t at, const CloneSite& folder, const std::string& how) {
    State next = state;
    ++next.mishaps;
    next.sites[at] = folder;
    next.live[at] = {};
    next.backup.reset();
    if (options_.lease) next.sites[at]->Renew(next.next_incarnation++, 0);
    // What only the lost folder held is nobody's fault.
    std::erase_if(next.edits, [&](const std::string& edit) { return !HeldSomewhere(next, edit); });
    visit(how, std::move(next));
  };
  if (state.sites[1].has_value()) return;
  start(1, *state.sites[0], "Savoie's folder is copied, and both run");
  if (!state.backup.has_value()) return;
  start(0, *state.backup, "Savoie's disk is lost, its backup runs");
  start(1, *state.backup, "Savoie's backup runs beside it");
}

void CloneModel::Meetings(const State& state, size_t copy, size_t peer, const Visit& visit) const {
  const std::string names = std::string(kNames[copy]) + " and " + kNames[peer];
  State greeted = state;
  CloneMeeting(options_, &greeted, copy, peer).Greet();
  visit(names + " greet each other", greeted);
  for (size_t record = 0; record < options_.records; ++record) {
    for (const bool up : {true, false}) {
      State next = state;
      CloneMeeting meeting(options_, &next, copy, peer);
      meeting.Greet();
      const CloneSite& from = *next.sites[up ? copy : peer];
      const ChangePtr first = FirstMissing(from, *next.sites[up ? peer : copy]);
      if (options_.in_order && first != nullptr && first->record != CloneSite::KeyOf(record))
        continue;
      next.live[copy][peer - kCopies] = {};
      if (!(up ? meeting.Up(record) : meeting.Down(record))) continue;
      visit(names + " greet each other, one change of record " + std::to_string(record + 1) +
                (up ? " goes to " : " comes from ") + kNames[peer] + ", then the link is cut",
            std::move(next));
    }
  }
  State whole = state;
  CloneMeeting(options_, &whole, copy, peer).Whole();
  visit(names + " exchange everything", std::move(whole));
}

void CloneModel::Streams(const State& state, size_t copy, size_t peer, const Visit& visit) const {
  if (!state.live[copy][peer - kCopies].open) return;
  State up = state;
  if (CloneMeeting(options_, &up, copy, peer).StreamUp()) {
    visit(std::string(kNames[copy]) + " streams its next change to " + kNames[peer], std::move(up));
  }
  State down = state;
  if (CloneMeeting(options_, &down, copy, peer).StreamDown()) {
    visit(std::string(kNames[peer]) + " streams its next change to " + kNames[copy],
          std::move(down));
  }
}

void CloneModel::Peers(const State& state, const Visit& visit) const {
  for (const auto& [from, to] : {std::pair(2, 3), std::pair(3, 2)}) {
    for (const bool all : {false, true}) {
      State next = state;
      if (!SendBetweenPeers(next, from, to, all)) continue;
      visit(std::string(kNames[from]) + " sends " + kNames[to] +
                (all ? " all that it lacks" : " one change"),
            std::move(next));
    }
  }
}

void CloneModel::Successors(const State& state, const Visit& visit) const {
  if (state.excused) return;
  Writes(state, visit);
  Mishaps(state, visit);
  Peers(state, visit);
  for (size_t copy = 0; copy < kCopies; ++copy) {
    for (size_t peer = kCopies; state.sites[copy].has_value() && peer < kSites; ++peer) {
      Meetings(state, copy, peer, visit);
      Streams(state, copy, peer, visit);
    }
  }
  if (!state.sites[1].has_value()) return;
  State met = state;
  MeetTwin(met);
  visit("Savoie and the copy meet", std::move(met));
}

std::string CloneModel::Violation(const State& state) const {
  if (!state.broken.empty()) return state.broken;
  for (const auto& site : state.sites) {
    if (site.has_value() && !NumbersRise(*site)) return "an incarnation's numbers don't rise";
  }
  if (options_.lease && HasClash(state)) return "a dot has two contents though the lease noticed";
  if (options_.lease && state.excused)
    return "different changes under one number though the lease noticed";
  if (state.excused) return "";
  if (state.sites[1].has_value()) {
    const std::string broken = CheckTwins(state);
    if (!broken.empty()) return broken;
  }
  for (const Order& order : kOrders) {
    if (!state.sites[1].has_value() && order.copies[0] == 1) break;
    const std::string broken = CheckHealing(options_, order, state);
    if (!broken.empty()) return broken;
  }
  return "";
}

std::string CloneModel::Key(const State& state) const {
  std::string smallest;
  for (const bool swap_copies : {false, true}) {
    for (const bool swap_peers : {false, true}) {
      std::string key = KeyWriter(state, swap_copies, swap_peers).Take();
      if (smallest.empty() || key < smallest) smallest = std::move(key);
    }
  }
  return smallest;
}

}  // namespace maillage::model
