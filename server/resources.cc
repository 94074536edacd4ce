#include "server/resources.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>

namespace maillage::server {

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  uint64_t resident_pages = 0;
  if (!(statm >> pages >> resident_pages)) return 0;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t FileSystemBytes(const std::filesystem::path& folder) {
  struct statvfs disk;
  if (statvfs(folder.c_str(), &disk) != 0) return 0;
  return static_cast<uint64_t>(disk.f_blocks) * disk.f_frsize;
}

}  // namespace maillage::server
