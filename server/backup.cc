#include "server/backup.h"

#include <fcntl.h>
#include <sodium/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/personal_keys.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;

constexpr char kPartialSuffix[] = ".partial";
// In the data folder: the store of one moment, by hard links, on its way to a backup.
constexpr char kCheckpointFolder[] = "backup-in-progress";
// In the data folder, from the first to the last step of a restoration.
constexpr char kRestoreFolder[] = "restore-in-progress";
// RocksDB's; it holds a lock on it as long as it is open.
constexpr char kLockFile[] = "LOCK";

absl::Status Failed(const fs::path& path, const char* what, const std::error_code& error) {
  return absl::FailedPreconditionError(absl::StrCat(path.string(), " : ", what, " (", error.message(), ")"));
}

// Removes a folder when it goes out of scope.
class Scaffold {
 public:
  explicit Scaffold(fs::path folder) : folder_(std::move(folder)) {}
  Scaffold(const Scaffold&) = delete;
  Scaffold& operator=(const Scaffold&) = delete;
  // What can't be removed has no manifest, and the next backup tries again.
  ~Scaffold() { RemoveTree(folder_).IgnoreError(); }
  const fs::path& path() const { return folder_; }

 private:
  const fs::path folder_;
};

absl::StatusOr<std::vector<fs::path>> NamesIn(const fs::path& folder) {
  std::vector<fs::path> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) return Failed(folder, "lecture impossible", error);
  return names;
}

// Beside the store, in the order in which they are restored.
std::vector<std::string> NodeFiles() {
  std::vector<std::string> names = {kIdentityFile};
  names.insert(names.end(), std::begin(kTrustFiles), std::end(kTrustFiles));
  return names;
}

// All that a restoration puts into the data folder, in that order.
std::vector<std::string> RestoredNames() {
  std::vector<std::string> names = NodeFiles();
  names.emplace(names.begin(), kStoreFolder);
  names.emplace_back(kPersonalKeysFile);
  return names;
}

bool IsNodeFile(const fs::path& name) {
  const std::vector<std::string> names = NodeFiles();
  return std::find(names.begin(), names.end(), name.string()) != names.end();
}

// A folder that somebody made under that name for something else is not ours to remove.
absl::Status RemoveOldPartial(const fs::path& partial) {
  std::error_code error;
  if (!fs::exists(partial, error)) return absl::OkStatus();
  const auto names = NamesIn(partial);
  if (!names.ok()) return names.status();
  for (const fs::path& name : *names) {
    if (name == kStoreFolder || name == kManifestFile || IsNodeFile(name)) continue;
    return absl::AlreadyExistsError(absl::StrCat(
        partial.string(), " contient autre chose qu'une sauvegarde interrompue : choisissez un autre dossier"));
  }
  return RemoveTree(partial);
}

absl::Status CheckTarget(const fs::path& target) {
  std::error_code error;
  if (!target.is_absolute() || target.filename().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("« ", target.string(), " » : donnez le chemin complet d'un nouveau dossier"));
  }
  if (fs::exists(fs::symlink_status(target, error))) {
    return absl::AlreadyExistsError(absl::StrCat(
        target.string(), " existe déjà : donnez à la sauvegarde un dossier qui n'existe pas"));
  }
  if (!fs::is_directory(target.parent_path(), error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        target.parent_path().string(), " n'est pas un dossier de la machine du nœud : créez-le d'abord"));
  }
  return RemoveOldPartial(fs::path(target) += kPartialSuffix);
}

absl::StatusOr<uint64_t> BytesBelow(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file()) bytes += entry->file_size();
  }
  if (error) return Failed(folder, "lecture impossible", error);
  return bytes;
}

absl::Status CheckRoom(Disk& disk, const fs::path& folder, uint64_t needed) {
  const auto free = disk.FreeBytes(folder);
  if (!free.ok()) return free.status();
  if (*free >= needed) return absl::OkStatus();
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  return absl::ResourceExhaustedError(
      absl::StrCat(folder.string(), " : il y a ", *free / kMiB, " Mio de libres, il en faut ", needed / kMiB + 1,
                   " ; libérez de la place, ou choisissez un autre disque"));
}

// Copies each file below `from` into the new folder `to`, and appends what it copied with paths below `name`.
absl::Status CopyStore(const fs::path& from, const fs::path& to, const ByteProgress& progress,
                       std::vector<BackupFile>& files) {
  if (absl::Status made = MakeFolder(to); !made.ok()) return made;
  const auto names = NamesIn(from);
  if (!names.ok()) return names.status();
  for (const fs::path& name : *names) {
    auto file = CopyFile(from / name, to / name, progress);
    if (!file.ok()) return file.status();
    file->path = absl::StrCat(kStoreFolder, "/", name.string());
    files.push_back(*std::move(file));
  }
  return SyncFolder(to);
}

