// One site as far as its identity goes: what it issues, holds, has confirmed, and gives up. The
// rules are those of replication/continuity.cc, written down again without a store; changes, states
// and the renaming itself are the real ones.
#ifndef MAILLAGE_TESTS_MODEL_CLONE_SITE_H_
#define MAILLAGE_TESTS_MODEL_CLONE_SITE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "replication/change.h"
#include "replication/local_meta.h"
#include "replication/record_state.h"
#include "replication/renounce.h"

namespace maillage::model {

// What the steps forget, to prove that the laws notice.
enum class CloneBug : uint8_t {
  kNone,
  // A greeting says nothing of what is held of the other.
  kNoAcquaintance,
  // Equal databases confirm all own changes before the acquaintance is judged.
  kAgreesBeforeJudging,
  // Only the numbers of changes are compared.
  kHashNotCompared,
  // Renamed changes keep the numbers that they had, and the count begins anew.
  kRenameKeepsSequences,
  // What the peer holds is renamed with the rest.
  kRenamesHeld,
  // A new incarnation, and old dots.
  kRenewsWithoutRenaming,
  // What would be renamed is thrown away.
  kDropsInsteadOfRenaming,
  // What a peer knows of an earlier incarnation is a reason for a new one, whether or not anything
  // of it is in doubt.
  kDoubtsTheSettledPast,
  // Changes under its own name that it didn't write are taken like any other.
  kTakesTwinsChanges,
  // A clash that a peer reports is not looked into.
  kIgnoresClashes,
  // Neither is what a comparison leaves: equal vectors over different contents.
  kIgnoresEqualVectors,
  // What a twin holds is taken to be what the world holds.
  kTrustsTwins,
  // Whatever a twin doesn't hold is renamed, though its dots are of an incarnation that is no one else's.
  kTwinsRenameAnew,
};

using ChangePtr = std::shared_ptr<const replication::Change>;

class CloneSite {
 public:
  static constexpr size_t kRecords = 2;
  static const RecordKey& KeyOf(size_t record);
  static size_t IndexOf(const RecordKey& record) { return record == KeyOf(0) ? 0 : 1; }

  struct Row {
    ChangePtr change;
    bool own = false;
    // Who sent it: an index of the model. Of own ones, nobody.
    uint8_t from = 0xFF;
  };
  // The highest number of an incarnation of the copied site, and the person of that change, which
  // no other has.
  struct Known {
    uint64_t sequence = 0;
    std::string person;
    bool operator==(const Known&) const = default;
  };
  enum class Applied : uint8_t { kApplied, kDuplicate, kMissingCauses, kTwin, kClash };

  // Positions count from 1, as in the feed.
  using Positions = std::set<uint64_t>;
  // What somebody else has said to hold of the unwitnessed changes.
  struct Word {
    Positions held;
    bool must_renew = false;
    bool twins = false;
    // It is about these records.
    std::set<size_t> records{0, 1};
  };

  // `copied` is the site that may exist twice.
  CloneSite(SiteId id, SiteId copied, CloneBug bug) : id_(id), copied_(copied), bug_(bug) {}

  void Write(size_t record, bool clears, const std::string& person);
  // `from_author`: the one who sends it claims to have written it. On kClash, *held is the change
  // that is held instead.
  Applied Apply(const ChangePtr& change, uint8_t from, bool from_author, ChangePtr* held);
  // Whether the claim of a peer is at odds with what this site knows of itself.
  bool Doubts(uint64_t incarnation, const Known& claim) const;
  Positions Unwitnessed() const;
  bool Holds(const replication::Change& change) const {
    return Find(change.record, change.dot, &change);
  }
  // Those of `positions` that the other one holds.
  Positions HeldBy(const CloneSite& other, const Positions& positions) const;
  void Witness(uint64_t position) { witness_.position = std::max(witness_.position, position); }
  // Returns how many changes were renamed.
  size_t Renounce(const Word& word, uint64_t new_incarnation);
  void Renew(uint64_t new_incarnation, uint64_t sequence);

  const std::vector<Row>& feed() const { return feed_; }
  const std::array<replication::RecordState, kRecords>& states() const { return states_; }
  const std::map<uint64_t, Known>& authors() const { return authors_; }
  const replication::WitnessMark& witness() const { return witness_; }
  uint64_t incarnation() const { return incarnation_; }
  uint64_t sequence() const { return sequence_; }
  bool HoldsPerson(const std::string& person) const;

 private:
  // The row of that dot; `same`, where given, has to be what it holds. Null where there is none.
  const Row* Find(const RecordKey& record, const replication::Dot& dot,
                  const replication::Change* same) const;
  bool IsTwins(const replication::Change& change, bool covered) const;
  // With the record of each.
  std::map<uint64_t, size_t> ChooseRenames(const Word& word) const;
  bool HasUnwitnessed(uint64_t incarnation) const;
  void Drop(const std::map<uint64_t, size_t>& chosen);
  void NoteAuthor(const replication::Change& change);
  replication::RecordBefore Before(size_t record) const;

  SiteId id_;
  SiteId copied_;
  CloneBug bug_;
  std::vector<Row> feed_;
  std::array<replication::RecordState, kRecords> states_;
  uint64_t incarnation_ = 1;
  uint64_t sequence_ = 0;
  std::map<uint64_t, Known> authors_;
  replication::WitnessMark witness_;
};

}  // namespace maillage::model

#endif  // MAILLAGE_TESTS_MODEL_CLONE_SITE_H_
