// Who this site is: an Ed25519 key in the data folder, made at the first start.
#ifndef MAILLAGE_SERVER_IDENTITY_H_
#define MAILLAGE_SERVER_IDENTITY_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "replication/signing.h"

namespace maillage::server {

// The key in `folder`/identity.key (32 bytes, mode 0600), or the one that systemd keeps as a credential, whose site() is the
// site's id. In French: NotFound where there is neither; FailedPrecondition where there are both, where the file is readable by
// others, or is no key.
absl::StatusOr<replication::SigningKey> LoadIdentity(const std::filesystem::path& folder);
// The same, and makes the key where there is none.
absl::StatusOr<replication::SigningKey> LoadOrCreateIdentity(const std::filesystem::path& folder);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_IDENTITY_H_