// All of the copy, its manifest last.
absl::Status FillPartial(const fs::path& data, const fs::path& checkpoint, const fs::path& partial,
                         const ByteProgress& progress, BackupManifest& manifest) {
  absl::Status copied = CopyStore(checkpoint, partial / kStoreFolder, progress, manifest.files);
  if (!copied.ok()) return copied;
  for (const std::string& name : NodeFiles()) {
    // A key that systemd keeps is in nobody's copy.
    const bool may_miss = name != kIdentityFile || IdentityCredential().has_value();
    if (std::error_code error; may_miss && !fs::exists(data / name, error)) continue;
    auto file = CopyFile(data / name, partial / name, nullptr);
    if (!file.ok()) return file.status();
    file->path = name;
    manifest.files.push_back(*std::move(file));
  }
  if (absl::Status synced = SyncFolder(partial); !synced.ok()) return synced;
  absl::Status written = WriteWholeFile(partial / kManifestFile, FormatManifest(manifest));
  return written.ok() ? SyncFolder(partial) : written;
}

absl::Status Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return Failed(to, "création impossible", error);
  return SyncFolder(to.parent_path());
}

// Whether a process has the database in the folder open.
bool InUse(const fs::path& data) {
  const int file = open((data / kStoreFolder / kLockFile).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool locked = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return locked;
}

// Keeps a second restoration out of the folder.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : file_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        locked_(file_ >= 0 && flock(file_, LOCK_EX | LOCK_NB) == 0) {}
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (file_ >= 0) close(file_);
  }
  bool locked() const { return locked_; }

 private:
  const int file_;
  const bool locked_;
};

// Leaves the folder with nothing but the mark of a restoration.
absl::Status PrepareData(const fs::path& data) {
  const auto names = NamesIn(data);
  if (!names.ok()) return names.status();
  const fs::path mark = data / kRestoreFolder;
  std::error_code error;
  const bool resumed = fs::exists(mark, error);
  if (!resumed && !names->empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        data.string(), " n'est pas vide : restaurez dans un nouveau dossier, ou mettez celui-ci de côté"));
  }
  if (!resumed) {
    absl::Status made = MakeFolder(mark);
    return made.ok() ? SyncFolder(data) : made;
  }
  // The mark was made in an empty folder, and no node starts beside it: all this comes from the restoration.
  for (const std::string& name : RestoredNames()) {
    if (absl::Status removed = RemoveTree(data / name); !removed.ok()) return removed;
    if (absl::Status removed = RemoveTree(mark / name); !removed.ok()) return removed;
  }
  return absl::OkStatus();
}

// Copies what the manifest names below `to`, and compares again: a file may have changed since it was verified.
absl::Status CopyVerified(const fs::path& backup, const BackupManifest& manifest, const fs::path& to,
                          const ByteProgress& progress) {
  if (absl::Status made = MakeFolder(to / kStoreFolder); !made.ok()) return made;
  for (const BackupFile& expected : manifest.files) {
    const auto file = CopyFile(backup / expected.path, to / expected.path, progress);
    if (!file.ok()) return file.status();
    if (file->bytes != expected.bytes || file->blake2b != expected.blake2b) {
      return absl::DataLossError(absl::StrCat((backup / expected.path).string(), " vient d'être modifié"));
    }
  }
  if (absl::Status synced = SyncFolder(to / kStoreFolder); !synced.ok()) return synced;
  return SyncFolder(to);
}

// A backup is of RocksDB's files in one folder, and the node's own beside it.
absl::Status CheckShape(const BackupManifest& manifest) {
  bool doubt = false;
  for (const BackupFile& file : manifest.files) {
    const fs::path path(file.path);
    // Without it the restored node would go on with the dots of the one that was copied.
    doubt = doubt || path == fs::path(kStoreFolder) / "CONTINUITY_LOST";
    if (IsNodeFile(path) || path.parent_path() == kStoreFolder) continue;
    return absl::DataLossError(absl::StrCat("la sauvegarde contient un fichier inattendu : ", file.path));
  }
  if (doubt) return absl::OkStatus();
  return absl::DataLossError("la sauvegarde n'est pas complète : prenez-en une autre");
}

absl::StatusOr<std::optional<replication::SubjectKeys>> FindPersonalKeys(const fs::path& backup, const BackupManifest& manifest) {
  if (manifest.personal_keys.empty()) return std::nullopt;
  const fs::path file = PersonalKeysBeside(backup, manifest.personal_keys);
  absl::StatusOr<replication::SubjectKeys> keys = ReadPersonalKeys(file);
  if (absl::IsNotFound(keys.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        file.string(), " : les clés des données personnelles ne sont pas à côté de la sauvegarde ; copiez ce fichier du dossier où la "
        "sauvegarde a été faite"));
  }
  if (!keys.ok()) return keys.status();
  if (absl::BytesToHexString(keys->id()) != manifest.personal_keys) {
    return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ces clés sont celles d'une autre base de données"));
  }
  return *std::move(keys);
}

}  // namespace

