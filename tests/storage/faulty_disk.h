// A file system that refuses to sync, is full, or is read-only, as a test says.
#ifndef MAILLAGE_TESTS_STORAGE_FAULTY_DISK_H_
#define MAILLAGE_TESTS_STORAGE_FAULTY_DISK_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace maillage::storage {

// What the disk does to the files whose names end in `suffix`.
struct DiskFaults {
  std::string suffix;
  std::atomic<bool> sync_fails = false;
  std::atomic<bool> append_finds_disk_full = false;
  std::atomic<bool> creation_is_denied = false;
  std::string folder_that_cannot_sync;
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, const DiskFaults& faults)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    if (faults_.append_finds_disk_full) return rocksdb::IOStatus::NoSpace("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* context) override {
    if (faults_.append_finds_disk_full) return rocksdb::IOStatus::NoSpace("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, verification, context);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* context) override {
    if (faults_.sync_fails) return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Sync(options, context);
  }

 private:
  const DiskFaults& faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(const DiskFaults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (!name.ends_with(faults_.suffix)) {
      return FileSystemWrapper::NewWritableFile(name, options, file, context);
    }
    if (faults_.creation_is_denied) return rocksdb::IOStatus::IOError("Permission denied", name);
    const auto made = FileSystemWrapper::NewWritableFile(name, options, file, context);
    if (made.ok()) *file = std::make_unique<FaultyFile>(std::move(*file), faults_);
    return made;
  }

  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder,
                                 rocksdb::IODebugContext* context) override {
    if (name == faults_.folder_that_cannot_sync) return rocksdb::IOStatus::IOError("injected", name);
    return FileSystemWrapper::NewDirectory(name, options, folder, context);
  }

 private:
  const DiskFaults& faults_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_FAULTY_DISK_H_
