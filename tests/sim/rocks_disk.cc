// A real RocksStore on a disk in memory. The seed decides at which of a commit's steps the power goes or the disk
// fails; RocksDB's own jobs are done in between, by one thread, so that nothing depends on their speed.
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/rocks_store.h"
#include "tests/sim/disk.h"
#include "tests/storage/memory_disk.h"
#include "tests/storage/one_worker_env.h"
#include "tests/storage/rocks_damage.h"

namespace maillage::sim {
namespace {

using storage::CommitBatch;
using storage::DiskImage;
using storage::RocksStore;
using Machine = storage::MemoryDisk;

constexpr char kFolder[] = "/site";
constexpr char kStore[] = "/site/store";
constexpr char kCopy[] = "/site/copy";

// What stands in for a store that can't be opened: everything says why.
class BrokenStore final : public storage::Store {
 public:
  explicit BrokenStore(absl::Status why) : why_(std::move(why)) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Table, std::string_view) const override { return why_; }
  std::unique_ptr<storage::Cursor> Scan(storage::Table, const storage::KeyRange&, storage::ScanOrder) const override {
    return std::make_unique<Nothing>(why_);
  }
  std::unique_ptr<storage::ReadView> Snapshot() const override { return std::make_unique<BrokenStore>(why_); }
  absl::Status Commit(const CommitBatch&) override { return why_; }

 private:
  class Nothing final : public storage::Cursor {
   public:
    explicit Nothing(absl::Status why) : why_(std::move(why)) {}
    bool Valid() const override { return false; }
    void Next() override {}
    std::string_view key() const override { return ""; }
    std::string_view value() const override { return ""; }
    absl::Status status() const override { return why_; }

   private:
    const absl::Status why_;
  };

  const absl::Status why_;
};

// What goes wrong at the next commit.
struct Accident {
  absl::Status error;
  // A fault of the disk; otherwise the power goes.
  bool noted = false;
  // The log's operation that fails, or before which the power goes: 0 appends, 1 syncs, 2 is after the commit.
  uint64_t step = 0;
};

// A RocksStore that meets the accidents that it is told to, and is opened with.
class OpenStore final : public storage::Store {
 public:
  OpenStore(std::unique_ptr<RocksStore> rocks, bool proven, Machine* machine, storage::OneWorkerEnv* env)
      : rocks_(std::move(rocks)), machine_(machine), env_(env), in_doubt_(!proven) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Table table, std::string_view key) const override {
    return rocks_->Get(table, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Table table, const storage::KeyRange& range,
                                        storage::ScanOrder order) const override {
    return rocks_->Scan(table, range, order);
  }
  std::unique_ptr<storage::ReadView> Snapshot() const override { return rocks_->Snapshot(); }

  absl::Status Commit(const CommitBatch& batch) override {
    if (failed_) return absl::FailedPreconditionError("after an accident");
    const std::optional<Accident> accident = std::exchange(accident_, std::nullopt);
    if (accident.has_value()) Prepare(*accident);
    absl::Status committed = rocks_->Commit(batch);
    env_->WaitUntilIdle();
    // Of an empty batch there is nothing that could fail.
    if (accident.has_value() && !batch.empty()) {
      failed_ = true;
      return accident->error;
    }
    // As the node does, once its new incarnation is on disk.
    if (committed.ok() && std::exchange(in_doubt_, false)) committed = rocks_->SettleContinuity();
    return committed;
  }

  void Meet(Accident accident) { accident_ = std::move(accident); }
  bool sound() const { return !failed_ && !accident_.has_value(); }
  const RocksStore& rocks() const { return *rocks_; }

 private:
  void Prepare(const Accident& accident) {
    if (!accident.noted) {
      if (accident.step < 2) machine_->CutPowerAfter(accident.step, Machine::Count::kLogs);
      return;
    }
    const auto fault =
        absl::IsResourceExhausted(accident.error) ? Machine::Fault::kNoSpace : Machine::Fault::kIoError;
    machine_->FailAt(accident.step, fault, /*once=*/true, Machine::Count::kLogs);
  }

  const std::unique_ptr<RocksStore> rocks_;
  Machine* const machine_;
  storage::OneWorkerEnv* const env_;
  std::optional<Accident> accident_;
  bool in_doubt_;
  bool failed_ = false;
};

class RocksDisk final : public Disk {
 public:
  RocksDisk() : RocksDisk(DiskImage()) {}
  explicit RocksDisk(const DiskImage& image) : env_(machine_.env()) {
    machine_.Load(image);
    std::unique_ptr<rocksdb::Directory> root;
    machine_.env()->CreateDirIfMissing(kFolder);
    if (machine_.env()->NewDirectory("/", &root).ok()) root->Fsync();
  }

