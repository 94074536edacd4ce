// What the node takes of its machine.
#ifndef MAILLAGE_SERVER_RESOURCES_H_
#define MAILLAGE_SERVER_RESOURCES_H_

#include <cstdint>
#include <filesystem>

namespace maillage::server {

// Memory of this process; 0 where the kernel doesn't tell.
uint64_t ResidentBytes();
// Size of the file system that the folder is on; 0 where it doesn't tell.
uint64_t FileSystemBytes(const std::filesystem::path& folder);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RESOURCES_H_
