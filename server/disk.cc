#include "server/disk.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace maillage::server {
namespace {

constexpr char kProbeFile[] = "disk-probe";
// More than a file system may keep inside of an inode, so that a block has to be found.
constexpr size_t kProbeBytes = 64 * 1024;

absl::Status DiskError(const std::string& what, int error) {
  return absl::InternalError(absl::StrCat(what, " : ", std::strerror(error)));
}

// 0, or the error.
int WriteAndSync(int file) {
  const std::string bytes(kProbeBytes, 'x');
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(file, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? ENOSPC : errno;
    written += static_cast<size_t>(n);
  }
  return fsync(file) == 0 ? 0 : errno;
}

}  // namespace

absl::StatusOr<uint64_t> MachineDisk::FreeBytes(const std::filesystem::path& folder) {
  struct statvfs disk;
  if (statvfs(folder.c_str(), &disk) != 0) return DiskError(folder.string(), errno);
  return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
}

absl::Status MachineDisk::TryWrite(const std::filesystem::path& folder) {
  const std::string path = (folder / kProbeFile).string();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return DiskError(path, errno);
  int error = WriteAndSync(file);
  if (close(file) != 0 && error == 0) error = errno;
  if (unlink(path.c_str()) != 0 && error == 0) error = errno;
  return error == 0 ? absl::OkStatus() : DiskError(path, error);
}

}  // namespace maillage::server
