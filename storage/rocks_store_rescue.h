// What can still be read of a store that no longer opens, or whose blocks are damaged. Nothing of it is changed.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_RESCUE_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_RESCUE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "storage/rocks_store.h"
#include "storage/store.h"

namespace rocksdb {
class FileLock;
}

namespace maillage::storage {

// Holds the folder's lock, so that no node opens it meanwhile. As thread-safe as a view.
class RocksRescue {
 public:
  // FailedPrecondition where it is open elsewhere, or there is no store.
  static absl::StatusOr<std::unique_ptr<RocksRescue>> Lock(const std::string& path, const RocksOptions& options = {});
  // Once. Opens the store without writing there: its log as far as its records have right checksums, also behind a
  // damaged one. Where the manifest can't be read, or names files that aren't there, the sorted files and logs are linked
  // or copied to the new folder `scratch`, and RocksDB makes a manifest from what they hold. DataLoss where nothing of it
  // opens.
  absl::Status Open(const std::string& scratch);
  RocksRescue(const RocksRescue&) = delete;
  RocksRescue& operator=(const RocksRescue&) = delete;
  ~RocksRescue();

  // After Open.
  const ReadView& view() const { return *store_; }
  // The manifest was made anew; why, as RocksDB said it. Empty otherwise.
  const std::string& manifest_damage() const { return manifest_damage_; }

 private:
  RocksRescue(std::string path, const RocksOptions& options, rocksdb::Env* env, rocksdb::FileLock* lock)
      : path_(std::move(path)), options_(options), env_(env), lock_(lock) {}

  const std::string path_;
  const RocksOptions options_;
  rocksdb::Env* const env_;
  rocksdb::FileLock* const lock_;
  std::unique_ptr<RocksStore> store_;
  std::string manifest_damage_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_RESCUE_H_
