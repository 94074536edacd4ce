// A disk in memory that loses what was not synced when its power goes, fails any chosen operation, and lets any bit be
// flipped: a rocksdb::FileSystem under a real RocksStore.
//
// When the power goes, time stands still on the disk, and the program above it lives on in a dream: what it does from
// then on succeeds, and is gone when the power is back. (So nothing but the cut is tested; RocksDB, as Debian
// builds it, may abort when it tries a failed flush of several tables again.)
//
// What is durable: of a file its bytes up to the last sync; of the folders all creations, renames and removals up to
// the last fsync of any folder, as journaling file systems order them. A cut keeps, beyond that, a random beginning of
// the journal and of each file's unsynced bytes, of a log's the last one perhaps garbage.
#ifndef MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_
#define MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace maillage::storage {

// What the disk holds: paths and bytes.
using DiskImage = std::map<std::string, std::string>;

// Thread-safe.
class MemoryDisk {
 public:
  enum class Fault : uint8_t { kNone, kIoError, kNoSpace };

  MemoryDisk();
  ~MemoryDisk();

  // For RocksOptions::env. Lives as long as the disk.
  rocksdb::Env* env();

  // The power goes at the `operations`-th operation from now that changes anything (0: the next), which is done or not.
  void CutPowerAfter(uint64_t operations);
  bool power_is_off() const;
  // What the cut left; cuts now where that is still to come. Nothing may have a file open.
  void PowerOn(std::mt19937_64& random);

  // That operation, counted as above from now, fails; all after it too where it is not `once`. kNone: no fault.
  void FailAt(uint64_t operation, Fault fault, bool once);
  // Operations since the disk was made.
  uint64_t operations() const;

  // As they are, synced or not; locks aside.
  DiskImage Image() const;
  // Everything as in the image, synced.
  void Load(const DiskImage& image);

 private:
  friend class DiskFileSystem;
  friend class DiskFile;

  struct File {
    std::string bytes;
    size_t synced = 0;
  };
  using FilePtr = std::shared_ptr<File>;
  // One change of a folder: `path` names `file` from now on, or nothing.
  struct JournalEntry {
    std::string path;
    FilePtr file;
  };

  struct Content {
    std::map<std::string, FilePtr> files;
    std::map<std::string, FilePtr> durable;
    std::vector<JournalEntry> journal;
  };

  // With files of its own.
  static Content Copy(const Content& content);

  // To be called, with the mutex held, before anything changes; the error where it must not.
  rocksdb::IOStatus Operate();
  void Name(const std::string& path, FilePtr file);
  FilePtr Find(const std::string& path) const;

  mutable std::mutex mutex_;
  Content now_;
  // As the power went.
  std::optional<Content> frozen_;
  std::set<std::string> folders_;
  std::set<std::string> locks_;
  uint64_t operations_ = 0;
  std::optional<uint64_t> cut_at_;
  std::optional<uint64_t> fail_at_;
  Fault fault_ = Fault::kNone;
  bool fail_once_ = false;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_MEMORY_DISK_H_
