#include "tests/model/clone_meeting.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tests/replication/support/literals.h"

namespace maillage::model {

using replication::Change;
using replication::Dot;
using replication::testing::SiteOf;

namespace {

using Applied = CloneSite::Applied;

constexpr uint8_t kNobody = 0xFF;
// A session settles in fewer exchanges, or never.
constexpr int kMostExchanges = 8;

bool Covers(const CloneSite& site, const Change& change) {
  return site.states()[CloneSite::IndexOf(change.record)].vector().Covers(change.dot);
}

void Break(CloneModel::State& state, const std::string& how) {
  if (state.broken.empty()) state.broken = how;
}

// Gives up what isn't held; what the other end has said to hold must keep its dot.
void Renounce(CloneModel::State& state, CloneSite& site, const CloneSite::Word& word) {
  const uint64_t before = site.incarnation();
  const std::vector<CloneSite::Row> feed = site.feed();
  site.Renounce(word, state.next_incarnation);
  if (site.incarnation() != before) ++state.next_incarnation;
  for (const uint64_t position : word.held) {
    if (site.feed().size() < feed.size()) continue;
    if (feed[position - 1].change != site.feed()[position - 1].change) {
      Break(state, "a change was renamed that the other end holds");
    }
  }
}

}  // namespace

ChangePtr FirstMissing(const CloneSite& from, const CloneSite& to, size_t record) {
  for (const CloneSite::Row& row : from.feed()) {
    if (row.change->record != CloneSite::KeyOf(record) || Covers(to, *row.change)) continue;
    return row.change;
  }
  return nullptr;
}

ChangePtr FirstMissing(const CloneSite& from, const CloneSite& to) {
  for (const CloneSite::Row& row : from.feed()) {
    if (!Covers(to, *row.change)) return row.change;
  }
  return nullptr;
}

bool HasClash(const CloneModel::State& state) {
  std::map<std::pair<Dot, RecordKey>, std::string> held;
  for (const auto& site : state.sites) {
    if (!site.has_value()) continue;
    for (const CloneSite::Row& row : site->feed()) {
      const Change& change = *row.change;
      const auto known = held.try_emplace({change.dot, change.record}, change.person).first;
      if (known->second != change.person) return true;
    }
  }
  return false;
}

bool SendBetweenPeers(CloneModel::State& state, size_t from, size_t to, bool all) {
  bool sent = false;
  for (size_t record = 0; record < CloneSite::kRecords; ++record) {
    while (const ChangePtr change = FirstMissing(*state.sites[from], *state.sites[to], record)) {
      ChangePtr held;
      if (state.sites[to]->Apply(change, kNobody, false, &held) != Applied::kApplied) break;
      sent = true;
      if (!all) return true;
    }
  }
  return sent;
}

void MeetTwin(CloneModel::State& state) {
  std::array<CloneSite::Positions, 2> held;
  std::array<bool, 2> asks{};
  const bool same = state.sites[0]->incarnation() == state.sites[1]->incarnation();
  for (const size_t at : {0, 1}) {
    const CloneSite& site = *state.sites[at];
    const CloneSite::Positions unwitnessed = site.Unwitnessed();
    held[at] = site.HeldBy(*state.sites[1 - at], unwitnessed);
    asks[at] =
        same || std::any_of(unwitnessed.begin(), unwitnessed.end(), [&](uint64_t position) {
          return site.feed()[position - 1].change->dot.actor.incarnation != site.incarnation();
        });
  }
  for (const size_t at : {0, 1}) {
    if (asks[at]) Renounce(state, *state.sites[at], {held[at], same, /*twins=*/true});
  }
  if (state.sites[0]->incarnation() == state.sites[1]->incarnation()) {
    Break(state, "two copies have met and go on under one incarnation");
  }
}

CloneMeeting::CloneMeeting(const CloneModel::Options& options, CloneModel::State* state,
                           size_t copy, size_t peer)
    : options_(options),
      state_(state),
      copy_(copy),
      peer_(peer),
      peer_could_tell_(PeerKnowsOfAnother()) {}

bool CloneMeeting::PeerKnowsOfAnother() const {
  const CloneSite& copy = *state_->sites[copy_];
  const std::vector<CloneSite::Row>& feed = state_->sites[peer_]->feed();
  return std::any_of(feed.begin(), feed.end(), [&](const CloneSite::Row& row) {
    return row.change->dot.actor.site == SiteOf('s') &&
           row.change->dot.actor.incarnation == copy.incarnation() && !copy.Holds(*row.change);
  });
}

void CloneMeeting::Greet() {
  live() = {};
  const bool agreed = copy().states() == peer().states();
  if (agreed && options_.bug == CloneBug::kAgreesBeforeJudging)
    copy().Witness(copy().feed().size());
  bool doubt = false;
  bool must_renew = false;
  if (options_.bug != CloneBug::kNoAcquaintance) {
    for (const auto& [incarnation, known] : peer().authors()) {
      if (!copy().Doubts(incarnation, known)) continue;
      doubt = true;
      must_renew = must_renew || incarnation == copy().incarnation() ||
                   options_.bug == CloneBug::kDoubtsTheSettledPast;
    }
  }
  if (doubt) Suspect(must_renew);
  if (agreed && !doubt) Agree();
}

void CloneMeeting::Suspect(bool must_renew) {
  renounced_ = true;
  live() = {};
  Renounce(*state_, copy(), {copy().HeldBy(peer(), copy().Unwitnessed()), must_renew});
}

void CloneMeeting::LookIntoClashes() {
  if (options_.bug == CloneBug::kIgnoresEqualVectors) return;
  CloneSite::Word word{copy().HeldBy(peer(), copy().Unwitnessed())};
  std::erase_if(word.records, [&](size_t record) {
    const replication::RecordState& mine = copy().states()[record];
    const replication::RecordState& theirs = peer().states()[record];
    return mine == theirs || mine.vector() != theirs.vector();
  });
  if (word.records.empty()) return;
  const uint64_t before = copy().incarnation();
  Renounce(*state_, copy(), word);
  renounced_ = copy().incarnation() != before;
}

void CloneMeeting::Agree() {
  copy().Witness(copy().feed().size());
  if (options_.live) live() = {true, copy().feed().size(), peer().feed().size()};
}

bool CloneMeeting::Give(const ChangePtr& change) {
  ChangePtr held;
  const Applied applied = peer().Apply(change, static_cast<uint8_t>(copy_), true, &held);
  if (applied == Applied::kApplied) NoteGiven(*change);
  if (applied != Applied::kClash) return applied == Applied::kApplied;
  const uint64_t incarnation = held->dot.actor.incarnation;
  const uint64_t before = copy().incarnation();
  live() = {};
  const bool doubts = copy().Doubts(incarnation, {held->site_sequence, held->person});
  if (doubts && options_.bug != CloneBug::kIgnoresClashes) Suspect(incarnation == before);
  if (incarnation == before && copy().incarnation() == before)
    Break(*state_, "a clash was told, and the copy not found");
  return false;
}

bool CloneMeeting::Take(const ChangePtr& change) {
  ChangePtr held;
  const Applied applied = copy().Apply(change, static_cast<uint8_t>(peer_), false, &held);
  if (applied == Applied::kTwin) Suspect(/*must_renew=*/true);
  return applied == Applied::kApplied || applied == Applied::kTwin;
}

void CloneMeeting::NoteGiven(const Change& given) {
  bool dots = false;
  bool sequences = false;
  for (size_t at = CloneModel::kCopies; at < CloneModel::kSites; ++at) {
    for (const CloneSite::Row& row : state_->sites[at]->feed()) {
      const Change& change = *row.change;
      if (change.person == given.person || change.dot.actor.site != given.dot.actor.site) continue;
      dots = dots || (change.dot == given.dot && change.record == given.record);
      sequences = sequences || (change.dot.actor.incarnation == given.dot.actor.incarnation &&
                                change.site_sequence == given.site_sequence);
    }
  }
  if (dots && peer_could_tell_)
    Break(*state_, "a dot was given away twice, and somebody could have told");
  if (peer_could_tell_) return;
  const bool dots_excuse = options_.excuse != CloneModel::Excuse::kNothing;
  const bool sequences_excuse = options_.excuse == CloneModel::Excuse::kClashingSequences;
  if ((dots && dots_excuse) || (sequences && sequences_excuse)) state_->excused = true;
}

bool CloneMeeting::Up(size_t record) {
  const ChangePtr change = FirstMissing(copy(), peer(), record);
  return change != nullptr && Give(change);
}

bool CloneMeeting::Down(size_t record) {
  const ChangePtr change = FirstMissing(peer(), copy(), record);
  return change != nullptr && Take(change);
}

void CloneMeeting::Exchange() {
  int exchanges = 0;
  for (bool moved = true; moved && exchanges < kMostExchanges; ++exchanges) {
    moved = false;
    for (size_t record = 0; record < options_.records; ++record) {
      while (!renounced_ && Down(record)) moved = true;
      while (!renounced_ && Up(record)) moved = true;
    }
    moved = moved || renounced_;
    renounced_ = false;
  }
  if (exchanges == kMostExchanges) Break(*state_, "a meeting doesn't end");
}

void CloneMeeting::Whole() {
  const uint64_t before = copy().incarnation();
  Greet();
  Exchange();
  if (copy().states() != peer().states()) {
    LookIntoClashes();
    Exchange();
  }
  if (copy().states() == peer().states()) Agree();
  if (peer_could_tell_ && copy().incarnation() == before) {
    Break(*state_, "a copy met a peer that could tell, and was not found");
  }
}

bool CloneMeeting::StreamUp() {
  const std::vector<CloneSite::Row>& feed = copy().feed();
  while (live().up < feed.size() && feed[live().up].from == peer_) ++live().up;
  if (live().up == feed.size()) return false;
  Give(feed[live().up].change);
  if (live().open) copy().Witness(++live().up);
  return true;
}

bool CloneMeeting::StreamDown() {
  const std::vector<CloneSite::Row>& feed = peer().feed();
  while (live().down < feed.size() && feed[live().down].from == copy_) ++live().down;
  if (live().down == feed.size()) return false;
  Take(feed[live().down].change);
  if (live().open) ++live().down;
  return true;
}

}  // namespace maillage::model
