#include "server/identity.h"

#include <fcntl.h>
#include <sodium/core.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_sign.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace maillage::server {
namespace {

using Seed = std::array<unsigned char, crypto_sign_SEEDBYTES>;

absl::Status FileError(const std::filesystem::path& file, const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat(file.string(), " : ", what, " (", std::strerror(errno), ")"));
}

absl::Status WriteSeed(const std::filesystem::path& file, const Seed& seed) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return FileError(file, "création impossible");
  const bool written = write(descriptor, seed.data(), seed.size()) == ssize_t{sizeof(Seed)} &&
                       fsync(descriptor) == 0;
  close(descriptor);
  return written ? absl::OkStatus() : FileError(file, "écriture impossible");
}

absl::Status ReadSeed(const std::filesystem::path& file, Seed& seed) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(file, "lecture impossible");
  struct stat info = {};
  fstat(descriptor, &info);
  const bool complete = info.st_size == off_t{sizeof(Seed)} &&
                        read(descriptor, seed.data(), seed.size()) == ssize_t{sizeof(Seed)};
  close(descriptor);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(file.string(), " : la clé est lisible par d'autres ; faites « chmod 600 »"));
  }
  if (!complete) return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ce n'est pas une clé"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SiteId> LoadOrCreateIdentity(const std::filesystem::path& folder) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  const std::filesystem::path file = folder / "identity.key";
  Seed seed;
  if (!std::filesystem::exists(file)) {
    randombytes_buf(seed.data(), seed.size());
    if (absl::Status status = WriteSeed(file, seed); !status.ok()) return status;
  } else if (absl::Status status = ReadSeed(file, seed); !status.ok()) {
    return status;
  }
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key;
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key;
  crypto_sign_seed_keypair(public_key.data(), secret_key.data(), seed.data());
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(secret_key.data(), secret_key.size());
  std::array<unsigned char, 32> hash;
  crypto_generichash(hash.data(), hash.size(), public_key.data(), public_key.size(), nullptr, 0);
  return *SiteId::FromBytes({reinterpret_cast<const char*>(hash.data()), SiteId::kSize});
}

}  // namespace maillage::server
