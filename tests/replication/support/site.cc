#include "tests/replication/support/site.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "replication/check.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/stub.h"
#include "storage/keys.h"

namespace maillage::replication::testing {

using storage::Table;

Site::Site(char letter, uint64_t seed)
    : Site(SiteOf(letter), seed, std::make_unique<storage::MemoryStore>(), true) {}

Site::Site(SiteId id, uint64_t seed, std::unique_ptr<storage::MemoryStore> store,
           bool continuity_proven)
    : id(id), random(seed + static_cast<uint8_t>(id.bytes()[0])), store(std::move(store)) {
  Open(continuity_proven);
}

void Site::Open(bool continuity_proven) {
  auto opened =
      Replica::Open(store.get(), &wall, &random, {id, &Schema::BuiltIn(), continuity_proven});
  MAILLAGE_CHECK(opened.ok());
  replica = *std::move(opened);
}

void Site::Restart(bool continuity_proven) {
  replica.reset();
  store->Reopen();
  Open(continuity_proven);
}

std::unique_ptr<Site> Site::Clone(uint64_t seed, bool continuity_proven) const {
  return std::unique_ptr<Site>(new Site(id, seed, store->Clone(), continuity_proven));
}

std::string Site::Write(const RecordKey& record, std::vector<Operation> operations) {
  Stage(record, State(record).vector(), std::move(operations));
  MAILLAGE_CHECK(replica->Commit().ok());
  return Feed().back();
}

Dot Site::Stage(const RecordKey& record, const VersionVector& context,
                std::vector<Operation> operations, std::string request_id) {
  const auto dot =
      replica->Write({record, context, std::move(operations), "Zoé", std::move(request_id)});
  MAILLAGE_CHECK(dot.ok());
  return *dot;
}

Replica::Applied Site::Receive(const std::string& change_bytes) {
  auto applied = replica->Apply(change_bytes, SiteOf('z'));
  MAILLAGE_CHECK(applied.ok());
  if (applied->outcome == Replica::Applied::kTwin) {
    MAILLAGE_CHECK(replica->Renounce(ContinuityDoubt::kPeerKnowsOther, {}, true).ok());
    applied = replica->Apply(change_bytes, SiteOf('z'));
    MAILLAGE_CHECK(applied.ok());
  }
  MAILLAGE_CHECK(replica->Commit().ok());
  return applied->outcome;
}

bool Site::MergeFrom(const Site& other, const RecordKey& record) {
  const std::string state = EncodeState(other.State(record));
  auto merged = replica->Merge(record, state, other.id);
  if (absl::IsAborted(merged.status())) {
    std::set<uint64_t> held;
    const auto unwitnessed = replica->UnwitnessedChanges();
    for (const Replica::OwnChange& change : *unwitnessed) {
      if (*other.replica->Holds(change)) held.insert(change.position);
    }
    MAILLAGE_CHECK(replica->Renounce(ContinuityDoubt::kPeerKnowsOther, held, true).ok());
    merged = replica->Merge(record, state, other.id);
  }
  MAILLAGE_CHECK(merged.ok());
  MAILLAGE_CHECK(replica->Commit().ok());
  return *merged;
}

RecordState Site::State(const RecordKey& record) const {
  auto state = replica->State(record);
  MAILLAGE_CHECK(state.ok());
  return state->has_value() ? **std::move(state) : RecordState();
}

std::vector<std::string> Site::Feed() const {
  std::vector<std::string> changes;
  MAILLAGE_CHECK(ScanFeed(*store, 0, [&](uint64_t, FeedEntry entry) {
                   if (entry.type == FeedEntry::Type::kChange) {
                     changes.push_back(std::move(entry.change));
                   }
                   return true;
                 }).ok());
  return changes;
}

std::vector<std::pair<std::string, std::string>> Rows(const storage::ReadView& view, Table table) {
  std::vector<std::pair<std::string, std::string>> rows;
  auto cursor = view.Scan(table, {});
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key(), cursor->value());
  MAILLAGE_CHECK(cursor->status().ok());
  return rows;
}

