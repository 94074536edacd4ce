#include "tests/storage/disk_file_system.h"

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "rocksdb/file_system.h"
#include "rocksdb/system_clock.h"
#include "tests/storage/memory_disk.h"

namespace maillage::storage {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

struct Lock final : rocksdb::FileLock {
  explicit Lock(std::string path) : path(std::move(path)) {}
  const std::string path;
};

class QuietLogger final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  size_t GetLogFileSize() const override { return 0; }
};

}  // namespace

// One open file; what it may do depends on the interface through which it is held.
class DiskFile final : public rocksdb::FSWritableFile,
                       public rocksdb::FSRandomAccessFile,
                       public rocksdb::FSSequentialFile {
 public:
  DiskFile(MemoryDisk* disk, MemoryDisk::NodePtr file, const std::string& path)
      : disk_(disk), file_(std::move(file)), is_log_(path.ends_with(".log")) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate(is_log_);
    if (status.ok()) file_->bytes.append(data.data(), data.size());
    return status;
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate(is_log_);
    if (!status.ok()) return status;
    file_->bytes.resize(size);
    file_->synced = std::min<size_t>(file_->synced, size);
    return status;
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate(is_log_);
    if (status.ok()) file_->synced = file_->bytes.size();
    return status;
  }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    return file_->bytes.size();
  }
  IOStatus InvalidateCache(size_t, size_t) override { return IOStatus::OK(); }

  IOStatus Read(uint64_t offset, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    std::lock_guard lock(disk_->mutex_);
    const size_t begin = std::min<size_t>(offset, file_->bytes.size());
    const size_t length = std::min(size, file_->bytes.size() - begin);
    std::memcpy(scratch, file_->bytes.data() + begin, length);
    *result = Slice(scratch, length);
    return IOStatus::OK();
  }
  IOStatus Read(size_t size, const IOOptions& options, Slice* result, char* scratch, IODebugContext* context) override {
    IOStatus status = std::as_const(*this).Read(place_, size, options, result, scratch, context);
    place_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t size) override {
    place_ += size;
    return IOStatus::OK();
  }

 private:
  MemoryDisk* const disk_;
  const MemoryDisk::NodePtr file_;
  const bool is_log_;
  uint64_t place_ = 0;
};

class DiskFolder final : public rocksdb::FSDirectory {
 public:
  explicit DiskFolder(std::function<IOStatus()> sync) : sync_(std::move(sync)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync_(); }

 private:
  const std::function<IOStatus()> sync_;
};

class DiskFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit DiskFileSystem(MemoryDisk* disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
  const char* Name() const override { return "MemoryDisk"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    return OpenFile(path, result);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) override {
    return OpenFile(path, result);
  }
  // What is there under that name is emptied.
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::Place place = disk_->FindPlace(path);
    if (place.folder == nullptr) return IOStatus::PathNotFound(path);
    IOStatus status = disk_->Operate();
    if (!status.ok()) return status;
    MemoryDisk::NodePtr file = disk_->Find(path);
    if (file == nullptr) {
      file = std::make_shared<MemoryDisk::Node>();
      MemoryDisk::Change(*place.folder, {place.name, file, ""});
    }
    file->bytes.clear();
    file->synced = 0;
    *result = std::make_unique<DiskFile>(disk_, std::move(file), path);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* context) override {
    if (!FileExists(path, {}, nullptr).ok()) return NewWritableFile(path, options, result, context);
    return OpenFile(path, result);
  }
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("reuse");
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr folder = disk_->Find(path);
    if (folder == nullptr || !folder->is_folder) return IOStatus::PathNotFound(path);
    *result = std::make_unique<DiskFolder>([disk = disk_, folder] {
      std::lock_guard syncing(disk->mutex_);
      IOStatus status = disk->Operate();
      if (!status.ok()) return status;
      folder->durable_names = folder->names;
      folder->journal.clear();
      return status;
    });
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    return disk_->Find(path) != nullptr ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr folder = disk_->Find(path);
    if (folder == nullptr) return IOStatus::PathNotFound(path);
    result->clear();
    for (const auto& [name, node] : folder->names) result->push_back(name);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override { return Remove(path); }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override { return Remove(path); }
  IOStatus CreateDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    if (FileExists(path, options, context).ok()) return IOStatus::IOError("exists", path);
    return CreateDirIfMissing(path, options, context);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    if (disk_->Find(path) != nullptr) return IOStatus::OK();
    const MemoryDisk::Place place = disk_->FindPlace(path);
    if (place.folder == nullptr) return IOStatus::PathNotFound(path);
    IOStatus status = disk_->Operate();
    if (status.ok()) MemoryDisk::Change(*place.folder, {place.name, MemoryDisk::NewFolder(), ""});
    return status;
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* size, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr file = disk_->Find(path);
    if (file == nullptr) return IOStatus::PathNotFound(path);
    *size = file->bytes.size();
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time, IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr node = disk_->Find(from);
    const MemoryDisk::Place old_place = disk_->FindPlace(from);
    const MemoryDisk::Place new_place = disk_->FindPlace(to);
    if (node == nullptr || new_place.folder == nullptr) return IOStatus::PathNotFound(from);
    IOStatus status = disk_->Operate();
    if (!status.ok()) return status;
    const bool stays_in_folder = old_place.folder == new_place.folder;
    MemoryDisk::Change(*new_place.folder, {new_place.name, node, stays_in_folder ? old_place.name : ""});
    if (!stays_in_folder) MemoryDisk::Change(*old_place.folder, {old_place.name, nullptr, ""});
    return status;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr file = disk_->Find(from);
    const MemoryDisk::Place place = disk_->FindPlace(to);
    if (file == nullptr || place.folder == nullptr) return IOStatus::PathNotFound(from);
    IOStatus status = disk_->Operate();
    if (status.ok()) MemoryDisk::Change(*place.folder, {place.name, file, ""});
    return status;
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, IODebugContext*) override {
    std::lock_guard guard(disk_->mutex_);
    if (!disk_->locks_.insert(path).second) return IOStatus::IOError("lock hold by current process", path);
    *lock = new Lock(path);
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    std::lock_guard guard(disk_->mutex_);
    const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
    disk_->locks_.erase(owned->path);
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* result, IODebugContext*) override {
    *result = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_folder, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr node = disk_->Find(path);
    *is_folder = node != nullptr && node->is_folder;
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* result,
                     IODebugContext*) override {
    *result = std::make_shared<QuietLogger>();
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, uint64_t* free, IODebugContext*) override {
    *free = uint64_t{1} << 40;
    return IOStatus::OK();
  }

 private:
  template <typename Interface>
  IOStatus OpenFile(const std::string& path, std::unique_ptr<Interface>* result) {
    std::lock_guard lock(disk_->mutex_);
    MemoryDisk::NodePtr file = disk_->Find(path);
    if (file == nullptr || file->is_folder) return IOStatus::PathNotFound(path);
    *result = std::make_unique<DiskFile>(disk_, std::move(file), path);
    return IOStatus::OK();
  }

  IOStatus Remove(const std::string& path) {
    std::lock_guard lock(disk_->mutex_);
    const MemoryDisk::NodePtr node = disk_->Find(path);
    const MemoryDisk::Place place = disk_->FindPlace(path);
    if (node == nullptr || place.folder == nullptr) return IOStatus::PathNotFound(path);
    if (!node->names.empty()) return IOStatus::IOError("not empty", path);
    IOStatus status = disk_->Operate();
    if (status.ok()) MemoryDisk::Change(*place.folder, {place.name, nullptr, ""});
    return status;
  }

  MemoryDisk* const disk_;
};

namespace {

// RocksDB rests a second after each job that failed; here it only lets others go first.
class HastyClock final : public rocksdb::SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "HastyClock"; }
  void SleepForMicroseconds(int) override { std::this_thread::yield(); }
};

class DiskEnv final : public rocksdb::EnvWrapper {
 public:
  explicit DiskEnv(std::unique_ptr<rocksdb::Env> base) : EnvWrapper(base.get()), base_(std::move(base)) {
    file_system_ = base_->GetFileSystem();
    system_clock_ = std::make_shared<HastyClock>(base_->GetSystemClock());
  }

 private:
  const std::unique_ptr<rocksdb::Env> base_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> NewDiskEnv(MemoryDisk* disk) {
  return std::make_unique<DiskEnv>(rocksdb::NewCompositeEnv(std::make_shared<DiskFileSystem>(disk)));
}

}  // namespace maillage::storage
