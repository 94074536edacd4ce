#include "server/trust/key_file.h"

#include <fcntl.h>
#include <sodium/core.h>
#include <sodium/utils.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/backup_files.h"
#include "server/machine.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using replication::kKeySeedSize;
using replication::SigningKey;

absl::Status FileError(const fs::path& file, const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ", what, " (", std::strerror(errno), ")"));
}

}  // namespace

absl::StatusOr<SigningKey> ReadKey(const fs::path& file, KeyKeeper keeper) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return absl::NotFoundError(absl::StrCat(file.string(), " : pas de clé ici"));
  if (descriptor < 0) return FileError(file, "lecture impossible");
  struct stat info = {};
  fstat(descriptor, &info);
  std::array<char, kKeySeedSize> seed;
  const bool complete = info.st_size == off_t{kKeySeedSize} && read(descriptor, seed.data(), seed.size()) == ssize_t{kKeySeedSize};
  close(descriptor);
  if (keeper == KeyKeeper::kFileMode && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(file.string(), " : la clé est lisible par d'autres ; faites « chmod 600 »"));
  }
  if (!complete) return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ce n'est pas une clé"));
  SigningKey key({seed.data(), seed.size()});
  sodium_memzero(seed.data(), seed.size());
  return key;
}

absl::StatusOr<SigningKey> CreateKey(const fs::path& file) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  MachineRandom random;
  SigningKey key = SigningKey::Generate(random);
  if (absl::Status written = WriteWholeFile(file, std::string(key.seed())); !written.ok()) return written;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (absl::Status synced = SyncFolder(folder); !synced.ok()) return synced;
  return key;
}

absl::StatusOr<SigningKey> ReadOrCreateKey(const fs::path& file) {
  absl::StatusOr<SigningKey> key = ReadKey(file);
  return absl::IsNotFound(key.status()) ? CreateKey(file) : std::move(key);
}

}  // namespace maillage::server
