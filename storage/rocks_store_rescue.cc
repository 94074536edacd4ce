#include "storage/rocks_store_rescue.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/env.h"
#include "storage/rocks_store_folder.h"
#include "storage/rocks_store_sorted_file.h"

namespace maillage::storage {
namespace {

// What RocksDB makes a manifest from.
bool HoldsData(const std::string& name) { return absl::EndsWith(name, rocks::kSortedFileSuffix) || absl::EndsWith(name, ".log"); }

// Links where it can: RocksDB doesn't write into finished sorted files. Logs are always copied.
absl::Status CopyData(rocksdb::Env* env, const std::string& from, const std::string& to) {
  const std::string doing = absl::StrCat("Copie de la base endommagée vers « ", to, " »");
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  std::vector<std::string> names;
  rocksdb::Status status = env->GetChildren(from, &names);
  if (status.ok()) status = env->CreateDirIfMissing(to);
  for (const std::string& name : names) {
    if (!status.ok()) break;
    if (!HoldsData(name)) continue;
    const std::string source = absl::StrCat(from, "/", name);
    const std::string target = absl::StrCat(to, "/", name);
    const uint64_t fatal = rocks::FatalByte(env, source).value_or(kNone);
    const bool linkable = absl::EndsWith(name, rocks::kSortedFileSuffix) && fatal == kNone;
    if (linkable && env->LinkFile(source, target).ok()) continue;
    std::string bytes;
    status = rocksdb::ReadFileToString(env, source, &bytes);
    // As it was before its bit was flipped.
    if (status.ok() && fatal < bytes.size()) bytes[fatal] &= '\x7f';
    if (status.ok()) status = rocksdb::WriteStringToFile(env, bytes, target, /*should_sync=*/false);
  }
  return rocks::ToStatus(status, doing);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksRescue>> RocksRescue::Lock(const std::string& path, const RocksOptions& options) {
  rocksdb::Env* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  rocksdb::FileLock* lock = nullptr;
  if (const auto locked = env->LockFile(absl::StrCat(path, "/LOCK"), &lock); !locked.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "« ", path, " » est ouvert par un nœud, ou n'est pas une base : arrêtez le nœud, puis recommencez (",
        locked.ToString(), ")"));
  }
  return std::unique_ptr<RocksRescue>(new RocksRescue(path, options, env, lock));
}

absl::Status RocksRescue::Open(const std::string& scratch) {
  absl::StatusOr<std::unique_ptr<RocksStore>> store = RocksStore::OpenToRescue(path_, options_);
  if (!store.ok()) {
    manifest_damage_ = std::string(store.status().message());
    if (absl::Status copied = CopyData(env_, path_, scratch); !copied.ok()) return copied;
    if (absl::Status made = RocksStore::MakeManifest(scratch, options_); !made.ok()) return made;
    store = RocksStore::OpenToRescue(scratch, options_);
  }
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  return absl::OkStatus();
}

RocksRescue::~RocksRescue() {
  store_.reset();
  env_->UnlockFile(lock_);
}

}  // namespace maillage::storage
