#include "tests/storage/memory_disk.h"

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <utility>

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

// Paths as RocksDB gives them, with doubled and trailing slashes.
std::string Clean(const std::string& path) {
  std::string clean;
  for (const char c : path) {
    if (c != '/' || clean.empty() || clean.back() != '/') clean.push_back(c);
  }
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

}  // namespace

// One open file; what it may do depends on the interface through which it is held.
class DiskFile final : public rocksdb::FSWritableFile,
                       public rocksdb::FSRandomAccessFile,
                       public rocksdb::FSSequentialFile {
 public:
  DiskFile(MemoryDisk* disk, MemoryDisk::FilePtr file) : disk_(disk), file_(std::move(file)) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
    if (status.ok()) file_->bytes.append(data.data(), data.size());
    return status;
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
    if (!status.ok()) return status;
    file_->bytes.resize(size);
    file_->synced = std::min<size_t>(file_->synced, size);
    return status;
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
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
  IOStatus Read(size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* context) override {
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
  const MemoryDisk::FilePtr file_;
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
  explicit DiskFileSystem(MemoryDisk* disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
  const char* Name() const override { return "MemoryDisk"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    return OpenFile(path, result);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) override {
    return OpenFile(path, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
    if (!status.ok()) return status;
    auto file = std::make_shared<MemoryDisk::File>();
    disk_->Name(Clean(path), file);
    *result = std::make_unique<DiskFile>(disk_, file);
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
  IOStatus NewDirectory(const std::string&, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    *result = std::make_unique<DiskFolder>([disk = disk_] {
      std::lock_guard lock(disk->mutex_);
      IOStatus status = disk->Operate();
      if (!status.ok()) return status;
      disk->now_.durable = disk->now_.files;
      disk->now_.journal.clear();
      return status;
    });
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const bool exists = disk_->Find(path) != nullptr || disk_->folders_.contains(Clean(path));
    return exists ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const std::string prefix = Clean(path) + "/";
    std::set<std::string> names;
    const auto add = [&](const std::string& found) {
      if (found.starts_with(prefix)) names.insert(found.substr(prefix.size(), found.find('/', prefix.size()) - prefix.size()));
    };
    for (const auto& [name, file] : disk_->now_.files) add(name);
    for (const std::string& folder : disk_->folders_) add(folder);
    result->assign(names.begin(), names.end());
    const bool exists = disk_->folders_.contains(Clean(path)) || !names.empty();
    return exists ? IOStatus::OK() : IOStatus::PathNotFound(path);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    if (disk_->Find(path) == nullptr) return IOStatus::PathNotFound(path);
    IOStatus status = disk_->Operate();
    if (status.ok()) disk_->Name(Clean(path), nullptr);
    return status;
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    if (FileExists(path, options, context).ok()) return IOStatus::IOError("exists", path);
    return CreateDirIfMissing(path, options, context);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    if (disk_->folders_.contains(Clean(path))) return IOStatus::OK();
    IOStatus status = disk_->Operate();
    if (status.ok()) disk_->folders_.insert(Clean(path));
    return status;
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
    if (status.ok()) disk_->folders_.erase(Clean(path));
    return status;
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* size, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const auto file = disk_->Find(path);
    if (file == nullptr) return IOStatus::PathNotFound(path);
    *size = file->bytes.size();
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    IOStatus status = disk_->Operate();
    if (!status.ok()) return status;
    if (disk_->folders_.contains(Clean(from))) return RenameFolder(Clean(from), Clean(to));
    const auto file = disk_->Find(from);
    if (file == nullptr) return IOStatus::PathNotFound(from);
    disk_->Name(Clean(to), file);
    disk_->Name(Clean(from), nullptr);
    return status;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    const auto file = disk_->Find(from);
    if (file == nullptr) return IOStatus::PathNotFound(from);
    IOStatus status = disk_->Operate();
    if (status.ok()) disk_->Name(Clean(to), file);
    return status;
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, IODebugContext*) override {
    std::lock_guard guard(disk_->mutex_);
    if (!disk_->locks_.insert(Clean(path)).second) return IOStatus::IOError("lock hold by current process", path);
    *lock = new Lock(Clean(path));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    std::lock_guard guard(disk_->mutex_);
    const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
    disk_->locks_.erase(owned->path);
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* result,
                           IODebugContext*) override {
    *result = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_folder, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex_);
    *is_folder = disk_->folders_.contains(Clean(path));
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
    const auto file = disk_->Find(path);
    if (file == nullptr) return IOStatus::PathNotFound(path);
    *result = std::make_unique<DiskFile>(disk_, file);
    return IOStatus::OK();
  }

  IOStatus RenameFolder(const std::string& from, const std::string& to) {
    std::vector<std::pair<std::string, MemoryDisk::FilePtr>> moved;
    for (const auto& [path, file] : disk_->now_.files) {
      if (path.starts_with(from + "/")) moved.emplace_back(path, file);
    }
    for (const auto& [path, file] : moved) {
      disk_->Name(to + path.substr(from.size()), file);
      disk_->Name(path, nullptr);
    }
    disk_->folders_.erase(from);
    disk_->folders_.insert(to);
    return IOStatus::OK();
  }

  MemoryDisk* const disk_;
};

MemoryDisk::MemoryDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<DiskFileSystem>(this))) {}
MemoryDisk::~MemoryDisk() = default;

rocksdb::Env* MemoryDisk::env() { return env_.get(); }

IOStatus MemoryDisk::Operate() {
  const uint64_t number = operations_++;
  if (cut_at_ == number) frozen_ = Copy(now_);
  const bool fails = fail_at_.has_value() && (number == *fail_at_ || (number > *fail_at_ && !fail_once_));
  if (!fails || fault_ == Fault::kNone) return IOStatus::OK();
  return fault_ == Fault::kNoSpace ? IOStatus::NoSpace("injected") : IOStatus::IOError("injected");
}

void MemoryDisk::Name(const std::string& path, FilePtr file) {
  now_.journal.push_back({path, file});
  if (file == nullptr) {
    now_.files.erase(path);
  } else {
    now_.files[path] = std::move(file);
  }
}

MemoryDisk::FilePtr MemoryDisk::Find(const std::string& path) const {
  const auto found = now_.files.find(Clean(path));
  return found == now_.files.end() ? nullptr : found->second;
}

void MemoryDisk::CutPowerAfter(uint64_t operations) {
  std::lock_guard lock(mutex_);
  cut_at_ = operations_ + operations;
}

bool MemoryDisk::power_is_off() const {
  std::lock_guard lock(mutex_);
  return frozen_.has_value();
}

MemoryDisk::Content MemoryDisk::Copy(const Content& content) {
  std::map<FilePtr, FilePtr> copies;
  const auto copy = [&](const FilePtr& file) {
    if (file == nullptr) return file;
    FilePtr& own = copies[file];
    if (own == nullptr) own = std::make_shared<File>(*file);
    return own;
  };
  Content result;
  for (const auto& [path, file] : content.files) result.files[path] = copy(file);
  for (const auto& [path, file] : content.durable) result.durable[path] = copy(file);
  for (const JournalEntry& entry : content.journal) result.journal.push_back({entry.path, copy(entry.file)});
  return result;
}

void MemoryDisk::PowerOn(std::mt19937_64& random) {
  std::lock_guard lock(mutex_);
  if (frozen_.has_value()) now_ = *std::exchange(frozen_, std::nullopt);
  cut_at_.reset();
  locks_.clear();
  const size_t kept = random() % (now_.journal.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    const JournalEntry& entry = now_.journal[i];
    if (entry.file == nullptr) {
      now_.durable.erase(entry.path);
    } else {
      now_.durable[entry.path] = entry.file;
    }
  }
  now_.journal.clear();
  std::set<File*> done;
  for (const auto& [path, file] : now_.durable) {
    if (!done.insert(file.get()).second) continue;
    const size_t unsynced = file->bytes.size() - file->synced;
    file->bytes.resize(file->synced + random() % (unsynced + 1));
    const bool survived = file->bytes.size() > file->synced;
    if (survived && path.ends_with(".log") && random() % 4 == 0) file->bytes.back() = static_cast<char>(random());
    file->synced = file->bytes.size();
  }
  now_.files = now_.durable;
}

void MemoryDisk::FailAt(uint64_t operation, Fault fault, bool once) {
  std::lock_guard lock(mutex_);
  fail_at_ = operations_ + operation;
  fault_ = fault;
  fail_once_ = once;
}

uint64_t MemoryDisk::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

DiskImage MemoryDisk::Image() const {
  std::lock_guard lock(mutex_);
  DiskImage image;
  for (const auto& [path, file] : now_.files) image[path] = file->bytes;
  return image;
}

void MemoryDisk::Load(const DiskImage& image) {
  std::lock_guard lock(mutex_);
  now_ = Content();
  for (const auto& [path, bytes] : image) {
    now_.files[path] = std::make_shared<File>(File{bytes, bytes.size()});
    for (size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
      folders_.insert(path.substr(0, slash));
    }
  }
  now_.durable = now_.files;
}

}  // namespace maillage::storage
