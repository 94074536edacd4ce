#include "server/identity.h"

#include "server/backup_files.h"
#include "server/trust/key_file.h"

namespace maillage::server {

absl::StatusOr<replication::SigningKey> LoadOrCreateIdentity(const std::filesystem::path& folder) {
  return ReadOrCreateKey(folder / kIdentityFile);
}

}  // namespace maillage::server
