#include "replication/repair.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "proto/absl_view.h"
#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "replication/record_reader.h"
#include "replication/record_traces.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {
namespace {

using storage::Table;

// Of one step: it holds up whoever writes.
constexpr size_t kRepairsPerStep = 64;
// A repair may lay bare what it covered: a record that is rebuilt has other words than its index.
constexpr int kMaxRepairRounds = 5;

bool IsOfStub(const ScrubFinding& finding) {
  const auto row = storage::ParseFingerprintKey(finding.key);
  return finding.table == Table::kFingerprints && row.has_value() &&
         (row->partition.kind & storage::kStubPartition) != 0;
}

// What the findings of one examination name.
struct Suspects {
  std::set<uint64_t> positions;
  std::set<RecordKey> records;
  std::set<std::pair<Table, std::string>> rows;
  RecordRepairer::StrayFingerprints stray;
  bool counts = false;
  bool stubs = false;
  uint64_t feed_end = 0;

  bool empty() const {
    return positions.empty() && records.empty() && rows.empty() && !counts && !stubs && feed_end == 0;
  }

  void Add(const ScrubFinding& finding) {
    for (uint64_t position = finding.first_position; position <= finding.last_position && position > 0; ++position) {
      positions.insert(position);
    }
    if (finding.feed_end > 0) feed_end = std::max(feed_end, finding.feed_end);
    if (finding.table == Table::kMeta && finding.key == storage::kProgressKey) counts = true;
    if (IsOfStub(finding)) stubs = true;
    // Of the feed only the position is to be trusted.
    if (finding.record.has_value() && finding.table != Table::kFeed) records.insert(*finding.record);
    if (finding.key.empty() || !finding.removable) return;
    rows.emplace(finding.table, finding.key);
    if (finding.table == Table::kFingerprints && finding.record.has_value()) {
      stray[*finding.record].push_back(finding.key);
    }
  }
};

class StoreRepair {
 public:
  StoreRepair(const storage::Store& store, const IndexSource* index, const Exclusively& exclusively,
              const ScrubProgress& progress)
      : store_(store), index_(index), exclusively_(exclusively), progress_(progress) {}

  absl::StatusOr<RepairReport> Run() {
    absl::Status status;
    for (int round = 0; round < kMaxRepairRounds && status.ok(); ++round) {
      Suspects suspects;
      const std::unique_ptr<storage::ReadView> view = store_.Snapshot();
      auto examined = Scrub(*view, index_, progress_, [&](const ScrubFinding& finding) { suspects.Add(finding); });
      if (!examined.ok()) {
        status = examined.status();
        break;
      }
      if (round == 0) report_.before = *examined;
      report_.after = *std::move(examined);
      const RepairTally before = report_.done;
      if (suspects.empty()) break;
      status = Fix(suspects);
      if (Same(before, report_.done)) break;
    }
    if (report_.done.anything()) {
      // Whatever was repaired is to be compared with the peers, a part too.
      absl::Status reloaded = exclusively_([](Replica& replica) { return replica.ReloadTree(); });
      if (status.ok()) status = reloaded;
    }
    if (!status.ok()) return status;
    return std::move(report_);
  }

 private:
  static bool Same(const RepairTally& a, const RepairTally& b) {
    return a.derived_rows == b.derived_rows && a.history_rows == b.history_rows && a.rebuilt == b.rebuilt &&
           a.given_up == b.given_up && a.other_rows == b.other_rows;
  }

  absl::Status Fix(const Suspects& suspects) {
    stray_ = suspects.stray;
    if (suspects.feed_end > 0) {
      absl::Status status = exclusively_([&](Replica& replica) { return LengthenFeed(replica, suspects.feed_end); });
      if (!status.ok()) return status;
    }
    absl::Status status = InSteps(suspects.positions, [&](RecordRepairer& repairer, uint64_t position) {
      return repairer.FixPosition(position);
    });
    if (status.ok()) status = FixRecords(suspects.records);
    if (status.ok()) status = FixRows(suspects.rows);
    if (status.ok() && suspects.counts) status = FixCounts();
    if (status.ok() && suspects.stubs) {
      ++report_.done.derived_rows;
      status = exclusively_([](Replica& replica) { return replica.RebuildStubs(); });
    }
    return status;
  }

