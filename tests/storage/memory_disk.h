// A disk in memory that loses what was not synced when its power goes, fails any chosen operation, and lets any bit be
// flipped: a rocksdb::FileSystem under a real RocksStore.
//
// When the power goes, time stands still on the disk, and the program above it lives on in a dream: what it does from
// then on succeeds, and is gone when the power is back, so that nothing but the cut is tested.
//
// What is durable: of a file its bytes up to the last sync; of a folder the creations, renames and removals in it up to
// its own last fsync, and the folder itself once the one above was synced (no more is promised by POSIX). A cut keeps,
// beyond that, of each folder a random beginning of what happened to the names in it, and of each file a random
// beginning of its unsynced bytes, of a log's perhaps with garbage at the end.
#ifndef MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_
#define MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "rocksdb/env.h"
#include "rocksdb/io_status.h"

namespace maillage::storage {

// What the disk holds: paths and bytes.
using DiskImage = std::map<std::string, std::string>;

// Thread-safe.
class MemoryDisk {
 public:
  enum class Fault : uint8_t { kNone, kIoError, kNoSpace };
  // Which operations that change anything are counted: all, or those on the bytes of files named *.log.
  enum class Count : uint8_t { kAll, kLogs };

  MemoryDisk();
  ~MemoryDisk();

  // For RocksOptions::env. Lives as long as the disk.
  rocksdb::Env* env();

  // The power goes at the `operations`-th operation from now (0: the next), which is not done.
  void CutPowerAfter(uint64_t operations, Count count = Count::kAll);
  bool power_is_off() const;
  // What the cut left; cuts now where that is still to come. Nothing may have a file open. What becomes of one file
  // depends on the generator's next number and the file, and not on what else is on the disk.
  void PowerOn(std::mt19937_64& random);

  // That operation, counted from now, fails; all after it too where it is not `once`. kNone: no fault.
  void FailAt(uint64_t operation, Fault fault, bool once, Count count = Count::kAll);
  // Operations since the disk was made.
  uint64_t operations(Count count = Count::kAll) const;

  // As they are, synced or not; locks aside.
  DiskImage Image() const;
  // Everything as in the image, synced; nothing else remains.
  void Load(const DiskImage& image);

 private:
  friend class DiskFileSystem;
  friend class DiskFile;

  // A file, or a folder.
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePtr>;
  struct NameChange {
    std::string name;
    // Null: the name is gone.
    NodePtr node;
    // The name that a rename inside the folder took away by the same stroke.
    std::string renamed_from;
  };
  struct Node {
    bool is_folder = false;
    std::string bytes;
    size_t synced = 0;
    Names names;
    Names durable_names;
    // From the durable names to the names.
    std::vector<NameChange> journal;
  };
  // A node by the folder that it is in.
  struct Place {
    NodePtr folder;
    std::string name;
  };
  struct Trigger {
    std::optional<uint64_t> at;
    Count count = Count::kAll;
  };

  static NodePtr NewFolder();
  static NodePtr Copy(const NodePtr& node, std::map<NodePtr, NodePtr>& copies);
  static void CollectFiles(const std::string& path, const Node& folder, DiskImage& image);
  static void LoseUnsynced(const std::string& path, Node& node, uint64_t seed);

  // With the mutex held. To be called before anything changes; the error where it must not.
  rocksdb::IOStatus Operate(bool on_log = false);
  // Null where there is none.
  NodePtr Find(const std::string& path) const;
  // A null folder where there is none.
  Place FindPlace(const std::string& path) const;
  static void Apply(const NameChange& change, Names& names);
  static void Change(Node& folder, NameChange change);

  uint64_t& Counter(Count count) { return operations_[static_cast<size_t>(count)]; }

  mutable std::mutex mutex_;
  NodePtr root_ = NewFolder();
  // As the power went.
  NodePtr frozen_root_;
  std::set<std::string> locks_;
  std::array<uint64_t, 2> operations_{};
  Trigger cut_;
  Trigger failure_;
  Fault fault_ = Fault::kNone;
  bool fail_once_ = false;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_