namespace {

bool WaitsForAPerson(const RecordState& state) {
  if (state.life() == Life::kContested) return true;
  return state.life() == Life::kAlive &&
         std::any_of(state.cells().begin(), state.cells().end(),
                     [](const Cell& cell) { return !OtherVersions(cell).empty(); });
}

// What the other tables should hold because of the states.
struct Recount {
  std::map<uint16_t, KindCounts> kinds;
  uint64_t conflicts = 0;
  std::set<std::pair<std::string, std::string>> fingerprints;
  std::set<std::pair<std::string, std::string>> index;

  void Count(const RecordKey& record, const std::string& bytes) {
    const RecordState state = *DecodeState(bytes);
    ++(state.life() == Life::kDeleted ? kinds[record.kind].deleted : kinds[record.kind].alive);
    if (WaitsForAPerson(state)) {
      ++conflicts;
      index.emplace(storage::ConflictKey(record), "");
    }
    for (std::string& key : Schema::BuiltIn().IndexKeys(record, state)) {
      index.emplace(std::move(key), "");
    }
    std::vector<std::string> territories = state.Territories();
    if (territories.empty()) territories.emplace_back();
    for (const std::string& territory : territories) {
      fingerprints.emplace(
          storage::FingerprintKey({record.kind, territory}, TriePosition(record), record.id),
          Fingerprint::OfState(record, EncodeState(state.WithoutInternal())).ToBytes());
    }
  }

  // What the references call for, once all states are counted.
  void CountStubs(const storage::ReadView& store) {
    for (const auto& [key, empty] : index) {
      const auto reference = storage::ParseReferenceKey(key);
      if (!reference.has_value()) continue;
      const auto stub = FindStub(store, Schema::BuiltIn(), reference->target);
      if (!stub.ok() || !stub->has_value()) continue;
      fingerprints.emplace(storage::FingerprintKey(StubPartitionOf(reference->partition),
                                                   StubPosition(reference->target), reference->target),
                           StubFingerprint(reference->target, **stub).ToBytes());
    }
  }
};

}  // namespace

std::string Inconsistency(const storage::ReadView& store, const Replica& replica) {
  Recount recount;
  for (const auto& [key, bytes] : Rows(store, Table::kStates)) {
    recount.Count(*storage::ParseStateKey(key), bytes);
  }
  recount.CountStubs(store);
  LocalProgress progress = replica.progress();
  std::erase_if(progress.kinds, [](const auto& kind) { return kind.second == KindCounts(); });
  if (progress.kinds != recount.kinds) return "counts by kind";
  if (progress.conflicts != recount.conflicts) {
    return absl::StrCat(progress.conflicts, " conflicts, should be ", recount.conflicts);
  }
  const auto fingerprints = Rows(store, Table::kFingerprints);
  if (!std::equal(fingerprints.begin(), fingerprints.end(), recount.fingerprints.begin(),
                  recount.fingerprints.end())) {
    return "fingerprints table";
  }
  const auto index = Rows(store, Table::kIndex);
  if (!std::equal(index.begin(), index.end(), recount.index.begin(), recount.index.end())) {
    return "index table";
  }
  FingerprintTree tree;
  if (!tree.Load(store).ok() || tree.Digest() != replica.tree().Digest()) return "tree";
  FingerprintTree stubs;
  if (!stubs.Load(store, FingerprintTree::Of::kStubs).ok()) return "unreadable stubs";
  if (stubs.Digest() != replica.stub_tree().Digest()) return "tree of stubs";
  const auto feed = Rows(store, Table::kFeed);
  if (feed.size() != progress.feed_head) return "feed head";
  return "";
}

std::string Inconsistency(const Site& site) { return Inconsistency(*site.store, *site.replica); }

}  // namespace maillage::replication::testing
