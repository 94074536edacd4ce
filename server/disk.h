// What a node asks of the disk besides its store. Behind a port, so that tests fill disks and break them.
#ifndef MAILLAGE_SERVER_DISK_H_
#define MAILLAGE_SERVER_DISK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::server {

// Called on the writer's thread.
class Disk {
 public:
  virtual ~Disk() = default;
  // What this process may still write on the file system of the folder.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::filesystem::path& folder) = 0;
  // Writes a small file in the folder, syncs it and removes it: whether the disk takes writes.
  virtual absl::Status TryWrite(const std::filesystem::path& folder) = 0;
};

class MachineDisk final : public Disk {
 public:
  absl::StatusOr<uint64_t> FreeBytes(const std::filesystem::path& folder) override;
  absl::Status TryWrite(const std::filesystem::path& folder) override;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_DISK_H_
