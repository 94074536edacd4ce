// What two sites of the clone model do to each other, as a session would: the acquaintance, the
// question, the comparison.
#ifndef MAILLAGE_TESTS_MODEL_CLONE_MEETING_H_
#define MAILLAGE_TESTS_MODEL_CLONE_MEETING_H_

#include <cstddef>
#include <string>

#include "tests/model/clone_model.h"

namespace maillage::model {

// One copy and one peer, between a beginning and a cut. Each call goes on where the last one
// stopped.
class CloneMeeting {
 public:
  // `state` must outlive this.
  CloneMeeting(const CloneModel::Options& options, CloneModel::State* state, size_t copy,
               size_t peer);

  // Hello and acquaintance, and what follows from them.
  void Greet();
  // One change of the record, which the other's vector doesn't cover; false where there is none.
  bool Up(size_t record);
  bool Down(size_t record);
  // All that both lack, and the agreement.
  void Whole();
  // The next of the stream, with its receipt. False where there is none.
  bool StreamUp();
  bool StreamDown();

 private:
  CloneSite& copy() { return *state_->sites[copy_]; }
  CloneSite& peer() { return *state_->sites[peer_]; }
  CloneModel::Live& live() { return state_->live[copy_][peer_ - CloneModel::kCopies]; }
  void Suspect(bool must_renew);
  // Everything both ways, until nothing moves.
  void Exchange();
  // Records that still differ under equal vectors: gives up what is unwitnessed there, and not held.
  void LookIntoClashes();
  void Agree();
  bool Give(const ChangePtr& change);
  bool Take(const ChangePtr& change);
  bool PeerKnowsOfAnother() const;
  void NoteGiven(const replication::Change& given);

  const CloneModel::Options& options_;
  CloneModel::State* const state_;
  const size_t copy_;
  const size_t peer_;
  // When they met, the peer held a change of the copy's incarnation that the copy doesn't.
  const bool peer_could_tell_;
  bool renounced_ = false;
};

// Two copies of one site: each takes a new incarnation, and gives up what the other doesn't hold.
void MeetTwin(CloneModel::State& state);

// One change that `to` lacks, of two peers; or all of them. False where there is none.
bool SendBetweenPeers(CloneModel::State& state, size_t from, size_t to, bool all);

// What is still to be sent: the first change of the feed, of that record, that isn't covered there.
ChangePtr FirstMissing(const CloneSite& from, const CloneSite& to, size_t record);
// The same of all records.
ChangePtr FirstMissing(const CloneSite& from, const CloneSite& to);

// Whether one dot means two changes, anywhere.
bool HasClash(const CloneModel::State& state);

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_CLONE_MEETING_H_