absl::StatusOr<BackupManifest> MakeBackup(const BackupSource& source, const fs::path& target,
                                          const BackupProgressHandler& progress) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  if (absl::Status status = CheckTarget(target); !status.ok()) return status;
  if (absl::Status status = RemoveBackupRemains(source.data); !status.ok()) return status;
  const Scaffold checkpoint(source.data / kCheckpointFolder);
  auto manifest = source.checkpoint(checkpoint.path());
  if (!manifest.ok()) return manifest.status();
  if (source.personal_keys != nullptr) manifest->personal_keys = absl::BytesToHexString(source.personal_keys->id());
  const auto total = BytesBelow(checkpoint.path());
  if (!total.ok()) return total.status();
  absl::Status room = CheckRoom(*source.disk, target.parent_path(), *total + source.reserve_bytes);
  if (!room.ok()) return room;
  const Scaffold partial(fs::path(target) += kPartialSuffix);
  if (absl::Status made = MakeFolder(partial.path()); !made.ok()) return made;
  uint64_t done = 0;
  const ByteProgress step = [&](uint64_t bytes) { return progress(done += bytes, *total); };
  absl::Status filled = FillPartial(source.data, checkpoint.path(), partial.path(), step, *manifest);
  if (!filled.ok()) return filled;
  if (source.personal_keys != nullptr) {
    absl::Status kept = ReplaceFile(PersonalKeysBeside(target, manifest->personal_keys), source.personal_keys->Encode());
    if (!kept.ok()) return kept;
  }
  if (absl::Status named = Rename(partial.path(), target); !named.ok()) return named;
  return manifest;
}

absl::Status RemoveBackupRemains(const fs::path& data) {
  const fs::path checkpoint = data / kCheckpointFolder;
  if (absl::Status removed = RemoveTree(fs::path(checkpoint) += kPartialSuffix); !removed.ok()) return removed;
  return RemoveTree(checkpoint);
}

absl::StatusOr<BackupManifest> Restore(const fs::path& backup, const fs::path& data,
                                       const BackupProgressHandler& progress) {
  uint64_t done = 0;
  uint64_t total = 0;
  const ByteProgress step = [&](uint64_t bytes) { return progress(done += bytes, total); };
  if (const auto size = BytesBelow(backup); size.ok()) total = 2 * *size;
  auto manifest = VerifyBackup(backup, step);
  if (!manifest.ok()) return manifest.status();
  if (absl::Status status = CheckShape(*manifest); !status.ok()) return status;
  const auto personal_keys = FindPersonalKeys(backup, *manifest);
  if (!personal_keys.ok()) return personal_keys.status();
  if (InUse(data)) {
    return absl::FailedPreconditionError(
        absl::StrCat(data.string(), " sert à un nœud en marche : arrêtez-le, et restaurez dans un autre dossier"));
  }
  std::error_code error;
  if (!fs::exists(data, error)) {
    if (absl::Status made = MakeFolder(data); !made.ok()) return made;
  }
  const FolderLock lock(data);
  if (!lock.locked()) {
    return absl::FailedPreconditionError(absl::StrCat(data.string(), " : une autre restauration y est en cours"));
  }
  if (absl::Status prepared = PrepareData(data); !prepared.ok()) return prepared;
  MachineDisk disk;
  if (absl::Status room = CheckRoom(disk, data, manifest->bytes()); !room.ok()) return room;
  const fs::path mark = data / kRestoreFolder;
  if (absl::Status copied = CopyVerified(backup, *manifest, mark, step); !copied.ok()) return copied;
  if (personal_keys->has_value()) {
    absl::Status written = WriteWholeFile(mark / kPersonalKeysFile, (*personal_keys)->Encode());
    if (!written.ok()) return written;
  }
  std::vector<std::string> names = RestoredNames();
  for (const std::string& name : names) {
    if (!fs::exists(mark / name, error)) continue;
    if (absl::Status moved = Rename(mark / name, data / name); !moved.ok()) return moved;
  }
  if (absl::Status removed = RemoveTree(mark); !removed.ok()) return removed;
  if (absl::Status synced = SyncFolder(data); !synced.ok()) return synced;
  return manifest;
}

absl::Status CheckNotHalfRestored(const fs::path& data) {
  std::error_code error;
  if (!fs::exists(data / kRestoreFolder, error)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(data.string(), " : une restauration y a été interrompue ; relancez « maillage restore SAUVEGARDE --data ",
                   data.string(), " »"));
}

}  // namespace maillage::server
