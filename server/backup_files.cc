#include "server/backup_files.h"

#include <fcntl.h>
#include <sodium/core.h>
#include <sodium/crypto_generichash.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t kDigestBytes = 32;
constexpr size_t kStepBytes = size_t{1} << 20;
// Names that a message lists before it counts the rest.
constexpr size_t kNamesInMessage = 20;
// Objects and lists inside of each other in a manifest: four today.
constexpr int kManifestDepth = 8;

absl::Status FileError(const fs::path& file, const char* what, int error) {
  const std::string text = absl::StrCat(file.string(), " : ", what, " (", std::strerror(error), ")");
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(absl::StrCat(text, " ; libérez de la place et recommencez"));
  }
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EEXIST) return absl::AlreadyExistsError(text);
  if (error == EIO) return absl::DataLossError(text);
  return absl::FailedPreconditionError(text);
}

// An open file that is closed with its scope.
class File {
 public:
  File(const fs::path& path, int flags) : number_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  const int number_;
};

class Hash {
 public:
  Hash() { crypto_generichash_init(&state_, nullptr, 0, kDigestBytes); }
  void Add(const char* bytes, size_t size) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes), size);
  }
  std::string Hex() {
    std::array<unsigned char, kDigestBytes> digest;
    crypto_generichash_final(&state_, digest.data(), digest.size());
    return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }

 private:
  crypto_generichash_state state_;
};

std::string HashOf(const std::string& text) {
  Hash hash;
  hash.Add(text.data(), text.size());
  return hash.Hex();
}

// 0, or the error.
int WriteAll(int file, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written == 0 ? ENOSPC : errno;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return 0;
}

// Calls take(bytes, size) for each piece until it returns an error.
template <typename Take>
absl::Status ReadPieces(const fs::path& path, Take take) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) return FileError(path, "lecture impossible", errno);
  const auto buffer = std::make_unique<char[]>(kStepBytes);
  while (true) {
    const ssize_t size = read(file.number(), buffer.get(), kStepBytes);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError(path, "lecture impossible", errno);
    if (size == 0) return absl::OkStatus();
    if (absl::Status taken = take(buffer.get(), static_cast<size_t>(size)); !taken.ok()) return taken;
  }
}

Json ToJson(const BackupManifest& manifest) {
  Json kinds = Json::object();
  for (const auto& [name, kind] : manifest.kinds) {
    kinds[name] = {{"records", kind.records}, {"deleted", kind.deleted}};
  }
  Json files = Json::array();
  for (const BackupFile& file : manifest.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"blake2b", file.blake2b}});
  }
  Json json = {{"format", kManifestFormat}, {"site", manifest.site},         {"site_id", manifest.site_id},
          {"incarnation", manifest.incarnation}, {"root", manifest.root}, {"time_millis", manifest.time_millis},
          {"feed_head", manifest.feed_head},     {"kinds", kinds},        {"files", files}};
  if (!manifest.personal_keys.empty()) json["personal_keys"] = manifest.personal_keys;
  return json;
}

// The paths come from a file: none may lead out of the backup.
bool IsPlainPath(const std::string& path) {
  const fs::path parts(path);
  if (path.empty() || parts.is_absolute()) return false;
  for (const fs::path& part : parts) {
    if (part == ".." || part == "." || part.empty()) return false;
  }
  return true;
}

// Throws on what is negative or no whole number: to convert those is undefined.
uint64_t CountIn(const Json& json, const char* name) {
  return json.at(name).get_ref<const Json::number_unsigned_t&>();
}

absl::StatusOr<BackupManifest> FromJson(const Json& json) {
  BackupManifest manifest;
  manifest.site = json.at("site").get<std::string>();
  manifest.site_id = json.at("site_id").get<std::string>();
  manifest.incarnation = json.at("incarnation").get<std::string>();
  manifest.root = json.at("root").get<std::string>();
  manifest.personal_keys = json.value("personal_keys", "");
  if (manifest.personal_keys.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return absl::DataLossError(absl::StrCat(kManifestFile, " : « personal_keys » n'est pas un nom de clés"));
  }
  manifest.time_millis = CountIn(json, "time_millis");
  manifest.feed_head = CountIn(json, "feed_head");
  for (const auto& [name, kind] : json.at("kinds").items()) {
    manifest.kinds[name] = {CountIn(kind, "records"), CountIn(kind, "deleted")};
  }
  for (const Json& file : json.at("files")) {
    manifest.files.push_back({file.at("path").get<std::string>(), CountIn(file, "bytes"),
                              file.at("blake2b").get<std::string>()});
    if (!IsPlainPath(manifest.files.back().path)) {
      return absl::DataLossError(absl::StrCat(kManifestFile, " : un chemin sort de la sauvegarde"));
    }
  }
  return manifest;
}

// What is in the backup beside the manifest, with paths like the manifest's.
absl::StatusOr<std::set<std::string>> PathsIn(const fs::path& backup) {
  std::set<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(backup, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_directory()) continue;
    paths.insert(entry->path().lexically_relative(backup).generic_string());
  }
  if (error) return FileError(backup, "lecture impossible", error.value());
  paths.erase(kManifestFile);
  return paths;
}

std::string Listed(const std::vector<std::string>& names) {
  if (names.size() <= kNamesInMessage) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + kNamesInMessage, ", "), " et ",
                      names.size() - kNamesInMessage, " autres");
}

}  // namespace

std::optional<fs::path> IdentityCredential() {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  std::error_code error;
  if (folder == nullptr || !fs::exists(fs::path(folder) / kIdentityFile, error)) return std::nullopt;
  return fs::path(folder) / kIdentityFile;
}