  storage::Store* store() override {
    return broken_ != nullptr ? broken_.get() : static_cast<storage::Store*>(store_.get());
  }

  const storage::ReadView& content() override {
    if (broken_ != nullptr) return *broken_;
    if (store_ != nullptr) return *store_;
    if (look_ == nullptr) look_ = std::make_unique<RocksDisk>(ImageOf(kStore));
    if (look_->store() == nullptr) look_->PowerOn();
    return look_->content();
  }

  void FailNextCommit(SeededRandom& random, absl::Status error, bool noted) override {
    const uint64_t step = random.Below(noted ? 2 : 3);
    if (store_ != nullptr) store_->Meet({std::move(error), noted, step});
  }

  void PowerOff(SeededRandom& random) override {
    const bool in_order = random.OneIn(2);
    std::mt19937_64 rest(random.Next64());
    machine_.FailAt(0, Machine::Fault::kNone, /*once=*/true);
    if (!in_order) machine_.CutPowerAfter(0);
    store_.reset();
    broken_.reset();
    machine_.PowerOn(rest);
  }

  void DamageEnd(SeededRandom& random) override {
    const uint64_t which = random.Next64();
    const uint64_t where = random.Next64();
    const uint64_t how = random.Below(3);
    look_.reset();
    DiskImage image = ImageOf(kStore);
    const std::string log = storage::NewestLog(image);
    if (log.empty() || image[log].empty()) return;
    std::string& bytes = image[log];
    const std::vector<size_t> records = storage::RecordBoundaries(bytes);
    if (records.size() < 2) return;
    const size_t record = which % (records.size() - 1);
    const size_t begin = records[record];
    const size_t length = records[record + 1] - begin;
    if (how == 0) {
      // Never between two records, where nobody could tell.
      bytes.resize(begin + 1 + where % (length - 1));
    } else if (how == 1) {
      for (size_t i = begin; i < bytes.size() && i < begin + 4096; ++i) bytes[i] = '\0';
    } else {
      char& byte = bytes[begin + where % length];
      byte = static_cast<char>(byte ^ (1 << where / length % 8));
    }
    machine_.Load(image);
  }

  bool PowerOn() override {
    look_.reset();
    storage::RocksOptions options;
    options.env = &env_;
    options.block_cache_bytes = size_t{1} << 20;
    auto opened = RocksStore::Open(kStore, options);
    env_.WaitUntilIdle();
    if (!opened.ok()) {
      broken_ = std::make_unique<BrokenStore>(opened.status());
      return true;
    }
    store_ = std::make_unique<OpenStore>(std::move(opened->store), opened->continuity_proven, &machine_, &env_);
    return opened->continuity_proven;
  }

  // In turns a copy of the files, as they lie there, and one that the store makes of itself.
  std::unique_ptr<Disk> Copy() override {
    const bool checkpoint = ++copies_ % 2 == 0 && store_ != nullptr && store_->sound();
    if (!checkpoint || !store_->rocks().Checkpoint(kCopy).ok()) return std::make_unique<RocksDisk>(ImageOf(kStore));
    env_.WaitUntilIdle();
    DiskImage image;
    for (auto& [path, bytes] : ImageOf(kCopy)) {
      image[kStore + path.substr(std::size(kCopy) - 1)] = bytes;
      machine_.env()->DeleteFile(path);
    }
    machine_.env()->DeleteDir(kCopy);
    return std::make_unique<RocksDisk>(image);
  }

 private:
  DiskImage ImageOf(const std::string& folder) const {
    DiskImage image = machine_.Image();
    std::erase_if(image, [&](const auto& file) { return !file.first.starts_with(folder + "/"); });
    return image;
  }

  Machine machine_;
  storage::OneWorkerEnv env_;
  std::unique_ptr<OpenStore> store_;
  std::unique_ptr<BrokenStore> broken_;
  // What is on the disk while the power is off, looked at on another one.
  std::unique_ptr<RocksDisk> look_;
  uint64_t copies_ = 0;
};

}  // namespace

std::unique_ptr<Disk> NewRocksDisk() { return std::make_unique<RocksDisk>(); }

}  // namespace maillage::sim
