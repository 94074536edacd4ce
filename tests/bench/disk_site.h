// Sites on a real disk, in the folders that a node would open: made once, copied for each measure.
#ifndef MAILLAGE_TESTS_BENCH_DISK_SITE_H_
#define MAILLAGE_TESTS_BENCH_DISK_SITE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/id.h"
#include "replication/replica.h"
#include "replication/sealed_store.h"
#include "server/machine.h"
#include "storage/rocks_store.h"
#include "storage/store.h"

namespace maillage::bench {

// Passes everything on, and counts what is written. As thread-safe as the store behind it.
class CountingStore final : public storage::Store {
 public:
  explicit CountingStore(std::unique_ptr<storage::Store> store) : store_(std::move(store)) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Table table,
                                                 std::string_view key) const override {
    return store_->Get(table, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Table table, const storage::KeyRange& range,
                                        storage::ScanOrder order) const override {
    return store_->Scan(table, range, order);
  }
  std::unique_ptr<storage::ReadView> Snapshot() const override { return store_->Snapshot(); }
  absl::Status Commit(const storage::CommitBatch& batch) override {
    commits_ += 1;
    bytes_ += batch.byte_size();
    return store_->Commit(batch);
  }

  void ResetCounts() { commits_ = bytes_ = 0; }
  uint64_t commits() const { return commits_; }
  // Keys and values.
  uint64_t bytes() const { return bytes_; }

 private:
  const std::unique_ptr<storage::Store> store_;
  std::atomic<uint64_t> commits_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
};

// Not thread-safe.
class DiskSite {
 public:
  // Opens what the folder holds, or makes a new site there; a member where the folder says so (server/trust/network_file.h).
  explicit DiskSite(const std::string& folder);

  const SiteId& id() const { return id_; }
  replication::Replica& replica() { return *replica_; }
  CountingStore& store() { return *store_; }
  const CountingStore& store() const { return *store_; }

  // All actors, by id.
  std::vector<RecordKey> Actors() const;
  // Keys and values of all tables.
  uint64_t StoredBytes() const;

 private:
  const replication::SigningKey key_;
  const SiteId id_;
  server::MachineClock clock_;
  server::MachineRandom random_;
  std::unique_ptr<CountingStore> store_;
  std::unique_ptr<const replication::SubjectKeys> personal_keys_;
  std::unique_ptr<replication::SealedStore> sealed_;
  std::unique_ptr<replication::Replica> replica_;
};

struct Imported {
  // Without the making of the messages.
  double seconds = 0;
  // Serialised messages.
  uint64_t message_bytes = 0;
};
// Creates the first `count` actors of the corpus, kImportBatch to a commit; all in this département, unless it is empty.
Imported ImportActors(DiskSite& site, size_t count, const std::string& department = "");

// Writes one change of one field into the open batch. `round` makes the value.
void EditOneField(replication::Replica& replica, const RecordKey& record, size_t round);
// The same for the message of a request.
std::string EditedText(size_t round);
void MoveActor(replication::Replica& replica, const RecordKey& record, const std::string& department);
// What the list of sites says of it.
void AssignScope(replication::Replica& replica, const SiteId& site, const std::string& scope);

// The folder of a site that imported RunSizes().records. To be copied, not opened.
const std::string& ImportedSite();
struct SitePair {
  std::string first;
  std::string second;
};
// The folders of that site and of a second one that has synchronised with it. To be copied, not
// opened.
const SitePair& SyncedSites();

// Files that RocksDB never writes again are linked, not copied. `from` must be closed, and `to`
// must not exist.
void CopySite(const std::string& from, const std::string& to);

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_DISK_SITE_H_
