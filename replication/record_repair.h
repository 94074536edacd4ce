// Repairs one record, one position of the feed or one derived row of a store, from what the rest of the store proves.
#ifndef MAILLAGE_REPLICATION_RECORD_REPAIR_H_
#define MAILLAGE_REPLICATION_RECORD_REPAIR_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/change.h"
#include "replication/record_state.h"
#include "replication/replica.h"
#include "storage/store.h"

namespace maillage::replication {

// What repairs have done.
struct RepairTally {
  // Fingerprints, entries of the index and counts that were written anew or taken away.
  uint64_t derived_rows = 0;
  // Entries of the feed and rows of histories that were completed, or taken away because they can't be read or are
  // wrong.
  uint64_t history_rows = 0;
  // Records that were computed anew from their changes.
  uint64_t rebuilt = 0;
  // Records that nothing here could restore: they wait for a peer.
  uint64_t given_up = 0;
  uint64_t other_rows = 0;
  // A new incarnation was taken.
  bool renewed = false;

  bool anything() const { return derived_rows + history_rows + rebuilt + given_up + other_rows > 0; }
};

// Writes into the replica's open batch, on the replica's thread; each of its calls sees what was committed before, so
// what is repaired in one batch must not build on each other. README.md (« Repair ») has the rules.
class RecordRepairer {
 public:
  // Keys of rows of the fingerprints table that no readable state calls for, by record: they tell what the state was.
  using StrayFingerprints = std::map<RecordKey, std::vector<std::string>>;

  // All must outlive the repairer.
  RecordRepairer(Replica* replica, const IndexSource* index, const StrayFingerprints* stray, RepairTally* tally)
      : replica_(replica), index_(index), stray_(stray), tally_(tally) {}

  // A position up to the feed's head: completes the row of its change's history, or empties the position.
  absl::Status FixPosition(uint64_t position);

  enum class Outcome : uint8_t {
    // Repaired as far as it can be.
    kDone,
    // All its readable changes give a state, and nothing but a whole feed proves that they are all.
    kUndecided,
    // The open batch changes it: try again after the commit.
    kBusy,
  };
  // `feed_is_proof`: the feed was read whole, and merged no state of this record.
  absl::StatusOr<Outcome> FixRecord(const RecordKey& record, bool feed_is_proof);

  // What FixRecord left undecided, and the feed couldn't decide.
  absl::Status GiveUpRecord(const RecordKey& record);
  // A row of the other tables that can't be read as what it should be.
  absl::Status SetRowAside(storage::Table table, const std::string& key);
  // A row of the fingerprints or the index that no state calls for, or one that can't be read as what it should be.
  // False where the open batch changes its record.
  absl::StatusOr<bool> FixRow(storage::Table table, const std::string& key);

 private:
  struct Row {
    uint64_t position;
    Change change;
  };
  struct History {
    // Those that are what their rows say, each dot once, in the feed's order.
    std::vector<Row> changes;
    // Keys of the rows of which that is not so.
    std::vector<std::string> wrong;
    uint64_t rows = 0;
  };
  struct Found {
    bool there = false;
    bool decodes = false;
    std::string bytes;
    RecordState state;
  };

  History ReadHistoryOf(const RecordKey& record) const;
  absl::StatusOr<Found> Find(const RecordKey& record) const;
  // Applies what can be applied; what remains is in `rest`.
  static RecordState Replay(const History& history, RecordState base, std::vector<const Change*>& rest);
  enum class Proof : uint8_t {
    // A fingerprint of the record is that of the state.
    kProven,
    // There are fingerprints of the record, and all say something else.
    kContradicted,
    // There is none that can be read.
    kNone,
  };
  Proof ProofOf(const RecordKey& record, const RecordState& state) const;
  bool Proven(const RecordKey& record, const RecordState& state) const {
    return ProofOf(record, state) == Proof::kProven;
  }
  absl::StatusOr<Outcome> Judge(const RecordKey& record, const Found& found, const History& history);
  absl::StatusOr<Outcome> Restore(const RecordKey& record, const Found& found, const History& history,
                                  bool feed_is_proof);

  absl::Status Keep(const RecordKey& record, const Found& found);
  absl::Status Rebuild(const RecordKey& record, const Found& found, const RecordState& state);
  absl::Status GiveUp(const RecordKey& record, const Found& found);
  absl::Status DropHistory(const History& history);
  absl::Status WriteTraces(const RecordKey& record, const RecordTraces& before, const RecordTraces& after);
  absl::Status EmptyPosition(uint64_t position, const std::string& bytes);
  absl::Status FixChange(uint64_t position, FeedEntry entry, const std::string& bytes);
  bool FitsHistory(const RecordKey& record, uint64_t position, const Dot& dot) const;
  absl::Status SetAside(const std::string& what, const std::string& bytes);
  void Renew();

  Replica* const replica_;
  const IndexSource* const index_;
  const StrayFingerprints* const stray_;
  RepairTally* const tally_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_REPAIR_H_