uint64_t BackupManifest::bytes() const {
  uint64_t sum = 0;
  for (const BackupFile& file : files) sum += file.bytes;
  return sum;
}

std::string FormatManifest(const BackupManifest& manifest) {
  const Json backup = ToJson(manifest);
  return Json{{"blake2b", HashOf(backup.dump())}, {"backup", backup}}.dump(2) + "\n";
}

absl::StatusOr<BackupManifest> ParseManifest(const std::string& text) {
  const absl::Status damaged = absl::DataLossError(
      absl::StrCat(kManifestFile, " est endommagé : prenez une autre sauvegarde"));
  // Writing it again for its hash takes a stack frame for each level: what lies deeper than a manifest does is left out,
  // and missed by the hash.
  const auto within = [](int depth, Json::parse_event_t, Json&) { return depth <= kManifestDepth; };
  const Json json = Json::parse(text, within, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return damaged;
  try {
    const Json& backup = json.at("backup");
    if (CountIn(backup, "format") > kManifestFormat) {
      return absl::FailedPreconditionError(
          absl::StrCat(kManifestFile, " vient d'une version plus récente de Maillage : installez-la"));
    }
    if (json.at("blake2b").get<std::string>() != HashOf(backup.dump())) return damaged;
    return FromJson(backup);
  } catch (const Json::exception&) {
    return damaged;
  }
}

absl::StatusOr<BackupFile> CopyFile(const fs::path& from, const fs::path& to, const ByteProgress& progress) {
  std::unique_ptr<File> copy;
  if (!to.empty()) {
    copy = std::make_unique<File>(to, O_WRONLY | O_CREAT | O_EXCL);
    if (!copy->is_open()) return FileError(to, "création impossible", errno);
  }
  BackupFile file;
  Hash hash;
  absl::Status status = ReadPieces(from, [&](const char* bytes, size_t size) -> absl::Status {
    hash.Add(bytes, size);
    file.bytes += size;
    const int error = copy == nullptr ? 0 : WriteAll(copy->number(), bytes, size);
    if (error != 0) return FileError(to, "écriture impossible", error);
    if (progress && !progress(size)) return absl::CancelledError("arrêté");
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (copy != nullptr && fsync(copy->number()) != 0) return FileError(to, "écriture impossible", errno);
  file.blake2b = hash.Hex();
  return file;
}

absl::Status WriteWholeFile(const fs::path& path, const std::string& contents) {
  const File file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) return FileError(path, "création impossible", errno);
  int error = WriteAll(file.number(), contents.data(), contents.size());
  if (error == 0 && fsync(file.number()) != 0) error = errno;
  return error == 0 ? absl::OkStatus() : FileError(path, "écriture impossible", error);
}

absl::Status ReplaceFile(const fs::path& file, const std::string& contents) {
  const fs::path fresh = file.string() + ".new";
  std::error_code error;
  fs::remove(fresh, error);
  if (absl::Status written = WriteWholeFile(fresh, contents); !written.ok()) return written;
  fs::rename(fresh, file, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(file.string(), " : remplacement impossible (", error.message(), ")"));
  }
  return SyncFolder(file.parent_path());
}

absl::StatusOr<std::string> ReadWholeFile(const fs::path& path) {
  std::string contents;
  absl::Status read = ReadPieces(path, [&](const char* bytes, size_t size) {
    contents.append(bytes, size);
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return contents;
}

absl::Status SyncFolder(const fs::path& folder) {
  const File file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.is_open()) return FileError(folder, "ouverture impossible", errno);
  return fsync(file.number()) == 0 ? absl::OkStatus() : FileError(folder, "enregistrement impossible", errno);
}

absl::Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    return FileError(folder, "création impossible", error ? error.value() : EEXIST);
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  return error ? FileError(folder, "droits impossibles à régler", error.value()) : absl::OkStatus();
}

absl::Status RemoveTree(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  return error ? FileError(folder, "suppression impossible", error.value()) : absl::OkStatus();
}

absl::StatusOr<BackupManifest> VerifyBackup(const fs::path& backup, const ByteProgress& progress) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  const auto text = ReadWholeFile(backup / kManifestFile);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(absl::StrCat(
        backup.string(), " n'est pas une sauvegarde complète : il n'y a pas de ", kManifestFile));
  }
  if (!text.ok()) return text.status();
  auto manifest = ParseManifest(*text);
  if (!manifest.ok()) return manifest.status();
  auto paths = PathsIn(backup);
  if (!paths.ok()) return paths.status();
  std::vector<std::string> wrong;
  for (const BackupFile& expected : manifest->files) {
    if (paths->erase(expected.path) == 0) {
      wrong.push_back(absl::StrCat(expected.path, " (manque)"));
      continue;
    }
    auto file = CopyFile(backup / expected.path, "", progress);
    if (absl::IsCancelled(file.status())) return file.status();
    if (!file.ok() || file->bytes != expected.bytes || file->blake2b != expected.blake2b) {
      wrong.push_back(absl::StrCat(expected.path, " (endommagé)"));
    }
  }
  for (const std::string& path : *paths) wrong.push_back(absl::StrCat(path, " (en trop)"));
  if (wrong.empty()) return manifest;
  return absl::DataLossError(absl::StrCat(backup.string(), " est endommagée : ", Listed(wrong),
                                          ". Rien n'a été restauré ; prenez une autre sauvegarde."));
}

}  // namespace maillage::server