  template <typename Items, typename Repair>
  absl::Status InSteps(const Items& items, Repair repair) {
    for (auto item = items.begin(); item != items.end();) {
      auto step = item;
      for (size_t i = 0; i < kRepairsPerStep && item != items.end(); ++i) ++item;
      absl::Status status = exclusively_([&](Replica& replica) {
        RecordRepairer repairer(&replica, index_, &stray_, &report_.done);
        absl::Status repaired;
        for (; step != item && repaired.ok(); ++step) repaired = repair(repairer, *step);
        return repaired;
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status LengthenFeed(Replica& replica, uint64_t end) {
    if (end <= replica.progress().feed_head) return absl::OkStatus();
    replica.LengthenFeed(end);
    if (!std::exchange(report_.done.renewed, true)) replica.TakeNewIncarnation();
    ++report_.done.history_rows;
    return absl::OkStatus();
  }

  absl::Status FixRecords(const std::set<RecordKey>& records) {
    std::set<RecordKey> undecided;
    const auto fix = [&](RecordRepairer& repairer, const RecordKey& record, bool feed_is_proof) {
      const auto outcome = repairer.FixRecord(record, feed_is_proof);
      // A busy one is found again by the next round.
      if (outcome.ok() && *outcome == RecordRepairer::Outcome::kUndecided) undecided.insert(record);
      return outcome.status();
    };
    absl::Status status = InSteps(records, [&](RecordRepairer& repairer, const RecordKey& record) {
      return fix(repairer, record, /*feed_is_proof=*/false);
    });
    if (!status.ok() || undecided.empty()) return status;
    const std::set<RecordKey> told_by_feed = WithWholeHistory(undecided);
    const std::set<RecordKey> last = std::exchange(undecided, {});
    return InSteps(last, [&](RecordRepairer& repairer, const RecordKey& record) {
      return told_by_feed.contains(record) ? fix(repairer, record, true) : repairer.GiveUpRecord(record);
    });
  }

  // Those of which the feed has every change that was ever applied here.
  std::set<RecordKey> WithWholeHistory(std::set<RecordKey> records) {
    const std::unique_ptr<storage::ReadView> view = store_.Snapshot();
    Unread unread;
    uint64_t last = 0;
    bool whole = true;
    const absl::Status scanned = ScanFeed(
        *view, 0,
        [&](uint64_t position, const FeedEntry& entry) {
          whole = whole && position == last + 1 && entry.type != FeedEntry::Type::kLost;
          last = position;
          // Merged whole, or what is told of it is gone.
          if (entry.type != FeedEntry::Type::kChange) records.erase(entry.record);
          return whole;
        },
        &unread);
    if (!scanned.ok() || unread.rows > 0 || !whole) records.clear();
    return records;
  }

  absl::Status FixRows(const std::set<std::pair<Table, std::string>>& rows) {
    return InSteps(rows, [&](RecordRepairer& repairer, const std::pair<Table, std::string>& row) {
      const auto& [table, key] = row;
      const bool derived = table == Table::kFingerprints || table == Table::kIndex;
      return derived ? repairer.FixRow(table, key).status() : repairer.SetRowAside(table, key);
    });
  }

  absl::Status FixCounts() {
    std::unique_ptr<storage::ReadView> view;
    LocalProgress told;
    // What is counted from here on is counted by difference, so that what is wrong now stays wrong by as much.
    absl::Status status = exclusively_([&](Replica& replica) {
      view = store_.Snapshot();
      told = replica.progress();
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    std::optional<LocalProgress> counted = CountStates(*view, index_);
    if (!counted.has_value()) return absl::OkStatus();
    std::erase_if(told.kinds, [](const auto& kind) { return kind.second == KindCounts(); });
    if (counted->kinds == told.kinds && counted->conflicts == told.conflicts) return absl::OkStatus();
    ++report_.done.derived_rows;
    return exclusively_([&](Replica& replica) {
      replica.CorrectCounts(told, *counted);
      return absl::OkStatus();
    });
  }

  // Nothing where not all states can be read.
  static std::optional<LocalProgress> CountStates(const storage::ReadView& view, const IndexSource* index) {
    LocalProgress counted;
    auto cursor = view.Scan(Table::kStates, {});
    for (; cursor->Valid(); cursor->Next()) {
      const auto record = storage::ParseStateKey(cursor->key());
      const auto state = DecodeState(cursor->value());
      if (!record.has_value() || !state.ok()) return std::nullopt;
      const RecordTraces traces = TracesOfState(*record, *state, cursor->value(), index);
      KindCounts& counts = counted.kinds[record->kind];
      ++(traces.deleted ? counts.deleted : counts.alive);
      counted.conflicts += traces.conflicting ? 1 : 0;
    }
    if (!cursor->status().ok()) return std::nullopt;
    return counted;
  }

  const storage::Store& store_;
  const IndexSource* const index_;
  const Exclusively& exclusively_;
  const ScrubProgress& progress_;
  RepairReport report_;
  RecordRepairer::StrayFingerprints stray_;
};

// The latest time that a change or a state of the store carries.
HybridTime LatestTime(const storage::Store& store) {
  HybridTime latest;
  auto feed = store.Scan(Table::kFeed, {});
  for (; feed->Valid(); feed->Next()) {
    const auto entry = DecodeFeedEntry(feed->value());
    if (!entry.ok() || entry->type != FeedEntry::Type::kChange) continue;
    if (const auto change = DecodeChange(entry->change); change.ok()) latest = std::max(latest, change->time);
  }
  auto states = store.Scan(Table::kStates, {});
  for (; states->Valid(); states->Next()) {
    const auto state = DecodeState(states->value());
    if (!state.ok()) continue;
    for (const Cell& cell : state->cells()) {
      for (const Version& version : cell.versions) latest = std::max(latest, version.time);
    }
  }
  return latest;
}

}  // namespace

absl::StatusOr<RepairReport> Repair(const storage::Store& store, const IndexSource* index,
                                    const Exclusively& exclusively, const ScrubProgress& progress) {
  return StoreRepair(store, index, exclusively, progress).Run();
}

absl::Status CompleteMeta(storage::Store& store, const SiteId& site, Random& random) {
  storage::CommitBatch batch;
  const auto identity = store.Get(Table::kMeta, storage::kIdentityKey);
  if (!identity.ok()) return identity.status();
  if (!identity->has_value() || !DecodeIdentity(**identity).ok()) {
    batch.Put(Table::kMeta, std::string(storage::kIdentityKey), EncodeIdentity({site, random.Next64(), 0}));
  }
  const auto stored = store.Get(Table::kMeta, storage::kProgressKey);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value() || !DecodeProgress(**stored).ok()) {
    LocalProgress progress;
    auto last = store.Scan(Table::kFeed, {}, storage::ScanOrder::kDescending);
    if (last->Valid()) progress.feed_head = storage::ParseFeedKey(last->key()).value_or(0);
    auto kept = store.Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kQuarantinePrefix));
    for (; kept->Valid(); kept->Next()) ++progress.quarantined;
    progress.clock = LatestTime(store);
    batch.Put(Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(progress));
  }
  return batch.empty() ? absl::OkStatus() : store.Commit(batch);
}

}  // namespace maillage::replication
