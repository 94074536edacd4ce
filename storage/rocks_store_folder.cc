#include "storage/rocks_store_folder.h"

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_store_sorted_file.h"

namespace maillage::storage::rocks {
namespace {

std::string FolderAbove(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// False where the file can't be looked at.
bool Exists(rocksdb::Env* env, const std::string& file) { return env->FileExists(file).ok(); }

absl::Status CopyLogs(rocksdb::Env* env, const std::string& from, const std::string& to) {
  const auto names = FilesIn(env, from);
  if (!names.ok()) return names.status();
  const std::string doing = absl::StrCat("Copie du journal endommagé vers « ", to, " »");
  if (const auto made = env->CreateDir(to); !made.ok()) return ToStatus(made, doing);
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kLogSuffix)) continue;
    std::string contents;
    const rocksdb::Status read = rocksdb::ReadFileToString(env, In(from, name), &contents);
    if (!read.ok()) return ToStatus(read, doing);
    if (absl::Status written = WriteFile(env, In(to, name), contents); !written.ok())
      return written;
  }
  return SyncFolder(env, to);
}

}  // namespace

std::string In(const std::string& folder, const std::string& name) { return absl::StrCat(folder, "/", name); }

absl::StatusOr<std::vector<std::string>> FilesIn(rocksdb::Env* env, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::Status listed = env->GetChildren(path, &names);
  if (!listed.ok()) return ToStatus(listed, absl::StrCat("Lecture du dossier « ", path, " »"));
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  return names;
}

absl::Status WriteFile(rocksdb::Env* env, const std::string& file, const std::string& contents) {
  return ToStatus(rocksdb::WriteStringToFile(env, contents, file, /*should_sync=*/true),
                  absl::StrCat("Écriture de « ", file, " »"));
}

absl::Status ToStatus(const rocksdb::Status& status, const std::string& doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string detail = status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(doing, " : le disque est plein, libérez de la place (",
                     detail, ")."));
  }
  if (status.IsCorruption() || status.IsPathNotFound()) {
    return absl::DataLossError(
        absl::StrCat(doing, " : des données sont endommagées sur le disque (", detail,
                     "). « maillage doctor » dit lesquelles ; nœud arrêté, « maillage doctor "
                     "--salvage DOSSIER » sauve "
                     "tout le reste, et les autres sites rendront ce qui manque."));
  }
  return absl::InternalError(absl::StrCat(doing, " : le disque a répondu « ", detail, " »."));
}

absl::StatusOr<bool> PrepareFolder(rocksdb::Env* env, const std::string& path) {
  const rocksdb::Status made = env->CreateDirIfMissing(path);
  if (!made.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("Le dossier « ", path, " » ne peut pas être créé (", made.ToString(),
                     ") : vérifiez que le dossier qui doit le contenir existe et que le nœud a le "
                     "droit d'y écrire."));
  }
  if (Exists(env, In(path, kCurrentFile))) return true;
  // A power cut could take the new folder away, with all that was acknowledged in it.
  if (absl::Status kept = SyncFolderAbove(env, path); !kept.ok()) return kept;
  const auto names = FilesIn(env, path);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kSortedFileSuffix) && !absl::EndsWith(name, kLogSuffix)) continue;
    return absl::DataLossError(absl::StrCat(
        "Le dossier « ", path, " » contient une base (", name, ") dont le fichier ", kCurrentFile,
        " a disparu. Rien n'a été modifié : mettez ce dossier de côté, puis restaurez une "
        "sauvegarde ou "
        "repartez d'un dossier vide, que les autres sites rempliront."));
  }
  return false;
}

absl::StatusOr<bool> LacksLog(rocksdb::Env* env, const std::string& path) {
  const auto names = FilesIn(env, path);
  if (!names.ok()) return names.status();
  bool database = false;
  bool log = false;
  for (const std::string& name : *names) {
    database = database || name == kCurrentFile;
    log = log || absl::EndsWith(name, kLogSuffix);
  }
  return database && !log;
}

absl::StatusOr<std::string> KeepLogs(rocksdb::Env* env, const std::string& path) {
  std::string kept;
  int number = 0;
  do {
    kept = In(path, absl::StrCat("damaged-logs-", ++number));
  } while (Exists(env, kept));
  absl::Status copied = CopyLogs(env, path, kept);
  if (copied.ok()) return kept;
  RemoveFolder(env, kept).IgnoreError();
  return copied;
}

absl::StatusOr<bool> HasSortedFiles(rocksdb::Env* env, const std::string& path) {
  const auto names = FilesIn(env, path);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (absl::EndsWith(name, kSortedFileSuffix)) return true;
  }
  return false;
}

absl::Status WithLogsAside(rocksdb::Env* env, const std::string& path, absl::FunctionRef<absl::Status()> step) {
  constexpr char kAside[] = ".aside";
  const std::string doing = absl::StrCat("Déplacement des journaux de « ", path, " »");
  const auto before = FilesIn(env, path);
  if (!before.ok()) return before.status();
  rocksdb::Status status;
  for (const std::string& name : *before) {
    if (!absl::EndsWith(name, kLogSuffix) || !status.ok()) continue;
    status = env->RenameFile(In(path, name), In(path, name + kAside));
  }
  if (!status.ok()) return ToStatus(status, doing);
  if (absl::Status done = step(); !done.ok()) return done;
  const auto after = FilesIn(env, path);
  if (!after.ok()) return after.status();
  for (const std::string& name : *after) {
    if (absl::EndsWith(name, kLogSuffix) && status.ok()) status = env->DeleteFile(In(path, name));
  }
  for (const std::string& name : *before) {
    if (!absl::EndsWith(name, kLogSuffix) || !status.ok()) continue;
    status = env->RenameFile(In(path, name + kAside), In(path, name));
  }
  return ToStatus(status, doing);
}

absl::Status RemoveFolder(rocksdb::Env* env, const std::string& path) {
  if (!Exists(env, path)) return absl::OkStatus();
  const auto names = FilesIn(env, path);
  if (!names.ok()) return names.status();
  const std::string doing = absl::StrCat("Suppression du dossier « ", path, " »");
  for (const std::string& name : *names) {
    const rocksdb::Status erased = env->DeleteFile(In(path, name));
    if (!erased.ok()) return ToStatus(erased, doing);
  }
  return ToStatus(env->DeleteDir(path), doing);
}

absl::Status SyncFolder(rocksdb::Env* env, const std::string& path) {
  std::unique_ptr<rocksdb::Directory> folder;
  rocksdb::Status synced = env->NewDirectory(path, &folder);
  if (synced.ok()) synced = folder->Fsync();
  return ToStatus(synced, absl::StrCat("Enregistrement du dossier « ", path, " »"));
}

absl::Status SyncFolderAbove(rocksdb::Env* env, const std::string& path) {
  return SyncFolder(env, FolderAbove(path));
}

}  // namespace maillage::storage::rocks
